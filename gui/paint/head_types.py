"""The colours of head types: the same on badges, in the legend, and wherever else a head's type is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from PySide6.QtGui import QColor

from headscope.core.analyse.records.head_types import HeadType
from headscope.gui.paint.theme import Theme

_NUMBERS: Final[Mapping[HeadType, int]] = {
    "previous": 0,
    "next": 6,
    "same": 4,
    "induction": 1,
    "duplicate": 5,
    "special": 2,
    "first": 7,
}
"""Which of the theme's twelve."""


def type_color(type_: HeadType, theme: Theme) -> QColor:
    """The colour of a head type; quiet ones for heads that do nothing in particular."""
    if type_ in _NUMBERS:
        return theme.head_color(_NUMBERS[type_])
    return theme.color("muted" if type_ == "broad" else "line")

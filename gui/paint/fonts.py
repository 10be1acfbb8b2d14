"""The typefaces there are: the bundled one, made known to Qt once, and those of this computer."""

from __future__ import annotations

from functools import cache
from typing import Final

from PySide6.QtGui import QFontDatabase

from headscope.gui.paint.theme import INTER
from headscope.resources import font_files

_STAND_INS: Final = frozenset({"Serif", "Sans Serif", "Monospace"})
"""Listed on Linux for whatever the system prefers; in a list of families they mean nothing."""


@cache
def load_fonts() -> frozenset[str]:
    """Make Inter available to every painter; needs an application object. The families it comes in, a weight for each."""
    numbers = [QFontDatabase.addApplicationFont(str(path)) for path in font_files()]
    return frozenset(family for number in numbers for family in QFontDatabase.applicationFontFamilies(number))


def typefaces() -> list[str]:
    """Families that the window can be written in: Inter, then those of this computer that have Latin letters in any size, by name."""
    found = set(QFontDatabase.families(QFontDatabase.WritingSystem.Latin)) - load_fonts() - _STAND_INS
    return [INTER, *sorted(filter(_is_meant_for_people, found), key=str.casefold)]


def _is_meant_for_people(family: str) -> bool:
    is_hidden = family.startswith((".", "@")) or QFontDatabase.isPrivateFamily(family)
    return not is_hidden and QFontDatabase.isSmoothlyScalable(family)

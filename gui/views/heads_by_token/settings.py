"""HeadsByTokenSettings: whose weights are shown, and how many tokens at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headscope.core.attention.head_map import Side
from headscope.gui.session.view_settings import ViewSettings


@dataclass(frozen=True, slots=True)
class HeadsByTokenSettings(ViewSettings):
    """Whose weights are shown.

    Attributes
    ----------
    side : Side
        What the chosen token attends to ("query"), or what attends to it ("key").
    whole : bool
        All tokens at once, instead of scrolling.
    """

    VIEW: ClassVar[str] = "heads_by_token"

    side: Side = "query"
    whole: bool = False

"""LinksSettings: which links are drawn, and as lines or as arcs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from headscope.gui.session.view_settings import ViewSettings, setting, within

MOST_HIDDEN: Final = 50
LEAST_KEPT, MOST_KEPT = 10, 100


@dataclass(frozen=True, slots=True)
class LinksSettings(ViewSettings):
    """How links are chosen and drawn.

    Attributes
    ----------
    by_mass : bool
        Of each query the fewest links are drawn that carry most of its attention, instead of all that are not weak.
    hidden : int
        Hundredths of weight under which links are hidden.
    kept : int
        Hundredths of each query's attention that links are kept for.
    arcs : bool
        Arcs over one line of text, instead of lines between two columns.
    whole : bool
        All tokens at once, instead of scrolling.
    """

    VIEW: ClassVar[str] = "links"

    by_mass: bool = False
    hidden: int = setting(0, sound=within(0, MOST_HIDDEN), slides=True)
    kept: int = setting(70, sound=within(LEAST_KEPT, MOST_KEPT), slides=True)
    arcs: bool = False
    whole: bool = False

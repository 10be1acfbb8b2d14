"""LinksSettings: which links are drawn, and as lines or as arcs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

from headscope.core.attention.lens import Lens
from headscope.gui.session.view_settings import ViewSettings, setting, within

MOST_HIDDEN: Final = 50
MOST_HIDDEN_OF_LARGEST: Final = 99
LEAST_KEPT, MOST_KEPT = 10, 100


Slider = Literal["hidden", "hidden_of_largest", "kept"]


@dataclass(frozen=True, slots=True)
class LinksSettings(ViewSettings):
    """How links are chosen and drawn.

    Attributes
    ----------
    by_mass : bool
        Of each query the fewest links are drawn that carry most of its attention, instead of all that are not weak.
    hidden : int
        Hundredths of weight under which links are hidden.
    hidden_of_largest : int
        Through another lens, whose numbers are no shares: hundredths of the largest under which links are hidden.
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
    hidden_of_largest: int = setting(0, sound=within(0, MOST_HIDDEN_OF_LARGEST), slides=True)
    kept: int = setting(70, sound=within(LEAST_KEPT, MOST_KEPT), slides=True)
    arcs: bool = False
    whole: bool = False

    def slider(self, lens: Lens) -> tuple[Slider, int, int]:
        """What the slider moves, from where to where: of other numbers than weights there is no share to keep."""
        if not lens.is_share:
            return "hidden_of_largest", 0, MOST_HIDDEN_OF_LARGEST
        return ("kept", LEAST_KEPT, MOST_KEPT) if self.by_mass else ("hidden", 0, MOST_HIDDEN)

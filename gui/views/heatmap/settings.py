"""HeatmapSettings: scale, colours and the ends of the colour bar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Final

from headscope.core.attention.lens import Lens
from headscope.gui.paint.color_maps import COLOR_MAPS
from headscope.gui.paint.scales import Look, ScaleName
from headscope.gui.session.view_settings import ViewSettings, setting

HOME: Final = (0.0, 1.0)
"""The ends of the colour bar."""
_OF_SIGNED: Final[tuple[ScaleName, ...]] = ("linear", "rank")
"""Scales that numbers below 0 have."""


def _rises(ends: tuple[float, float]) -> bool:
    return 0 <= ends[0] < ends[1] <= 1


@dataclass(frozen=True, slots=True)
class HeatmapSettings(ViewSettings):
    """How the heatmap is coloured.

    Attributes
    ----------
    scale, stretched, ends, color_map
        See `Look`.
    ends_of : str
        The id of the lens that `ends` were moved for; those of others are at home.
    """

    VIEW: ClassVar[str] = "heatmap"

    scale: ScaleName = "linear"
    stretched: bool = False
    ends: tuple[float, float] = setting(HOME, sound=_rises, slides=True)
    ends_of: str = setting("weights", slides=True)
    color_map: str = setting("plain", sound=lambda name: name in COLOR_MAPS)

    def look(self, lens: Lens) -> Look:
        """For numbers of a lens; in proportion to them where they may be negative and the scale has no place for that."""
        wanted = Look(self.scale, self.stretched, self.ends if lens.id == self.ends_of else HOME, self.color_map)
        return replace(wanted, scale="linear") if lens.is_signed and self.scale not in _OF_SIGNED else wanted

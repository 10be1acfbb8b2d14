"""HeadsSettings: how the thumbnails of all heads are coloured, or which metrics a scatter of them shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headscope.core.analyse.records.head_types import Metric
from headscope.gui.session.view_settings import ViewSettings


@dataclass(frozen=True, slots=True)
class HeadsSettings(ViewSettings):
    """How all heads are shown.

    Attributes
    ----------
    own_maximum : bool
        Each head is coloured up to its own largest weight, instead of up to 1.
    scatter : bool
        A point for each head, instead of a picture.
    across, up : Metric
        Where a point is.
    """

    VIEW: ClassVar[str] = "heads"

    own_maximum: bool = False
    scatter: bool = False
    across: Metric = "distance"
    up: Metric = "entropy"

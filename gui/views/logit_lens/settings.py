"""LogitLensSettings: what its cells show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from headscope.gui.session.view_settings import ViewSettings

Shows = Literal["probability", "entropy", "token"]


@dataclass(frozen=True, slots=True)
class LogitLensSettings(ViewSettings):
    """What the cells of the logit lens show.

    Attributes
    ----------
    shows : Shows
        The most probable token, coloured by its probability or by the entropy; or one token that is followed.
    """

    VIEW: ClassVar[str] = "logit_lens"

    shows: Shows = "probability"

"""FilmStripSettings: how fast steps go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from headscope.gui.session.view_settings import ViewSettings, setting, within

SLOWEST: Final = 0.25
FASTEST: Final = 4.0


@dataclass(frozen=True, slots=True)
class FilmStripSettings(ViewSettings):
    """How fast steps go by.

    Attributes
    ----------
    speed : float
        Steps a second, while they are played.
    """

    VIEW: ClassVar[str] = "film_strip"

    speed: float = setting(1.0, sound=within(SLOWEST, FASTEST), slides=True)

"""GenerationViewSettings: how masks are filled, and how many fields are shown. How a model writes is its own settings' to say at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from headscope.core.vocabulary import FillStrategy
from headscope.gui.session.view_settings import ViewSettings, setting, within

MOST_SWEEPS: Final = 100
HOTTEST: Final = 5.0
LARGEST_SEED: Final = 2**31 - 1
"""What the fields go up to."""


@dataclass(frozen=True, slots=True)
class GenerationViewSettings(ViewSettings):
    """How masks are filled.

    Attributes
    ----------
    strategy : FillStrategy
    sweeps, temperature, seed
        Of Gibbs sampling.
    more : bool
        The rarer fields of a model that writes are shown as well.
    """

    VIEW: ClassVar[str] = "generation"

    strategy: FillStrategy = "confident"
    sweeps: int = setting(5, sound=within(1, MOST_SWEEPS), slides=True)
    temperature: float = setting(1.0, sound=within(0, HOTTEST), slides=True)
    seed: int = setting(0, sound=within(0, LARGEST_SEED), slides=True)
    more: bool = False

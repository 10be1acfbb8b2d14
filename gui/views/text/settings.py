"""TextSettings: what the text is coloured by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from headscope.gui.session.view_settings import ViewSettings

Mode = Literal["from", "to", "surprisal", "attribution"]


@dataclass(frozen=True, slots=True)
class TextSettings(ViewSettings):
    """What the text is coloured by.

    Attributes
    ----------
    mode : Mode
        What the chosen token attends to, what attends to it, or what was computed of each token.
    rollout : bool
        An attribution is attention rollout, instead of gradients.
    """

    VIEW: ClassVar[str] = "text"

    mode: Mode = "from"
    rollout: bool = False

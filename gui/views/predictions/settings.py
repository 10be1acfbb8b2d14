"""PredictionsSettings: whether filters act on what is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headscope.gui.session.view_settings import ViewSettings


@dataclass(frozen=True, slots=True)
class PredictionsSettings(ViewSettings):
    """Whether filters act on what is predicted.

    Attributes
    ----------
    filters : bool
        The fields of the sampling filters are shown, and their effect on the next token.
    """

    VIEW: ClassVar[str] = "predictions"

    filters: bool = False

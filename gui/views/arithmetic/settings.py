"""ArithmeticSettings: in what order the dimensions of a product stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from headscope.gui.session.view_settings import ViewSettings


@dataclass(frozen=True, slots=True)
class ArithmeticSettings(ViewSettings):
    """In what order the dimensions of a product stand.

    Attributes
    ----------
    largest_first : bool
        By the size of their product, instead of by their index.
    """

    VIEW: ClassVar[str] = "arithmetic"

    largest_first: bool = False

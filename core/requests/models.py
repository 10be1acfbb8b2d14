"""What is asked about models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headscope.core.model import Model


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Load `source`, or take over `model`, which is in memory; answers `ModelInfo`."""

    source: str
    device: str = "auto"
    dtype: str = "auto"
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRequest:
    """What can be opened, and where it can run; answers `Catalogue`."""

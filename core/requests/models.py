"""What is asked about models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.requests.request import ModelRequest

if TYPE_CHECKING:
    from headscope.core.forward.model_info import ModelInfo  # noqa: F401 - an answer
    from headscope.core.model import Model
    from headscope.core.models.catalogue_entries import Catalogue  # noqa: F401 - an answer


@dataclass(frozen=True, slots=True)
class LoadRequest(ModelRequest["ModelInfo"]):
    """Load `source`, or take over `model`, which is in memory; answers `ModelInfo`."""

    source: str
    device: str = "auto"
    dtype: str = "auto"
    model: Model | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRequest(ModelRequest["Catalogue"]):
    """What can be opened, and where it can run; answers `Catalogue`."""

"""What can be opened without a network, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model that is on this computer. `group` is "toy" or "cache"; `size` in bytes."""

    source: str
    name: str
    group: Literal["toy", "cache"]
    description: str
    size: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models on this computer, the devices they can run on and their number formats, as `load_model` takes them ("auto" first)."""

    entries: tuple[CatalogueEntry, ...]
    devices: tuple[str, ...]
    dtypes: tuple[str, ...]

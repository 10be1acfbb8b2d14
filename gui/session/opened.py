"""Opened: how each model was opened, so that it can be opened again."""

from __future__ import annotations

from headscope.core.forward.model_info import ModelInfo
from headscope.core.requests.models import LoadRequest


class Opened:
    """The models that were open in this window, and what each was asked for with."""

    def __init__(self) -> None:
        self._all: list[tuple[ModelInfo, LoadRequest]] = []

    def add(self, model: ModelInfo, request: LoadRequest) -> None:
        """It is open."""
        self._all.append((model, request))

    def request(self, model: ModelInfo) -> LoadRequest | None:
        """What opens it again; None if it never was open here."""
        return next((request for info, request in self._all if info is model), None)

    def same(self, one: ModelInfo, other: ModelInfo) -> bool:
        """Whether both are one model, on one device and in one number format."""
        return one is other or (self.request(one) is not None and self.request(one) == self.request(other))

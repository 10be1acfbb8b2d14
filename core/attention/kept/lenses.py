"""How each lens is computed from a layer, and a layer seen through one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import torch
from torch import Tensor

from headscope.core.attention.kept.layer import Layer, LayerView
from headscope.core.attention.lens import Lens


class LensFunction(Protocol):
    """The numbers of some rows of one head, or of all heads (None)."""

    def __call__(self, layer: Layer, rows: range, *, batch: int, head: int | None) -> Tensor:
        """float32 (1 or n_heads, len(rows), seen), as `Layer.weights`; -inf where a lens that hides has no number."""


def weights(layer: Layer, rows: range, *, batch: int, head: int | None) -> Tensor:
    """softmax(q kᵀ · scale + mask), after edits."""
    return layer.weights(rows, batch=batch, head=head)


def scores(layer: Layer, rows: range, *, batch: int, head: int | None) -> Tensor:
    """q kᵀ · scale with position bias and soft cap, before edits that set weights; ``no_scores`` where only weights are known."""
    return layer.scores(rows, batch=batch, head=head)


FUNCTIONS: Final[dict[str, LensFunction]] = {"weights": weights, "scores": scores}
"""By the id of the lens."""


@dataclass(frozen=True)
class LensLayer(LayerView):
    """A layer whose `weights` are what a lens shows of it."""

    layer: Layer
    lens: Lens

    @property
    def seen_through(self) -> Lens:
        return self.lens

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """As `LensFunction`."""
        return FUNCTIONS[self.lens.id](self.layer, rows, batch=batch, head=head)

    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        return self.layer.scores(rows, batch=batch, head=head)

    def thinned(self, rows: Sequence[int]) -> Layer | None:
        layer = self.layer.thinned(rows)
        return None if layer is None else replace(self, layer=layer)

    def owned(self, own: Callable[[Tensor], Tensor]) -> Layer:
        layer = self.layer.owned(own)
        return self if layer is self.layer else replace(self, layer=layer)

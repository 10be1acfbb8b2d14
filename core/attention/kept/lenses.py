"""How each lens is computed from a layer, and a layer seen through one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import torch
from torch import Tensor

from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.lens import WEIGHTS, Lens


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
class LensLayer(Layer):
    """A layer whose `weights` are what a lens shows of it."""

    layer: Layer
    lens: Lens

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.layer.shape

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.layer.tensors

    @property
    def computes_all_heads(self) -> bool:
        return self.layer.computes_all_heads

    @property
    def inner(self) -> Layer:
        return self.layer

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


def lens_of(layer: Layer) -> Lens:
    """What a layer's `weights` are."""
    found: Lens = getattr(layer, "lens", WEIGHTS)
    return found

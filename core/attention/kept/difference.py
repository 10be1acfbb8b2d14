"""The difference of two runs, layer by layer: what one shows minus what the other does, through the same lens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.kept.layer import Layer, LayerView
from headscope.core.attention.lens import Lens, difference_of
from headscope.core.errors import HeadscopeError
from headscope.core.vocabulary import Kind


@dataclass(frozen=True)
class DifferenceLayer(LayerView):
    """A layer whose `weights` are what a lens shows of one run, minus what it shows of another.

    Attributes
    ----------
    layer, reference : Layer
        Seen through the same lens, with the same numbers of heads, queries and keys.
    batch_of_reference : int
        Which text of its batch the reference is.
    """

    layer: Layer
    reference: Layer
    batch_of_reference: int

    @property
    def seen_through(self) -> Lens:
        return difference_of(self.layer.seen_through)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return (*self.layer.tensors, *self.reference.tensors)

    @property
    def computes_all_heads(self) -> bool:
        return self.layer.computes_all_heads or self.reference.computes_all_heads

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """float32 (1 or n_heads, len(rows), seen); -inf where the lens has no number for one of the two."""
        newest = self.layer.weights(rows, batch=batch, head=head)
        reference = self.reference.weights(rows, batch=self.batch_of_reference, head=head).to(newest.device)
        hidden = float("-inf") if self.seen_through.hides else 0.0
        seen = max(newest.shape[-1], reference.shape[-1])
        newest, reference = (F.pad(each, (0, seen - each.shape[-1]), value=hidden) for each in (newest, reference))
        difference = newest - reference
        if self.seen_through.hides:
            difference[newest.isneginf() | reference.isneginf()] = hidden
        return difference

    def thinned(self, rows: Sequence[int]) -> Layer | None:
        layer, reference = self.layer.thinned(rows), self.reference.thinned(rows)
        return None if layer is None or reference is None else replace(self, layer=layer, reference=reference)

    def owned(self, own: Callable[[Tensor], Tensor]) -> Layer:
        return replace(self, layer=self.layer.owned(own), reference=self.reference.owned(own))


def differences(
    layers: Mapping[Kind, Sequence[Layer]], reference: Mapping[Kind, Sequence[Layer]], *, batch_of_reference: int
) -> dict[Kind, tuple[DifferenceLayer, ...]]:
    """Of each layer of a run. Raises ``no_difference`` if a layer has no counterpart of its shape, seen through the same lens."""
    found = {}
    for kind, ours in layers.items():
        theirs = reference.get(kind, ())
        if [(each.shape, each.seen_through) for each in ours] != [(each.shape, each.seen_through) for each in theirs]:
            raise HeadscopeError("no_difference")
        found[kind] = tuple(DifferenceLayer(one, other, batch_of_reference) for one, other in zip(ours, theirs, strict=True))
    return found

"""What is kept of one attention layer, and how its weights are computed from that when somebody looks.

Keeping queries and keys costs O(tokens · width) where the weights would cost O(heads · tokens²). A layer is frozen:
whatever the model does next, it gives the same numbers.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any
from weakref import ref

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from headscope.core.attention.kept.rotation import Rotated, Rotation
from headscope.core.attention.kept.softmax_input import SoftmaxInput
from headscope.core.attention.kept.visibility import Visibility, additive, last_keys, shared
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.errors import HeadscopeError
from headscope.core.numerics import same_scores
from headscope.core.sentences import sentence

BLOCK_BYTES = 2 << 20
"""Scores computed at one time: small enough for a CPU's caches, large enough to keep its matrix multiplication busy."""
_BLOCKS_AT_ONCE = 64
"""An accelerator is given so many times as much: there it is the number of calls that counts."""


class Layer(ABC):
    """One attention layer of one run."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int]:
        """(n_heads, n_queries, n_keys)."""

    @property
    @abstractmethod
    def tensors(self) -> tuple[Tensor, ...]:
        """Everything that is kept."""

    @abstractmethod
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """Attention weights of one head, or of all of them (None).

        Returns
        -------
        Tensor, float32, (1 or n_heads, len(rows), seen)
            `seen` counts the keys up to the last one that any of the rows may see; the weights of the others are 0.
        """

    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """What goes into the softmax, before any edit: as `weights`, -inf where a key is hidden.

        Raises
        ------
        HeadscopeError
            ``no_scores`` where they are not known.
        """
        raise HeadscopeError("no_scores", reason=sentence("weights_only"))

    def row_blocks(self, *, rows: range, head: int | None) -> Iterator[range]:
        """Cut `rows` so that a call of `weights` handles about `BLOCK_BYTES` of scores."""
        n_heads, _, n_keys = self.shape
        at_once = n_heads if head is None or self.computes_all_heads else 1
        on_cpu = all(tensor.device.type == "cpu" for tensor in self.tensors)
        most = BLOCK_BYTES * (1 if on_cpu else _BLOCKS_AT_ONCE)
        step = max(1, most // (4 * at_once * n_keys))
        for start in range(rows.start, rows.stop, step):
            yield range(start, min(start + step, rows.stop))

    @property
    def computes_all_heads(self) -> bool:
        """Whether asking for one head costs as much as asking for all."""
        return False

    @property
    def inner(self) -> Layer | None:
        """The layer that this one is a view of (in words, edited, put together); None if it is none."""
        return None

    @property
    def seen_through(self) -> Lens:
        """What its `weights` are."""
        return WEIGHTS

    def owned(self, own: Callable[[Tensor], Tensor]) -> Layer:
        """The layer with what `own` makes of what its latest pass left: copies of what is somebody else's."""
        del own
        return self

    def thinned(self, rows: Sequence[int]) -> Layer | None:
        """A layer of these queries alone; None where only neighbours can be computed together."""
        del rows
        return None


class LayerView(Layer):
    """A layer that shows another one's numbers in another way: in words, edited, through a lens."""

    layer: Layer

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


@dataclass(frozen=True, slots=True)
class LazyLayer(Layer):
    """Queries and keys after all that the model does to them (such as rotary positions), ready for the dot product.

    Attributes
    ----------
    query : Tensor, (batch, n_heads, n_queries, d_head)
    key : Tensor, (batch, n_key_heads, n_keys, d_head)
        Grouped-query attention (Ainslie et al. 2023): head h reads key head ``h // (n_heads // n_key_heads)``.
    scaling : float
        What scores are multiplied with.
    visibility : tuple of Visibility
        What each query could see, in the order of the queries.
    value : Tensor or None, (batch, n_key_heads, n_keys, d_value)
        Kept where a recorder was asked to.
    reader : weak reference to a Module, or None
        The linear layer that reads the heads' outputs one after the other; found along with `value`. No record has one.
    output_weights : Tensor or None, (n_heads · d_value, d_model)
        Its weights W_O as they were in the pass, where a copy of them could be kept.
    rotation : Rotation, "unseen" or None
        What queries and keys were turned by; of a single pass.
    """

    query: Tensor
    key: Tensor
    scaling: float
    visibility: tuple[Visibility, ...]
    value: Tensor | None = field(default=None, kw_only=True)
    reader: ref[nn.Module] | None = field(default=None, kw_only=True)
    output_weights: Tensor | None = field(default=None, kw_only=True)
    rotation: Rotated = field(default=None, kw_only=True)

    @property
    def projection(self) -> nn.Module | None:
        """`reader`, if its model is still there."""
        return None if self.reader is None else self.reader()

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.query.shape[1], self.query.shape[2], self.key.shape[2]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        values = tuple(tensor for tensor in (self.value, self.output_weights) if tensor is not None)
        rotated = self.rotation.tensors if isinstance(self.rotation, Rotation) else ()
        return (self.query, self.key, *values, *rotated, *(tensor for visible in self.visibility for tensor in visible.tensors))

    @property
    def device(self) -> torch.device:
        return self.query.device

    def detached(self) -> LazyLayer:
        """Without its gradients' history."""
        value = None if self.value is None else self.value.detach()
        visibility = tuple(visible.detached() for visible in self.visibility)
        return replace(self, query=self.query.detach(), key=self.key.detach(), value=value, visibility=visibility)

    def owned(self, own: Callable[[Tensor], Tensor]) -> LazyLayer:
        parts = {name: part for name in ("query", "key", "value") if (part := getattr(self, name)) is not None}
        changed: dict[str, Any] = {name: owned for name, part in parts.items() if (owned := own(part)) is not part}
        if (last := self.visibility[-1].changed(own)) is not self.visibility[-1]:  # the others are of earlier passes
            changed["visibility"] = (*self.visibility[:-1], last)
        if isinstance(self.rotation, Rotation) and (rotation := self.rotation.owned(own)) is not self.rotation:
            changed["rotation"] = rotation
        return replace(self, **changed) if changed else self

    def converted(self, convert: Callable[[Tensor], Tensor]) -> LazyLayer:
        value = None if self.value is None else convert(self.value)
        visibility = tuple(visible.moved_to(convert(self.query[:0]).device) for visible in self.visibility)
        rotated = self.rotation.converted(convert) if isinstance(self.rotation, Rotation) else self.rotation
        return replace(
            self, query=convert(self.query), key=convert(self.key), value=value, visibility=visibility, rotation=rotated
        )

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        if (last := last_keys(self.visibility, rows)) is None:
            return self.formed(rows, batch=batch, head=head)[0]
        seen = self.visibility[0].seen(rows)
        mask = last.additive(rows, seen, batch=batch, head=head, device=self.device)  # to all keys it would add zeros
        return self._softmax(rows, seen, mask, batch=batch, head=head)

    @torch.inference_mode()
    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        seen, mask = self._added(rows, batch=batch, head=head)
        return self._scores(rows, seen, mask, batch=batch, head=head)

    @torch.inference_mode()
    def thinned(self, rows: Sequence[int]) -> Layer | None:
        if len(self.visibility) != 1 or (self.visibility[0].causal and self.visibility[0].mask is not None):
            return None
        chosen = torch.tensor(rows, device=self.device)
        return replace(self, query=self.query[:, :, chosen], visibility=(self.visibility[0].thinned(chosen),))

    def formed(
        self, rows: range, *, batch: int, head: int | None, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """As `weights`, for autograd as well, with more keys hidden.

        Parameters
        ----------
        hidden : Tensor or None, bool (1 or n_heads, len(rows), n_keys)
            True where a key is hidden that could be seen otherwise.

        Returns
        -------
        Tensor, float32, (1 or n_heads, len(rows), seen)
        Tensor or None, float32, (1 or n_heads, 1 or len(rows), seen)
            What was added to the scores: -inf where a key is not seen; None if nothing was.
        """
        seen, mask = self._added(rows, batch=batch, head=head)
        if hidden is not None:
            mask = torch.zeros((), device=self.query.device) if mask is None else mask
            mask = mask.where(~hidden[..., :seen], -math.inf)
        weights = self._softmax(rows, seen, mask, batch=batch, head=head)
        if mask is None:
            return weights, None
        # The softmax of a query that sees nothing (padding before a text) is 0/0, NaN: it has no weight to share out.
        blind = mask.amax(-1, keepdim=True) == -math.inf
        return weights.masked_fill(blind, 0.0) if torch.is_grad_enabled() else weights.masked_fill_(blind, 0.0), mask

    def _added(self, rows: range, *, batch: int, head: int | None) -> tuple[int, Tensor | None]:
        """How many keys `rows` may see, and what is added to their scores."""
        seen = max(visible.seen(part) for visible in self.visibility if (part := shared(visible.queries, rows)))
        return seen, additive(self.visibility, rows, seen, batch=batch, head=head, device=self.query.device)

    def _softmax(self, rows: range, seen: int, mask: Tensor | None, *, batch: int, head: int | None) -> Tensor:
        return torch.softmax(self._scores(rows, seen, mask, batch=batch, head=head), dim=-1)

    def _scores(self, rows: range, seen: int, mask: Tensor | None, *, batch: int, head: int | None) -> Tensor:
        """q kᵀ · scaling + mask: float32 (1 or n_heads, len(rows), seen). A shorter `mask` is of the last keys."""
        groups = self.query.shape[1] // self.key.shape[1]
        heads = slice(None) if head is None else slice(head, head + 1)
        key_heads = slice(None) if head is None else slice(head // groups, head // groups + 1)
        query = self.query[batch, heads, rows.start : rows.stop].float()  # (n_heads, len(rows), d_head)
        scale_first = (
            math.frexp(self.scaling)[0] == 0.5
        )  # cheaper; a power of two changes no digit, another would round elsewhere
        query = query * self.scaling if scale_first else query
        key = self.key[batch, key_heads, :seen].float()  # (n_key_heads, seen, d_head)
        # All the heads of a group as one long list of queries: their shared keys are not copied for each.
        scores = query.reshape(key.shape[0], -1, query.shape[-1]) @ key.transpose(-2, -1)
        scores = scores.view(query.shape[0], len(rows), seen)
        if not scale_first:
            scores = scores.mul_(self.scaling)
        if mask is not None:
            scores[..., seen - mask.shape[-1] :].add_(mask)
        return scores


EagerAttention = Callable[..., tuple[Tensor, Tensor]]
"""transformers' `eager_attention_forward`: (module or what it reads of one, query, key, value, mask, scaling, dropout, ...) to (output, weights)."""


@dataclass(frozen=True, slots=True)
class AsWrittenLayer(LazyLayer):
    """A layer whose scores are more than a dot product (a soft cap, sinks): its model file's own function computes them.

    Attributes
    ----------
    settings : SimpleNamespace
        What the function reads of the layer's attention module, frozen: see `owned.settings_of`.
    eager_attention : callable
    options : mapping
        Keyword arguments that the function was given besides.
    """

    settings: SimpleNamespace
    eager_attention: EagerAttention
    options: Mapping[str, object] = field(default_factory=dict)

    @property
    def computes_all_heads(self) -> bool:
        return True

    def _scores(self, rows: range, seen: int, mask: Tensor | None, *, batch: int, head: int | None) -> Tensor:
        with SoftmaxInput() as tap:
            AsWrittenLayer._softmax(self, rows, seen, mask, batch=batch, head=head)
        if tap.scores is None:
            raise HeadscopeError("no_scores", reason=sentence("softmax_unseen"))
        scores = tap.scores[0, slice(None) if head is None else slice(head, head + 1), :, :seen].float()  # sinks lie behind
        plain = LazyLayer._scores(self, rows, seen, mask, batch=batch, head=head)
        # Some take the row's largest away first, for safety: then the plain scores are the same but for that number.
        shifted = plain - plain.amax(-1, keepdim=True) + scores.amax(-1, keepdim=True)
        return plain if same_scores(shifted, scores, self.query.dtype, self.query.shape[-1]) else scores

    def _softmax(self, rows: range, seen: int, mask: Tensor | None, *, batch: int, head: int | None) -> Tensor:
        query = self.query[batch : batch + 1, :, rows.start : rows.stop]
        key = self.key[batch : batch + 1, :, :seen]
        no_value = key.new_zeros((*key.shape[:-1], 1))  # the weights do not depend on it
        if mask is not None:
            mask = F.pad(mask.to(query.dtype), (seen - mask.shape[-1], 0)).expand(-1, len(rows), -1)[None]
        _, weights = self.eager_attention(
            self.settings, query, key, no_value, mask, scaling=self.scaling, dropout=0.0, **self.options
        )
        return weights[0, slice(None) if head is None else slice(head, head + 1)].float()

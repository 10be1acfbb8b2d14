"""What each query was allowed to see, kept as compactly as it was given: a rule where there is one, a mask otherwise."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Visibility:
    """What a run of queries could see among a run of keys.

    Attributes
    ----------
    queries, keys : range
        Rows and columns of the attention map that this speaks of; other keys are not seen.
    causal : bool
        The last query sees up to the last key, the one before up to the key before, and so on.
    window : int or None
        With `causal`: only this many keys, the query's own included (a sliding cache).
    mask : Tensor or None, (batch or 1, n_heads or 1, len(queries) or 1, at least len(keys))
        bool (True: seen) or added to the scores (the dtype's minimum or -inf: not seen).
    bias : Tensor or None, like `mask`
        Added to the scores (T5's relative positions).
    """

    queries: range
    keys: range
    causal: bool = False
    window: int | None = None
    mask: Tensor | None = None
    bias: Tensor | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(tensor for tensor in (self.mask, self.bias) if tensor is not None)

    def seen(self, rows: range) -> int:
        """One past the last key that any of `rows` may see."""
        return self.keys.stop - (self.queries.stop - rows.stop) if self.causal else self.keys.stop

    def detached(self) -> Visibility:
        """Without its gradients' history (a position bias is learned, a mask may be)."""
        return self.changed(Tensor.detach)

    def changed(self, change: Callable[[Tensor], Tensor]) -> Visibility:
        """With what `change` makes of its mask and its bias."""
        mask, bias = (None if tensor is None else change(tensor) for tensor in (self.mask, self.bias))
        return self if mask is self.mask and bias is self.bias else replace(self, mask=mask, bias=bias)

    def moved_to(self, device: torch.device) -> Visibility:
        """The same on another device; masks that layers share stay shared where they are."""
        return self.changed(lambda tensor: tensor.to(device))

    def moved(self, queries: int, keys: int) -> Visibility:
        """The same further down and to the right."""
        return replace(self, queries=_moved(self.queries, queries), keys=_moved(self.keys, keys))

    def thinned(self, rows: Tensor) -> Visibility:
        """What these queries (int64, their places in the map) could see, as if there were no others; `causal` without a mask."""
        local = rows - self.queries.start
        mask, bias = (
            tensor if tensor is None or tensor.shape[-2] == 1 else tensor[..., local, :] for tensor in (self.mask, self.bias)
        )
        if self.causal:
            keys = torch.arange(self.keys.start, self.keys.stop, device=rows.device)
            behind = self.keys.stop - self.queries.stop + rows[:, None] - keys  # how many keys before the last one seen
            mask = ((behind >= 0) & (behind < (self.window or len(keys))))[None, None]
        return Visibility(range(len(rows)), self.keys, mask=mask, bias=bias)

    def additive(self, rows: range, seen: int, *, batch: int, head: int | None, device: torch.device) -> Tensor | None:
        """What to add to the scores of `rows` and the keys below `seen`.

        Returns
        -------
        Tensor, float32, (1 or n_heads, 1 or len(rows), number of keys), or None
            0 where a key is seen, -inf where not, the bias added; None if nothing has to be added.
        """
        n_keys = min(seen, self.keys.stop) - self.keys.start
        local = slice(rows.start - self.queries.start, rows.stop - self.queries.start)
        terms = [_as_additive(_cut(tensor, batch, head, local, n_keys)) for tensor in self.tensors]
        if self.causal and (len(rows) > 1 or self.window is not None):
            terms.append(self._triangle(rows, n_keys, device))
        return sum(terms[1:], terms[0]) if terms else None

    def _triangle(self, rows: range, n_keys: int, device: torch.device) -> Tensor:
        last_seen = self.keys.stop - self.queries.stop + rows.start - self.keys.start  # by the first of the rows
        hidden = torch.full((1, len(rows), n_keys), -math.inf, device=device)
        triangle = hidden.triu(last_seen + 1)
        return triangle if self.window is None else triangle + hidden.tril(last_seen - self.window)


def additive(
    visibility: tuple[Visibility, ...], rows: range, seen: int, *, batch: int, head: int | None, device: torch.device
) -> Tensor | None:
    """`Visibility.additive` for rows that may belong to several sights: float32 (1 or n_heads, 1 or len(rows), seen), or None."""
    touched = [(visible, shared(visible.queries, rows)) for visible in visibility if shared(visible.queries, rows)]
    parts = [visible.additive(part, seen, batch=batch, head=head, device=device) for visible, part in touched]
    if len(parts) == 1 and touched[0][0].keys.start == 0:
        return parts[0]
    n_heads = max((part.shape[0] for part in parts if part is not None), default=1)
    whole = torch.full((n_heads, len(rows), seen), -math.inf, device=device)
    for (visible, part), addition in zip(touched, parts, strict=True):
        window = whole[:, part.start - rows.start : part.stop - rows.start, visible.keys.start : visible.keys.stop]
        window.copy_(torch.zeros((), device=device) if addition is None else addition)
    return whole


def last_keys(visibility: tuple[Visibility, ...], rows: range) -> Visibility | None:
    """The sight of the last keys alone, where a plain triangle shows all keys before them to every one of `rows`."""
    if (
        len(visibility) != 1
        or not visibility[0].causal
        or visibility[0].window is not None
        or visibility[0].tensors
        or visibility[0].keys.start
    ):
        return None
    (visible,) = visibility
    return replace(visible, keys=range(visible.seen(range(rows.start, rows.start + 1)), visible.keys.stop))


def shared(one: range, other: range) -> range:
    """The numbers that two ranges of step 1 have in common; empty (and false) if none."""
    return range(max(one.start, other.start), min(one.stop, other.stop))


def as_rule(visible: Visibility) -> Visibility:
    """A single query that sees all the keys it was given, said as a causal rule, so that `joined` can put steps together."""
    if len(visible.queries) != 1 or visible.bias is not None or not _open(visible.mask):
        return visible
    return Visibility(visible.queries, visible.keys, causal=True, window=len(visible.keys) if visible.keys.start else None)


def joined(earlier: tuple[Visibility, ...], later: Visibility) -> tuple[Visibility, ...]:
    """`earlier` with `later` after it, as one where both follow the same rule: plain generation stays a single triangle."""
    if not earlier:
        return (later,)
    last = earlier[-1]
    keys_go_on = last.keys.stop + len(later.queries) == later.keys.stop if later.causal else last.keys == later.keys
    same_rule = (last.causal, last.window) == (later.causal, later.window) and not (last.tensors or later.tensors)
    if not (keys_go_on and same_rule and last.queries.stop == later.queries.start):
        return (*earlier, later)
    queries = range(last.queries.start, later.queries.stop)
    keys = range(min(last.keys.start, later.keys.start), later.keys.stop)
    return (*earlier[:-1], Visibility(queries, keys, later.causal, later.window))


def _open(mask: Tensor | None) -> bool:
    return mask is None or bool(mask.all() if mask.dtype == torch.bool else (mask == 0).all())


def _moved(numbers: range, by: int) -> range:
    return range(numbers.start + by, numbers.stop + by)


def _cut(tensor: Tensor, batch: int, head: int | None, rows: slice, n_keys: int) -> Tensor:
    """The part of a (batch or 1, n_heads or 1, n_queries or 1, n_keys) tensor that speaks of these."""
    part = tensor[min(batch, tensor.shape[0] - 1), ..., :n_keys]
    if head is not None and part.shape[0] > 1:
        part = part[head : head + 1]
    return part if part.shape[1] == 1 else part[:, rows]


def _as_additive(mask: Tensor) -> Tensor:
    """bool or additive in any dtype to float32 with a real -inf, which makes the weights of hidden keys exactly 0."""
    if mask.dtype == torch.bool:
        return torch.zeros(mask.shape, device=mask.device).masked_fill_(~mask, -math.inf)
    return mask.float().masked_fill(mask <= torch.finfo(mask.dtype).min, -math.inf)

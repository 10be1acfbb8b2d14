"""A record in other units: attention between words, sentences or segments, with or without special tokens.

Attention *to* a word is the sum over its tokens, attention *from* it the mean over them, so that rows still sum to 1. Layers are
wrapped, not computed: a record in words is a record, and all that can be asked of one can be asked of it.

References
----------
Clark, Khandelwal, Levy and Manning, What Does BERT Look At?, 2019, section 4.1: token-to-token maps made word-to-word.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.kept.layer import Layer, LayerView
from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence


@dataclass(frozen=True)
class UnitsLayer(LayerView):
    """A layer whose rows and columns stand for several tokens each.

    Attributes
    ----------
    layer : Layer
        Of tokens.
    queries, keys : sequence of range
        The tokens of each row and column, ascending; tokens that are in none are hidden.
    renormalise : bool
        Each token's row is divided by what is left of it before rows are averaged; one that looks at hidden tokens alone stays 0.
    """

    layer: Layer
    queries: Sequence[range]
    keys: Sequence[range]
    renormalise: bool = False

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.layer.shape[0], len(self.queries), len(self.keys)

    @cached_property
    def _column_of(self) -> Tensor:
        """Which column each token is part of; one behind the last if none: int64 (n_tokens,)."""
        return _place_of(self.keys, self.layer.shape[2])

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        asked = self.queries[rows.start : rows.stop]
        tokens = range(asked[0].start, asked[-1].stop)
        row_of = _place_of(asked, tokens.stop)[tokens.start :]
        n_heads = self.shape[0] if head is None else 1
        summed: Tensor | None = None
        for block in self.layer.row_blocks(rows=tokens, head=head):
            columns = self._columns(self.layer.weights(block, batch=batch, head=head))
            if summed is None:
                summed = columns.new_zeros(n_heads, len(asked) + 1, len(self.keys))  # the last row takes what is hidden
            at = row_of[block.start - tokens.start : block.stop - tokens.start].to(columns.device)
            summed.index_add_(1, at, columns)
        assert summed is not None
        lengths = torch.tensor([len(pieces) for pieces in asked], dtype=summed.dtype, device=summed.device)
        return summed[:, :-1] / lengths[:, None]

    @torch.inference_mode()
    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """Of rows and columns that are single tokens: a word has no score of its own."""
        if any(len(pieces) != 1 for pieces in (*self.queries, *self.keys)):
            raise HeadscopeError("no_scores", reason=sentence("units_have_weights"))
        asked = [pieces.start for pieces in self.queries[rows.start : rows.stop]]
        found = self.layer.scores(range(asked[0], asked[-1] + 1), batch=batch, head=head)
        keys = torch.tensor([pieces.start for pieces in self.keys], device=found.device)
        short = max(0, int(keys[-1]) + 1 - found.shape[-1])
        found = F.pad(found, (0, short), value=-math.inf)
        return found[:, torch.tensor(asked, device=found.device) - asked[0]][..., keys]

    def _columns(self, weights: Tensor) -> Tensor:
        """(…, tokens) summed to (…, columns)."""
        n_heads, n_rows, seen = weights.shape
        at = self._column_of[:seen].to(weights.device)
        columns = weights.new_zeros(n_heads, n_rows, len(self.keys) + 1).index_add_(2, at, weights)[..., :-1]
        if not self.renormalise:
            return columns
        left = columns.sum(-1, keepdim=True)
        return columns / torch.where(left > 0, left, 1)


def _place_of(groups: Sequence[range], n_tokens: int) -> Tensor:
    place = torch.full((n_tokens,), len(groups))
    for number, pieces in enumerate(groups):
        place[pieces.start : pieces.stop] = number
    return place

"""How many cells of a head have which number: counted in bins as blocks of rows pass by, so that memory stays bounded."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.ranks import BINS, DROPPED_BITS, RankTable
from headscope.core.job import Cancel

_HIDDEN_BIN: Final = 0x007FFFFF >> DROPPED_BITS
"""That of -inf: of keys that a query may not see, and of nothing else."""


@torch.inference_mode()
def rank_table(layer: Layer, *, batch: int, head: int, cancel: Cancel) -> RankTable:
    """Ranks among all the numbers of a head; cells without one count for nothing.

    Raises
    ------
    HeadscopeError
        ``no_scores``
    Cancelled
        Between two blocks.
    """
    _, n_queries, n_keys = layer.shape
    counts: Tensor | None = None
    n_seen = 0
    for block in layer.row_blocks(rows=range(n_queries), head=head):
        cancel.check()
        places = _bins(layer.weights(block, batch=batch, head=head))
        counts = torch.zeros(BINS, dtype=torch.int64, device=places.device) if counts is None else counts
        counts.index_add_(0, places, torch.ones((), dtype=torch.int64, device=places.device).expand(len(places)))
        n_seen += len(places)
    found = (torch.zeros(BINS, dtype=torch.int64) if counts is None else counts).cpu().numpy()
    if layer.seen_through.hides:
        found[_HIDDEN_BIN] = 0
    else:
        found[BINS // 2] += n_queries * n_keys - n_seen  # the 0 of keys that no query of a block may see
    return RankTable.of_counts(found)


def _bins(values: Tensor) -> Tensor:
    """As `core.ranks` has them: int32 (n_cells,)."""
    bits = values.add(0.0).view(torch.int32).flatten()
    signs = (bits >> 31).bitwise_and_(0x7FFFFFFF)
    return signs.bitwise_xor_(bits).bitwise_right_shift_(DROPPED_BITS).add_(BINS // 2)

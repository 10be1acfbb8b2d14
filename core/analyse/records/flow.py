"""Attention flow: how much could flow from a token of a layer down to an input token, if attention weights were pipes.

Rollout sums over paths; flow asks for the largest amount that all paths together can carry, where paths share pipes. It costs
a maximum flow for each pair of tokens, so it is for sentences and not for pages. Read `rollout` on what such maps leave out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import networkx as nx
import numpy as np
from networkx.algorithms.flow import build_residual_network, shortest_augmenting_path

from headscope.core.analyse.records.rollout import Fuse, with_residual
from headscope.core.arguments import checked
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from headscope.core.attention.record import AttentionRecord

MOST_WORK: Final = 10_000_000
"""Flows × pipes that are computed at most: about a minute."""
_UNIT: Final = 1 << 30
"""Capacities are counted in whole units of 2^-30: with fractions, rounding could keep the algorithm from ending."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Maximum flows from tokens after the last layer to the input tokens.

    Attributes
    ----------
    kind : Kind
    queries : tuple of int
        Which tokens the rows are.
    flows : float32, (len(queries), n_tokens)
        0 to 1; rows do not sum to 1, since each cell is a flow of its own through the whole network.
    """

    kind: Kind
    queries: tuple[int, ...]
    flows: FloatArray

    @property
    def shares(self) -> FloatArray:
        """Each row divided by its sum: the form to compare with rollout."""
        shares: FloatArray = self.flows / self.flows.sum(axis=-1, keepdims=True)
        return shares


@checked
def attention_flow(
    record: AttentionRecord,
    kind: Kind | None = None,
    *,
    queries: Sequence[int] | None = None,
    fuse: Fuse = "mean",
    residual: float = 0.5,
    job: Job | None = None,
) -> Flow:
    """The maximum flow from each query token after the last layer to each input token.

    The network has a node for each token before the first layer and after each layer, and a pipe of capacity Ã_l[i, j]
    (as in `attention_rollout`) from token i after layer l to token j before it. The maximum flow is found by shortest
    augmenting paths and exact to 1e-6.

    Parameters
    ----------
    record : AttentionRecord
    kind : Kind, optional
        "encoder" or "decoder"; the record's first if not given.
    queries : sequence of int, optional
        Rows to compute, all if not given.
    fuse, residual
        As in `attention_rollout`.
    job : Job, optional
        Told how far it is; its cancel is looked at for every flow.

    Returns
    -------
    Flow

    Raises
    ------
    HeadscopeError
        ``flow_too_large`` if that would take more than about a minute; ``no_such_position``, and what `attention_rollout`
        raises.

    References
    ----------
    Abnar and Zuidema, Quantifying Attention Flow in Transformers, 2020, section 3.
    """
    kind, job = record.kinds[0] if kind is None else kind, job or Job()
    n_layers, n_tokens = record.n_layers(kind), len(record.axis(kind).queries)
    rows = tuple(range(n_tokens) if queries is None else queries)
    for row in rows:
        if not 0 <= row < n_tokens:
            raise HeadscopeError("no_such_position", position=row, last=n_tokens - 1)
    share = 0.5 if kind == "decoder" else 1.0  # half of the pipes of a causal layer are closed
    if len(rows) * n_tokens * n_layers * n_tokens**2 * share**2 > MOST_WORK:
        raise HeadscopeError("flow_too_large", n_tokens=n_tokens, n_layers=n_layers, n_queries=len(rows))
    layers = (with_residual(record, kind, layer, fuse=fuse, residual=residual, job=job) for layer in range(n_layers))
    network = build_residual_network(_pipes(layers), "capacity")
    flows = np.zeros((len(rows), n_tokens), np.float32)
    for index, row in enumerate(rows):
        job.report(Progress("running", index / len(rows)))
        for column in range(n_tokens if kind == "encoder" else row + 1):
            job.cancel.check()
            flows[index, column] = _maximum_flow(network, (n_layers, row), (0, column))
    return Flow(kind, rows, flows)


def _pipes(layers: Iterable[FloatArray]) -> Any:
    """The network, with capacities in units of 1 / `_UNIT`; a node is (how many layers are below it, token)."""
    network = nx.DiGraph()
    for depth, weights in enumerate(layers):
        for query, key in np.argwhere(weights > 0).tolist():
            network.add_edge((depth + 1, query), (depth, key), capacity=round(float(weights[query, key]) * _UNIT))
    return network


def _maximum_flow(network: Any, source: tuple[int, int], sink: tuple[int, int]) -> float:
    if not (network.has_node(source) and network.has_node(sink)):
        return 0.0
    solved = shortest_augmenting_path(network, source, sink, residual=network, value_only=True)
    return float(solved.graph["flow_value"]) / _UNIT

"""Value-weighted attention: how long the vector is that a head carries from a key to a query.

A weight says how much of a value is taken, not how much there is to take: a token with a large weight and a value near 0, as
[SEP] and other sinks have, hands over next to nothing. The norms see that. They do not see where the vectors point: two that
cancel each other count twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from headscope.core.analyse.attribution.output_projection import recorder_with_values, value_and_projection
from headscope.core.arguments import checked
from headscope.core.job import Job
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.kept.layer import Layer
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids


@dataclass(frozen=True, slots=True, eq=False)
class ValueWeighted:
    """The vectors' norms of one pass.

    Attributes
    ----------
    record : AttentionRecord
        The attention of the same pass.
    value_norms : mapping of kind to float32, (n_layers, n_heads, n_keys)
        ‖f(x_j)‖, how much a key has to give to each head; 0 or more, in the residual stream's own unit.
    """

    record: AttentionRecord
    value_norms: Mapping[Kind, FloatArray]

    def norms(self, layer: int, head: int, kind: Kind | None = None, rows: slice | None = None) -> FloatArray:
        """‖α_ij f(x_j)‖ of one head, computed when asked for.

        Parameters
        ----------
        layer, head, kind, rows
            As `AttentionRecord.attention_weights` takes them.

        Returns
        -------
        float32, (n_queries, n_keys)
            0 or more; rows do not sum to 1.

        Raises
        ------
        HeadscopeError
            ``unknown_kind``, ``no_such_head``.
        """
        kind = self.record.kinds[0] if kind is None else kind
        weights = self.record.attention_weights(layer, head, kind, rows)
        weights *= self.value_norms[kind][layer, head]
        return weights


@checked
def value_weighted_attention(
    model: BaseModel, text: str | Ids, text_pair: str | None = None, target: str | Ids | None = None, *, job: Job | None = None
) -> ValueWeighted:
    """‖α_ij f(x_j)‖ for each head, query i and key j of one pass.

    A head's part of an attention layer's output is Σ_j α_ij f(x_j) with f(x) = (x W_V + b_V) W_O, where W_O are the rows of the
    output projection that read the head. Since α is a number that is not negative, the norm is α_ij ‖f(x_j)‖. The output
    projection's own bias belongs to no head and no key, and is left out, as in the paper.

    Parameters
    ----------
    model : BaseModel
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    job : Job, optional

    Returns
    -------
    ValueWeighted

    Raises
    ------
    HeadscopeError
        ``analysis_undefined`` for a model that computes attention in a way of its own; ``empty_text``, ``out_of_memory``.
    Cancelled

    References
    ----------
    Kobayashi et al., Attention is Not Only a Weight: Analyzing Transformers with Vector Norms, 2020, equations 3 and 4.
    """
    source, written = model.encode(text, text_pair, target)
    recorder = recorder_with_values(model, job)
    with recorder.recording():
        model.forward(model.inputs(source, written), logits_to_keep=1)
    record = recorder.record(model.axes(source.axis, written.axis if written else None), backend=model.info.backend)
    norms = {kind: np.stack([_norms(layer) for layer in recorder.layers[kind]]) for kind in record.kinds}
    return ValueWeighted(record, norms)


@torch.inference_mode()
def _norms(layer: Layer) -> FloatArray:
    """‖f(x_j)‖: float32 (n_heads, n_keys), head by head, so that no more than one head's vectors are there at a time."""
    value, weight, _ = value_and_projection(layer, "Value-weighted attention")
    heads = [(of_head @ rows).norm(dim=-1) for of_head, rows in zip(value, weight, strict=True)]
    norms: FloatArray = torch.stack(heads).cpu().numpy()
    return norms

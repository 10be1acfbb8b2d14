"""Attribution of a prediction to each token: gradient × attention, summed over layers, heads and queries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from headscope.core.analyse.attribution.gradient_attention import gradient_attention_of
from headscope.core.analyse.attribution.results import Attribution
from headscope.core.arguments import checked
from headscope.core.job import Job
from headscope.core.predict.reader import inputs_of
from headscope.core.target import Target
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel


@checked
def token_attribution(
    model: BaseModel, record: AttentionRecord, target: Target | None = None, job: Job | None = None
) -> Attribution:
    """r_j = Σ over layers, heads and queries i of (A ⊙ ∂y/∂A)⁺_ij, with y the logit of what is predicted.

    Of an encoder-decoder model, a token of the source is looked at by the encoder and, across, by the decoder.

    Parameters
    ----------
    model : BaseModel
    record : AttentionRecord
        Of this model: its tokens are explained.
    target : Target, optional
        The most probable outcome of the first prediction if not given.
    job : Job, optional
        Its cancel is looked at in every layer.

    Returns
    -------
    Attribution

    Raises
    ------
    HeadscopeError
        As `gradient_attention`.
    Cancelled

    References
    ----------
    Barkan et al., Grad-SAM: Explaining Transformers via Gradient Self-Attention Maps, 2021 (there a mean: the same but for a
    factor).
    """
    source, written = read = inputs_of(record)
    found = gradient_attention_of(model, read, target or Target(), positive=True, job=job)
    received = {kind: maps.sum(axis=(0, 1, 2), dtype=np.float32) for kind, maps in found.attributions.items()}
    of_source: tuple[Kind, ...] = ("encoder", "decoder") if written is None else ("encoder", "cross")
    target_ids = () if written is None else written.ids
    return Attribution(
        found.target,
        source.ids,
        _total([received[kind] for kind in of_source if kind in received], len(source.ids)),
        target_ids,
        received["decoder"] if target_ids else np.zeros(0, np.float32),
    )


def _total(arrays: list[FloatArray], n_tokens: int) -> FloatArray:
    total = np.zeros(n_tokens, np.float32)
    for array in arrays:
        total += array
    return total

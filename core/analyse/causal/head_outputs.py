"""Outputs α·v of heads: to average, or to paste into another run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from headscope.core.arguments import checked
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.job import Job
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids


@checked
def head_outputs(
    model: BaseModel, text: str | Ids, text_pair: str | None = None, target: str | Ids | None = None, *, job: Job | None = None
) -> dict[Kind, tuple[FloatArray, ...]]:
    """The outputs of all heads in one pass.

    Returns
    -------
    dict of kind to a float32 (n_heads, n_queries, d_value) for each layer
        Before the output projection; shaped as `Replace` takes them.

    Raises
    ------
    HeadscopeError
        ``empty_text``, ``out_of_memory``.
    Cancelled
    """
    source, encoded_target = model.encode(text, text_pair, target)
    recorder = recorder_for(model.module, model.info.backend, keep_layers=False, keep_outputs=True, job=job)
    with torch.inference_mode(), recorder.recording():
        model.forward(model.inputs(source, encoded_target), logits_to_keep=1)
    return {
        kind: tuple(output[0].transpose(0, 1).float().cpu().numpy() for output in outputs)
        for kind, outputs in recorder.outputs.items()
    }


@checked
def mean_outputs(
    model: BaseModel, text: str | Ids, text_pair: str | None = None, target: str | Ids | None = None, *, job: Job | None = None
) -> dict[Kind, tuple[FloatArray, ...]]:
    """Each head's mean output over the queries of a reference text: float32 (n_heads, d_value) for each layer.

    Parameters and errors as `head_outputs`.
    """
    return {
        kind: tuple(output.mean(axis=1, dtype=np.float64).astype(np.float32) for output in outputs)
        for kind, outputs in head_outputs(model, text, text_pair, target, job=job).items()
    }

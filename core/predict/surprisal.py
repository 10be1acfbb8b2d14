"""How unexpected each token of a text is to a model, in bits.

A decoder says it in one pass: −log2 p(token | tokens before). A masked model has no such thing; each token is masked in turn
and guessed from both sides (pseudo-log-likelihood), which takes a pass for each token and is no probability of the text.

References
----------
Hale, A Probabilistic Earley Parser as a Psycholinguistic BaseModel, 2001 (surprisal).
Salazar, Liang, Nguyen and Kirchhoff, Masked Language BaseModel Scoring, 2020, section 2.2 (pseudo-log-likelihood).
"""

from __future__ import annotations

from math import log
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.forward.residual_stream import ResidualStream
from headscope.core.job import Job, Progress
from headscope.core.predict.classes import why_no_tokens
from headscope.core.predict.results import Surprisal
from headscope.core.vocabulary import FloatArray

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded

MOST_MASKED: Final = 1024
"""Tokens that are masked one by one: as many passes take minutes."""
_LOGIT_BYTES: Final = 64 << 20
"""Logits that are there at one time: all positions × vocabulary would be 1.6 GB for SmolLM2 at 8,192 tokens."""
_MOST_COPIES: Final = 32


def surprisal(
    model: BaseModel, text: str, text_pair: str | None = None, target: str | None = None, *, job: Job | None = None
) -> Surprisal:
    """The bits of each token: of a decoder from one pass, of a masked model from a pass for each token, some at a time.

    Parameters
    ----------
    model : BaseModel
        Masked, causal or encoder-decoder (then of the target, given the text).
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    job : Job, optional
        Told how far it is; its cancel is looked at between passes and between blocks of tokens.

    Returns
    -------
    Surprisal

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``empty_text``, ``too_many_to_mask``, ``analysis_undefined``, ``not_enough_memory``,
        ``out_of_memory``.
    Cancelled
    """
    return surprisal_of(model, model.encode(text, text_pair, target), job or Job())


def surprisal_of(model: BaseModel, read: tuple[Encoded, Encoded | None], job: Job) -> Surprisal:
    """As `surprisal`, of tokens as a model has read or written them."""
    source, written = read
    if "fill_mask" in model.info.abilities and written is None:
        return Surprisal(source.ids, _masked_in_turn(model, source, job), pseudo=True)
    if "generate" not in model.info.abilities:
        raise why_no_tokens(model.info)
    stream = ResidualStream(model, source, written, job)
    ids = (source if written is None else written).ids
    return Surprisal(ids, _given_those_before(stream, ids, job), pseudo=False)


def _given_those_before(stream: ResidualStream, ids: tuple[int, ...], job: Job) -> FloatArray:
    """One pass through the layers; the head reads a block of positions at a time."""
    bits = np.full(len(ids), np.nan, np.float32)
    at_once = max(1, _LOGIT_BYTES // (8 * stream.logits.shape[0]))
    for start in range(0, len(ids) - 1, at_once):
        job.cancel.check()
        job.report(Progress("running", start / len(ids)))
        block = range(start, min(start + at_once, len(ids) - 1))
        logits = stream.read([len(stream.layers)], block)[0]
        bits[block.start + 1 : block.stop + 1] = _bits(logits, ids[block.start + 1 : block.stop + 1])
    return bits


def _masked_in_turn(model: BaseModel, source: Encoded, job: Job) -> FloatArray:
    asked = [at for at, token in enumerate(source.axis.tokens) if not (token.special or token.masked)]
    if len(asked) > MOST_MASKED:
        raise HeadscopeError("too_many_to_mask", n_tokens=f"{len(asked):,}", most=f"{MOST_MASKED:,}")
    mask = model.tokenizer.mask_id
    assert mask is not None, "a model that fills masks has one"
    inputs = model.inputs(source)
    vocabulary = int(model.forward(inputs).logits.shape[-1])
    at_once = max(1, min(_MOST_COPIES, _LOGIT_BYTES // (4 * len(source.ids) * vocabulary)))
    bits = np.full(len(source.ids), np.nan, np.float32)
    for start in range(0, len(asked), at_once):
        job.cancel.check()
        job.report(Progress("running", start / len(asked)))
        block = asked[start : start + at_once]
        rows = torch.arange(len(block), device=model.place)
        copies = {name: tensor.expand(len(block), -1) for name, tensor in inputs.items()}
        copies["input_ids"] = copies["input_ids"].clone()
        copies["input_ids"][rows, block] = mask
        logits = model.forward(copies).logits[rows, block]
        bits[block] = _bits(logits, tuple(source.ids[at] for at in block))
    return bits


def _bits(logits: Tensor, ids: tuple[int, ...]) -> FloatArray:
    """−log2 of the probability of each token: (len(ids), vocabulary) logits to float32 (len(ids),). In float64."""
    exact = logits.double()
    own = exact[torch.arange(len(ids), device=logits.device), torch.tensor(ids, device=logits.device)]
    bits: FloatArray = ((exact.logsumexp(dim=-1) - own) / log(2)).float().cpu().numpy()
    return bits

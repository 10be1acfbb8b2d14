"""The logit lens: what a model would predict if it stopped after a layer.

A residual stream of the middle is read through the final norm and the output head, which were trained for the last one. What
can be read there is in a layer; what cannot may be there in another form: early layers often keep their guesses in directions
of their own (Belrose et al., Eliciting Latent Predictions with the Tuned Lens, 2023), and a model that normalises after each
part, as BERT does, rotates more between layers than a GPT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.arguments import checked
from headscope.core.errors import HeadscopeError
from headscope.core.forward.residual_stream import ResidualStream
from headscope.core.job import Job, Progress
from headscope.core.predict.classes import why_no_tokens
from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.predict.reader import inputs_of

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids
    from headscope.core.text.tokenizer import Encoded

_LOGIT_BYTES: Final = 64 << 20
"""Logits that are there at one time: positions × vocabulary would be 400 MB for SmolLM2 at 2,048 tokens, for each layer."""


@checked
def logit_lens(
    model: BaseModel,
    text: str | Ids,
    text_pair: str | None = None,
    target: str | Ids | None = None,
    *,
    positions: Sequence[int] | None = None,
    top_k: int = 5,
    follow: int | None = None,
    job: Job | None = None,
) -> Iterator[LogitLensLayer]:
    """Read the residual stream after each layer through the model's own final norm and output head.

    With h_l the stream after layer l: softmax(head(norm(h_l))), where head and norm are all that the model does after its last
    layer. After the last layer this is what the model predicts.

    Parameters
    ----------
    model : BaseModel
        Masked, causal or encoder-decoder (then the decoder is read).
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    positions : sequence of int, optional
        All if not given.
    top_k : int
        At least 1.
    follow : int, optional
        Id of a token whose probability and rank are told at each position. What the last layer finds most probable there if not given.
    job : Job, optional
        Told how far it is; its cancel is looked at between blocks of layers and positions.

    Yields
    ------
    LogitLensLayer
        From -1 to the last. A layer costs what the output head costs, and no more.

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``no_such_position``, ``bad_option``, ``analysis_undefined``, ``not_enough_memory``.
    Cancelled

    References
    ----------
    nostalgebraist, Interpreting GPT: the Logit Lens, 2020.
    """
    return _lens(model, model.encode(text, text_pair, target), positions, top_k, follow, job or Job())


def labelled_lens(
    model: BaseModel,
    record: AttentionRecord,
    *,
    positions: Sequence[int] | None = None,
    top_k: int = 5,
    follow: int | None = None,
    job: Job | None = None,
) -> Iterator[LogitLensLayer]:
    """As `logit_lens`, of the tokens of a record, with what the screen shows for each token."""

    @cache
    def label(token_id: int) -> str:
        return model.tokenizer.candidate(token_id)[1]

    for layer in _lens(model, inputs_of(record), positions, top_k, follow, job or Job()):
        yield replace(layer, labels=tuple(tuple(label(id_) for id_ in row) for row in layer.ids.tolist()))


def _lens(
    model: BaseModel,
    read: tuple[Encoded, Encoded | None],
    positions: Sequence[int] | None,
    top_k: int,
    follow: int | None,
    job: Job,
) -> Iterator[LogitLensLayer]:
    if top_k < 1:
        raise HeadscopeError("bad_option", option="top_k", value=top_k, expected="1 or more")
    if not model.info.abilities & {"fill_mask", "generate"}:
        raise why_no_tokens(model.info)
    stream = ResidualStream(model, *read, job)
    chosen = tuple(range(stream.n_tokens) if positions is None else positions)
    for position in chosen:
        if not 0 <= position < stream.n_tokens:
            raise HeadscopeError("no_such_position", position=position, last=stream.n_tokens - 1)
    if follow is not None and not 0 <= follow < len(stream.logits):
        raise HeadscopeError("bad_option", option="follow", value=follow, expected=f"from 0 to {len(stream.logits) - 1}")
    return _layers(stream, chosen, top_k, follow, job)


def _layers(
    stream: ResidualStream, positions: tuple[int, ...], top_k: int, follow: int | None, job: Job
) -> Iterator[LogitLensLayer]:
    n_depths, vocabulary = len(stream.streams), stream.logits.shape[0]
    at_once = max(1, _LOGIT_BYTES // (4 * vocabulary))
    side_by_side = max(1, at_once // max(1, len(positions)))  # of a short text several layers fit: the head is read once
    groups = [range(first, min(first + side_by_side, n_depths - 1)) for first in range(0, n_depths - 1, side_by_side)]
    units = _Units(stream, positions, min(top_k, vocabulary), at_once, job)
    followed = None if follow is None else torch.full((len(positions),), follow)
    # The last by itself, as the model has it: the same to the last bit. And first: it says what is followed.
    last = units.of(range(n_depths - 1, n_depths), followed)
    followed = torch.from_numpy(last[0].followed)
    for depths in groups:
        job.report(Progress("running", (depths.start + 1) / n_depths))
        yield from units.of(depths, followed)
    yield from last


@dataclass(frozen=True, slots=True)
class _Units:
    """Reads layers at some positions, as many logits at a time as there may be."""

    stream: ResidualStream
    positions: tuple[int, ...]
    top_k: int
    at_once: int
    job: Job

    def of(self, depths: range, followed: Tensor | None) -> list[LogitLensLayer]:
        """What can be read of some depths; followed is the most probable token where it is not given."""
        shape = (len(depths), len(self.positions))
        ids, kept = np.empty((*shape, self.top_k), np.int64), np.empty(shape, np.int64)
        ranks = np.empty(shape, np.int64)
        probabilities, entropies, chances = (np.empty((*shape, *more), np.float32) for more in ((self.top_k,), (), ()))
        vocabulary = 0
        for start in range(0, len(self.positions), self.at_once):
            self.job.cancel.check()
            block = slice(start, start + self.at_once)
            logits = self.stream.read(depths, self.positions[block]).float()  # (depths, block, vocabulary)
            read = logits.softmax(dim=-1)
            top = read.topk(self.top_k)
            one = top.indices[..., 0] if followed is None else followed[block].to(read.device).expand(read.shape[:2])
            better = (logits > logits.gather(-1, one[..., None])).sum(dim=-1)
            vocabulary = read.shape[-1]
            found = (top.indices, top.values, _bits(read), one, read.gather(-1, one[..., None])[..., 0], better + 1)
            for whole, part in zip((ids, probabilities, entropies, kept, chances, ranks), found, strict=True):
                whole[:, block] = part.cpu().numpy()
        n_layers, places = len(self.stream.layers), self.positions
        return [
            LogitLensLayer(
                layer, places, ids[at], probabilities[at], entropies[at], kept[at], chances[at], ranks[at], n_layers, vocabulary
            )
            for at, layer in enumerate(range(depths.start - 1, depths.stop - 1))
        ]


def _bits(probabilities: Tensor) -> Tensor:
    """Entropy along the last axis."""
    bits: Tensor = torch.special.entr(probabilities).sum(dim=-1) / np.log(2)
    return bits

"""The logit lens: what a model would predict if it stopped after a layer.

A residual stream of the middle is read through the final norm and the output head, which were trained for the last one. What
can be read there is in a layer; what cannot may be there in another form: early layers often keep their guesses in directions
of their own (Belrose et al., Eliciting Latent Predictions with the Tuned Lens, 2023), and a model that normalises after each
part, as BERT does, rotates more between layers than a GPT.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import FloatArray, Job, Progress
from headscope.core.models.residual_stream import ResidualStream

if TYPE_CHECKING:
    from headscope.core.models.loaded import LoadedModel

_LOGIT_BYTES: Final = 64 << 20
"""Logits that are there at one time: positions × vocabulary would be 400 MB for SmolLM2 at 2,048 tokens, for each layer."""


@dataclass(frozen=True, slots=True)
class LensLayer:
    """What can be read after one layer.

    Attributes
    ----------
    layer : int
        From 0; -1 is what enters layer 0.
    positions : tuple of int
        Tokens of the text that are read, of an encoder-decoder model of the target. A decoder predicts what comes after each.
    ids : int64, (len(positions), top_k)
        Vocabulary ids, most probable first; `model.tokenizer.candidate(id)` has their text.
    probabilities : float32, (len(positions), top_k)
        Of the softmax over the whole vocabulary.
    """

    layer: int
    positions: tuple[int, ...]
    ids: npt.NDArray[np.int64]
    probabilities: FloatArray


def logit_lens(
    model: LoadedModel,
    text: str,
    text_pair: str | None = None,
    target: str | None = None,
    *,
    positions: Sequence[int] | None = None,
    top_k: int = 5,
    job: Job | None = None,
) -> Iterator[LensLayer]:
    """Read the residual stream after each layer through the model's own final norm and output head.

    With h_l the stream after layer l: softmax(head(norm(h_l))), where head and norm are all that the model does after its last
    layer. After the last layer this is what the model predicts.

    Parameters
    ----------
    model : LoadedModel
        Masked, causal or encoder-decoder (then the decoder is read).
    text, text_pair, target : str
        As `LoadedModel.capture` takes them.
    positions : sequence of int, optional
        All if not given.
    top_k : int
        At least 1.
    job : Job, optional
        Told how far it is; its cancel is looked at between blocks of layers and positions.

    Yields
    ------
    LensLayer
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
    if top_k < 1:
        raise HeadscopeError("bad_option", option="top_k", value=top_k, expected="1 or more")
    job = job or Job()
    stream = ResidualStream(model, *model.encode(text, text_pair, target), job)
    chosen = tuple(range(stream.n_tokens) if positions is None else positions)
    for position in chosen:
        if not 0 <= position < stream.n_tokens:
            raise HeadscopeError("no_such_position", position=position, last=stream.n_tokens - 1)
    return _layers(stream, chosen, top_k, job)


def _layers(stream: ResidualStream, positions: tuple[int, ...], top_k: int, job: Job) -> Iterator[LensLayer]:
    n_depths, vocabulary = len(stream.streams), stream.logits.shape[0]
    top_k, at_once = min(top_k, vocabulary), max(1, _LOGIT_BYTES // (4 * vocabulary))
    side_by_side = max(1, at_once // max(1, len(positions)))  # of a short text several layers fit: the head is read once
    groups = [range(first, min(first + side_by_side, n_depths - 1)) for first in range(0, n_depths - 1, side_by_side)]
    for depths in (*groups, range(n_depths - 1, n_depths)):  # the last by itself, as the model has it: the same to the last bit
        job.report(Progress("running", depths.start / n_depths))
        ids = np.empty((len(depths), len(positions), top_k), np.int64)
        probabilities = np.empty(ids.shape, np.float32)
        for start in range(0, len(positions), at_once):
            job.cancel.check()
            block = slice(start, start + at_once)
            top = stream.read(depths, positions[block]).float().softmax(dim=-1).topk(top_k)  # (depths, block, top_k)
            ids[:, block], probabilities[:, block] = top.indices.cpu().numpy(), top.values.cpu().numpy()
        for index, depth in enumerate(depths):
            yield LensLayer(depth - 1, positions, ids[index], probabilities[index])

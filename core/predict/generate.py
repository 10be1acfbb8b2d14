"""Generation: a decoder continues a text token by token, and every step shows what it attended to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headscope.core.attention.fallback import recorder_for
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import GenerationStep, Job, Kind, Progress, Sampling
from headscope.core.models.text import Encoded
from headscope.core.predict.predictions import candidates_of
from headscope.core.predict.sampling import check, choose, generator_of
from headscope.core.tokens import Token, TokenAxis

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.models.loaded import LoadedModel

GREEDY = Sampling()


def generate(
    model: LoadedModel,
    text: str,
    *,
    max_new_tokens: int = 40,
    sampling: Sampling = GREEDY,
    top_k: int = 10,
    job: Job | None = None,
) -> Iterator[GenerationStep]:
    """Continue `text`; of an encoder-decoder, write the text that answers it.

    Keys and values of what was read stay in a cache, so a step costs one token; its attention rows join those of the steps
    before, and together they are the rows of one pass over everything.

    Parameters
    ----------
    max_new_tokens : int
        At least 1. Generation also ends after an end token, and where the model has no more positions.
    top_k : int
        Candidates in each step; `sampling` has a `top_k` of its own, for the choice.
    job : Job
        Its cancel is looked at in every layer of every step.

    Yields
    ------
    GenerationStep
        At least one. `text` is the whole text so far (of an encoder-decoder: the decoder's).

    Raises
    ------
    HeadscopeError
        ``cannot_generate``, ``bad_option``, ``empty_text``, ``no_room`` at once; ``out_of_memory`` at any step.
    Cancelled
        At any step.
    """
    if "generate" not in model.info.abilities:
        raise HeadscopeError("cannot_generate", model=model.info.name)
    if max_new_tokens < 1:
        raise HeadscopeError("bad_option", option="max_new_tokens", value=max_new_tokens, expected="1 or more")
    check(sampling)
    source, target = model.encode(text)
    if source.axis.dropped:
        raise HeadscopeError("no_room", model=model.info.name, max_tokens=model.info.max_tokens)
    return _steps(model, source, target, max_new_tokens, sampling, top_k, job or Job())


def _steps(
    model: LoadedModel,
    source: Encoded,
    target: Encoded | None,
    max_new_tokens: int,
    sampling: Sampling,
    top_k: int,
    job: Job,
) -> Iterator[GenerationStep]:
    reader = _Reader(model, source, target, Job(cancel=job.cancel))
    generator = generator_of(sampling)
    written = source if target is None else target
    for index in range(max_new_tokens):
        job.cancel.check()
        job.report(Progress("generating", index / max_new_tokens))
        logits, record = reader.read(written)
        chosen, sampled_probability = choose(logits, sampling, generator)
        token, text = model.tokenizer.continuation(written.ids, chosen, written.axis.text)
        yield GenerationStep(
            index=index,
            token=token,
            text=text,
            probability=float(logits.float().softmax(dim=-1)[chosen]),
            sampled_probability=sampled_probability,
            candidates=candidates_of(logits, model.tokenizer, top_k),
            record=record,
        )
        written = _longer(written, token, text)
        full = model.info.max_tokens is not None and len(written.ids) > model.info.max_tokens
        if full or chosen in model.tokenizer.end_ids:
            return


def _longer(written: Encoded, token: Token, text: str) -> Encoded:
    axis = replace(written.axis.extended(token), text=text, dropped_from=len(text))
    return Encoded((*written.ids, token.id), (*written.segments, 0), axis)


# ---------------------------------------------------------------- reading one more token
class _Reader:
    """Feeds a text to the model as it grows: the first time all of it, then what is new, if the model has a cache."""

    def __init__(self, model: LoadedModel, source: Encoded, target: Encoded | None, job: Job) -> None:
        self._model = model
        self._source = source
        self._writes_target = target is not None
        self._cache = model.new_cache()
        self._encoder_side: dict[str, Any] = {}
        self._recorder = recorder_for(model.module, model.info.tier, append=self._cache is not None, job=job)
        self._started = False

    def read(self, written: Encoded) -> tuple[Tensor, AttentionRecord]:
        """Logits (vocabulary,) of the token after `written`, and the attention over all of it.

        `written` is what it was in the call before, with one more token.
        """
        inputs = self._new(written) if self._started and self._cache is not None else self._all(written)
        cache = {} if self._cache is None else {"past_key_values": self._cache, "use_cache": True}
        with self._recorder.recording():
            output = self._model.forward(inputs, logits_to_keep=1, **cache)
        if self._writes_target and not self._started:
            self._encoder_side = _encoder_side(inputs, output)
        self._started = True
        return output.logits[0, -1], self._recorder.record(self._axes(written.axis), tier=self._model.info.tier)

    def _all(self, written: Encoded) -> dict[str, Any]:
        return self._model.inputs(self._source, written) if self._writes_target else self._model.inputs(written)

    def _new(self, written: Encoded) -> dict[str, Any]:
        name = "decoder_input_ids" if self._writes_target else "input_ids"
        return {name: torch.tensor([written.ids[-1:]], device=self._model.info.device), **self._encoder_side}

    def _axes(self, written: TokenAxis) -> dict[Kind, tuple[TokenAxis, TokenAxis]]:
        if not self._writes_target:
            return {"decoder": (written, written)}
        source = self._source.axis
        return {"encoder": (source, source), "decoder": (written, written), "cross": (written, source)}


def _encoder_side(inputs: dict[str, Any], output: Any) -> dict[str, Any]:
    """What tells an encoder-decoder its source from the second step on: what the encoder made of it, if it can be had."""
    hidden = getattr(output, "encoder_last_hidden_state", None)
    if hidden is None:  # our own toys: their encoder is small
        return {name: value for name, value in inputs.items() if name != "decoder_input_ids"}
    return {"encoder_outputs": (hidden,), "attention_mask": inputs["attention_mask"]}

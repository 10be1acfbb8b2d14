"""Reader: feeds a text to a model as it grows, and keeps what was attended to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import ref

import torch
from torch import Tensor

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.job import Job
from headscope.core.text.tokenizer import Encoded
from headscope.core.text.tokens import Token

if TYPE_CHECKING:
    from headscope.core.attention.capture.recorder import Mark, Recorder
    from headscope.core.attention.intervention import Intervention
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel


class IncrementalPass:
    """Reads all of a text the first time, then what is new, if the model has a cache.

    Parameters
    ----------
    model : BaseModel
    source : Encoded
        What is read; of a decoder it is also what is continued.
    writes_target : bool
        Whether the text that grows is the decoder's of an encoder-decoder.
    expected : int
        How many tokens there may be in the end; 0 if that is unknown.
    job : Job
        Its cancel is looked at in every layer.
    intervention : Intervention, optional
    replaces_invalid : bool
        Whether logits that are no numbers are replaced, see `BaseModel.forward`.
    """

    def __init__(
        self,
        model: BaseModel,
        source: Encoded,
        *,
        writes_target: bool,
        expected: int = 0,
        job: Job | None = None,
        intervention: Intervention | None = None,
        replaces_invalid: bool = False,
    ) -> None:
        self._looked_into = ref(model)
        self._replaces_invalid = replaces_invalid
        self._source = source
        self._writes_target = writes_target
        self._cache = model.new_cache(expected)
        self._encoder_side: dict[str, Any] = {}
        self._n_read = 0
        self._recorder: Recorder = recorder_for(
            model.module,
            model.info.backend,
            append=self._cache is not None,
            job=Job(cancel=(job or Job()).cancel),
            intervention=intervention,
            expected=expected,
        )

    @property
    def _model(self) -> BaseModel:
        model = self._looked_into()
        assert model is not None, "a generation keeps its model, and a reader without one is not used"
        return model

    def read(self, written: Encoded) -> tuple[Tensor, AttentionRecord]:
        """Logits (vocabulary,) of the token after `written`, and the attention over all of it.

        `written` is what it was in the call before, with more tokens at its end.
        """
        with self._recorder.recording():
            logits = self.logits(written)
        axes = self._model.axes(*((self._source.axis, written.axis) if self._writes_target else (written.axis, None)))
        return logits, self._recorder.record(axes, backend=self._model.info.backend)

    def logits(self, written: Encoded) -> Tensor:
        """As `read`, unobserved."""
        inputs = self._new(written) if self._n_read and self._cache is not None else self._all(written)
        output = self._model.forward(inputs, kept=self._cache, replaces_invalid=self._replaces_invalid, logits_to_keep=1)
        if self._writes_target and not self._n_read:
            self._encoder_side = encoder_side(self._model, inputs, output)
        self._n_read = len(written.ids)
        logits: Tensor = output.logits[0, -1]
        return logits

    def mark(self) -> Mark:
        """Where it stands, for `branch`."""
        return self._recorder.mark()

    def branch(self, mark: Mark, n_tokens: int, job: Job) -> IncrementalPass | None:
        """Another reader that has read the first `n_tokens`, when this one stood at `mark`; None if the cache has forgotten them."""
        cache = None if self._cache is None else self._model.branched_cache(self._cache, n_tokens)
        if cache is None:
            return None
        other = IncrementalPass.__new__(IncrementalPass)
        other.__dict__.update(self.__dict__)
        other._cache, other._n_read = cache, n_tokens
        other._recorder = self._recorder.branch(mark, Job(cancel=job.cancel))
        return other

    def _all(self, written: Encoded) -> dict[str, Any]:
        if self._writes_target:
            return self._model.inputs(self._source, written)
        return {**self._model.inputs(written), **self._model.positions(0, len(written.ids))}

    def _new(self, written: Encoded) -> dict[str, Any]:
        name = "decoder_input_ids" if self._writes_target else "input_ids"
        ids = torch.tensor([written.ids[self._n_read :]], device=self._model.place)
        positions = {} if self._writes_target else self._model.positions(self._n_read, ids.shape[1])
        return {name: ids, **positions, **self._encoder_side}


def encoder_side(model: BaseModel, inputs: dict[str, Any], output: Any) -> dict[str, Any]:
    """What tells an encoder-decoder its source from the second step on: what the encoder made of it, if it can be had."""
    hidden = getattr(output, "encoder_last_hidden_state", None)
    if hidden is None:  # our own toys: their encoder is small
        return {name: value for name, value in inputs.items() if name != "decoder_input_ids"}
    return {"encoder_outputs": model.encoder_output(hidden), "attention_mask": inputs["attention_mask"]}


def longer(written: Encoded, token: Token, text: str) -> Encoded:
    """`written` with one more token, which makes the whole text `text`."""
    axis = replace(written.axis.extended(token), text=text, dropped_from=len(text))
    return Encoded((*written.ids, token.id), (*written.segments, 0), axis)


def inputs_of(record: AttentionRecord) -> tuple[Encoded, Encoded | None]:
    """The very tokens that a model had read when it left `record`: of an encoder-decoder its source and its target."""
    kinds = record.kinds
    if kinds in (("encoder",), ("decoder",)):
        return Encoded.of(record.axis(kinds[0]).queries), None
    source = record.axis("cross").keys if "cross" in kinds else record.axis("encoder").queries
    return Encoded.of(source), Encoded.of(record.axis("cross" if "cross" in kinds else "decoder").queries)

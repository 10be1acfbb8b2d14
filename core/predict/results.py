"""What the model lane answers: plain, frozen data for any thread, and records, which stay where the model ran."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from headscope.core.job import Job
from headscope.core.target import Link, PredictionKind
from headscope.core.vocabulary import Filter, FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.rule_effects import RuleEffect
    from headscope.core.text.tokens import Token


@dataclass(frozen=True, slots=True)
class Candidate:
    """An outcome of a prediction.

    Attributes
    ----------
    text : str
        Of a token: what to put into the sentence.
    label : str
        What to show.
    id : int
        A vocabulary id; the index of a class or a tag; where an answer starts or ends, the position of the token.
    probability : float
        0 to 1; 0 for a regression's number.
    number : float or None
        What a regression says, in a unit of its own.
    """

    text: str
    label: str
    id: int
    probability: float
    number: float | None = None


MOST_WHOLE: Final = 24
"""Predictions of one pass that carry their logits: at 152,000 tokens of vocabulary, 14.6 MB."""
WHOLE_BYTES: Final = 64 << 20
"""Logits that the steps of one generation and of its branches carry together: 340 steps at 49,152 tokens of vocabulary."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """Candidates for one position, most probable first; a regression's numbers in the order of its labels.

    Attributes
    ----------
    position : int
        Counts tokens of the predicted axis from 0. Of a class: where the model reads it; of an answer's start or end: the most
        probable one.
    candidates : tuple of Candidate
    logits : float32, (vocabulary,), or None
        Of the whole vocabulary, in the computer's memory: what any token's probability, and what any filter leaves, is computed
        from. Only the first `MOST_WHOLE` predictions of a pass have them, and the first steps of a generation, up to `WHOLE_BYTES`.
    log_total : float
        Natural logarithm of the sum of exp(logits), in float64; 0 without them.
    kind : PredictionKind
    link : Link
    effects : tuple of RuleEffect
        What each rule of the model's own does to a token that is written here, also of those that are switched off.
    """

    position: int
    candidates: tuple[Candidate, ...]
    logits: FloatArray | None = field(default=None, compare=False, repr=False)
    log_total: float = field(default=0.0, compare=False, repr=False)
    kind: PredictionKind = "token"
    link: Link = "softmax"
    effects: tuple[RuleEffect, ...] = field(default=(), compare=False, repr=False)

    @property
    def place(self) -> tuple[PredictionKind, int | None]:
        """What is predicted where: of one text there is one class, and one start and end of an answer."""
        return self.kind, self.position if self.kind in ("token", "tag") else None

    def number(self, index: int) -> float | None:
        """A regression's number; None for another prediction."""
        return float(self.logits[index]) if self.link == "identity" and self.logits is not None else None

    def log_probability(self, token_id: int) -> float | None:
        """Natural logarithm of an outcome's probability; None if it is not known: no logits, and not among the candidates."""
        if self.link == "identity":
            return None
        if self.logits is not None and (not 0 <= token_id < len(self.logits) or np.isnan(self.logits[token_id])):
            return None
        if self.logits is not None and self.link == "sigmoid":
            return -float(np.logaddexp(0.0, -float(self.logits[token_id])))
        if self.logits is not None:
            return float(self.logits[token_id]) - self.log_total
        known = (candidate.probability for candidate in self.candidates if candidate.id == token_id)
        return next((math.log(probability) if probability > 0 else -math.inf for probability in known), None)


@dataclass(frozen=True, slots=True)
class FilterStage:
    """What one filter did to the next token's distribution.

    Attributes
    ----------
    name : Filter
    n_kept : int
        How many tokens of the vocabulary still have a probability above 0.
    mass : float
        How much of the probability before this filter they had, 0 to 1.
    probabilities : tuple of float
        After this filter, of each of the step's `candidates`; 0 for one that was removed.
    """

    name: Filter
    n_kept: int
    mass: float
    probabilities: tuple[float, ...]


class Forkable(Protocol):
    """What a step of a generation can be forked by."""

    def fork(self, step: GenerationStep, token_id: int, max_new_tokens: int, job: Job) -> Iterator[GenerationStep]:
        """See `GenerationStep.fork`."""
        ...


@dataclass(frozen=True, slots=True)
class GenerationStep:
    """One generated token.

    `record` holds everything up to the token that was fed last: a query row for each token but `token` itself.
    `prediction` is the distribution before temperature and filters; `probability` is the chosen token's there,
    `sampled_probability` its probability after them (1.0 when greedy); `filters` are the stages between, the first is the
    model's own. `cut` is what the token would have added to `text` behind a stop string. `forced` tokens were not the model's
    choice. `generation` is what the step can be forked by, where it can. A step keeps its record and plain data: the model and its
    cache are the model's, and go with it, whoever still has steps. While it is open, forks go on from what it has read.
    """

    index: int
    token: Token
    text: str
    probability: float
    sampled_probability: float
    prediction: Prediction
    record: AttentionRecord
    filters: tuple[FilterStage, ...] = ()
    cut: str = ""
    forced: bool = False
    generation: Forkable | None = field(default=None, compare=False, repr=False)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The most probable tokens of `prediction`."""
        return self.prediction.candidates

    def attention_rows(self, layer: int, kind: Kind = "decoder") -> FloatArray:
        """What every head of a layer looked at when this token was chosen: float32 (n_heads, n_keys)."""
        rows: FloatArray = self.record.layer_weights(layer, kind, slice(-1, None))[:, 0]
        return rows

    def fork(self, token_id: int, *, max_new_tokens: int = 40, job: Job | None = None) -> Iterator[GenerationStep]:
        """Go on from here with another token; this branch and the other both keep their records.

        Parameters
        ----------
        token_id : int
            What stands in the place of this step's token.
        max_new_tokens : int
            The forced token counts.
        job : Job
            As in `headscope.core.predict.generate.generate`.

        Returns
        -------
        iterator of GenerationStep
            Its first step is the forced token's, with the index of this one; chance begins anew from the seed.

        Raises
        ------
        HeadscopeError
            ``model_gone`` if its model is not open any more; ``bad_option`` for fewer than 1 new token, at once; for a token that
            is not in the vocabulary, at the first step.
        """
        assert self.generation is not None, "a step of a generation"
        return self.generation.fork(self, token_id, max_new_tokens, job or Job())


@dataclass(frozen=True, slots=True)
class Beam:
    """One of the texts that a beam search follows.

    Attributes
    ----------
    steps : tuple of GenerationStep
        Its new tokens, first to last, each with the attention of this beam.
    log_probability : float
        Natural logarithm, of all new tokens together.
    score : float
        `log_probability` divided by the number of new tokens to the power of the length penalty.
    parent : int
        Which of the beams of the step before it continues.
    finished : bool
    """

    steps: tuple[GenerationStep, ...]
    log_probability: float
    score: float
    parent: int
    finished: bool = False

    @property
    def text(self) -> str:
        return self.steps[-1].text


@dataclass(frozen=True, slots=True)
class BeamStep:
    """One step of a beam search: the beams that go on, most probable first, and those that are finished, best score first."""

    index: int
    beams: tuple[Beam, ...]
    finished: tuple[Beam, ...]

    @property
    def best(self) -> Beam:
        """The beam that would win if the search ended here."""
        return max((*self.finished, *self.beams[:1]), key=lambda beam: (beam.score, beam.finished))


@dataclass(frozen=True, slots=True)
class FillStep:
    """One filled mask.

    `position` counts tokens of the whole input; `text` and `text_pair` are the texts with everything filled so far; `record` is
    of the pass that chose it.
    """

    index: int
    position: int
    text: str
    chosen: Candidate
    candidates: tuple[Candidate, ...]
    record: AttentionRecord
    text_pair: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Surprisal:
    """How unexpected each token is.

    Attributes
    ----------
    ids : tuple of int
        The tokens as the model read them: of an encoder-decoder model the target's.
    bits : float32, (len(ids),)
        −log2 of the token's probability; NaN where nothing predicts it: the first, those the tokenizer added, masks.
    pseudo : bool
        Given the tokens on both sides, by a masked model, and not only those before.
    """

    ids: tuple[int, ...]
    bits: FloatArray
    pseudo: bool

"""What the model lane answers: plain, frozen data for any thread, and records, which stay where the model ran."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from headscope.core.jobs import Ability, Filter, FloatArray, Job, Kind, Tier
from headscope.core.predict.classes import Answer, Link, PredictionKind
from headscope.core.predict.options import GenerationSettings, LanguageChoice

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.generate import Generation, Trunk
    from headscope.core.predict.rule_effects import RuleEffect
    from headscope.core.tokens import Token

DECODE_THE_TEXT: Final = ("ForSequenceClassification", "ForQuestionAnswering")
"""Classes of encoder-decoders whose decoder reads the encoder's text again."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What the screen needs to know of a loaded model.

    Attributes
    ----------
    source : str
        What `load_model` was given; loads the same model again. "" for a model that somebody had in memory.
    name : str
        How the model is called on the screen.
    family : str
        "encoder", "decoder" or "encoder-decoder".
    architecture : str
        The class of the model, as "BertForMaskedLM".
    layers : dict of kind to (n_layers, n_heads)
        Attention kinds this model has.
    abilities : frozenset of Ability
    tier : Tier
        How attention is caught: "fast", "own" (the model file's own eager function) or "fallback" (its `output_attentions`).
    device, dtype : str
        As torch names them: "cpu", "cuda:0"; "float32". Of a model on several devices "cuda:0, cpu"; of packed weights "int8".
    max_tokens : int or None
        Positions the model has, special tokens included; None if unlimited.
    mask_token : str or None
        What the user types for a masked word.
    n_parameters, memory_bytes : int
        Of the weights.
    checkpoint : str
        The weights in words for people: "toy", "safetensors", "GGUF Q4_1", …
    labels : tuple of str
        What the classes of a text or the tags of a token are called, where it has a head for them.
    link : Link
        What makes probabilities of its logits.
    head_is_complete : bool
        Whether the checkpoint held all weights of the head that the class has; without them it predicts nothing.
    writes_in_a_way_of_its_own : bool
        Whether it has a language head, but reads something else than the text so far to write (XLNet); it predicts nothing here.
    note : str
        What of its attention cannot be shown and why, in one sentence: layers that do not attend, an encoder that attends in
        bands. Empty if everything can.
    generation : GenerationSettings
        How its own settings want it to write.
    languages : LanguageChoice
        Which languages it can be asked for, where its tokenizer has codes for them.
    """

    source: str
    name: str
    family: Literal["encoder", "decoder", "encoder-decoder"]
    architecture: str
    layers: dict[Kind, tuple[int, int]]
    abilities: frozenset[Ability]
    tier: Tier
    device: str
    dtype: str
    max_tokens: int | None
    mask_token: str | None
    n_parameters: int
    memory_bytes: int
    checkpoint: str
    note: str = ""
    labels: tuple[str, ...] = ()
    link: Link = "softmax"
    head_is_complete: bool = True
    writes_in_a_way_of_its_own: bool = False
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    languages: LanguageChoice = field(default_factory=LanguageChoice)

    @property
    def decoder_reads_text(self) -> bool:
        """Whether the decoder of an encoder-decoder model reads the encoder's text again, as a classifier's does."""
        return self.family == "encoder-decoder" and self.architecture.endswith(DECODE_THE_TEXT)

    @property
    def takes_target(self) -> bool:
        """Whether a decoder's text can be given beside the encoder's."""
        return self.family == "encoder-decoder" and not self.decoder_reads_text

    @property
    def takes_pair(self) -> bool:
        """Whether a second text can be given: a second sentence, a premise's hypothesis, a question's context."""
        return self.family == "encoder" or bool(self.abilities & {"classify", "answer"})


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
class CatalogueEntry:
    """A model that is on this computer. `group` is "toy" or "cache"; `size` in bytes."""

    source: str
    name: str
    group: Literal["toy", "cache"]
    description: str
    size: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models on this computer, the devices they can run on and their number formats, as `load_model` takes them ("auto" first)."""

    entries: tuple[CatalogueEntry, ...]
    devices: tuple[str, ...]
    dtypes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunResult:
    """One pass over a text, or a whole generation.

    Attributes
    ----------
    record : AttentionRecord
        Stays where the model ran; ask the view lane for numbers.
    text : str
        The text as it stands now (a generation's continuation and filled masks included).
    predictions : tuple of Prediction
        For each mask of a masked model; for the next token of a decoder; for the last position of a decoder's target.
        A classifier's one class, a tag for each token of the text, an answer's start and end.
    next_sentence : float or None
        Probability that the pair's second text follows the first.
    seconds : float
        Wall time of the pass(es).
    answers : tuple of Answer
        Spans that may answer a question, most probable first, and "no answer" where the model's text has a [CLS].
    """

    record: AttentionRecord
    text: str
    predictions: tuple[Prediction, ...]
    next_sentence: float | None
    seconds: float
    answers: tuple[Answer, ...] = ()


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
    generation: Trunk | None = field(default=None, compare=False, repr=False)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """The most probable tokens of `prediction`."""
        return self.prediction.candidates

    def attention_rows(self, layer: int, kind: Kind = "decoder") -> FloatArray:
        """What every head of a layer looked at when this token was chosen: float32 (n_heads, n_keys)."""
        rows: FloatArray = self.record.layer_weights(layer, kind, slice(-1, None))[:, 0]
        return rows

    def fork(self, token_id: int, *, max_new_tokens: int = 40, job: Job | None = None) -> Generation:
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
        Generation
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

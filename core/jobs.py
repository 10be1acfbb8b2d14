"""What the background lanes are asked to do and what they answer: frozen requests, results, progress, cancellation.

Nothing here imports torch: the window builds requests and reads results without it. `core.engine` carries them out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.intervention import Intervention
    from headscope.core.models.loaded import LoadedModel
    from headscope.core.predict.generate import Generation
    from headscope.core.tokens import Token

Kind = Literal["encoder", "decoder", "cross"]
Ability = Literal["fill_mask", "next_sentence", "generate", "chat"]
Tier = Literal["fast", "own", "fallback", "given"]
Filter = Literal["model", "repetition_penalty", "temperature", "top_k", "top_p", "min_p"]
"""What shapes the next token's distribution, in this order; "model" is the model's own softmax."""
FillStrategy = Literal["confident", "left_to_right", "gibbs"]
FloatArray = npt.NDArray[np.float32]
Head = tuple[int, int]
"""(layer, head), both from 0."""


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Raised inside a job whose `Cancel` was set."""


class Cancel:
    """A flag that one thread sets and the job of another looks at between its steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the job to stop at its next step."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the flag is set."""
        if self._event.is_set():
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `stage` is a key of the screen's stage names; `fraction` is 0 to 1, or None if unknown."""

    stage: Literal[
        "starting",
        "loading",
        "downloading",
        "reading",
        "running",
        "generating",
        "filling",
        "drawing",
        "training",
        "writing",
        "sweeping",
    ]
    fraction: float | None = None
    detail: str = ""


Report = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """A `Report` for callers who do not look."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a job is given beside its request: where to report, what to look at between steps."""

    report: Report = ignore_progress
    cancel: Cancel = field(default_factory=Cancel)


# ---------------------------------------------------------------- what a model is (plain data, for any thread)
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
    note : str
        What of its attention cannot be shown and why, in one sentence: layers that do not attend, an encoder that attends in
        bands. Empty if everything can.
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


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could stand at a position. `text` is what to put into the sentence, `label` what to show; probability 0 to 1."""

    text: str
    label: str
    id: int
    probability: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """Candidates for one position, most probable first. `position` counts tokens of the predicted axis from 0."""

    position: int
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `temperature` 0 is greedy; `top_k` 0, `top_p` 1, `min_p` 0 and `repetition_penalty` 1 are off.

    Filters apply in the order of `Filter`, as in transformers; those that cut, each on a renormalised distribution.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0


@dataclass(frozen=True, slots=True)
class BeamSearch:
    """How beams are kept, with transformers' names and meanings.

    Attributes
    ----------
    n_beams : int
        1: no beam search.
    length_penalty : float
        A finished beam's score is its log-probability divided by its length to this power.
    early_stopping : bool
        True: end as soon as `n_beams` beams are finished. False: when no running beam can be expected to win any more.
    """

    n_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool = False


# ---------------------------------------------------------------- requests to the model lane
@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Load `source`, or take over `model`, which is in memory; answers `ModelInfo`."""

    source: str
    device: str = "auto"
    dtype: str = "auto"
    model: LoadedModel | None = None


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of a pass's attention is kept, and where.

    Attributes
    ----------
    place : "device" or "host"
        Where the model computes it, or in the computer's memory.
    half : bool
        float32 queries and keys as float16 (bfloat16 where one is too large for that): weights are then right to about 3 digits.
    layers : tuple of int or None
        Which layers of each kind; None: all. The others give ``layer_not_kept``.
    """

    place: Literal["device", "host"] = "device"
    half: bool = False
    layers: tuple[int, ...] | None = None


KEEP_ALL: Final = Keep()


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to run a pass that would not fit: to keep less of it, or, with `text`, to read less: `n_tokens` of it."""

    keep: Keep
    text: str | None = None
    n_tokens: int | None = None

    def __str__(self) -> str:
        if self.text is not None:
            return f"shorten the text to {self.n_tokens:,} tokens"
        parts = ["in the computer's memory"] if self.keep.place == "host" else []
        parts += ["in half precision"] if self.keep.half else []
        what = "the record" if self.keep.layers is None else f"only {len(self.keep.layers)} layers"
        return f"keep {' '.join([what, *parts])}"


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """Run the model once over a text; answers `RunResult`.

    `target` is the decoder's text of an encoder-decoder model (None: just its start token).
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    top_k: int = 10
    intervention: Intervention | None = None
    keep: Keep = KEEP_ALL


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Continue a text; streams `GenerationStep`, answers `RunResult`.

    With several beams, `BeamStep` is streamed while they run and the winner's `GenerationStep`s at the end. `stop` strings end
    the text where they end. With `chat` the text is put into the model's chat template, after `system` if there is one.
    """

    text: str
    max_new_tokens: int = 40
    sampling: Sampling = field(default_factory=Sampling)
    top_k: int = 10
    beams: BeamSearch = field(default_factory=BeamSearch)
    stop: tuple[str, ...] = ()
    chat: bool = False
    system: str = ""
    intervention: Intervention | None = None


@dataclass(frozen=True, slots=True)
class ForkRequest:
    """Write another token in the place of `step`'s, and go on from there; streams and answers as `GenerateRequest`.

    The first step that is streamed is the forced token's.
    """

    step: GenerationStep
    token_id: int
    max_new_tokens: int = 40


@dataclass(frozen=True, slots=True)
class FillRequest:
    """Fill every mask, one at a time; streams `FillStep`, answers `RunResult` of the filled text.

    "confident" takes the position whose best candidate is most probable (Ghazvininejad et al. 2019, one token a step);
    "left_to_right" takes the first mask; "gibbs" fills all and then draws them again and again (Wang and Cho 2019), `sweeps` times
    each, at `temperature`, by chance from `seed`.
    """

    text: str
    text_pair: str | None = None
    strategy: FillStrategy = "confident"
    top_k: int = 10
    sweeps: int = 5
    temperature: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class SweepRequest:
    """Change one thing at a time and see what the prediction loses; streams `Sweep`s, answers the last, see `core.analyse.sweeps`.

    Attributes
    ----------
    text, text_pair, target, token, position
        As `sweeps.Question` has them.
    what : str
        "heads" ablates each head of `kind` (with `mean_of`: by its mean over that text); "edges" cuts each edge of `layer` and
        `head`; "keys" hides each token; "patches" runs with heads' outputs from the text `other`, `by` head, layer or position.
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    token: int | None = None
    position: int | None = None
    what: Literal["heads", "edges", "keys", "patches"] = "heads"
    kind: Kind | None = None
    layer: int = 0
    head: int = 0
    mean_of: str | None = None
    other: str = ""
    other_pair: str | None = None
    other_target: str | None = None
    by: Literal["layer", "head", "position"] = "head"


@dataclass(frozen=True, slots=True)
class CatalogueRequest:
    """What can be opened, and where it can run; answers `Catalogue`."""


@dataclass(frozen=True, slots=True)
class DeleteCopiesRequest:
    """Delete copies of GGUF files; answers the `Catalogue` without them."""

    copies: tuple[KeptCopy, ...]


ModelRequest = (
    LoadRequest
    | CaptureRequest
    | GenerateRequest
    | ForkRequest
    | FillRequest
    | SweepRequest
    | CatalogueRequest
    | DeleteCopiesRequest
)


# ---------------------------------------------------------------- answers of the model lane
@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """A model that is on this computer. `group` is "toy" or "cache"; `size` in bytes."""

    source: str
    name: str
    group: Literal["toy", "cache"]
    description: str
    size: int


@dataclass(frozen=True, slots=True)
class KeptCopy:
    """The unpacked copy of a GGUF file: the file's `name`, the copy's folder `path`, its `size` in bytes."""

    name: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Models on this computer, the devices they can run on and their number formats, as `load_model` takes them ("auto" first).

    `copies` are what GGUF files were unpacked to, in `copies_folder`.
    """

    entries: tuple[CatalogueEntry, ...]
    devices: tuple[str, ...]
    dtypes: tuple[str, ...]
    copies: tuple[KeptCopy, ...] = ()
    copies_folder: str = ""


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
    next_sentence : float or None
        Probability that the pair's second text follows the first.
    seconds : float
        Wall time of the pass(es).
    """

    record: AttentionRecord
    text: str
    predictions: tuple[Prediction, ...]
    next_sentence: float | None
    seconds: float


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
    `candidates` are of the distribution before temperature and filters; `probability` is the chosen token's there,
    `sampled_probability` its probability after them (1.0 when greedy); `filters` are the stages between, the first is the
    model's own. `cut` is what the token would have added to `text` behind a stop string. `forced` tokens were not the model's
    choice. `generation` is what the step belongs to and can be forked by, where it can.
    """

    index: int
    token: Token
    text: str
    probability: float
    sampled_probability: float
    candidates: tuple[Candidate, ...]
    record: AttentionRecord
    filters: tuple[FilterStage, ...] = ()
    cut: str = ""
    forced: bool = False
    generation: Generation | None = field(default=None, compare=False, repr=False)

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

"""What the background lanes are asked to do and what they answer: frozen requests, results, progress, cancellation.

Nothing here imports torch: the window builds requests and reads results without it. `core.engine` carries them out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.tokens import Token

Kind = Literal["encoder", "decoder", "cross"]
Ability = Literal["fill_mask", "next_sentence", "generate"]
Tier = Literal["fast", "own", "fallback", "given"]
FloatArray = npt.NDArray[np.float32]


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
        "starting", "loading", "downloading", "reading", "running", "generating", "filling", "drawing", "training", "writing"
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
        What `load_model` was given; loads the same model again.
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
        As torch names them: "cpu", "cuda:0"; "float32".
    max_tokens : int or None
        Positions the model has, special tokens included; None if unlimited.
    mask_token : str or None
        What the user types for a masked word.
    n_parameters, memory_bytes : int
        Of the weights.
    checkpoint : str
        The weights in words for people: "toy", "safetensors", "GGUF Q4_1", …
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
    """How the next token is chosen. `temperature` 0 is greedy; `top_k` 0 and `top_p` 1 switch those filters off.

    Filters apply in this order: temperature, top-k, top-p (nucleus, Holtzman et al. 2020), each on a renormalised distribution.
    """

    temperature: float = 0.0
    top_k: int = 0
    top_p: float = 1.0
    seed: int = 0


# ---------------------------------------------------------------- requests to the model lane
@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Load `source`; answers `ModelInfo`."""

    source: str
    device: str = "auto"
    dtype: str = "auto"


@dataclass(frozen=True, slots=True)
class CaptureRequest:
    """Run the model once over a text; answers `RunResult`.

    `target` is the decoder's text of an encoder-decoder model (None: just its start token).
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    top_k: int = 10


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Continue a text; streams `GenerationStep`, answers `RunResult`. `every_step` adds a record to each step."""

    text: str
    max_new_tokens: int = 40
    sampling: Sampling = field(default_factory=Sampling)
    top_k: int = 10


@dataclass(frozen=True, slots=True)
class FillRequest:
    """Fill every mask, one at a time; streams `FillStep`, answers `RunResult` of the filled text.

    "confident" takes the position whose best candidate is most probable (Ghazvininejad et al. 2019, one token a step);
    "left_to_right" takes the first mask.
    """

    text: str
    text_pair: str | None = None
    strategy: Literal["confident", "left_to_right"] = "confident"
    top_k: int = 10


@dataclass(frozen=True, slots=True)
class CatalogueRequest:
    """What can be opened, and where it can run; answers `Catalogue`."""


ModelRequest = LoadRequest | CaptureRequest | GenerateRequest | FillRequest | CatalogueRequest


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
class GenerationStep:
    """One generated token.

    `record` holds everything up to the token that was fed last: a query row for each token but `token` itself.
    `candidates` are of the distribution before temperature and filters; `probability` is the chosen token's there,
    `sampled_probability` its probability after them (1.0 when greedy).
    """

    index: int
    token: Token
    text: str
    probability: float
    sampled_probability: float
    candidates: tuple[Candidate, ...]
    record: AttentionRecord


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


# ---------------------------------------------------------------- requests to the view lane
Head = tuple[int, int]
"""(layer, head), both from 0."""


@dataclass(frozen=True, slots=True)
class WeightsRequest:
    """The weights of some heads; answers `HeadWeights`."""

    record: AttentionRecord
    kind: Kind
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """float32 (n_queries, n_keys) for each asked head."""

    record: AttentionRecord
    kind: Kind
    weights: dict[Head, FloatArray]


@dataclass(frozen=True, slots=True)
class ThumbnailsRequest:
    """Small pictures of all heads; streams `Thumbnails` after each layer and answers the last.

    Layers before `first_layer` are left out (NaN): a request that was put off for something more urgent is asked again from there.
    """

    record: AttentionRecord
    kind: Kind
    size: int = 32
    first_layer: int = 0


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """float32 (n_layers, n_heads, height, width), each pixel the exact maximum of the cells it covers; NaN where not computed yet.

    `height` is min(size, n_queries), `width` min(size, n_keys).
    """

    record: AttentionRecord
    kind: Kind
    pictures: FloatArray


ViewRequest = WeightsRequest | ThumbnailsRequest

"""What the model lane can be asked for: frozen requests. `core.engine` carries them out and answers with `core.results`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from headscope.core.jobs import FillStrategy, Kind
from headscope.core.predict.classes import SpanEnd
from headscope.core.token_jobs import AttributionRequest, SurprisalRequest

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.intervention import Intervention
    from headscope.core.models.loaded import LoadedModel
    from headscope.core.predict.options import Languages, Rule
    from headscope.core.results import GenerationStep


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
    early_stopping : bool or "never"
        True: end as soon as `n_beams` beams are finished. False: when no running beam can be expected to win any more. "never":
        when none can win any more, however long it becomes.
    """

    n_beams: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False


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

    `target` is the decoder's text of an encoder-decoder model (None: just its start token). `languages` are those of a
    multilingual model's texts (None: as its own settings say).
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    top_k: int = 10
    intervention: Intervention | None = None
    keep: Keep = KEEP_ALL
    languages: Languages | None = None


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """Continue a text; streams `GenerationStep`, answers `RunResult`.

    With several beams, `BeamStep` is streamed while they run and the winner's `GenerationStep`s at the end. `stop` strings end
    the text where they end. With `chat` the text is put into the model's chat template, after `system` if there is one. What is
    None is as the model's own settings say.
    """

    text: str
    max_new_tokens: int | None = None
    sampling: Sampling | None = None
    top_k: int = 10
    beams: BeamSearch | None = None
    stop: tuple[str, ...] | None = None
    chat: bool = False
    system: str = ""
    intervention: Intervention | None = None
    rules: tuple[Rule, ...] | None = None
    languages: Languages | None = None


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
    text, text_pair, target, token, position, label, span
        As `sweeps.Question` has them.
    what : str
        "heads" ablates each head of `kind` (with `mean_of`: by its mean over that text); "edges" cuts each edge of `layer` and
        `head`; "keys" hides each token; "patches" runs with heads' outputs from the text `other`, `by` head, layer or position.
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    token: int | str | None = None
    position: int | None = None
    what: Literal["heads", "edges", "keys", "patches"] = "heads"
    kind: Kind | None = None
    layer: int = 0
    head: int = 0
    mean_of: str | None = None
    other: str = ""
    other_pair: str | None = None
    other_target: str | None = None
    label: int | str | None = None
    span: SpanEnd | None = None
    by: Literal["layer", "head", "position"] = "head"


@dataclass(frozen=True, slots=True)
class LensRequest:
    """Read the residual stream after each layer; streams a `LensLayer` with labels for each, answers the last.

    The tokens are those that `record` is of, whoever wrote them. The other parameters are those of
    `core.predict.logit_lens.logit_lens`; no `positions` means all.
    """

    record: AttentionRecord
    positions: tuple[int, ...] | None = None
    top_k: int = 5
    follow: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogueRequest:
    """What can be opened, and where it can run; answers `Catalogue`."""


Question = SweepRequest | LensRequest | SurprisalRequest | AttributionRequest
"""What changes no picture: a panel asks it, and says the answer or why there is none."""
ModelRequest = LoadRequest | CaptureRequest | GenerateRequest | ForkRequest | FillRequest | CatalogueRequest | Question

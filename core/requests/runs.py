"""What runs a model: frozen requests, carried out by `core.engine`. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.options import BeamSearch, Sampling
from headscope.core.requests.request import RunRequest
from headscope.core.vocabulary import FillStrategy

if TYPE_CHECKING:
    from headscope.core.attention.intervention import Intervention
    from headscope.core.forward.model_info import ModelInfo
    from headscope.core.options import Languages, Rule
    from headscope.core.predict.results import GenerationStep
    from headscope.core.run import Run  # noqa: F401 - an answer
    from headscope.core.text.prompt import Prompt


@dataclass(frozen=True, slots=True)
class CaptureRequest(RunRequest["Run"]):
    """Run the model once over a text; answers `Run`.

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

    @classmethod
    def of(cls, prompt: Prompt, model: ModelInfo | None, keep: Keep, languages: Languages | None) -> CaptureRequest:
        """A run over what of `prompt` the model takes."""
        pair = prompt.text_pair if model is None or model.takes_pair else ""
        target = prompt.target if model is not None and model.takes_target else ""
        return cls(prompt.text, pair or None, target or None, keep=keep, languages=languages)


@dataclass(frozen=True, slots=True)
class GenerateRequest(RunRequest["Run"]):
    """Continue a text; streams `GenerationStep`, answers `Run`.

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
class ForkRequest(RunRequest["Run"]):
    """Write another token in the place of `step`'s, and go on from there; streams and answers as `GenerateRequest`.

    The first step that is streamed is the forced token's.
    """

    step: GenerationStep
    token_id: int
    max_new_tokens: int = 40


@dataclass(frozen=True, slots=True)
class FillRequest(RunRequest["Run"]):
    """Fill every mask, one at a time; streams `FillStep`, answers `Run` of the filled text.

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

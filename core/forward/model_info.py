"""What is known of a model without running it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from headscope.core.errors import HeadscopeError
from headscope.core.options import GenerationSettings, LanguageChoice
from headscope.core.sentences import Sentence
from headscope.core.target import Link
from headscope.core.vocabulary import Ability, Backend, Kind

DECODE_THE_TEXT: Final = ("ForSequenceClassification", "ForQuestionAnswering", "ForTokenClassification")
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
    backend : Backend
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
    notes : tuple of Sentence
        What of the model cannot be shown or used, and why: layers that do not attend, weights that are not there.
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
    backend: Backend
    device: str
    dtype: str
    max_tokens: int | None
    mask_token: str | None
    n_parameters: int
    memory_bytes: int
    checkpoint: str
    notes: tuple[Sentence, ...] = ()
    labels: tuple[str, ...] = ()
    link: Link = "softmax"
    head_is_complete: bool = True
    writes_in_a_way_of_its_own: bool = False
    generation: GenerationSettings = field(default_factory=GenerationSettings)
    languages: LanguageChoice = field(default_factory=LanguageChoice)

    @property
    def note(self) -> str:
        """`notes` in English; "" if there are none."""
        return " ".join(map(str, self.notes))

    @property
    def n_layers(self) -> int:
        """Attention layers of all kinds together."""
        return sum(n for n, _ in self.layers.values())

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


_WITH_HEADS: Final = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForQuestionAnsweringSimple",
    "ForMaskedLM",
    "ForPreTraining",
)


def why_no_prediction(info: ModelInfo) -> HeadscopeError:
    """Why a model that is open predicts nothing at all."""
    architecture = info.architecture
    if info.writes_in_a_way_of_its_own:
        return HeadscopeError("writes_in_its_own_way", model=info.name)
    if architecture.endswith("ForQuestionAnswering") and info.head_is_complete:
        return HeadscopeError("answers_by_beams", model=info.name, architecture=architecture)
    if architecture.endswith(_WITH_HEADS) and not info.head_is_complete:
        return HeadscopeError("head_missing", model=info.name)
    return HeadscopeError("predicts_nothing", model=info.name)

"""A transformers model as a Model: how it is run, what it can do, how much it can read."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache, PreTrainedModel, PreTrainedTokenizerBase

from headscope.core.attention.hooks import turn
from headscope.core.attention.stacks import is_encoder_decoder
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import DECODE_THE_TEXT, ModelInfo
from headscope.core.forward.rows import in_rows
from headscope.core.memory import input_device, is_out_of_memory, out_of_memory_reported
from headscope.core.model import Model
from headscope.core.models.hub import attention, compat, writing_ways
from headscope.core.models.hub.cache import branched_cache, growing_cache
from headscope.core.models.hub.class_heads import (
    allow_copies,
    class_head,
    class_position,
    first_of_decoder,
    last_position,
    shifted,
)
from headscope.core.models.hub.generation_settings import end_ids_of, generation_settings, start_id_of
from headscope.core.models.hub.inputs_by_id import note_on_places, tables_by_id, with_inputs_by_id
from headscope.core.models.hub.language_codes import LanguageCodes, without_beginning
from headscope.core.models.hub.placement.packing import packing_of, stored_bytes
from headscope.core.models.hub.placement.spread import let_go, places_of
from headscope.core.models.hub.positions import most_tokens
from headscope.core.models.hub.quiet import QUIET
from headscope.core.models.hub.teacher_forcing import target_start
from headscope.core.models.hub.tokenizer import HubTokenizer
from headscope.core.models.hub.unavailable import known_reason
from headscope.core.models.hub.unavailable import notes as notes_on_attention
from headscope.core.models.hub.unwrapping import unwrapped
from headscope.core.options import GenerationSettings, Languages
from headscope.core.sentences import Sentence, sentence
from headscope.core.text.given_ids import Ids
from headscope.core.text.tokenizer import Encoded
from headscope.core.vocabulary import Ability, Backend, Kind

_STARTS: Final = ("decoder_start_token_id", "bos_token_id")
_WRITE: Final = ("ForCausalLM", "LMHeadModel", "DoubleHeadsModel", "ForConditionalGeneration", "MTModel")
_WRITE_TOO: Final = ("EncoderDecoderModel", "BertGenerationDecoder")


class HubModel(Model):
    """A transformers model that is in memory.

    Parameters
    ----------
    module : PreTrainedModel
    tokenizer : a transformers tokenizer
    source, name, checkpoint : str
        For `ModelInfo`.
    lacking : abilities whose weights were missing
    notes : sequence of Sentence
        What of the checkpoint cannot be shown.
    is_ours : bool
        False: the module is somebody else's, who goes on with it.

    Raises
    ------
    HeadscopeError
        ``no_attention``, ``architecture_unsupported``.
    """

    module: PreTrainedModel
    _reads_text = False  # the decoder of a classifier
    _first_of_decoder: int | None = None

    def __init__(
        self,
        module: PreTrainedModel,
        tokenizer: Any,
        *,
        source: str,
        name: str,
        checkpoint: str = "in memory",
        lacking: frozenset[Ability] = frozenset(),
        notes: Sequence[Sentence] = (),
        is_ours: bool = True,
    ) -> None:
        self.module = module.eval() if is_ours else module
        self._is_ours = is_ours
        self.tokenizer = HubTokenizer(tokenizer)
        self._tables = tables_by_id(module, tokenizer)
        backend, (layers, self.widths), self._n_embeddings = _installed(module, name)
        with turn(module):
            family = _family(module)
        most_read, self.max_written = most_tokens(module)
        written_by = _settings(module)
        if module.can_generate():
            self.tokenizer.end_ids = end_ids_of(written_by)
        if family == "encoder-decoder":
            self.start_id = start_id_of(written_by, _starts(module, tokenizer), self._n_embeddings)
            self.target_start = target_start(module, self.start_id)
        if family == "encoder-decoder" and type(module).__name__.endswith(DECODE_THE_TEXT):
            self.start_id, self._reads_text = None, True
            with _refused(module, name):
                self._first_of_decoder = first_of_decoder(module)
        generation = self._generation(written_by, family)
        self._codes = LanguageCodes(tokenizer, name)
        self.place = input_device(module)
        with _refused(module, name):
            head = None if lacking & {"classify", "tag", "answer"} else class_head(module)
        places = places_of(module)
        self.is_movable = is_ours and len(places) == 1 and packing_of(module) is None
        said = notes_on_attention(module.config, layers, two_texts=is_encoder_decoder(module))
        self.info = ModelInfo(
            source=source,
            name=name,
            family=family,
            architecture=type(module).__name__,
            layers=layers,
            abilities=_abilities(module, self.tokenizer) - lacking | ({head.ability} if head else set()),
            backend=backend,
            device=", ".join(places),
            dtype=packing_of(module) or str(module.dtype).removeprefix("torch."),
            max_tokens=most_read,
            mask_token=self.tokenizer.mask_token,
            n_parameters=module.num_parameters(),
            memory_bytes=sum(stored_bytes(weights) for weights in module.parameters()),
            checkpoint=checkpoint,
            notes=(*said, *notes, *note_on_places(module), *_notes_on_writing(module), *compat.self_check()),
            labels=head.labels if head else (),
            link=head.link if head else "softmax",
            head_is_complete=not lacking - {"next_sentence"},
            writes_in_a_way_of_its_own=bool(module.can_generate()) and not (_writes(module) and _is_to_write(module)),
            generation=generation,
            languages=self._codes.choice(generation),
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy: its module is another, which nobody has looked into yet."""
        self.__dict__.update(state)
        attention.install(self.module)

    def release(self) -> None:
        if self._is_ours and "," in self.info.device:
            let_go(self.module)

    def _generation(self, settings: dict[str, Any], family: str) -> GenerationSettings:
        head = self.module.get_output_embeddings()
        return generation_settings(
            settings,
            n_vocabulary=int(getattr(head, "out_features", 0)) or self._n_embeddings,
            end_ids=self.tokenizer.end_ids,
            named=lambda id_: self.tokenizer.candidate(id_)[1],
            is_encoder_decoder=family == "encoder-decoder",
        )

    def encode(
        self,
        text: str | Ids,
        text_pair: str | None = None,
        target: str | Ids | None = None,
        *,
        languages: Languages | None = None,
    ) -> tuple[Encoded, Encoded | None]:
        """See `Model.encode`; ``tokenizer_unfit`` for a token that the model has no embedding for, ``no_end_token``."""
        beginning = self._codes.beginning(languages) if isinstance(text, str) and text.strip() else ""
        own = self.info.languages.target
        if isinstance(target, str) and target and own is not None and (languages is None or languages.target is None):
            languages = Languages(None if languages is None else languages.source, own)
        with self._codes.speaking(languages):
            source, written = super().encode(f"{beginning}{text}" if beginning else text, text_pair, target)
        if beginning:
            source = without_beginning(source, str(text), len(beginning))
        if self._reads_text:
            first = self._first_of_decoder
            written = shifted(source, first, "" if first is None else self.tokenizer.candidate(first)[1])
            self._check_end(source)
        for token in (*source.axis.tokens, *(written.axis.tokens if written else ())):
            if token.id >= self._n_embeddings or token.type_id >= max(self._n_segments, 2):
                raise HeadscopeError("tokenizer_unfit", model=self.info.name, token=token.text)
        return source, written

    def _check_end(self, source: Encoded) -> None:
        """Of a classifier of BART's and T5's kin, which transformers lets read no text without an end token."""
        end = self.module.config.eos_token_id
        if hasattr(self.module, "classification_head") and isinstance(end, int) and end not in source.ids:
            raise HeadscopeError("no_end_token", model=self.info.name, token=self.tokenizer.candidate(end)[1], id=end)

    @cached_property
    def _accepted(self) -> frozenset[str]:
        """A head for classes reads a token of its own choice: BioGPT's takes `logits_to_keep`, and then looks among too few rows."""
        accepted = super()._accepted
        return accepted if self.module.get_output_embeddings() is not None else accepted - {"logits_to_keep"}

    def class_position(self, source: Encoded, target: Encoded | None) -> int | None:
        if self.info.layers.keys() == {"decoder"}:
            return last_position(self.module, source)
        return class_position(self.module, source, target, self.tokenizer.cls_id)

    def forward(self, inputs: Mapping[str, Any], **options: Any) -> Any:
        with turn(self.module) as changes:
            allow_copies(changes, self.module, inputs)
            return super().forward(with_inputs_by_id(inputs, self._tables), **options)

    def first_token_of(self, language: str) -> int | None:
        return self._codes.first_token(language)

    def rule_processor(self, rule: str) -> Any:
        return compat.rule_processor(rule)

    def encoder_output(self, hidden: Tensor) -> Any:
        return writing_ways.encoder_output(hidden)

    def positions(self, first: int, n_tokens: int) -> dict[str, Tensor]:
        if not writing_ways.numbers_positions(self.module):
            return {}
        return {"position_ids": torch.arange(first, first + n_tokens, device=self.place)[None]}

    def new_cache(self, expected: int = 0) -> Any:
        return None if self.cache_argument is None else self._new_cache(expected)

    @cached_property
    def cache_argument(self) -> str | None:
        """See `Model.cache_argument`; found out by a pass over a few tokens."""
        if not self.module.can_generate():
            return None
        with turn(self.module), out_of_memory_reported(self.place):
            return compat.cache_argument(self.module, attention.probe(self.module), self._new_cache)

    def _new_cache(self, expected: int = 0) -> Any:
        if self.start_id is not None:  # without the configuration: T5's counts the layers of its encoder
            return growing_cache(EncoderDecoderCache(DynamicCache(), DynamicCache()), expected)
        return growing_cache(DynamicCache(config=self.module.config.get_text_config(decoder=True)), expected)

    def branched_cache(self, cache: Any, n_tokens: int) -> Any:
        return branched_cache(cache, n_tokens)

    def eager_pass(self, inputs: Mapping[str, Tensor]) -> Any:
        output = attention.eager_pass(self.module, with_inputs_by_id(inputs, self._tables))
        in_rows(output, self.info)
        return output

    def eager_attentions(self, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
        return attention.eager_attentions(self.module, with_inputs_by_id(inputs, self._tables))


def wrapped(module: Any, tokenizer: Any, name: str | None) -> HubModel:
    """See `wrap_model`."""
    module = unwrapped(module, name)
    name = name or Path(module.config.name_or_path).name or type(module).__name__
    if not isinstance(tokenizer, PreTrainedTokenizerBase):
        raise HeadscopeError("no_tokenizer", path=name, details=f"{type(tokenizer).__name__} is no tokenizer of transformers")
    own = copy.deepcopy(tokenizer) if tokenizer.is_fast else tokenizer  # of one without a fast version nothing is set
    with QUIET.held(), out_of_memory_reported(input_device(module)):
        return HubModel(module, own, source="", name=name, is_ours=False)


# ---------------------------------------------------------------- what it can do
def _installed(module: PreTrainedModel, name: str) -> tuple[Backend, tuple[dict[Kind, tuple[int, int]], attention.Widths], int]:
    """The capture's way into the model, the attention it finds there by a trial pass, and how many tokens have an embedding."""
    if type(module).__name__.endswith("ForMultipleChoice"):
        raise HeadscopeError("multiple_choice", model=name)
    with _refused(module, name):
        backend = attention.install(module)
        embeddings = module.get_input_embeddings()
        n_embeddings = int(getattr(embeddings, "num_embeddings", 0)) or int(module.config.get_text_config().vocab_size)
        return backend, attention.attention_sizes(module, backend), n_embeddings


@contextmanager
def _refused(module: PreTrainedModel, name: str) -> Iterator[None]:
    """A model that cannot run on a text alone, which it says in its own way, is refused in ours."""
    try:
        yield
    except HeadscopeError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        if why := known_reason(module.config):
            raise HeadscopeError("no_attention", model=name, reason=why) from None
        kind = type(module).__name__
        raise HeadscopeError(
            "architecture_unsupported", model=name, architecture=kind, details=traceback.format_exc()
        ) from None


def _family(module: PreTrainedModel) -> Literal["encoder", "decoder", "encoder-decoder"]:
    if is_encoder_decoder(module):
        return "encoder-decoder"
    return "decoder" if _writes(module) or _is_causal(module) else "encoder"


def _writes(module: PreTrainedModel) -> bool:
    """Whether it generates from what it has read of the text alone."""
    return (
        bool(module.can_generate()) and writing_ways.appended_to_write(module) is None and not writing_ways.reads_again(module)
    )


def _is_to_write(module: PreTrainedModel) -> bool:
    """Whether its class is one that is made to generate a text."""
    name = type(module).__name__
    return name.endswith(_WRITE) or name in _WRITE_TOO


def _notes_on_writing(module: PreTrainedModel) -> Iterator[Sentence]:
    if writing_ways.appended_to_write(module) is not None:
        yield sentence("appends_to_write")
    elif writing_ways.reads_again(module):
        yield sentence("reads_again_to_write")
    elif module.can_generate() and not _is_to_write(module):  # SeamlessM4T's, which takes languages by a table of its own
        yield sentence("writes_in_its_own_way")
    elif writing_ways.numbers_positions(module) and writing_ways.numbers_from_padding(module):
        yield sentence("positions_from_0")


def _is_causal(module: PreTrainedModel) -> bool:
    """Whether the attention modules look backwards only (a bare GPT-2 without its head)."""
    flags = [bool(part.is_causal) for part in module.modules() if isinstance(getattr(part, "is_causal", None), bool)]
    return bool(flags) and all(flags)


def _abilities(module: PreTrainedModel, tokenizer: HubTokenizer) -> frozenset[Ability]:
    name = type(module).__name__
    abilities: set[Ability] = set()
    if name.endswith(("ForMaskedLM", "ForPreTraining")) and tokenizer.mask_id is not None and _has_vocabulary_head(module):
        abilities.add("fill_mask")
    if name.endswith("ForNextSentencePrediction") or hasattr(getattr(module, "cls", None), "seq_relationship"):
        abilities.add("next_sentence")
    appended = writing_ways.appended_to_write(module)
    if appended is not None and appended == tokenizer.mask_id and not getattr(module.config, "causal", False):
        abilities.add("fill_mask")  # which is how it writes
    elif _writes(module) and _is_to_write(module):
        abilities.add("generate")
        if tokenizer.has_chat_template:
            abilities.add("chat")
    return frozenset(abilities)


def _settings(module: PreTrainedModel) -> dict[str, Any]:
    """The fields of the model's own generation settings."""
    settings = getattr(module, "generation_config", None)
    return {} if settings is None else dict(settings.to_dict())


def _starts(module: PreTrainedModel, tokenizer: Any) -> list[Any]:
    """What a decoder may begin with where the generation settings do not say."""
    configs = (module.config, module.config.get_text_config(decoder=True))
    known = [getattr(config, name, None) for name in _STARTS for config in configs]
    return [*known, tokenizer.bos_token_id, tokenizer.cls_token_id, tokenizer.pad_token_id]


def _has_vocabulary_head(module: PreTrainedModel) -> bool:
    """ELECTRA's discriminator is called ForPreTraining too, but predicts no words."""
    return module.get_output_embeddings() is not None

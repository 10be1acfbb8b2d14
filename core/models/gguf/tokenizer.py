"""The tokenizer that a GGUF file describes, built of the parts of the `tokenizers` library.

Conventions are llama.cpp's where a file says nothing: a SentencePiece vocabulary begins texts with its beginning token and puts a
blank before them, a T5 ends them, a byte-level one does neither, but for the splittings that say so (Llama 3, Tekken).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import TokenizersBackend

from headscope.core.errors import reason_of
from headscope.core.models.gguf.charsmap import is_whole
from headscope.core.models.gguf.header import Header, shown
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.hub.splits import OF_KIND, SPLITTINGS, Splitting

_NORMAL, _UNKNOWN, _CONTROL, _USER, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6
"""How llama.cpp numbers the kinds of tokens."""
_BLANK: Final = "▁"
_ROLES: Final = {
    "bos": "bos",
    "eos": "eos",
    "unknown": "unk",
    "padding": "pad",
    "seperator": "sep",
    "cls": "cls",
    "mask": "mask",
}
"""Tokens with a role, from the file's name for it (with its spelling) to transformers'."""
_DEFAULTS: Final = {"llama": {"bos": 1, "eos": 2, "unknown": 0}, "t5": {"eos": 1, "unknown": 2, "padding": 0}, "gpt2": {}}
"""Their ids where a file says nothing."""
_ENDS: Final = ("eot", "eom")
"""Further tokens that end what a model writes."""
_T5_BLANKS: Final = 100
"""Places to be filled in, which T5's vocabulary has at its end; the conversion calls them [PAD32000] and so on."""
_HARMLESS: Final = (
    *(f"tokenizer.ggml.{name}_token_id" for name in ("prefix", "suffix", "middle")),
    *(f"tokenizer.ggml.fim_{name}_token_id" for name in ("pre", "suf", "mid", "pad", "rep", "sep")),
    "tokenizer.ggml.token_type_count",  # of BERTs
    "tokenizer.huggingface.json",  # the same once more
)


@dataclass(frozen=True, slots=True)
class Read:
    """A tokenizer, and the ids of the tokens that end a text or are never written."""

    tokenizer: TokenizersBackend
    end_ids: tuple[int, ...]
    suppressed: tuple[int, ...]


def read_tokenizer(header: Header, keys: Keys) -> Read:
    """Build the tokenizer.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` for one of an unknown kind, with an unknown splitting, or whose parts do not fit together.
    """
    vocabulary = _Vocabulary(header, keys)
    builder = {"gpt2": _byte_level, "llama": _sentence_piece, "t5": _unigram}.get(vocabulary.model)
    if builder is None:
        header.refuse("tokenizer_unknown", kind=shown(vocabulary.model))
    try:
        backend, adds_bos, adds_eos = builder(vocabulary)
        backend.add_special_tokens(vocabulary.added(_CONTROL, special=True))
        backend.add_tokens(vocabulary.added(_USER, special=False))
        backend.post_processor = _ends(vocabulary, adds_bos=adds_bos, adds_eos=adds_eos)
        backend.encode("a trial 1 ▁")
    except Exception as error:
        if type(error).__module__.startswith("headscope"):
            raise
        header.refuse("tokenizer_not_built", words=reason_of(error))
    for key in _HARMLESS:
        keys.value(key)
    tokenizer = TokenizersBackend(
        tokenizer_object=backend,
        chat_template=_chat_template(keys),
        clean_up_tokenization_spaces=False,
        **{f"{role}_token": AddedToken(token, special=True, normalized=False) for role, token in vocabulary.roles.items()},
    )
    eos = [vocabulary.ids["eos"]] if "eos" in vocabulary.ids else []
    return Read(tokenizer, (*eos, *_optional_ids(keys, vocabulary)), _suppressed(keys, vocabulary))


class _Vocabulary:
    """The words of a file with their kinds, scores and roles, checked against each other."""

    def __init__(self, header: Header, keys: Keys) -> None:
        self.header, self.keys = header, keys
        self.model = keys.text("tokenizer.ggml.model")
        words = keys.value("tokenizer.ggml.tokens")
        if not isinstance(words, list) or not words:
            header.refuse("no_vocabulary")
        self.tokens = [word or f"[EMPTY_{index}]" for index, word in enumerate(words)]
        self.index = {token: index for index, token in enumerate(self.tokens)}
        if len(self.index) != len(self.tokens):
            header.refuse("token_twice")
        self.kinds = self._numbers("token_type", "iu", _NORMAL)
        self.ids = dict(self._ids())
        self.roles = {_ROLES[role]: self.tokens[id_] for role, id_ in self.ids.items()}

    def _numbers(self, name: str, kinds: str, default: float) -> Any:
        """A number for each token."""
        value = self.keys.value(f"tokenizer.ggml.{name}")
        if value is None:
            return np.full(len(self.tokens), default)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or len(value) < len(self.tokens):
            self.header.refuse("key_misfits_tokens", key=f"tokenizer.ggml.{name}", n=len(self.tokens))
        return value[: len(self.tokens)]

    def _ids(self) -> Any:
        for role in _ROLES:
            key = f"tokenizer.ggml.{role}_token_id"
            if self.keys.has(key):
                yield role, self.keys.integer(key, most=len(self.tokens) - 1)
            elif (default := _DEFAULTS.get(self.model, {}).get(role, len(self.tokens))) < len(self.tokens):
                yield role, default

    @cached_property
    def scores(self) -> list[float]:
        scores = self._numbers("scores", "fiu", 0.0).astype(np.float64)
        if not np.isfinite(scores).all():
            self.header.refuse("scores_not_finite")
        return [float(score) for score in scores]

    def of_kind(self, kind: int) -> list[str]:
        return [self.tokens[index] for index in np.flatnonzero(self.kinds == kind)]

    def added(self, kind: int, *, special: bool) -> list[AddedToken]:
        """Words that are found in a text as they stand, before anything else is done. Runs of blanks are merged like words."""
        found = (token for token in self.of_kind(kind) if token.strip(_BLANK))
        return [AddedToken(token, special=special, normalized=False) for token in found]

    @cached_property
    def charsmap(self) -> normalizers.Normalizer | None:
        """SentencePiece's own table of letters that are replaced."""
        table = self.keys.value("tokenizer.ggml.precompiled_charsmap")
        if table is None:
            return None
        raw = table.tobytes() if isinstance(table, np.ndarray) and table.dtype.itemsize == 1 else b""
        if not is_whole(raw):
            self.header.refuse("charsmap_damaged")
        return normalizers.Precompiled(raw)


# ---------------------------------------------------------------- the kinds of tokenizers
def _byte_level(vocabulary: _Vocabulary) -> tuple[Tokenizer, bool, bool]:
    """Byte-level BPE, which llama.cpp calls gpt2."""
    keys, splitting = vocabulary.keys, _splitting(vocabulary)
    keys.expect("tokenizer.ggml.add_space_prefix", False, but="byte_level_prefix")
    keys.expect("tokenizer.ggml.remove_extra_whitespaces", False, but="byte_level_spaces")
    keys.value("tokenizer.ggml.scores")  # merges have an order already
    model = models.BPE(vocabulary.index, _merges(vocabulary), ignore_merges=splitting.whole_words)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = splitting.normalizer()
    tokenizer.pre_tokenizer = splitting.pre_tokenizer()
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer, splitting.begins, False


def _splitting(vocabulary: _Vocabulary) -> Splitting:
    default = OF_KIND.get(vocabulary.keys.architecture, "default")
    name = vocabulary.keys.text("tokenizer.ggml.pre", default)
    if name == "default":
        name = default
    if name not in SPLITTINGS:
        vocabulary.header.refuse("splitting_unknown", name=shown(name))
    return SPLITTINGS[name]


def _merges(vocabulary: _Vocabulary) -> list[tuple[str, str]]:
    listed = vocabulary.keys.value("tokenizer.ggml.merges")
    if not isinstance(listed, list):
        vocabulary.header.refuse("no_merges")
    merges = []
    for merge in listed:
        cut = merge.find(" ", 1)
        if cut < 0 or cut == len(merge) - 1:
            vocabulary.header.refuse("merge_of_one", merge=shown(merge))
        merges.append((merge[:cut], merge[cut + 1 :]))
    return merges


def _sentence_piece(vocabulary: _Vocabulary) -> tuple[Tokenizer, bool, bool]:
    """SentencePiece's BPE, which llama.cpp calls llama."""
    keys = vocabulary.keys
    keys.expect("tokenizer.ggml.pre", "default", "llama-spm", but="no_splitting")
    prefix = keys.flag("tokenizer.ggml.add_space_prefix", default=True)
    vocabulary.index = {_runs_of_blanks(token): index for token, index in vocabulary.index.items()}
    vocabulary.tokens = list(vocabulary.index)
    if len(vocabulary.tokens) != len(vocabulary.kinds):
        vocabulary.header.refuse("blanks_twice")
    merges = _merges(vocabulary) if keys.has("tokenizer.ggml.merges") else _implied_merges(vocabulary)
    has_bytes = bool(vocabulary.of_kind(_BYTE))
    unknown = vocabulary.roles.get("unk")
    tokenizer = Tokenizer(models.BPE(vocabulary.index, merges, unk_token=unknown, fuse_unk=True, byte_fallback=has_bytes))
    tokenizer.normalizer = _blanks(vocabulary, prefix=prefix)
    tokenizer.decoder = _blank_decoder(prefix=prefix)
    return tokenizer, True, False


def _runs_of_blanks(token: str) -> str:
    """The conversion writes runs of blanks as such, all other blanks as ▁."""
    return _BLANK * len(token) if token and not token.strip(" ") else token


def _implied_merges(vocabulary: _Vocabulary) -> list[tuple[str, str]]:
    """Every way to put a word together of two others, the best words first: what SentencePiece does when it encodes.

    Words of users come before all others: where they are not found as they stand (runs of blanks), they are merged first.
    """
    scores = np.where(vocabulary.kinds == _USER, np.inf, vocabulary.scores)
    index, merges = vocabulary.index, []
    left_out = np.isin(vocabulary.kinds, (_CONTROL, _UNKNOWN, _UNUSED, _BYTE))
    for place in np.argsort(-scores, kind="stable"):
        token = "" if left_out[place] else vocabulary.tokens[place]
        for cut in range(len(token) - 1, 0, -1):
            left, right = token[:cut], token[cut:]
            if left in index and right in index:
                merges.append((left, right))
    return merges


def _unigram(vocabulary: _Vocabulary) -> tuple[Tokenizer, bool, bool]:
    """SentencePiece's unigram model, which llama.cpp calls t5."""
    keys = vocabulary.keys
    keys.expect("tokenizer.ggml.pre", "default", but="no_splitting")
    prefix = keys.flag("tokenizer.ggml.add_space_prefix", default=False)
    _name_blanks(vocabulary)
    words = list(zip(vocabulary.tokens, vocabulary.scores, strict=True))
    has_bytes = bool(vocabulary.of_kind(_BYTE))
    tokenizer = Tokenizer(models.Unigram(words, vocabulary.ids.get("unknown"), has_bytes))
    tokenizer.normalizer = _blanks(vocabulary, prefix=prefix)
    if not any(_BLANK in token[1:] for token in vocabulary.tokens):  # no word goes beyond a blank
        tokenizer.pre_tokenizer = pre_tokenizers.Split(_BLANK, behavior="merged_with_next")
    tokenizer.decoder = _blank_decoder(prefix=prefix)
    return tokenizer, False, True


def _name_blanks(vocabulary: _Vocabulary) -> None:
    """T5's <extra_id_99> to <extra_id_0> get their names and their kind back."""
    unused = [index for index, token in enumerate(vocabulary.tokens) if token == f"[PAD{index}]"]
    if len(unused) < _T5_BLANKS:
        return
    vocabulary.kinds = vocabulary.kinds.copy()
    for number, index in enumerate(unused[:_T5_BLANKS]):
        vocabulary.tokens[index] = f"<extra_id_{_T5_BLANKS - 1 - number}>"
        vocabulary.kinds[index] = _CONTROL


def _blanks(vocabulary: _Vocabulary, *, prefix: bool) -> normalizers.Normalizer:
    """What becomes of a text's blanks: none of those that it begins with is lost."""
    steps: list[normalizers.Normalizer] = [vocabulary.charsmap] if vocabulary.charsmap is not None else []
    if vocabulary.keys.flag("tokenizer.ggml.remove_extra_whitespaces", default=False):
        steps += [normalizers.Strip(), normalizers.Replace(Regex(" {2,}"), " ")]
    if prefix:
        steps.append(normalizers.Prepend(_BLANK))
    return normalizers.Sequence([*steps, normalizers.Replace(" ", _BLANK)])


def _blank_decoder(*, prefix: bool) -> decoders.Decoder:
    steps: list[decoders.Decoder] = [decoders.Replace(_BLANK, " "), decoders.ByteFallback(), decoders.Fuse()]
    return decoders.Sequence([*steps, decoders.Strip(" ", 1, 0)] if prefix else steps)


# ---------------------------------------------------------------- what all have
def _ends(vocabulary: _Vocabulary, *, adds_bos: bool, adds_eos: bool) -> processors.PostProcessor:
    """The tokens that are put before and behind a text; the arguments are for files that say nothing."""
    keys = vocabulary.keys
    keys.expect("tokenizer.ggml.add_sep_token", False, but="no_separator")
    wanted = {
        "bos": keys.flag("tokenizer.ggml.add_bos_token", default=adds_bos),
        "eos": keys.flag("tokenizer.ggml.add_eos_token", default=adds_eos),
    }
    put = {role: vocabulary.roles[role] for role, is_wanted in wanted.items() if is_wanted and role in vocabulary.roles}
    ids = [(token, vocabulary.ids[role]) for role, token in put.items()]
    first, second = ([put.get("bos"), f"${name}:{type_id}", put.get("eos")] for name, type_id in (("A", 0), ("B", 0)))
    single = [part for part in first if part]
    return processors.TemplateProcessing(single=single, pair=[*single, *(part for part in second if part)], special_tokens=ids)


def _chat_template(keys: Keys) -> str | dict[str, str] | None:
    """The template, or several by name."""
    names = keys.value("tokenizer.chat_templates")
    named = {
        name: keys.text(f"tokenizer.chat_template.{name}")
        for name in (names if isinstance(names, list) else [])
        if keys.has(f"tokenizer.chat_template.{name}")
    }
    default = keys.text("tokenizer.chat_template") if keys.has("tokenizer.chat_template") else None
    if not named:
        return default
    return named if default is None else {"default": default, **named}


def _optional_ids(keys: Keys, vocabulary: _Vocabulary) -> list[int]:
    names = [f"tokenizer.ggml.{name}_token_id" for name in _ENDS]
    return [keys.integer(name, most=len(vocabulary.tokens) - 1) for name in names if keys.has(name)]


def _suppressed(keys: Keys, vocabulary: _Vocabulary) -> tuple[int, ...]:
    ids = keys.value("tokenizer.ggml.suppress_tokens")
    if ids is None:
        return ()
    if not isinstance(ids, np.ndarray) or ids.dtype.kind not in "iu":
        vocabulary.header.refuse("key_not_tokens", key="tokenizer.ggml.suppress_tokens")
    return tuple(int(id_) for id_ in ids if 0 <= id_ < len(vocabulary.tokens))

"""Whether a tokenizer's work is bounded, whatever the text: by the kinds of its parts, as its JSON names them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from headscope.core.models.hub import smiles
from headscope.core.models.hub.splits import SPLITTINGS

_ENGLISH = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_END = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_CASED = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+%s|"
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*%s|%s| ?[^\s\p{L}\p{N}]+[\r\n/]*|" + _END
)
_BOUNDED_PATTERNS: Final = frozenset(
    {
        " {2,}", " +", r"\s+", r"\n", "[\n\r\t]", r"[\n\r\t]", r"\s{2,}|[\n\r\t]", r" +▁", r"^▁+$", r"\p{N}",
        r"\p{N}{1,3}", r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", r"\d", r"[0-9]", r"[0-9][0-9][0-9]",
        r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+",
        r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
        _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _END,
        _ENGLISH + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _END,
        _ENGLISH + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + _END,
        _CASED % (_ENGLISH + "?", _ENGLISH + "?", r"\p{N}{1,3}"),
        _CASED % ("", "", r"\p{N}"),
        smiles.PIECE,
        *(pattern for splitting in SPLITTINGS.values() if splitting.bounded for pattern in splitting.patterns),
    }
)  # fmt: skip
"""Regular expressions of the families in use: each begins anew at most once a character, and gives up at once where it does not fit."""
_BOUNDED_NORMALIZERS: Final = {
    "BertNormalizer": 18, "NFC": 3, "NFD": 4, "NFKC": 18, "NFKD": 18, "Lowercase": 3, "Strip": 1, "StripAccents": 1, "Nmt": 1,
    "ByteLevel": 4,
}  # fmt: skip
"""By how much each may lengthen a text: U+FDFA becomes 18 characters."""
_BOUNDED_SPLITTERS: Final = frozenset(
    {
        "Whitespace", "WhitespaceSplit", "BertPreTokenizer", "ByteLevel", "Metaspace", "Punctuation", "Digits", "UnicodeScripts",
        "CharDelimiterSplit", "FixedLength",
    }
)  # fmt: skip
_MOST_GROWTH: Final = 20_000
_LONGEST_WORD: Final = 1_000
_BOUNDED_PROCESSORS: Final = frozenset({"BertProcessing", "RobertaProcessing", "ByteLevel", "TemplateProcessing"})
_BOUNDED_DECODERS: Final = frozenset(
    {"ByteFallback", "Fuse", "Strip", "WordPiece", "Metaspace", "BPEDecoder", "CTC", "ByteLevel", "Replace"}
)
_MODELS: Final = frozenset({"WordPiece", "BPE", "Unigram", "WordLevel"})
_MOST_ADDED: Final = 10_000
"""Tokens that a template or a padding may add to a text."""
LONGEST_TOKEN: Final = 4_096
"""Characters. The longest in use are runs of some hundred blanks."""


def splits_in_bounds(backend: Any) -> bool:
    """Whether a `tokenizers.Tokenizer` splits any text with work that grows with the text, and no faster."""
    try:
        normalizer, splitter = _state(backend.normalizer), _state(backend.pre_tokenizer)
    except Exception:  # a part written in Python: it is no file's
        return True
    longest = getattr(backend.model, "max_input_chars_per_word", 0)
    return longest <= _LONGEST_WORD and _growth(normalizer) <= _MOST_GROWTH and all(map(_splits_fast, _parts(splitter)))


def is_bounded(whole: Any) -> bool:
    """Whether the tokenizer of a tokenizer.json, of a size that was looked at, can be built and used without limits."""
    try:
        return (
            _growth(whole["normalizer"]) <= _MOST_GROWTH
            and all(map(_splits_fast, _parts(whole["pre_tokenizer"])))
            and sum(_n_added(part) for part in _parts(whole["post_processor"])) <= _MOST_ADDED
            and all(map(_decodes_in_bounds, _parts(whole["decoder"])))
            and _is_bounded_model(whole["model"])
            and all(0 < len(token["content"]) <= LONGEST_TOKEN for token in whole["added_tokens"])
            and _pads_in_bounds(whole["padding"])
            and (whole["truncation"] is None or 0 <= whole["truncation"]["stride"] < whole["truncation"]["max_length"] < 10**9)
        )
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError):  # not as the library writes it
        return False


def _state(part: Any) -> Any:
    return None if part is None else json.loads(part.__getstate__())


def _parts(state: Any) -> Iterator[dict[str, Any]]:
    """What a sequence of parts, or of sequences, consists of."""
    if state is None:
        return
    if state["type"] != "Sequence":
        yield state
        return
    for each in next(state[name] for name in ("normalizers", "pretokenizers", "processors", "decoders") if name in state):
        yield from _parts(each)


def _growth(normalizer: Any) -> float:
    """By how much it may lengthen a text, at most; infinite if that is not known."""
    growth = 1.0
    for part in _parts(normalizer):
        kind = part["type"]
        if kind == "Replace":
            growth *= _replaced(part["pattern"], part["content"])
        elif kind == "Prepend":
            growth *= 1 + len(part["prepend"])
        elif kind == "Precompiled":
            growth *= _longest_replacement(part["precompiled_charsmap"])
        else:
            growth *= _BOUNDED_NORMALIZERS.get(kind, float("inf"))
    return growth


def _replaced(pattern: dict[str, str], content: str) -> float:
    if "String" in pattern:
        return max(1, len(content) / len(pattern["String"])) if pattern["String"] else float("inf")
    return max(1, len(content)) if pattern.get("Regex") in _BOUNDED_PATTERNS else float("inf")


def _longest_replacement(charsmap: str) -> int:
    """A map is the length of a table, the table, and the replacements, each with a zero at its end."""
    raw = base64.b64decode(charsmap, validate=True)
    length = int.from_bytes(raw[:4], "little")
    if not 4 <= length <= len(raw) - 4 or length % 4:
        return _MOST_GROWTH + 1  # the library panics
    texts = raw[4 + length :]
    texts.decode()  # there as well
    return max(map(len, texts.split(b"\0")), default=0) or 1


def _splits_fast(part: dict[str, Any]) -> bool:
    if part["type"] == "Split":
        return bool(part["pattern"].get("String")) or part["pattern"].get("Regex") in _BOUNDED_PATTERNS
    return part["type"] in _BOUNDED_SPLITTERS


def _n_added(part: dict[str, Any]) -> int:
    """How many tokens a post-processor adds at most."""
    if part["type"] not in _BOUNDED_PROCESSORS:
        return _MOST_ADDED + 1
    pieces = [*part.get("single", ()), *part.get("pair", ())]
    known = part.get("special_tokens", {})
    if any(piece["SpecialToken"]["id"] not in known for piece in pieces if "SpecialToken" in piece):
        return _MOST_ADDED + 1  # the library panics
    longest = max((len(word["ids"]) for word in known.values()), default=1)
    return max(1, longest) * len(pieces)


def _decodes_in_bounds(part: dict[str, Any]) -> bool:
    return part["type"] in _BOUNDED_DECODERS and (
        part["type"] != "Replace" or _replaced(part["pattern"], part["content"]) <= 64
    )


def _pads_in_bounds(padding: Any) -> bool:
    if padding is None:
        return True
    fixed = padding["strategy"]["Fixed"] if isinstance(padding["strategy"], dict) else 0
    return max(fixed, padding.get("pad_to_multiple_of") or 0) <= _MOST_ADDED


def _is_bounded_model(model: dict[str, Any]) -> bool:
    entries = model["vocab"]
    words = entries if isinstance(entries, dict) else [word for word, _ in entries]
    return (
        model["type"] in _MODELS
        and model.get("max_input_chars_per_word", 0) <= _LONGEST_WORD
        and max(map(len, words), default=0) <= LONGEST_TOKEN
    )

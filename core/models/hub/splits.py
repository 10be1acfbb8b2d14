"""How byte-level vocabularies cut a text before their merges: the names that `tokenizer.ggml.pre` can have.

The patterns are those of the models' own tokenizers, where llama.cpp writes them in another way for its own engine. One text is
cut by each pattern of a row in turn; what a pattern does not match stays whole. A name that is not here is refused: with
another splitting every id may be wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tokenizers import Regex, normalizers, pre_tokenizers


@dataclass(frozen=True, slots=True)
class Splitting:
    """How a text is cut.

    Parameters
    ----------
    patterns : tuple of str
        Regular expressions, in the order of their use.
    whole_words : bool
        Whether a word that is a token as a whole is not put together by merges.
    begins : bool
        Whether texts begin with the beginning token where the file says nothing (llama.cpp's convention).
    composed : bool
        Whether letters and their marks are put together first (Unicode's NFC).
    bounded : bool
        Whether the work grows with the text and no faster; a text is cut under limits if not.
    """

    patterns: tuple[str, ...]
    whole_words: bool = False
    begins: bool = False
    composed: bool = False
    bounded: bool = True

    def pre_tokenizer(self) -> pre_tokenizers.PreTokenizer:
        splits = [pre_tokenizers.Split(Regex(pattern), behavior="isolated") for pattern in self.patterns]
        return pre_tokenizers.Sequence([*splits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])

    def normalizer(self) -> normalizers.Normalizer | None:
        return normalizers.NFC() if self.composed else None


_GPT2: Final = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CONTRACTIONS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_REST: Final = r"|\s*[\r\n]+|\s+(?!\S)|\s+"
_QWEN2: Final = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _REST
_QWEN35: Final = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*" + _REST
_LLAMA3: Final = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*" + _REST
_JAIS2: Final = (
    _LLAMA3.removesuffix(r"|\s+(?!\S)|\s+")
    + "".join(rf"|\s{{{n}}}(?!\S)" for n in (512, 256, 128, 64, 32, 16, 8, 4))
    + r"|\s{1,2}(?!\S)|\s{1}"
)
_UPPER_LOWER: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+"
_UPPER: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*"
_MARKS: Final = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*" + _REST
_TEKKEN: Final = rf"{_UPPER_LOWER}|{_UPPER}|\p{{N}}{_MARKS}"
_GPT4O: Final = rf"{_UPPER_LOWER}{_CONTRACTIONS}?|{_UPPER}{_CONTRACTIONS}?|\p{{N}}{{1,3}}{_MARKS}"
_ASCII_WORD: Final = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"""
_DEEPSEEK3: Final = (r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", _ASCII_WORD + r"| ?[\p{P}\p{S}]+[\r\n]*" + _REST)
_CASED_RANGES: Final = (
    "41-5A 61-7A B5-B5 C0-D6 D8-F6 F8-1BA 1BC-1BF 1C4-293 295-2AF 370-373 376-377 37B-37D 37F-37F 386-386 388-38A "
    "38C-38C 38E-3A1 3A3-3F5 3F7-481 48A-52F 531-556 10A0-10C5 13A0-13F5 13F8-13FD 1C90-1CBA 1CBD-1CBF 1D00-1D2B "
    "1D6B-1D77 1D79-1D9A 1E00-1F15 1F18-1F1D 1F20-1F45 1F48-1F4D 1F50-1F57 1F59-1F59 1F5B-1F5B 1F5D-1F5D 1F5F-1F7D "
    "1F80-1FB4 1FB6-1FBC 1FBE-1FBE 1FC2-1FC4 1FC6-1FCC 1FD0-1FD3 1FD6-1FDB 1FE0-1FEC 1FF2-1FF4 1FF6-1FFC 2102-2102 "
    "2107-2107 210A-2113 2115-2115 2119-211D 2124-2124 2126-2126 2128-2128 212A-212D 212F-2134 2139-2139 213C-213F "
    "2145-2149 214E-214E 2183-2184 2C00-2C7B 2C7E-2CE4 2CEB-2CEE 2CF2-2CF3 A640-A66D A680-A69B A722-A76F A771-A787 "
    "A78B-A78E AB70-ABBF FB00-FB06 FB13-FB17 FF21-FF3A FF41-FF5A 10400-1044F 104B0-104D3 104D8-104FB 10C80-10CB2 "
    "10CC0-10CF2 118A0-118DF 1E900-1E943"
)
"""Letters with cases that DeepSeek's first tokenizers know, as code points: some look like others."""
_CASED: Final = "".join(
    f"{chr(int(first, 16))}-{chr(int(last, 16))}" for first, last in (part.split("-") for part in _CASED_RANGES.split())
)
_EAST_ASIAN: Final = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"
_DEEPSEEK_LLM: Final = (r"[\r\n]", rf"\s?[{_CASED}]+", r"\s?[!-/:-~！-／：-～‘-‟\u3000-。]+", r"\s+$", _EAST_ASIAN, r"\p{N}+")
_DEEPSEEK_CODER: Final = (r"[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _EAST_ASIAN, r"\p{N}")
_PUNCTUATION: Final = r"[\p{P}\$\+<=>\^~\|`]+"
_SENTENCES: Final = r" ?[^(\s|.,!?…。，、।۔،)]+"
_BAILING: Final = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
_SEED_CODER: Final = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}\r\n]+" + _REST
_EXAONE_MOE: Final = (
    _CONTRACTIONS
    + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
)
_CHAMELEON: Final = (
    "<sentinel:[0-9]+>",
    "(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z",
    r"([\t\n]|    |  )",
    r"\p{N}",
    r"[\p{P}!-/:-@\[-`{-~]",
    _GPT2,
)


def _rows(names: Iterable[str], splitting: Splitting) -> dict[str, Splitting]:
    return dict.fromkeys(names, splitting)


SPLITTINGS: Final = {
    **_rows(
        ("gpt-2", "phi-2", "gigachat", "a.x-4.0", "mellum", "exaone4", "jais", "trillion", "granite-docling"),
        Splitting((_GPT2,)),
    ),
    **_rows(("olmo", "mpt"), Splitting((_GPT2,), composed=True)),
    **_rows(
        ("llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2"),
        Splitting((_LLAMA3,), whole_words=True, begins=True),
    ),
    **_rows(("dbrx", "smaug-bpe", "glm4", "chatglm-bpe"), Splitting((_LLAMA3,))),
    **_rows(("qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez"), Splitting((_QWEN2,), composed=True)),
    **_rows(("stablelm2", "hunyuan", "solar-open", "grok-2"), Splitting((_QWEN2,))),
    "qwen35": Splitting((_QWEN35,), composed=True),
    "tekken": Splitting((_TEKKEN,), whole_words=True, begins=True),
    **_rows(("gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"), Splitting((_GPT4O,))),
    **_rows(("starcoder", "refact", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"), Splitting((r"\p{N}", _GPT2))),
    "command-r": Splitting((r"\p{N}", _GPT2), composed=True),
    "falcon": Splitting((_PUNCTUATION, _GPT2, "[0-9][0-9][0-9]")),
    "deepseek-llm": Splitting(_DEEPSEEK_LLM, bounded=False),
    "deepseek-coder": Splitting(_DEEPSEEK_CODER),
    **_rows(("deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"), Splitting(_DEEPSEEK3)),
    **_rows(("bloom", "poro-chat", "gpt3-finnish"), Splitting((_SENTENCES,))),
    "viking": Splitting((_SENTENCES, r"\p{N}")),
    "jais-2": Splitting((_JAIS2,)),
    **_rows(("bailingmoe", "bailingmoe2", "llada-moe"), Splitting((_BAILING,))),
    "seed-coder": Splitting((_SEED_CODER,)),
    "exaone-moe": Splitting((_EXAONE_MOE,), bounded=False),
    "chameleon": Splitting(_CHAMELEON, begins=True),
    "superbpe": Splitting((r"\p{N}+", r"(?=(\d{3})+(?!\d))"), bounded=False),
    "default": Splitting((r"[\p{P}\$\+<=>\^~\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]")),
}
OF_KIND: Final = {
    "gpt2": "gpt-2",
    "qwen2": "qwen2",
    "qwen2moe": "qwen2",
    "starcoder2": "starcoder",
    "falcon": "falcon",
    "bloom": "bloom",
    "command-r": "command-r",
    "stablelm": "stablelm2",
}
"""What files that were written before there were names must mean; of another kind such a file means llama.cpp's "default"."""

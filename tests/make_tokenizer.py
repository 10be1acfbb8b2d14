"""Each transformers tokenizer class, built from a vocabulary small enough for the tiny models of `tests/golden`.

`make_tokenizer("marian")` is an instance of the class that transformers itself names for that model type; `write_tokenizer` puts its
files into a folder. All ids that a text in Latin letters gets are below `VOCABULARY`, unless `whole` asks for all 256 bytes.
"""

from __future__ import annotations

import inspect
import json
import tempfile
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import Any

import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers.models.auto.tokenization_auto import TOKENIZER_MAPPING_NAMES, tokenizer_class_from_name

LETTERS = "abcdefghijklmnopqrstuvwxyzTHGCIM0123.,!?'-:()"
WORDS = ("the", "cat", "goal", "of", "life", "is", "happiness", "play", "walk")
PIECES = ("##ing", "##ed", "##s")
_MERGES = ("t h", "th e", "{} the", "c a", "ca t", "{} cat", "o f", "{} of", "i s", "{} is")
"""`{}` stands for how the vocabulary writes a blank."""
_SPECIAL = ("pad", "bos", "cls", "eos", "sep", "unk", "mask")
_FEW_LANGUAGES = ["eng_Latn", "fra_Latn"]


def tokenizer_class(model: str | hf.PreTrainedConfig) -> type[Any]:
    """The class that transformers names for a model type; for types without one, as most recent decoders, GPT-2's."""
    model_type = model if isinstance(model, str) else str(model.model_type)
    name = TOKENIZER_MAPPING_NAMES.get(model_type) or TOKENIZER_MAPPING_NAMES.get(model_type.removesuffix("_text"))
    found = tokenizer_class_from_name(name) if name else None
    generic = found is None or found in (hf.PreTrainedTokenizerFast, hf.TokenizersBackend) or "Mistral" in found.__name__
    return hf.PreTrainedTokenizerFast if generic else found


def make_tokenizer(model: str | hf.PreTrainedConfig | type[Any], *, whole: bool = False, **options: Any) -> Any:
    """A small tokenizer of a model's own class.

    Parameters
    ----------
    model : str, configuration, or tokenizer class
        A `model_type` such as "marian".
    whole : bool
        Whether a byte-level vocabulary has all 256 bytes, or those of Latin letters only.
    options
        Passed on to the class (`add_prefix_space=True`).

    Raises
    ------
    ImportError
        Of a class that needs a library which is not installed.
    """
    kind = model if isinstance(model, type) else tokenizer_class(model)
    if kind is hf.PreTrainedTokenizerFast:
        return _llama_3(whole, **options)
    builder = _BUILDERS.get(kind.__name__.removesuffix("Tokenizer"))
    if builder is not None:
        with tempfile.TemporaryDirectory() as folder:
            return builder(kind, Path(folder), options)
    name = kind.model.__name__ if getattr(kind, "model", None) else "Unigram"
    special = _special_of(kind)
    if name == "WordPiece" or kind.__name__ == "RoFormerTokenizer":
        return kind(
            vocab=_numbered([*special, *WORDS, *PIECES, *LETTERS, *(f"##{letter}" for letter in LETTERS[:26])]), **options
        )
    if name == "BPE":
        return _bpe(kind, special, whole, options)
    return _unigram(kind, special, options)


def write_tokenizer(model: str | hf.PreTrainedConfig, folder: Path) -> None:
    """Its files, as `save_pretrained` writes them."""
    make_tokenizer(model).save_pretrained(folder)


def _numbered(words: Iterable[str]) -> dict[str, int]:
    return {word: number for number, word in enumerate(dict.fromkeys(words))}


def _special_of(kind: type[Any]) -> list[str]:
    """The special tokens that a class has by default, its padding first, as the tiny configurations number them."""
    defaults = inspect.signature(kind.__init__).parameters
    names = [f"{each}_token" for each in _SPECIAL]
    return [defaults[name].default for name in names if name in defaults and isinstance(defaults[name].default, str)]


# ---------------------------------------------------------------- the tokenizers library
def _merges(blank: str) -> list[tuple[str, str]]:
    return [(first, second) for first, second in (merge.format(blank).split(" ") for merge in _MERGES)]


def _bytes(whole: bool) -> list[str]:
    """The letters of byte-level BPE."""
    return sorted(pre_tokenizers.ByteLevel.alphabet()) if whole else ["Ġ", "Ċ", *LETTERS]


def _llama_3(whole: bool, **options: Any) -> Any:
    """Byte-level, with a template behind it, as Llama 3 and most recent decoders."""
    vocabulary = _numbered(["<pad>", "<s>", "</s>", *_bytes(whole), *("".join(merge) for merge in _merges("Ġ"))])
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=_merges("Ġ"), ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    template = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", 1)])
    tokenizer.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template])
    ends = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>"} | options
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends)


_OF_SENTENCES = ("Gemma", "Llama", "CodeLlama", "Nllb", "SeamlessM4T", "Reformer")
"""BPE classes that write a blank as SentencePiece does."""
_OF_WORD_ENDS = ("OpenAIGPT", "CLIP", "Herbert")
"""BPE classes that mark the end of a word."""


def _bpe(kind: type[Any], special: list[str], whole: bool, options: dict[str, Any]) -> Any:
    name = kind.__name__.removesuffix("Tokenizer")
    more: dict[str, Any] = {}
    if name in _OF_SENTENCES:
        merges, letters = _merges("▁"), ["▁", *LETTERS]
        letters += (
            [f"<0x{number:02X}>" for number in range(256)] if name not in ("Nllb", "SeamlessM4T", "Reformer") and whole else []
        )
        if name == "Nllb":
            more = {"extra_special_tokens": _FEW_LANGUAGES}
            special += _FEW_LANGUAGES
        if name == "SeamlessM4T":
            special += ["__eng__", "__fra__"]
    elif name in _OF_WORD_ENDS:
        merges = [("t", "h"), ("th", "e</w>"), ("c", "a"), ("ca", "t</w>"), ("i", "s</w>")]
        letters = [*LETTERS, *(f"{letter}</w>" for letter in LETTERS)]
    elif name == "Esmc":
        return kind(**options)
    else:
        merges, letters = _merges("Ġ"), _bytes(whole)
    more |= {"tags_dict": {f"tag{number}": number for number in range(215)}} if name == "MarkupLM" else {}
    more |= {"entity_vocab": {"[PAD]": 0, "[UNK]": 1, "[MASK]": 2, "[MASK2]": 3}} if name == "Luke" else {}
    vocabulary = _numbered([*special, *letters, *("".join(merge) for merge in merges)])
    return kind(vocab=vocabulary, merges=merges, **more, **options)


_LANGUAGES_OF = {"MBart": ("en_XX", "fr_XX", "de_DE"), "MBart50": ("en_XX", "fr_XX")}


def _unigram(kind: type[Any], special: list[str], options: dict[str, Any]) -> Any:
    name = kind.__name__.removesuffix("Tokenizer")
    more: dict[str, Any] = {}
    if name in ("T5", "MT5"):
        special, more = ["<pad>", "</s>", "<unk>"], {"extra_ids": 3}
    elif name == "Pegasus":
        special, more = ["<pad>", "</s>", "<unk>", "<mask_1>", "<mask_2>"], {"offset": 3}
    elif name in ("MBart", "MBart50", "XGLM", "XLMRoberta", "Camembert", "Barthez"):
        special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *_LANGUAGES_OF.get(name, ())]
    elif name == "XLNet":
        special = ["<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>", "<eod>", "<eop>"]
    elif name == "DebertaV2":
        special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    elif name in ("Albert", "FNet", "RemBert", "BigBird"):
        special = ["<pad>", "<unk>", *(token for token in special if token not in ("<pad>", "<unk>"))]
    pieces = [*special, "▁", *LETTERS, *(f"▁{word}" for word in WORDS)]
    scores = (
        {word: -1.0 for word in pieces if len(word) > 2}
        | dict.fromkeys(LETTERS, -4.0)
        | {"▁": -3.0}
        | dict.fromkeys(special, 0.0)
    )
    return kind(vocab=[(piece, scores[piece]) for piece in dict.fromkeys(pieces)], **more, **options)


# ---------------------------------------------------------------- transformers' own Python code
@cache
def _sentence_pieces(n_pieces: int = 60) -> bytes:
    """A SentencePiece model of the words above, with SentencePiece's usual normalisation (NFKC)."""
    import io

    import sentencepiece

    written = io.BytesIO()
    texts = [*(f"{first} {second}" for first in WORDS for second in WORDS), *(f"{letter} {letter}" for letter in LETTERS)] * 4
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(texts), model_writer=written, vocab_size=n_pieces, hard_vocab_limit=False, minloglevel=2
    )
    return written.getvalue()


def _pieces_of(model: bytes) -> list[str]:
    import sentencepiece

    processor = sentencepiece.SentencePieceProcessor(model_proto=model)
    return [processor.id_to_piece(number) for number in range(len(processor))]


def _of_one_model(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    (folder / "spiece.model").write_bytes(_sentence_pieces())
    return kind(str(folder / "spiece.model"), **options)


def _marian(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    for side in ("source", "target"):
        (folder / f"{side}.spm").write_bytes(_sentence_pieces())
    pieces = [piece for piece in _pieces_of(_sentence_pieces()) if not piece.startswith("<")]
    (folder / "vocab.json").write_text(json.dumps(_numbered(["</s>", "<unk>", *pieces, ">>fra<<", "<pad>"])))
    return kind(str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"), **options)


def _m2m_100(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    (folder / "spm.model").write_bytes(_sentence_pieces())
    pieces = [piece for piece in _pieces_of(_sentence_pieces()) if not piece.startswith("<")]
    (folder / "vocab.json").write_text(json.dumps(_numbered(["<s>", "<pad>", "</s>", "<unk>", *pieces])))
    return kind(str(folder / "vocab.json"), str(folder / "spm.model"), **{"src_lang": "en", "tgt_lang": "fr"} | options)


def _word_ends(*special: str) -> Callable[[type[Any], Path, dict[str, Any]], Any]:
    """BPE that marks the ends of words: XLM's kin."""

    def build(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
        merges = [("t", "h"), ("th", "e</w>"), ("c", "a"), ("ca", "t</w>"), ("i", "s</w>")]
        letters = [*LETTERS[:26], *LETTERS[32:], *(f"{letter}</w>" for letter in (*LETTERS[:26], *LETTERS[32:]))]
        (folder / "vocab.json").write_text(
            json.dumps(_numbered([*special, *letters[:85], *("".join(merge) for merge in merges)]))
        )
        (folder / "merges.txt").write_text("".join(f"{first} {second} 1\n" for first, second in merges))
        if kind.__name__ == "FSMTTokenizer":
            files = dict.fromkeys(("src_vocab_file", "tgt_vocab_file"), str(folder / "vocab.json"))
            return kind(langs=["en", "de"], **files, merges_file=str(folder / "merges.txt"), **options)
        return kind(str(folder / "vocab.json"), str(folder / "merges.txt"), **options)

    return build


def _continued(*special: str) -> Callable[[type[Any], Path, dict[str, Any]], Any]:
    """BPE that marks pieces which go on, by `@@`."""

    def build(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
        merges = ["t h", "th e</w>", "c a", "ca t</w>", "i s</w>"]
        letters = [*LETTERS[:26], *".,!?'-", *(f"{letter}@@" for letter in LETTERS[:26])]
        words = [*special, *letters, "th@@", "the", "ca@@", "cat", "is", *WORDS]
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{merge}\n" for merge in merges))
        if kind.__name__ in ("BertweetTokenizer", "PhobertTokenizer"):
            (folder / "vocab.txt").write_text("".join(f"{word} 1\n" for word in dict.fromkeys(words)))
            return kind(str(folder / "vocab.txt"), str(folder / "merges.txt"), **options)
        (folder / "vocab.json").write_text(json.dumps(_numbered(words)))
        return kind(str(folder / "vocab.json"), str(folder / "merges.txt"), **options)

    return build


def _word_pieces(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    special = [*_special_of(kind), "[CLS]", "[X_SEP]", "[EMPTY]"]
    words = list(
        dict.fromkeys([*special, *WORDS, *PIECES, *LETTERS[:26], *".,!?'-", *(f"##{letter}" for letter in LETTERS[:26]), "人"])
    )
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words), encoding="utf-8")
    more: list[str] = []
    if kind.__name__ == "RoCBertTokenizer":
        for name in ("shape", "pronunciation"):
            (folder / f"{name}.json").write_text(json.dumps({word: number % 90 for number, word in enumerate(words)}))
            more.append(str(folder / f"{name}.json"))
    return kind(str(folder / "vocab.txt"), *more, **options)


def _esm(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    words = ["<pad>", "<cls>", "<eos>", "<unk>", "<mask>", *"LAGVSERTIDPKQNFYMHWCXBUZO.-"]
    (folder / "vocab.txt").write_text("\n".join(words))
    return kind(str(folder / "vocab.txt"), **options)


def _japanese(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    words = [
        "<|padding|>",
        "<|startoftext|>",
        "<|endoftext|>",
        "<SP>",
        "<BR>",
        "<TAB>",
        "<KIGOU>",
        "<U2000U2BFF>",
        *LETTERS,
        "人",
        "猫",
    ]
    words += [*(f"<|byte{number}|>" for number in range(3)), *WORDS]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    (folder / "emoji.json").write_text(json.dumps({"emoji": {}, "emoji_inv": {}}))
    return kind(str(folder / "vocab.txt"), str(folder / "emoji.json"), **options)


def _without_files(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    del folder  # its vocabulary are the bytes, or all characters
    return kind(**options)


def _cpm_ant(kind: type[Any], folder: Path, options: dict[str, Any]) -> Any:
    words = ["<pad>", "<s>", "</s>", "<unk>", "<d>", "</d>", "</n>", "</_>", *LETTERS, *WORDS]
    (folder / "vocab.txt").write_text("".join(f"{word}\n" for word in words))
    return kind(str(folder / "vocab.txt"), **options)


_XLM = ("<pad>", "<s>", "</s>", "<unk>", "<special0>", "<special1>")
_BUILDERS: dict[str, Callable[[type[Any], Path, dict[str, Any]], Any]] = {
    "BertGeneration": _of_one_model,
    "GPTSw3": _of_one_model,
    "PLBart": _of_one_model,
    "Siglip": _of_one_model,
    "Marian": _marian,
    "M2M100": _m2m_100,
    "XLM": _word_ends(*_XLM),
    "Flaubert": _word_ends(*_XLM),
    "BioGpt": _word_ends(*_XLM[:4]),
    "FSMT": _word_ends(*_XLM[:4]),
    "CTRL": _continued("<pad>", "<s>", "</s>", "<unk>"),
    "BlenderbotSmall": _continued("__null__", "__start__", "__end__", "__unk__", "__newln__"),
    "Bertweet": _continued("<mask>"),
    "Phobert": _continued("<mask>"),
    "ProphetNet": _word_pieces,
    "RoCBert": _word_pieces,
    "Tapas": _word_pieces,
    "BertJapanese": _word_pieces,
    "Esm": _esm,
    "GPTNeoXJapanese": _japanese,
    "Perceiver": _without_files,
    "Canine": _without_files,
    "ByT5": _without_files,
    "CpmAnt": _cpm_ant,
}
"""By the name of the class, those that the tokenizers library does not stand behind."""

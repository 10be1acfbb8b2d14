"""Tokenizers of the kinds there are, small enough to be read."""

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import BertTokenizer, PreTrainedTokenizerFast

from headscope.core.models.hub.tokenizer import HubTokenizer

_MERGES = ("t h", "th e", "Ġ the", "c a", "ca t", "Ġ cat", "Ã ©")


def word_piece() -> HubTokenizer:
    """As BERT's."""
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        "the",
        "cat",
        "play",
        "walk",
        "##ing",
        "##ed",
        "人",
        "工",
        ".",
        "(",
        ")",
        "e",
    ]
    return HubTokenizer(BertTokenizer(vocab={word: index for index, word in enumerate(words)}))


def byte_level(mask_token: str | None = None) -> HubTokenizer:
    """As GPT-2's; with a mask, as RoBERTa's."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = ["<s>", "</s>", *letters, *(merge.replace(" ", "") for merge in _MERGES)]
    tokenizer = Tokenizer(models.BPE(vocab=_numbered(words), merges=[tuple(merge.split()) for merge in _MERGES]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    ends = {"bos_token": "<s>", "eos_token": "</s>"}
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer, mask_token=mask_token, **ends))


def byte_fallback() -> HubTokenizer:
    """As Llama's: what it does not have becomes bytes."""
    pieces = ["▁", *"thecas", "▁t", "▁th", "▁the"]
    words = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(256)), *pieces]
    merges = [("▁", "t"), ("▁t", "h"), ("▁th", "e")]
    tokenizer = Tokenizer(
        models.BPE(vocab=_numbered(words), merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A <s> $B", special_tokens=[("<s>", 1)])
    return HubTokenizer(
        PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    )


def unigram() -> HubTokenizer:
    """As T5's."""
    words = ["<pad>", "</s>", "<unk>", "▁", *"abcdefghijklmnopqrstuvwxyz.", "▁the", "▁cat"]
    model = models.Unigram([(word, -2.0 if word.startswith("▁") else -4.0) for word in words], unk_id=2)
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    ends = {"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}
    return HubTokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends))


def _numbered(words: list[str]) -> dict[str, int]:
    return {word: index for index, word in enumerate(dict.fromkeys(words))}

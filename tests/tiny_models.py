"""Folders as a user may have them: tiny models with sharp random weights, and a tokenizer beside them."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import transformers as hf
from gguf.quants import quantize
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from tests.golden.families import FAMILIES, VOCABULARY, built

WORDS = ["the", "cat", "sat", "on", "a", "mat", "play", "##ing", "##ed", "walk", "人", "工", "."]


def write_masked(folder: Path) -> Path:
    """A BERT with the pieces of words that BERTs have."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary += [f"word{number}" for number in range(VOCABULARY - len(vocabulary))]
    tokenizer = hf.BertTokenizer(vocab={word: index for index, word in enumerate(vocabulary)})
    return _written("bert", tokenizer, folder)


def write_decoder(folder: Path, family: str = "gpt2") -> Path:
    """A decoder whose tokens are letters; the text begins with <s>."""
    return _written(family, letters_tokenizer(), folder)


def write_encoder_decoder(folder: Path, family: str = "t5") -> Path:
    """An encoder-decoder whose tokens are letters; the source ends with </s>."""
    return _written(family, letters_tokenizer(encoder_decoder=True), folder)


def write_gguf(
    path: Path,
    architecture: str = "llama",
    n_layers: int = 2,
    said_layers: int | None = None,
    *,
    packed: gguf.GGMLQuantizationType | None = None,
    attends: bool = True,
    width: int = 32,
) -> Path:
    """A file as llama.cpp has it: a decoder of two layers whose tokens are letters; `packed` is how its matrices are."""
    inner, n_heads = 2 * width, 4
    letters = [chr(number) for number in range(33, 127)]
    tokens = ["<unk>", "<s>", "</s>", "Ġ", *letters, "th"]
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(n_layers if said_layers is None else said_layers)
    writer.add_context_length(64)
    writer.add_embedding_length(width)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(n_heads)
    writer.add_head_count_kv(n_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // n_heads)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    shapes = {"token_embd": (len(tokens), width), "output_norm": (width,), "output": (len(tokens), width)}
    square = (width, width)
    for layer in range(n_layers):
        parts = {"attn_norm": (width,), "attn_q": square, "attn_k": square, "attn_v": square, "attn_output": square}
        parts |= {"ffn_norm": (width,), "ffn_gate": (inner, width), "ffn_up": (inner, width), "ffn_down": (width, inner)}
        kept = {part: shape for part, shape in parts.items() if attends or part not in ("attn_q", "attn_k", "attn_v")}
        shapes |= {f"blk.{layer}.{part}": shape for part, shape in kept.items()}
    chance = np.random.default_rng(0)
    for name, shape in shapes.items():
        weights = chance.standard_normal(shape).astype(np.float32) * 0.3
        if packed is None or len(shape) == 1:
            writer.add_tensor(f"{name}.weight", weights)
        else:
            writer.add_tensor(f"{name}.weight", quantize(weights, packed), raw_dtype=packed)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def letters_tokenizer(*, encoder_decoder: bool = False) -> hf.PreTrainedTokenizerFast:
    """Its tokens are letters; a decoder's text begins with <s>, an encoder's ends with </s>."""
    tokenizer = _letters()
    single, special = ("$A </s>", ("</s>", 2)) if encoder_decoder else ("<s> $A", ("<s>", 1))
    tokenizer.post_processor = processors.TemplateProcessing(single=single, special_tokens=[special])
    ends = {"eos_token": "</s>", "unk_token": "<unk>"} | ({"pad_token": "<pad>"} if encoder_decoder else {"bos_token": "<s>"})
    return hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, **ends)


def _letters() -> Tokenizer:
    """One token for each visible byte; blanks are letters too."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    wanted = ["Ġ", *(letter for letter in alphabet if letter.isascii())][: VOCABULARY - 4]
    vocabulary = {word: index for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *wanted])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _written(family: str, tokenizer: hf.PreTrainedTokenizerBase, folder: Path) -> Path:
    (chosen,) = (each for each in FAMILIES if each.name == family)
    built(chosen).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

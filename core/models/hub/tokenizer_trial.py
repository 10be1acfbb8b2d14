"""What tokenizers and chat templates are tried with, in a child process (`headscope.core.files.guarded`). Imports no torch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tokenizers import Tokenizer, models

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.models.hub.smiles import is_smiles_vocabulary, smiles_tokenizer
from headscope.core.models.hub.tokenizer_bounds import LONGEST_TOKEN
from headscope.core.sentences import sentence

if TYPE_CHECKING:  # transformers takes half a second, which splitting a text does not need
    from transformers import PreTrainedTokenizerBase

_SAMPLE: Final = "a trial \ufffd, it's 1234567890 don't\n\n  नमस्ते 한국어 漢字かな 🙂é\t" + " ".join(
    each * 64 for each in "aA1.- \n漢"
)
_MOST_DECODED: Final = 2_000
_LONGEST_CHAT: Final = 2**20
"""Characters that a template may add to what is said in a chat."""


def load_tokenizer(folder: str | os.PathLike[str]) -> PreTrainedTokenizerBase:
    """The tokenizer of a model's folder, as transformers reads it; raises nearly everything."""
    from transformers import AutoTokenizer

    from headscope.core.models.hub.config_file import read_config_file

    vocabulary = Path(folder) / "vocab.txt"
    if is_smiles_vocabulary(vocabulary):
        return smiles_tokenizer(vocabulary)
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder,
        config=read_config_file(Path(folder)),
        trust_remote_code=False,
        local_files_only=True,
        clean_up_tokenization_spaces=False,
    )
    return tokenizer


def try_tokenizer(folder: str) -> None:
    """Read it, let it split a text and write its tokens. That none of this passes the limits or panics is what counts:
    whatever else is wrong with it is found, and said, by who reads it next.

    Raises
    ------
    HeadscopeError
        ``tokenizer_broken``.
    """
    try:
        tokenizer = load_tokenizer(folder)
        tokenizer(_SAMPLE)
        tokenizer(_SAMPLE, _SAMPLE)
        n_tokens = len(tokenizer)
        for first in range(0, min(n_tokens, _MOST_DECODED)):
            tokenizer.decode([first], clean_up_tokenization_spaces=False)
        longest = max(map(len, tokenizer.get_vocab()), default=0)
    except MemoryError:
        raise
    except Exception:
        return
    except BaseException as error:  # a panic in Rust
        raise HeadscopeError("tokenizer_broken", path=folder, reason=reason_of(error)) from None
    if longest > LONGEST_TOKEN:
        raise HeadscopeError("tokenizer_broken", path=folder, reason=sentence("token_too_long", n=f"{longest:,}"))


def split_text(tokenizer: str, text: str) -> None:
    """Let a tokenizer, given as its JSON, split a text.

    Raises
    ------
    HeadscopeError
        ``text_not_split``.
    """
    try:
        Tokenizer.from_str(tokenizer).encode(text)
    except BaseException as error:  # as above
        raise HeadscopeError("text_not_split", reason=reason_of(error)) from None


def render_chat(template: str, messages: list[dict[str, str]], words: dict[str, Any]) -> str:
    """A chat in a template, up to where the model answers.

    Raises
    ------
    HeadscopeError
        ``chat_template_failed``: some refuse a system text, and a template is a program, which fails in its own ways.
    """
    from transformers import TokenizersBackend

    bare = TokenizersBackend(tokenizer_object=Tokenizer(models.WordLevel()))
    try:
        text = str(
            bare.apply_chat_template(messages, chat_template=template, tokenize=False, add_generation_prompt=True, **words)
        )
    except Exception as error:
        raise HeadscopeError("chat_template_failed", reason=reason_of(error)) from None
    if len(text) - sum(len(message["content"]) for message in messages) > _LONGEST_CHAT:
        raise HeadscopeError("chat_template_failed", reason=sentence("chat_too_long", n=f"{len(text):,}"))
    return text

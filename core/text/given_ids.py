"""What a model reads: a text, or in its place token ids as lists, arrays, tensors, or what a tokenizer returned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from headscope.core import arguments
from headscope.core.errors import HeadscopeError
from headscope.core.text.given_tokens import first_text, spelled
from headscope.core.text.tokenizer import Encoded
from headscope.core.text.tokens import TokenAxis

if TYPE_CHECKING:
    from headscope.core.text.tokenizer import TextTokenizer


Ids = Sequence[int] | Mapping[str, Any] | Tensor | np.ndarray[Any, Any]


def encoded_source(text: str | Ids, pair: str | None, tokenizer: TextTokenizer, max_tokens: int | None) -> Encoded:
    """A text, a pair, or ids, as a model reads them.

    Raises
    ------
    HeadscopeError
        ``empty_text`` if there is nothing that the model reads; ``bad_option``.
    """
    if not isinstance(text, str):
        if pair is not None:
            arguments.refuse("text_pair", pair, "left out beside token ids, which hold both texts")
        return encoded_ids("text", text, tokenizer, max_tokens)
    if not text.strip():
        raise HeadscopeError("empty_text")
    source = tokenizer.encode(text, None if pair is None else arguments.text("text_pair", pair), max_tokens=max_tokens)
    if all(token.special for token in source.axis.tokens):  # of characters that the tokenizer leaves out
        raise HeadscopeError("empty_text")
    return source


def encoded_ids(option: str, given: Any, tokenizer: TextTokenizer, max_tokens: int | None) -> Encoded:
    """`given` as the model reads it: the very ids, with the text that they stand for.

    Parameters
    ----------
    option : str
        What an error calls them.
    given : sequence of int, array, tensor, or mapping with ``input_ids`` (and ``token_type_ids``)
        Of one text, with the special tokens that the model expects; of a batch the first is taken.
    max_tokens : int or None
        What is behind that is left out, and the axis says so.

    Raises
    ------
    HeadscopeError
        ``bad_option``, ``empty_text``.
    """
    types = given.get("token_type_ids") if isinstance(given, Mapping) else getattr(given, "token_type_ids", None)
    try:
        ids = [arguments.whole_number(option, each, "a text or token ids") for each in first_text(given)]
        segments = [0] * len(ids) if types is None else [arguments.whole_number(option, each) for each in first_text(types)]
    except HeadscopeError:
        arguments.refuse(option, given, "a text or token ids")
    if not ids:
        raise HeadscopeError("empty_text")
    if len(segments) != len(ids) or min(ids) < 0:
        arguments.refuse(option, given, "a text or token ids")
    pieces, special, are_words = tokenizer.pieces_of(ids)
    axis = spelled(pieces, ids, special, are_words=are_words)
    tokens = [
        replace(token, masked=True, text=tokenizer.mask_token or token.text, type_id=type_id)
        if token.id == tokenizer.mask_id
        else replace(token, type_id=type_id, segment=min(type_id, 1))
        for token, type_id in zip(axis.tokens, segments, strict=True)
    ]
    kept = tokens if max_tokens is None else tokens[:max_tokens]
    end = len(axis.text) if len(kept) == len(tokens) else max((token.end for token in kept), default=0)
    return Encoded.of(TokenAxis(tuple(kept), axis.text, len(tokens) - len(kept), end))

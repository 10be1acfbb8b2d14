"""MaskMemory: which word each mask stands for, so that a second click brings it back."""

from __future__ import annotations

from headscope.core.text import editing
from headscope.core.text.tokens import TokenAxis

_Words = tuple[str | None, ...]


class MaskMemory:
    """Remembers the words behind masks for as long as nothing else changes the text."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[str, _Words]] = {}  # segment -> its text and, for each of its masks, the word or None

    def toggled(self, axis: TokenAxis, position: int, mask_token: str, text: str) -> str | None:
        """`text` with the token at `position` masked, or its word back; None if there is nothing to put there.

        `text` is what the token's offsets point into: the text, or the second text of a pair.
        """
        token = axis.tokens[position]
        start, end = editing.span(axis, position, text)
        if start == end:
            return None
        masks = [mask for mask in axis.masks if axis.tokens[mask].segment == token.segment]
        before = sum(mask < position for mask in masks)
        known_text, words = self._known.get(token.segment, ("", ()))
        if known_text != text or len(words) != len(masks):  # typed, not clicked
            words = (None,) * len(masks)
        if token.masked:
            word = words[before]
            if word is None:
                return None
            new = text[:start] + word + text[end:]
            words = words[:before] + words[before + 1 :]
        else:
            new = editing.masked(axis, position, mask_token, text)
            words = (*words[:before], text[start:end], *words[before:])
        self._known[token.segment] = (new, words)
        return new

"""Prompt: what a model is given to read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text, and a second sentence or a decoder's text with it; "" stands for none."""

    text: str = ""
    text_pair: str = ""
    target: str = ""

    @property
    def words(self) -> str:
        """All of it in one line."""
        return " ".join(" | ".join(part for part in (self.text, self.text_pair, self.target) if part).split())

"""Prompt: what a model is given to read."""

from __future__ import annotations

from dataclasses import dataclass

from headscope.core.forward.model_info import ModelInfo
from headscope.core.keep import Keep
from headscope.core.requests.runs import CaptureRequest


@dataclass(frozen=True, slots=True)
class Prompt:
    """A text, and a second sentence or a decoder's text with it."""

    text: str = ""
    text_pair: str = ""
    target: str = ""

    def request(self, model: ModelInfo | None, keep: Keep) -> CaptureRequest:
        """A run over what of it the model takes."""
        pair = self.text_pair if model is None or model.takes_pair else ""
        target = self.target if model is not None and model.takes_target else ""
        return CaptureRequest(self.text, pair or None, target or None, keep=keep)

    @property
    def words(self) -> str:
        """All of it in one line."""
        return " ".join(" | ".join(part for part in (self.text, self.text_pair, self.target) if part).split())

"""Next-sentence prediction: does the second text follow the first (Devlin et al., BERT, 2019, section 3.1)?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from headscope.core.errors import HeadscopeError

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel

IS_NEXT = 0
"""Index of "follows" among the two logits: BERT's order, kept by our toy."""


def next_sentence(model: BaseModel, text: str, text_pair: str) -> float:
    """Probability that `text_pair` follows `text`, 0 to 1.

    Raises
    ------
    HeadscopeError
        ``cannot_next_sentence``, ``empty_text``.
    """
    if "next_sentence" not in model.info.abilities:
        raise HeadscopeError("cannot_next_sentence", model=model.info.name)
    source, _ = model.encode(text, text_pair)
    return follows(model.forward(model.inputs(source)))


def follows(output: Any) -> float:
    """The same from the output of a model that has a next-sentence head."""
    return float(_logits(output)[0].float().softmax(dim=-1)[IS_NEXT])


def _logits(output: Any) -> Tensor:
    """(1, 2): our toy's name for them, a pre-training model's, or a model's whose only head this is."""
    for name in ("next_sentence_logits", "seq_relationship_logits"):
        logits: Tensor | None = getattr(output, name, None)
        if logits is not None:
            return logits
    only: Tensor = output.logits
    return only

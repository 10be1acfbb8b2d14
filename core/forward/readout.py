"""Readout: what the logits of a pass stand for, whichever head a model has.

A model's logits have the shape (batch, n_rows, n_outcomes) here. Of a language model and of a tagger rows are positions and
outcomes vocabulary ids or tags; a classifier has one row of classes; of question answering the two rows are start and end, and
the outcomes the positions of the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import why_no_prediction
from headscope.core.target import Link, SpanEnd

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded

SPAN_ENDS: Final[tuple[SpanEnd, SpanEnd]] = ("start", "end")


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """How the logits of one text's pass are read.

    Attributes
    ----------
    kind : "token", "class", "tag" or "span"
    link : Link
    n_rows : int
    shown : tuple of int
        The rows that are predictions of this text: each mask's (none if there are none), a decoder's last, each token's that has a tag, both ends of an
        answer.
    context : tuple of int
        Of a span: the positions where an answer may be.
    none_at : int or None
        Of a span: the position that stands for no answer.
    read_at : int or None
        Of a class: the position of the last stack that the head reads; None if it takes the mean over all.
    """

    kind: Literal["token", "class", "tag", "span"]
    link: Link
    n_rows: int
    shown: tuple[int, ...]
    context: tuple[int, ...] = ()
    none_at: int | None = None
    read_at: int | None = None

    @property
    def possible(self) -> tuple[int, ...] | None:
        """The outcomes that can be; None: all."""
        if self.kind != "span":
            return None
        return self.context if self.none_at is None else tuple(sorted({*self.context, self.none_at}))

    def log_probabilities(self, logits: Tensor) -> Tensor:
        """Natural logarithms of probabilities, (..., n_outcomes) of logits of that shape; of a regression the numbers themselves.

        Outcomes that cannot be, an answer outside its text, have −∞. Differentiable.
        """
        if self.link == "identity":
            return logits
        if self.link == "sigmoid":
            return F.logsigmoid(logits)
        if (possible := self.possible) is not None:
            closed = torch.ones(logits.shape[-1], dtype=torch.bool, device=logits.device)
            closed[list(possible)] = False
            logits = logits.masked_fill(closed, -torch.inf)
        return logits.log_softmax(dim=-1)

    def divergence(self, log_before: Tensor, log_after: Tensor) -> Tensor:
        """KL(before ‖ after) in nats, (...,) of (..., n_outcomes) log-probabilities: of several labels the sum of theirs.

        NaN for a regression, which has no distribution.
        """
        if self.link == "identity":
            return torch.full_like((log_before - log_after)[..., 0], torch.nan)
        found = _divergence(log_before, log_after)
        if self.link == "sigmoid":  # and of each label that it is not so
            found = found + _divergence(_log_of_rest(log_before), _log_of_rest(log_after))
        return found.sum(-1).clamp(min=0)


def _divergence(log_before: Tensor, log_after: Tensor) -> Tensor:
    return (log_before.exp() * (log_before - log_after)).nan_to_num(0.0)  # 0 · ∞ of an outcome that cannot be


def _log_of_rest(log_probability: Tensor) -> Tensor:
    """log(1 − p)."""
    return torch.log(-torch.expm1(log_probability))


def readout_of(model: BaseModel, source: Encoded, target: Encoded | None) -> Readout:
    """How a text's logits are read.

    Raises
    ------
    HeadscopeError
        ``predicts_nothing``, ``head_missing``, ``answers_by_beams``, ``needs_context``.
    """
    info = model.info
    written = source if target is None else target
    if "classify" in info.abilities:
        return Readout("class", info.link, 1, (0,), read_at=model.class_position(source, target))
    if "tag" in info.abilities:
        tagged = tuple(at for at, token in enumerate(source.axis.tokens) if not token.special)
        return Readout("tag", "softmax", len(source.ids), tagged)
    if "answer" in info.abilities:
        return _span_readout(model, source)
    if "fill_mask" in info.abilities:
        return Readout("token", "softmax", len(written.ids), source.axis.masks)
    if "generate" in info.abilities:
        return Readout("token", "softmax", len(written.ids), (len(written.ids) - 1,))
    raise why_no_prediction(info)


def has_context(source: Encoded) -> bool:
    """Whether there is a second text."""
    return any(token.segment == 1 and not token.special for token in source.axis.tokens)


def _span_readout(model: BaseModel, source: Encoded) -> Readout:
    tokens = source.axis.tokens
    context = tuple(at for at, token in enumerate(tokens) if token.segment == 1 and not token.special)
    if not has_context(source):
        raise HeadscopeError("needs_context", model=model.info.name)
    cls_id = model.tokenizer.cls_id
    none_at = next((at for at, token in enumerate(tokens) if token.special and token.id == cls_id), None)
    return Readout("span", "softmax", 2, (0, 1), context, none_at)

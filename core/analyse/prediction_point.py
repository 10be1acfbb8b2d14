"""Where a model predicts, and which number of a prediction is explained: an outcome's logit, or what is made of it.

An outcome is a token at a position, the class of a text, the tag of a token, or the token that an answer starts or ends with
(`Target`). Everything that explains a prediction asks here which it is, so all of them take any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch

from headscope.core.arguments import whole_number
from headscope.core.errors import HeadscopeError
from headscope.core.forward.readout import SPAN_ENDS, Readout, readout_of
from headscope.core.predict.classes import label_index
from headscope.core.sentences import sentence
from headscope.core.target import Target

if TYPE_CHECKING:
    from torch import Tensor

    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded

Measure = Literal["logit", "log_probability", "probability"]
"""What of an outcome is explained; log_probability in nats. Of a regression all three are its number."""


@dataclass(frozen=True, slots=True, eq=False)
class PredictionPoint:
    """One row of a text's logits, and which of its outcomes is asked for.

    Attributes
    ----------
    model : BaseModel
    readout : Readout
    row : int
        Of `readout.n_rows`.
    asked : Target
    labels : tuple of str
        Of the text's tokens.
    """

    model: BaseModel
    readout: Readout
    row: int
    asked: Target
    labels: tuple[str, ...]

    def index_in(self, logits: Tensor) -> int:
        """The outcome that is asked for, or the most probable one of (n_outcomes,) logits; of a regression the first number.

        Raises
        ------
        HeadscopeError
            ``bad_option``, ``unknown_label``, ``no_such_answer``.
        """
        asked, kind = self.asked, self.readout.kind
        if kind == "span" and asked.position is not None:
            return self._checked_end(asked.position)
        if kind in ("class", "tag") and asked.label is not None:
            return label_index(self.model.info.labels, asked.label)
        if kind == "token" and asked.token is not None:
            token = token_id(self.model, asked.token)
            if not 0 <= token < logits.shape[0]:
                expected = f"an id from 0 to {logits.shape[0] - 1}"
                raise HeadscopeError("bad_option", option="token", value=asked.token, expected=expected)
            return token
        if self.readout.link == "identity":
            return 0
        return int((logits if self.readout.possible is None else self.readout.log_probabilities(logits)).argmax())

    def _checked_end(self, position: int) -> int:
        if position not in (self.readout.possible or ()):
            first, last = self.readout.context[0], self.readout.context[-1]
            reason = sentence(f"no_answer_{SPAN_ENDS[self.row]}", position=position)
            raise HeadscopeError("no_such_answer", reason=reason, first=first, last=last)
        return position

    def measured(self, logits: Tensor, index: int, measure: Measure) -> Tensor:
        """The number of an outcome: (...,) of (..., n_outcomes) logits; differentiable. Raises ``bad_option``."""
        logits = logits.to(
            torch.promote_types(logits.dtype, torch.float32)
        )  # in half precision a softmax has two or three digits
        if measure == "logit":
            return logits[..., index]
        if measure not in ("log_probability", "probability"):
            raise HeadscopeError(
                "bad_option", option="measure", value=measure, expected="logit, log_probability or probability"
            )
        found = self.readout.log_probabilities(logits)[..., index]
        return found.exp() if measure == "probability" and self.readout.link != "identity" else found

    def target(self, index: int) -> Target:
        """What is explained, with nothing left open."""
        match self.readout.kind:
            case "token":
                return Target(position=self.row, token=index)
            case "class":
                return Target(label=index)
            case "tag":
                return Target(position=self.row, label=index)
            case "span":
                return Target(position=index, span=SPAN_ENDS[self.row])

    def label(self, index: int) -> str:
        """What the screen shows for an outcome."""
        if self.readout.kind == "token":
            return self.model.tokenizer.candidate(index)[1]
        return self.labels[index] if self.readout.kind == "span" else self.model.info.labels[index]


def token_id(model: BaseModel, token: int | str) -> int:
    """The vocabulary id of a token, which may be written as it stands in running text: ``" Paris"``, with its blank.

    Raises
    ------
    HeadscopeError
        ``not_one_token`` for what is several tokens or none; ``bad_option`` for what is neither a text nor an id.
    """
    if not isinstance(token, str):
        return whole_number("token", token, "a token or an id")
    pieces = [piece for piece in model.encode(token)[0].axis.tokens if not piece.special] if token.strip() else []
    if len(pieces) != 1 or pieces[0].unknown:
        shown = ", ".join(f"“{piece.text}”" for piece in pieces)
        reason = sentence("split_into", pieces=shown) if len(pieces) > 1 else sentence("unknown_word")
        raise HeadscopeError("not_one_token", token=token, model=model.info.name, reason=reason)
    return pieces[0].id


def point_of(model: BaseModel, source: Encoded, target: Encoded | None, asked: Target) -> PredictionPoint:
    """The row of logits that a target is of; where it names no position, that of the first prediction.

    Raises
    ------
    HeadscopeError
        ``bad_option`` for a token of a classifier, a label of a language model and the like; ``no_such_position``, ``no_mask``,
        and as `readout_of`.
    """
    readout = readout_of(model, source, target)
    _check_what(readout, asked)
    if readout.kind == "span":
        row = 0 if asked.span is None else SPAN_ENDS.index(asked.span)
    elif asked.position is None:
        row = shown_rows(model, readout)[0]
    elif 0 <= asked.position < readout.n_rows:
        row = asked.position
    else:
        raise HeadscopeError("no_such_position", position=asked.position, last=readout.n_rows - 1)
    return PredictionPoint(model, readout, row, asked, source.axis.labels)


def _check_what(readout: Readout, asked: Target) -> None:
    """Raise if the target is of another kind than what the model predicts."""
    fits = {"token": ("position", "token"), "class": ("label",), "tag": ("position", "label"), "span": ("position", "span")}
    for name in ("position", "token", "label", "span"):
        value = getattr(asked, name)
        if value is not None and name not in fits[readout.kind]:
            expected = f"left out for a model that predicts a {'start and an end' if readout.kind == 'span' else readout.kind}"
            raise HeadscopeError("bad_option", option=name, value=value, expected=expected)
    if asked.span is not None and asked.span not in SPAN_ENDS:
        raise HeadscopeError("bad_option", option="span", value=asked.span, expected="start or end")


def shown_rows(model: BaseModel, readout: Readout) -> tuple[int, ...]:
    """The rows whose predictions the screen shows. Raises ``no_mask``, ``empty_text``."""
    if not readout.shown:
        raise (
            HeadscopeError("no_mask", mask_token=model.info.mask_token)
            if readout.kind == "token"
            else HeadscopeError("empty_text")
        )
    return readout.shown


def shown_at(model: BaseModel, readout: Readout, row: int) -> int | None:
    """The position that a row of logits speaks of: a mask's or a tagged token's own; a decoder's next token. None: all of the text."""
    if readout.kind in ("class", "span"):
        return None
    return row if readout.kind == "tag" or "fill_mask" in model.info.abilities else row + 1

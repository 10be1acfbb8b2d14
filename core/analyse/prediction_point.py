"""Where a model predicts, and which number of a prediction is explained: a token's logit, or what the softmax makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch

from headscope.core.errors import HeadscopeError

if TYPE_CHECKING:
    from torch import Tensor

    from headscope.core.models.loaded import LoadedModel
    from headscope.core.models.text import Encoded

Measure = Literal["logit", "log_probability", "probability"]
"""What of a token is explained; log_probability in nats."""


def predicting(model: LoadedModel, source: Encoded, target: Encoded | None) -> tuple[int, ...]:
    """The positions whose logits the screen shows: each mask, or the last token that a decoder reads.

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``no_mask``.
    """
    if "fill_mask" in model.info.abilities:
        if not source.axis.masks:
            raise HeadscopeError("no_mask", mask_token=model.info.mask_token)
        return source.axis.masks
    if "generate" not in model.info.abilities:
        raise HeadscopeError("cannot_predict", model=model.info.name)
    return (len((source if target is None else target).ids) - 1,)


def position_of(model: LoadedModel, source: Encoded, target: Encoded | None, asked: int | None) -> int:
    """The position `asked` for; None is the first of `predicting`.

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``no_such_position``, ``no_mask``.
    """
    if asked is None:
        return predicting(model, source, target)[0]
    if not model.info.abilities & {"fill_mask", "generate"}:
        raise HeadscopeError("cannot_predict", model=model.info.name)
    last = len((source if target is None else target).ids) - 1
    if not 0 <= asked <= last:
        raise HeadscopeError("no_such_position", position=asked, last=last)
    return asked


def token_of(logits: Tensor, asked: int | None) -> int:
    """The vocabulary id `asked` for, or the most probable one of (vocabulary,) logits. Raises ``bad_option``."""
    token = int(logits.argmax()) if asked is None else asked
    if not 0 <= token < logits.shape[0]:
        raise HeadscopeError("bad_option", option="token", value=token, expected=f"an id from 0 to {logits.shape[0] - 1}")
    return token


def measured(logits: Tensor, token: int, measure: Measure) -> Tensor:
    """The number of a token: (...,) of (..., vocabulary) logits; differentiable. Raises ``bad_option``."""
    logits = logits.to(torch.promote_types(logits.dtype, torch.float32))  # in half precision a softmax has two or three digits
    if measure == "logit":
        return logits[..., token]
    if measure == "log_probability":
        return logits.log_softmax(dim=-1)[..., token]
    if measure == "probability":
        return logits.softmax(dim=-1)[..., token]
    raise HeadscopeError("bad_option", option="measure", value=measure, expected="logit, log_probability or probability")

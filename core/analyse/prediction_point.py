"""Which number of a prediction is explained: of one token at one position its logit, or what the softmax makes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from headscope.core.errors import HeadscopeError

if TYPE_CHECKING:
    from torch import Tensor

    from headscope.core.models.loaded import LoadedModel
    from headscope.core.models.text import Encoded

Measure = Literal["logit", "log_probability", "probability"]
"""What of a token is explained; log_probability in nats."""


def position_of(model: LoadedModel, source: Encoded, target: Encoded | None, asked: int | None) -> int:
    """The position `asked` for; None is where the screen shows a prediction: the first mask, or a decoder's last token.

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``no_such_position``, ``no_mask``.
    """
    if not model.info.abilities & {"fill_mask", "generate"}:
        raise HeadscopeError("cannot_predict", model=model.info.name)
    written = source if target is None else target
    if asked is not None:
        if not 0 <= asked < len(written.ids):
            raise HeadscopeError("no_such_position", position=asked, last=len(written.ids) - 1)
        return asked
    if "fill_mask" not in model.info.abilities:
        return len(written.ids) - 1
    if not source.axis.masks:
        raise HeadscopeError("no_mask", mask_token=model.info.mask_token)
    return source.axis.masks[0]


def token_of(logits: Tensor, asked: int | None) -> int:
    """The vocabulary id `asked` for, or the most probable one of (vocabulary,) logits. Raises ``bad_option``."""
    if asked is None:
        return int(logits.argmax())
    if not 0 <= asked < logits.shape[0]:
        raise HeadscopeError("bad_option", option="token", value=asked, expected=f"an id from 0 to {logits.shape[0] - 1}")
    return asked


def measured(logits: Tensor, token: int, measure: Measure) -> Tensor:
    """The number of a token: (...,) of (..., vocabulary) logits; differentiable. Raises ``bad_option``."""
    if measure == "logit":
        return logits[..., token]
    if measure == "log_probability":
        return logits.log_softmax(dim=-1)[..., token]
    if measure == "probability":
        return logits.softmax(dim=-1)[..., token]
    raise HeadscopeError("bad_option", option="measure", value=measure, expected="logit, log_probability or probability")

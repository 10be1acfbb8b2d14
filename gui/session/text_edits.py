"""What a click on a token or a candidate makes of the texts: fields of the state with their new words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import Candidate, Prediction
from headscope.core.text import editing
from headscope.core.text.tokens import TokenAxis
from headscope.gui.session.mask_memory import MaskMemory
from headscope.gui.session.session import Session

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_SEGMENTS = ("text", "text_pair")
Fields = dict[str, str]


def with_mask(state: Session, model: ModelInfo, masks: MaskMemory, position: int) -> Fields | None:
    """The text with a token masked, or a mask's word back; nothing new if the user has typed since; None if that cannot be done.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``.
    """
    axis = None if state.captured is None else _source_of(state.captured)
    if axis is None or position >= len(axis):
        return None
    if model.mask_token is None:
        raise HeadscopeError("cannot_fill_mask", model=model.name)
    if axis.text != state.text:  # these tokens are of another text
        return {}
    segment = _SEGMENTS[axis.tokens[position].segment]
    text = masks.toggled(axis, position, model.mask_token, getattr(state, segment))
    return None if text is None else {segment: text}


def with_candidate(state: Session, model: ModelInfo, prediction: Prediction, candidate: Candidate, left: str) -> Fields | None:
    """The text with a candidate where it was predicted; nothing new if the user has typed since.

    `left` is what the model itself wrote there last.
    """
    record = state.captured
    if record is None:
        return None
    axis, field = _source_of(record), "text"
    if model.family == "encoder-decoder" and "fill_mask" not in model.abilities:
        axis, field = record.axis("decoder").queries, "target"
    if prediction.position < len(axis) and axis.tokens[prediction.position].segment == 1:
        field, text = "text_pair", state.text_pair
    else:
        text = axis.text
    if getattr(state, field) not in (text, left):
        return {}
    return {field: editing.with_candidate(axis, prediction.position, candidate.text, text)}


def _source_of(record: AttentionRecord) -> TokenAxis:
    """The tokens of the text itself, not of an encoder-decoder model's target."""
    return record.axis(record.kinds[0]).queries

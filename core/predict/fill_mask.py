"""Masked prediction: what could stand at each mask of a text (Devlin et al., BERT, 2019)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.predict.predictions import mask_predictions
from headscope.core.predict.results import Prediction

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids
    from headscope.core.text.tokenizer import Encoded


def fill_mask(
    model: BaseModel, text: str | Ids, text_pair: str | None = None, *, top_k: int = 5, job: Job | None = None
) -> list[Prediction]:
    """The most probable tokens at each mask, from one pass.

    Parameters
    ----------
    model : BaseModel
    text, text_pair : str
        With a mask in either of them.
    top_k : int
        Candidates for each mask.

    Returns
    -------
    list of Prediction
        In the order of the masks; probabilities of the softmax over the vocabulary at the mask's own position.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``, ``empty_text``, ``no_mask``.
    """
    job = job or Job()
    source = encoded_with_masks(model, text, text_pair)
    job.cancel.check()
    logits = model.forward(model.inputs(source)).logits
    return list(mask_predictions(logits, source, model.tokenizer, top_k))


def encoded_with_masks(model: BaseModel, text: str | Ids, text_pair: str | None) -> Encoded:
    """`text` as the model reads it, or the error that says why it cannot be filled."""
    if "fill_mask" not in model.info.abilities:
        raise HeadscopeError("cannot_fill_mask", model=model.info.name)
    source, _ = model.encode(text, text_pair)
    if not source.axis.masks:
        raise HeadscopeError("no_mask", mask_token=model.info.mask_token)
    return source

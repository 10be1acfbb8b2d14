"""Text from a masked model: fill one mask, read the sentence again with it, fill the next.

Filling all masks from one pass guesses each without knowing the others ("New [MASK] [MASK]": York, Francisco). One at a
time, each guess sees those before it.

References
----------
Ghazvininejad et al., Mask-Predict: Parallel Decoding of Conditional Masked Language Models, 2019 (the most confident
first; here one token a step, and a filled one stays).
Wang and Cho, BERT has a Mouth, and It Must Speak, 2019 (left to right).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from headscope.core.job import Job, Progress
from headscope.core.predict.draft import Draft
from headscope.core.predict.fill_mask import encoded_with_masks
from headscope.core.predict.predictions import mask_predictions
from headscope.core.predict.results import FillStep, Prediction

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel

Strategy = Literal["confident", "left_to_right"]


def fill_iteratively(
    model: BaseModel,
    text: str,
    text_pair: str | None = None,
    *,
    strategy: Strategy = "confident",
    top_k: int = 10,
    job: Job | None = None,
) -> Iterator[FillStep]:
    """Fill every mask, one a step, each by its most probable token.

    The tokens stay as they are from step to step and only the mask's id changes: a text that is cut into tokens again may be
    cut otherwise (a filled "##ing" joins the word before it).

    Parameters
    ----------
    strategy : {"confident", "left_to_right"}
        Take the mask whose best candidate is most probable, or the first.
    top_k : int
        Candidates in each step.
    job : Job
        Its cancel is looked at in every layer of every step.

    Yields
    ------
    FillStep
        One for each mask.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``, ``empty_text``, ``no_mask`` at once; ``out_of_memory`` at any step.
    Cancelled
        At any step.
    """
    source = encoded_with_masks(model, text, text_pair)
    return _steps(model, Draft(source, text, text_pair), strategy, top_k, job or Job())


def _steps(model: BaseModel, draft: Draft, strategy: Strategy, top_k: int, job: Job) -> Iterator[FillStep]:
    n_masks = len(draft.source.axis.masks)
    for index in range(n_masks):
        job.cancel.check()
        job.report(Progress("filling", index / n_masks))
        record, output = model.observe(draft.source, job=Job(cancel=job.cancel))
        # One more than asked for: the mask itself, if it is among them, fills nothing.
        predictions = mask_predictions(output.logits, draft.source, model.tokenizer, top_k + 1)
        prediction = _next(predictions, strategy)
        candidates = tuple(each for each in prediction.candidates if each.id != model.tokenizer.mask_id)[:top_k]
        draft = draft.filled(prediction.position, candidates[0])
        yield FillStep(index, prediction.position, draft.text, candidates[0], candidates, record, draft.text_pair)


def _next(predictions: tuple[Prediction, ...], strategy: Strategy) -> Prediction:
    if strategy == "left_to_right":
        return predictions[0]
    return max(predictions, key=lambda prediction: prediction.candidates[0].probability)

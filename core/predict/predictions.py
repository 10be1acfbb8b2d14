"""From logits to what the screen shows: the most probable tokens of each position that is predicted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from torch import Tensor

from headscope.core.arguments import count
from headscope.core.predict.class_predictions import class_predictions
from headscope.core.predict.results import MOST_WHOLE, WHOLE_BYTES, Candidate, Prediction

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.options import Languages
    from headscope.core.predict.rule_effects import RuleEffect
    from headscope.core.text.tokenizer import Encoded, TextTokenizer


def candidates_of(logits: Tensor, tokenizer: TextTokenizer, top_k: int) -> tuple[Candidate, ...]:
    """The `top_k` most probable tokens of one position.

    Parameters
    ----------
    logits : Tensor, (vocabulary,)
        Of one position. Probabilities are of the softmax over the whole vocabulary.

    Returns
    -------
    tuple of Candidate
        Most probable first.
    """
    top_k = count("top_k", top_k)
    # In float64: in float32 the softmax of 49,152 logits is off by 2e-5.
    probabilities, ids = logits.detach().cpu().double().softmax(dim=-1).topk(min(top_k, logits.shape[-1]))
    return tuple(
        Candidate(*tokenizer.candidate(token_id), id=token_id, probability=probability)
        for token_id, probability in zip(ids.tolist(), probabilities.tolist(), strict=True)
    )


def mask_predictions(logits: Tensor, source: Encoded, tokenizer: TextTokenizer, top_k: int) -> tuple[Prediction, ...]:
    """What could stand at each mask: read where the mask is, not at the end of the sequence.

    Parameters
    ----------
    logits : Tensor, (1, n_tokens, vocabulary)
    """
    return tuple(
        prediction_of(at, logits[0, at], tokenizer, top_k, whole=number < MOST_WHOLE)
        for number, at in enumerate(source.axis.masks)
    )


def predictions_of(
    model: BaseModel,
    source: Encoded,
    target: Encoded | None,
    logits: Tensor | None,
    top_k: int,
    languages: Languages | None = None,
) -> tuple[Prediction, ...]:
    """What a model says about a text it has just read.

    Parameters
    ----------
    logits : Tensor, (1, n_rows, n_outcomes), or None
        As a `Readout` has them; of a model that generates the last row is enough.
    languages : Languages, optional
        That the model is asked for.

    Returns
    -------
    tuple of Prediction
        A masked model: one for each mask. A decoder: one for the token after the last (`position` is one past the end of
        its axis). A classifier: one class. A tagger: one for each token of the text. Question answering: the start and the end
        of the answer; none without a second text. A model that predicts nothing: none.
    """
    abilities = model.info.abilities
    if logits is None:
        return ()
    if abilities & {"classify", "tag", "answer"}:
        return class_predictions(model, source, target, logits[0], top_k)
    if "fill_mask" in abilities:
        return mask_predictions(logits, source, model.tokenizer, top_k)
    if "generate" in abilities:
        from headscope.core.predict.rules import effects_of_own  # its rules, if it writes

        written = source if target is None else target
        effects = effects_of_own(model, source, target, logits.shape[-1], languages)
        return (prediction_of(len(written.axis), logits[0, -1], model.tokenizer, top_k, whole=True, effects=effects),)
    return ()


def prediction_of(
    position: int,
    logits: Tensor,
    tokenizer: TextTokenizer,
    top_k: int,
    *,
    whole: bool,
    effects: Sequence[RuleEffect] = (),
) -> Prediction:
    """What could stand at `position`, of (vocabulary,) logits, which it carries if `whole`, with the effects of rules there."""
    candidates = candidates_of(logits, tokenizer, top_k)
    if not whole:
        return Prediction(position, candidates)
    copied = logits.detach().float().cpu().clone()  # a row of the pass's logits would hold all of them
    total = float(copied.double().logsumexp(dim=-1))
    return Prediction(position, candidates, copied.numpy(), total, effects=tuple(effects))


class Allowance:
    """The `WHOLE_BYTES` that the logits of a generation's steps may take, those of its branches among them."""

    def __init__(self) -> None:
        self._left = WHOLE_BYTES

    def takes(self, logits: Tensor) -> bool:
        """Whether (vocabulary,) logits fit as well; if so, their room is taken."""
        needed = 4 * logits.numel()
        fits = needed <= self._left
        self._left -= needed if fits else 0
        return fits

"""What an intervention changes in a prediction: probabilities of chosen tokens, the whole distribution, the ranking.

References
----------
Kullback and Leibler, On Information and Sufficiency, 1951: KL(P ‖ Q) = Σ p · log(p / q).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

from headscope.core.analyse.prediction_point import predicting, token_of
from headscope.core.analyse.variants import outcomes
from headscope.core.intervention import Intervention
from headscope.core.jobs import Job
from headscope.core.predict.predictions import candidates_of
from headscope.core.results import Candidate

if TYPE_CHECKING:
    from headscope.core.models.loaded import LoadedModel


@dataclass(frozen=True, slots=True)
class TokenChange:
    """One token's probability before and after; `label` is what the screen shows for it.

    `log_probability_change` is log(after) − log(before), in nats, exact where the probabilities themselves round to 0.
    """

    id: int
    label: str
    before: float
    after: float
    log_probability_change: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What changed at one position.

    Attributes
    ----------
    position : int
        Of the predicted axis: a mask; for a decoder the next token's, one past the end of the text.
    tokens : tuple of TokenChange
        The chosen tokens, in the order asked for.
    divergence : float
        KL(before ‖ after) over the whole vocabulary, in nats, 0 or more.
    before, after : tuple of Candidate
        The most probable tokens.
    """

    position: int
    tokens: tuple[TokenChange, ...]
    divergence: float
    before: tuple[Candidate, ...]
    after: tuple[Candidate, ...]

    @property
    def top_changed(self) -> bool:
        """Whether another token is the most probable now."""
        return self.before[0].id != self.after[0].id


def effects(
    model: LoadedModel,
    text: str,
    intervention: Intervention,
    *,
    text_pair: str | None = None,
    target: str | None = None,
    tokens: Sequence[int] = (),
    top_k: int = 10,
    job: Job | None = None,
) -> tuple[Effect, ...]:
    """Compare a model's predictions with and without an intervention.

    Parameters
    ----------
    text, text_pair, target : str
        As `LoadedModel.capture` takes them.
    tokens : sequence of int
        Vocabulary ids, see `token_id`; the most probable token before the intervention if none are given.
    top_k : int
        Candidates before and after.

    Returns
    -------
    tuple of Effect
        For each mask of a masked model; for the next token of a decoder; of an encoder-decoder for the token after the target.

    Raises
    ------
    HeadscopeError
        ``cannot_predict`` for a model without a language head; ``no_mask``; ``bad_option`` for a token; as `LoadedModel.observe`.
    Cancelled
    """
    source, encoded_target = model.encode(text, text_pair, target)
    rows = predicting(model, source, encoded_target)
    (outcome,) = outcomes(model, source, encoded_target, [intervention], rows, job=job)
    return tuple(
        _effect(model, shown_at(model, row), before, after, tokens, top_k)
        for row, before, after in zip(rows, outcome.trunk, outcome.logits[0], strict=True)
    )


def shown_at(model: LoadedModel, row: int) -> int:
    """The position that a row of logits speaks of: a mask's own; a decoder's next token."""
    return row if "fill_mask" in model.info.abilities else row + 1


def token_id(model: LoadedModel, text: str) -> int:
    """The vocabulary id of a text's first token, as it stands in running text: for many models ``" Paris"``, with its blank.

    Raises
    ------
    HeadscopeError
        ``empty_text``.
    """
    source, _ = model.encode(text)
    return next(token.id for token in source.axis.tokens if not token.special)


def changes(before: Tensor, after: Tensor, token: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of logits (…, vocabulary) before and after: change of the token's log-probability, its probability after, divergence."""
    log_before, log_after = before.double().log_softmax(-1), after.double().log_softmax(-1)
    difference = log_before - log_after
    divergence = (log_before.exp() * difference).nan_to_num(0.0).sum(-1).clamp(min=0)  # 0 · ∞ of a token that cannot be
    return -difference[..., token], log_after[..., token].exp(), divergence


def _effect(model: LoadedModel, position: int, before: Tensor, after: Tensor, tokens: Sequence[int], top_k: int) -> Effect:
    chosen = [token_of(before, token) for token in tokens or (None,)]
    made = []
    for token in chosen:
        change, probability, _ = changes(before, after, token)
        unchanged = float(before.double().softmax(-1)[token])
        made.append(TokenChange(token, model.tokenizer.candidate(token)[1], unchanged, float(probability), float(change)))
    return Effect(
        position=position,
        tokens=tuple(made),
        divergence=float(changes(before, after, chosen[0])[2]),
        before=candidates_of(before, model.tokenizer, top_k),
        after=candidates_of(after, model.tokenizer, top_k),
    )

"""From the logits of a head for classes, tags or answers to what the screen shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Ability
from headscope.core.predict.classes import Answer, PredictionKind, best_spans
from headscope.core.predict.readout import SPAN_ENDS, Readout, has_context, readout_of
from headscope.core.results import Candidate, Prediction

if TYPE_CHECKING:
    from headscope.core.models.loaded import LoadedModel
    from headscope.core.models.text import Encoded

_MOST_TAGS: Final = 5
"""Candidates for each token: a text may have thousands."""
_MOST_ANSWERS: Final = 5


def classify(model: LoadedModel, text: str, text_pair: str | None = None, *, top_k: int = 5) -> Prediction:
    """The class of a text, or of a pair of texts: a premise and its hypothesis.

    Returns
    -------
    Prediction
        Its candidates are classes: probabilities that sum to 1, of several labels each for itself, of a regression numbers.

    Raises
    ------
    HeadscopeError
        ``cannot_classify``, ``empty_text``.
    """
    (prediction,), _ = _passed(model, "classify", text, text_pair, top_k)
    return prediction


def tag(model: LoadedModel, text: str, text_pair: str | None = None, *, top_k: int = 5) -> tuple[Prediction, ...]:
    """The tag of each token of a text, the tokenizer's own left out. Raises ``cannot_classify``, ``empty_text``."""
    return _passed(model, "tag", text, text_pair, top_k)[0]


def answer(
    model: LoadedModel, question: str, context: str, *, top_k: int = 5
) -> tuple[tuple[Prediction, ...], tuple[Answer, ...]]:
    """Where the answer to a question starts and ends in its context, and the best spans.

    Raises
    ------
    HeadscopeError
        ``cannot_classify``, ``empty_text``, ``needs_context``.
    """
    if "answer" in model.info.abilities and not context.strip():
        raise HeadscopeError("needs_context", model=model.info.name)
    return _passed(model, "answer", question, context, top_k)


def _passed(
    model: LoadedModel, ability: Ability, text: str, text_pair: str | None, top_k: int
) -> tuple[tuple[Prediction, ...], tuple[Answer, ...]]:
    """What one pass says."""
    if ability not in model.info.abilities:
        raise HeadscopeError("cannot_classify", model=model.info.name, what=_WHAT[ability])
    source, target = model.encode(text, text_pair)
    logits = model.forward(model.inputs(source, target)).logits
    answers = answers_of(model, source, logits, text_pair or "", max(top_k, 1))
    return class_predictions(model, source, target, logits[0], top_k), answers


_WHAT: Final[dict[Ability, str]] = {"classify": "texts into classes", "tag": "tokens by tags", "answer": "the answer in a text"}


def class_predictions(
    model: LoadedModel, source: Encoded, target: Encoded | None, logits: Tensor, top_k: int
) -> tuple[Prediction, ...]:
    """The class of a text, the tag of each of its tokens, or the start and the end of an answer in it.

    Parameters
    ----------
    logits : Tensor, (n_rows, n_outcomes)
        As a `Readout` has them.

    Returns
    -------
    tuple of Prediction
        Empty for question answering without a second text.
    """
    if top_k < 0:
        raise HeadscopeError("bad_option", option="top_k", value=top_k, expected="0 or more")
    if "answer" in model.info.abilities and not has_context(source):
        return ()
    readout = readout_of(model, source, target)
    logits = logits.detach().float().cpu()
    log_probabilities = readout.log_probabilities(logits.double())
    kinds: tuple[PredictionKind, ...] = SPAN_ENDS if readout.kind == "span" else (readout.kind,) * readout.n_rows
    labels = source.axis.labels if readout.kind == "span" else model.info.labels
    most = min(top_k, _MOST_TAGS) if readout.kind == "tag" else top_k
    return tuple(
        _prediction(readout, kinds[row], row, logits[row], log_probabilities[row], labels, most) for row in readout.shown
    )


def _prediction(
    readout: Readout,
    kind: PredictionKind,
    row: int,
    logits: Tensor,
    log_probabilities: Tensor,
    labels: tuple[str, ...],
    most: int,
) -> Prediction:
    candidates = candidates_of_row(readout, logits, labels, most, log_probabilities)
    positions = {"class": -1 if readout.read_at is None else readout.read_at, "tag": row}
    kept = logits.double() if readout.possible is None else log_probabilities
    return Prediction(
        position=positions.get(kind, candidates[0].id if candidates else -1),
        candidates=candidates,
        logits=kept.float().numpy(),
        log_total=float(logits.double().logsumexp(-1)) if readout.possible is None else 0.0,
        kind=kind,
        link=readout.link,
    )


def candidates_of_row(
    readout: Readout, logits: Tensor, labels: tuple[str, ...], most: int, log_probabilities: Tensor | None = None
) -> tuple[Candidate, ...]:
    """The most probable outcomes of (n_outcomes,) logits; a regression's numbers in their order.

    Parameters
    ----------
    labels : tuple of str
        Of all outcomes.
    log_probabilities : Tensor, optional
        Where they have been computed already.
    """
    if readout.link == "identity":
        return tuple(Candidate("", labels[at], at, 0.0, number=float(logits[at])) for at in range(len(logits)))[:most]
    logs = readout.log_probabilities(logits.double()) if log_probabilities is None else log_probabilities
    possible = len(labels) if readout.possible is None else len(readout.possible)
    order = logs.argsort(descending=True, stable=True)[: min(most, possible)].tolist()
    return tuple(Candidate("", labels[at], at, float(logs[at].exp())) for at in order)


def answers_of(
    model: LoadedModel, source: Encoded, logits: Tensor | None, context: str, n_best: int = _MOST_ANSWERS
) -> tuple[Answer, ...]:
    """The spans that may answer a question, most probable first; with "no answer" among them, where it belongs by its probability.

    Parameters
    ----------
    logits : Tensor, (1, 2, n_tokens), or None
    context : str
        The second text.

    Returns
    -------
    tuple of Answer
        As transformers' question answering has them: p(start) · p(end), with start ≤ end, in the second text, of at most
        `MOST_ANSWER_TOKENS` tokens. Empty for another model, and without a second text.
    """
    if "answer" not in model.info.abilities or logits is None or not has_context(source):
        return ()
    tokens, readout = source.axis.tokens, readout_of(model, source, None)
    start, end = readout.log_probabilities(logits[0].detach().cpu().double()).exp().numpy()
    found = [
        Answer(first, last, context[tokens[first].start : tokens[last].end], probability)
        for first, last, probability in best_spans(start, end, readout.context, n_best)
    ]
    if readout.none_at is not None:
        none = readout.none_at
        found.append(Answer(none, none, None, float(start[none] * end[none])))
    return tuple(sorted(found, key=lambda answer: -answer.probability))

"""From the logits of a head for classes, tags or answers to what the screen shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.forward.readout import SPAN_ENDS, Readout, has_context, readout_of
from headscope.core.predict.classes import best_spans
from headscope.core.predict.results import Candidate, Prediction
from headscope.core.sentences import sentence
from headscope.core.target import Answer, PredictionKind
from headscope.core.vocabulary import Ability

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded

_MOST_TAGS: Final = 5
"""Candidates for each token: a text may have thousands."""
_MOST_ANSWERS: Final = 5


def classify(model: BaseModel, text: str, text_pair: str | None = None, *, top_k: int = 5) -> Prediction:
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


def tag(model: BaseModel, text: str, text_pair: str | None = None, *, top_k: int = 5) -> tuple[Prediction, ...]:
    """The tag of each token of a text, the tokenizer's own left out. Raises ``cannot_classify``, ``empty_text``."""
    return _passed(model, "tag", text, text_pair, top_k)[0]


def answer(
    model: BaseModel, question: str, context: str, *, top_k: int = 5
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
    model: BaseModel, ability: Ability, text: str, text_pair: str | None, top_k: int
) -> tuple[tuple[Prediction, ...], tuple[Answer, ...]]:
    """What one pass says."""
    if ability not in model.info.abilities:
        raise HeadscopeError("cannot_classify", reason=sentence(f"no_{ability}_head", model=model.info.name))
    source, target = model.encode(text, text_pair)
    logits = model.forward(model.inputs(source, target)).logits
    answers = answers_of(model, source, logits, text_pair or "", max(top_k, 1))
    return class_predictions(model, source, target, logits[0], top_k), answers


def class_predictions(
    model: BaseModel, source: Encoded, target: Encoded | None, logits: Tensor, top_k: int
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
    kinds: tuple[PredictionKind, ...] = SPAN_ENDS if readout.kind == "span" else (readout.kind,) * readout.n_rows
    labels = source.axis.labels if readout.kind == "span" else model.info.labels
    candidates = _candidates(readout, logits, labels, min(top_k, _MOST_TAGS) if readout.kind == "tag" else top_k)
    exact = logits.double()
    kept = (exact if readout.possible is None else readout.log_probabilities(exact)).float().numpy()
    totals = exact.logsumexp(-1).tolist() if readout.possible is None else [0.0] * len(kept)
    positions = {"class": -1 if readout.read_at is None else readout.read_at}
    return tuple(
        Prediction(
            position=positions.get(kind, row if kind == "tag" else candidates[row][0].id if candidates[row] else -1),
            candidates=candidates[row],
            logits=kept[row],
            log_total=totals[row],
            kind=kind,
            link=readout.link,
        )
        for row, kind in ((row, kinds[row]) for row in readout.shown)
    )


def candidates_of_row(readout: Readout, logits: Tensor, labels: tuple[str, ...], most: int) -> tuple[Candidate, ...]:
    """The most probable outcomes of (n_outcomes,) logits, of all of which `labels` are; a regression's numbers in their order."""
    return _candidates(readout, logits[None], labels, most)[0]


def _candidates(readout: Readout, logits: Tensor, labels: tuple[str, ...], most: int) -> list[tuple[Candidate, ...]]:
    """As `candidates_of_row`, of each row."""
    if readout.link == "identity":
        rows = logits[:, :most].tolist()
        return [tuple(Candidate("", labels[at], at, 0.0, number=number) for at, number in enumerate(row)) for row in rows]
    log_probabilities = readout.log_probabilities(logits.double())
    possible = len(labels) if readout.possible is None else len(readout.possible)
    best = log_probabilities.sort(dim=-1, descending=True, stable=True)
    n_best = min(most, possible)
    ids, chances = best.indices[:, :n_best].tolist(), best.values[:, :n_best].exp().tolist()
    return [
        tuple(Candidate("", labels[at], at, chance) for at, chance in zip(*row, strict=True))
        for row in zip(ids, chances, strict=True)
    ]


def answers_of(
    model: BaseModel, source: Encoded, logits: Tensor | None, context: str, n_best: int = _MOST_ANSWERS
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

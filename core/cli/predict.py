"""``headscope predict``: masked words, the next sentence, classes, tags, answers."""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.cli.options import add_command, add_json, add_model_and_text, count, opened
from headscope.core.cli.terminal import print_bars, print_json, print_table, progress_line
from headscope.core.forward.model_info import ModelInfo, why_no_prediction
from headscope.core.predict.results import Candidate, Prediction
from headscope.core.target import Answer
from headscope.core.text.tokens import TokenAxis, Units
from headscope.core.text.units import axis_in_units
from headscope.core.vocabulary import Ability

if TYPE_CHECKING:
    from headscope.core.model import Model

_HEADS: tuple[Ability, ...] = ("classify", "tag", "answer")
_GUESSES: frozenset[Ability] = frozenset({"fill_mask", "next_sentence", "generate"})


@dataclass(frozen=True, slots=True)
class Predicted:
    """What a model says about a text, and the tokens that it read."""

    model: ModelInfo
    axis: TokenAxis
    predictions: tuple[Prediction, ...] = ()
    follows: float | None = None
    answers: tuple[Answer, ...] = ()


def add(commands: Any) -> None:
    """The command and its options."""
    what = (
        "Predict masked words and whether --pair follows --text, the class of a text or pair, the tag of "
        "each token, or the answer to --text (the question) in --pair (the context)."
    )
    example = 'headscope predict --model toy:grammar --text "the keys of the cabinet [MASK] rusty ."'
    parser = add_command(commands, "predict", _run, what, example)
    add_model_and_text(parser, target=False)
    parser.add_argument("--top-k", type=count(1), default=5, help="candidates per prediction (default: 5)")
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    if Path(arguments.model).suffix.lower() == ".gguf" and Path(arguments.model).is_file():
        from headscope.core.models.gguf.load import refuse_masks

        refuse_masks(Path(arguments.model))
    with progress_line() as job:
        model = opened(arguments, job)
    (print_prediction_data if arguments.json else print_predictions)(predicted(model, arguments), arguments)
    return 0


def predicted(model: Model, arguments: argparse.Namespace) -> Predicted:
    """All that the model predicts of the text.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``, ``no_mask``, ``needs_context``, and why a model predicts nothing at all.
    """
    text, pair, top_k, info = arguments.text, arguments.pair, arguments.top_k, model.info
    if any(ability in info.abilities for ability in _HEADS):
        return _by_head(model, text, pair, top_k)
    if not info.abilities & _GUESSES:
        raise why_no_prediction(info)
    axis = model.encode(text, pair)[0].axis
    follows = model.next_sentence(text, pair) if pair and "next_sentence" in info.abilities else None
    no_mask_needed = follows is not None and not axis.masks
    return Predicted(info, axis, () if no_mask_needed else tuple(model.fill_mask(text, pair, top_k=top_k)), follows)


def _by_head(model: Model, text: str, pair: str | None, top_k: int) -> Predicted:
    from headscope.core.predict.class_predictions import answer, classify, tag

    axis = model.encode(text, pair)[0].axis
    if "classify" in model.info.abilities:
        return Predicted(model.info, axis, (classify(model, text, pair, top_k=top_k),))
    if "tag" in model.info.abilities:
        return Predicted(model.info, axis, tag(model, text, pair, top_k=top_k))
    predictions, answers = answer(model, text, pair or "", top_k=top_k)
    return Predicted(model.info, axis, predictions, answers=answers)


# ---------------------------------------------------------------- as text
def print_predictions(found: Predicted, _arguments: argparse.Namespace) -> None:
    """For people."""
    if found.predictions and found.predictions[0].kind == "tag":
        _print_tags(found)
        return
    if found.answers:
        print("answer, p(start) · p(end)")
        print_bars([("no answer" if each.text is None else _one_line(each.text), each.probability) for each in found.answers])
    for prediction in found.predictions:
        print(_heading(prediction, found.model))
        if prediction.link == "identity":
            print_table([(f"  {each.label}", *_numbers(each, found.model)) for each in prediction.candidates])
        else:
            print_bars([(_label(each, prediction), each.probability) for each in prediction.candidates])
    if found.follows is not None:
        print("the second text follows the first")
        print_bars([("yes", found.follows), ("no", 1 - found.follows)])


def _heading(prediction: Prediction, model: ModelInfo) -> str:
    if prediction.kind in ("start", "end"):
        return f"the answer {prediction.kind}s with"
    if prediction.kind != "class":
        return f"token {prediction.position}"
    if prediction.link == "identity":
        return "the predicted number" if len(model.labels) == 1 else "the predicted numbers"
    return "labels of the text, each independent" if prediction.link == "sigmoid" else "class of the text"


def _label(candidate: Candidate, prediction: Prediction) -> str:
    return f"{candidate.label} ({candidate.id})" if prediction.kind in ("start", "end") else candidate.label


def _numbers(candidate: Candidate, model: ModelInfo) -> list[str]:
    """A single number also as transformers' pipeline shows it where the configuration does not say that it is a regression's."""
    number = candidate.number or 0.0
    return [f"{number:.4g}", *([f"through a sigmoid {_sigmoid(number):.3f}"] if len(model.labels) == 1 else [])]


def _sigmoid(number: float) -> float:
    return 1 / (1 + math.exp(-number)) if number > -700 else 0.0


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _print_tags(found: Predicted) -> None:
    rows = [("token", "", "tag", "probability")]
    for prediction in found.predictions:
        best = prediction.candidates[0]
        token = found.axis.tokens[prediction.position].text
        rows.append((str(prediction.position), token, best.label, f"{best.probability:.3f}"))
    print_table(rows)
    words = _words(found)
    if len(words) < len(found.predictions):
        print("\nwords, tagged by their first token")
        print_table([(word, best.label, f"{best.probability:.3f}") for word, best in words])


def _words(found: Predicted) -> list[tuple[str, Candidate]]:
    """Each word, and the best tag of its first token."""
    tags = {prediction.position: prediction.candidates[0] for prediction in found.predictions}
    axis = axis_in_units(found.axis, Units("words", "hidden"))
    firsts = [axis.pieces_of(at).start for at in range(len(axis))]
    return [(token.text, tags[first]) for token, first in zip(axis.tokens, firsts, strict=True) if first in tags]


# ---------------------------------------------------------------- as data
def print_prediction_data(found: Predicted, arguments: argparse.Namespace) -> None:
    """For programs."""
    kind = found.predictions[0].kind if found.predictions else "token"
    data: dict[str, Any] = {"model": arguments.model}
    if kind == "class":
        data |= _class_data(found.predictions[0])
    elif kind == "tag":
        data |= {"tags": [_tag_data(each, found.axis) for each in found.predictions]}
        data["words"] = [{"word": word, "tag": best.label, "probability": best.probability} for word, best in _words(found)]
    elif kind in ("start", "end"):
        data["answers"] = [
            {"text": each.text, "start": each.start, "end": each.end, "probability": each.probability} for each in found.answers
        ]
        for prediction in found.predictions:
            data[prediction.kind] = [
                {"position": each.id, "token": each.label, "probability": each.probability} for each in prediction.candidates
            ]
    else:
        data["predictions"] = [_mask_data(each) for each in found.predictions]
    print_json(data | ({} if found.follows is None else {"next_sentence": found.follows}))


def _class_data(prediction: Prediction) -> dict[str, Any]:
    if prediction.link == "identity":
        return {"numbers": [{"label": each.label, "id": each.id, "number": each.number} for each in prediction.candidates]}
    classes = [{"label": each.label, "id": each.id, "probability": each.probability} for each in prediction.candidates]
    return {"independent": prediction.link == "sigmoid", "classes": classes}


def _tag_data(prediction: Prediction, axis: TokenAxis) -> dict[str, Any]:
    token = axis.tokens[prediction.position]
    tags = [{"tag": each.label, "id": each.id, "probability": each.probability} for each in prediction.candidates]
    place = {
        "position": prediction.position,
        "token": token.text,
        "text": token.segment,
        "start": token.start,
        "end": token.end,
    }
    return place | {"candidates": tags}


def _mask_data(prediction: Prediction) -> dict[str, Any]:
    candidates = [{"token": each.text.strip(), "probability": each.probability} for each in prediction.candidates]
    return {"position": prediction.position, "candidates": candidates}

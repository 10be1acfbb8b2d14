"""Heads that predict no words: the class of a text, the tag of each token, the span of a text that answers a question.

Plain values; `core.predict.readout` computes them.

References
----------
Devlin et al., BERT, 2019, section 4: a classifier over [CLS], one over each token, and a start and an end for each token of the
second text. Rajpurkar, Jia and Liang, Know What You Don't Know, 2018: a question without an answer is answered at [CLS].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from headscope.core.errors import HeadscopeError
from headscope.core.target import Link

if TYPE_CHECKING:
    from headscope.core.forward.model_info import ModelInfo

MOST_ANSWER_TOKENS: Final = 15
"""Length of an answer, as transformers' question answering has it."""
QUIET_TAGS: Final = frozenset({"o", "original"})
"""Tags, in small letters, that say that there is nothing to say."""


def best_spans(
    start: npt.NDArray[np.float64], end: npt.NDArray[np.float64], context: Sequence[int], n_best: int
) -> list[tuple[int, int, float]]:
    """The most probable spans of at most `MOST_ANSWER_TOKENS` tokens: (first token, last token, p(start) · p(end)), best first.

    Parameters
    ----------
    start, end : float64, (n_tokens,)
        Probabilities.
    context : sequence of int
        Where an answer may be, ascending, without gaps.
    """
    if not len(context) or n_best < 1:
        return []
    first, n = context[0], len(context)
    starts, ends = start[first : first + n], end[first : first + n]
    products = np.full((min(MOST_ANSWER_TOKENS, n), n), -1.0)
    for longer, row in enumerate(products):
        row[: n - longer] = starts[: n - longer] * ends[longer:]
    best = np.argsort(-products, axis=None, kind="stable")[:n_best]
    spans = zip(*np.unravel_index(best, products.shape), strict=True)
    found = [(first + int(at), first + int(at + longer), float(products[longer, at])) for longer, at in spans]
    return [span for span in found if span[2] >= 0]


def readable_labels(names: Sequence[object]) -> tuple[str, ...]:
    """Names as the screen shows them: ``LABEL_3``, transformers' name for a class that nobody named, becomes ``label 3``."""
    cleaned = ["".join(letter for letter in str(name) if letter.isprintable()).strip() for name in names]
    return tuple(
        f"label {at}" if not name or name == f"LABEL_{at}" else name[:_LONGEST_LABEL] for at, name in enumerate(cleaned)
    )


_LONGEST_LABEL: Final = 200


def label_index(labels: Sequence[str], asked: int | str) -> int:
    """Which of a head's labels is asked for: by its name as it stands or in other letters, as ``LABEL_3``, or by its index.

    Raises
    ------
    HeadscopeError
        ``unknown_label``; also for a name that several labels have.
    """
    if isinstance(asked, str):
        for key in (str, _plain):
            found = [at for at, label in enumerate(labels) if key(label) == key(asked)]
            if len(found) == 1:
                return found[0]
        if not asked.strip().isdecimal():
            raise _unknown_label(labels, asked)
        asked = int(asked)
    if isinstance(asked, bool) or not 0 <= asked < len(labels):
        raise _unknown_label(labels, asked)
    return asked


def _plain(name: str) -> str:
    return name.strip().casefold().replace("_", " ")


def _unknown_label(labels: Sequence[str], asked: object) -> HeadscopeError:
    shown = ", ".join(f"{label[:30]} ({at})" for at, label in enumerate(labels[:6]))
    return HeadscopeError(
        "unknown_label", label=str(asked)[:60], known=shown if len(labels) <= 6 else f"{shown}, … {len(labels)} in all"
    )


def problem_of(problem_type: object, n_labels: int) -> Link:
    """How a classifier's logits are read, from its configuration's `problem_type`; without one as transformers trains it."""
    if problem_type == "multi_label_classification":
        return "sigmoid"
    if problem_type == "regression" or (problem_type is None and n_labels == 1):
        return "identity"
    return "softmax"


def why_no_tokens(info: ModelInfo, code: str = "cannot_predict") -> HeadscopeError:
    """Why a model that is open, whatever else it predicts, predicts no tokens, or writes no text (``cannot_generate``)."""
    return HeadscopeError("writes_in_its_own_way" if info.writes_in_a_way_of_its_own else code, model=info.name)

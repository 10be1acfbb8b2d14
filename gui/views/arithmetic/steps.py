"""The arithmetic of a cell as steps to be read: formulas with their numbers, bars, and sentences that say what happens."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QCoreApplication

from headscope.core.analyse.records.arithmetic_numbers import Arithmetic, Carried, Numbers, Softmax, Turned, Working
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Backend

Group = Literal["head", "value"]
"""Bars of one group stand over each other, dimension by dimension."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A new part."""

    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """What happens, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Equation:
    """A formula (see `paint.formula`), what it comes to, and a remark; `strong` for the result."""

    formula: str
    value: str
    remark: str = ""
    strong: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Bars:
    """A vector: a bar for each dimension, blue above the line and orange below; `name` is a formula, `spoken` its name in words."""

    name: str
    spoken: str
    numbers: Numbers
    group: Group
    unit: Literal["", "°"] = ""


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """Where the numbers of the dimension that is pointed at are written; `order` from the largest to the smallest."""

    group: Group
    hint: str
    order: tuple[int, ...]
    partners: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Largest:
    """Dimensions with their numbers."""

    numbers: tuple[tuple[int, float], ...]


@dataclass(frozen=True, slots=True)
class RowKey:
    """One key of the row: its token, its position, and what becomes of its score."""

    label: str
    position: int
    score: float
    exponential: float
    weight: float


@dataclass(frozen=True, slots=True)
class Row:
    """The row that the softmax is taken over: a line for each key, bars for the three numbers; `key` is the cell's own position."""

    keys: tuple[RowKey, ...]
    key: int


Step = Row | Heading | Sentence | Equation | Bars | Readout | Largest
translate = QCoreApplication.translate
_MOST_KEYS: Final = 12
"""Lines of a row; a sentence sums up the rest."""
_SUPERSCRIPTS: Final = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number_text(number: float, digits: int = 4) -> str:
    """A number as one reads it: ``−0.3712``, ``3.1×10⁻⁸``, ``−∞``."""
    if not math.isfinite(number):
        return "−∞" if number < 0 else "∞"
    if number and not 1e-3 <= abs(number) < 1e5:
        mantissa, exponent = f"{number:.{min(digits, 4) - 1}e}".split("e")
        return f"{mantissa.replace('-', '−')}×10{str(int(exponent)).translate(_SUPERSCRIPTS)}"
    whole = len(str(int(abs(number))))
    return f"{number:.{max(digits, whole)}g}".replace("-", "−")


def steps_of(
    answer: Arithmetic, queries: TokenAxis, keys: TokenAxis, backend: Backend, *, on_paper: bool = False
) -> tuple[Step, ...]:
    """All of it, top to bottom; the axes are those of the model's own tokens. On paper nobody can point at a bar or run a text."""
    return tuple(_steps(answer, queries.labels, keys.labels, backend, on_paper))


def _steps(
    answer: Arithmetic, queries: tuple[str, ...], keys: tuple[str, ...], backend: Backend, on_paper: bool
) -> Iterator[Step]:
    cell = answer.cell
    axes = cell.record.axis(cell.kind)
    yield Heading(f"{axes.queries.labels[cell.query]} → {axes.keys.labels[cell.key]}")
    yield from _of_several(answer, queries, keys)
    working = answer.working
    if answer.edited:
        yield Sentence(
            translate("arithmetic", "This run edited weights of this layer after the softmax; the steps below lead to the weight before "
                                    "the edit. After it, the weight is {weight}.")
            .format(weight=number_text(answer.weight))
        )  # fmt: skip
    if working is None:
        yield Equation(r"\alpha", number_text(answer.token_weight), strong=True)
        yield Sentence(_only_the_weight(backend))
        return
    yield Equation(_in_short(working.softmax), number_text(working.softmax.weight), strong=True)
    yield from _vectors(answer, working, on_paper)
    yield from _score(working.softmax, answer)
    yield from _softmax(working, keys, answer.key)
    yield from _carried(working.carried, on_paper)


def _in_short(softmax: Softmax) -> str:
    """All of it as one formula."""
    above = r"q \cdot k" if softmax.root or softmax.scale == 1 else rf"q \cdot k \times \text{{{number_text(softmax.scale)}}}"
    below = ("" if softmax.cap is None else "c") + (rf"\sqrt{{{softmax.root}}}" if softmax.root else "")
    score = rf"\frac{{{above}}}{{{below}}}" if below else above
    score = score if softmax.cap is None else rf"c \tanh{score}"
    score += "" if softmax.bias is None else " + b"
    return rf"\alpha = \text{{softmax}}({score} + \text{{mask}})"


def _of_several(answer: Arithmetic, queries: tuple[str, ...], keys: tuple[str, ...]) -> Iterator[Step]:
    """A cell of words: what its weight is made of."""
    if answer.n_queries * answer.n_keys == 1 and not answer.renormalised:
        return
    told = translate(
        "arithmetic",
        "This cell covers {rows} × {columns} tokens. Its weight, {weight}, is summed over the key's tokens "
        "and averaged over the query's.",
    )
    yield Sentence(told.format(rows=answer.n_queries, columns=answer.n_keys, weight=number_text(answer.weight)))
    if answer.renormalised:
        yield Sentence(translate("arithmetic", "Each row was first renormalised without the special tokens."))
    told = translate("arithmetic", "The steps below are for its strongest pair of tokens, {query} → {key}.")
    yield Sentence(told.format(query=queries[answer.query], key=keys[answer.key]))


def _only_the_weight(backend: Backend) -> str:
    if backend == "given":
        return translate("arithmetic", "Only the weight is known: the weights came without queries and keys.")
    return translate(
        "arithmetic",
        "Only the weight is known: this model computes attention in its own way and exposes no queries and keys.",
    )


def _vectors(answer: Arithmetic, working: Working, on_paper: bool) -> Iterator[Step]:
    yield Heading(translate("arithmetic", "Query and key"))
    if len(working.shared_by) > 1:
        told = translate("arithmetic", "Query heads {first} to {last} share key and value head {key_head}.")
        yield Sentence(told.format(first=working.shared_by[0], last=working.shared_by[-1], key_head=working.key_head))
    if isinstance(working.rotated, tuple):
        yield from _rotation(answer, *working.rotated)
    elif working.rotated == "unseen":
        yield Sentence(
            translate("arithmetic", "If this layer has rotary positions, they are already applied to these vectors.")
        )
    products = working.products
    yield Bars("q", "q", working.q, "head")
    yield Bars("k", "k", working.k, "head")
    yield Bars("q_i k_i", "q × k", products, "head")
    n = len(products)
    hint = translate("arithmetic", "Each bar is one of %n dimension(s): point at one, or use ← and →.", "", n)
    if on_paper:
        hint = translate("arithmetic", "Each bar is one of %n dimension(s).", "", n)
    partners = tuple(working.rotated[0].partners.tolist()) if isinstance(working.rotated, tuple) else ()
    yield Readout("head", hint, _falling(products), partners)


def _rotation(answer: Arithmetic, of_query: Turned, of_key: Turned) -> Iterator[Step]:
    yield Bars("q^\\prime", translate("arithmetic", "q before"), of_query.before, "head")
    yield Bars("k^\\prime", translate("arithmetic", "k before"), of_key.before, "head")
    n_rotated = int((of_query.partners != np.arange(len(of_query.partners))).sum())
    told = translate(
        "arithmetic",
        "Rotary positions rotate {pairs} pairs of dimensions by the token's position (q at {query}, k at "
        "{key}), each pair at its own frequency.",
    )
    yield Sentence(told.format(pairs=n_rotated // 2, query=answer.query, key=answer.key))
    yield Bars("\\theta_q", translate("arithmetic", "rotates q by"), np.degrees(of_query.angles), "head", "°")
    yield Bars("\\theta_k", translate("arithmetic", "rotates k by"), np.degrees(of_key.angles), "head", "°")
    told = translate(
        "arithmetic", "q′ and k′ were found by rotating q and k back. Rotated forward again, they differ by {difference}."
    )
    yield Sentence(told.format(difference=number_text(max(of_query.difference, of_key.difference), 2)))


def _score(softmax: Softmax, answer: Arithmetic) -> Iterator[Step]:
    yield Heading(translate("arithmetic", "The score"))
    yield Equation(r"q \cdot k = \sum_i q_i k_i", number_text(softmax.dot))
    if softmax.root is not None:
        yield Equation(rf"s = \frac{{q \cdot k}}{{\sqrt{{{softmax.root}}}}}", number_text(softmax.scaled))
    elif softmax.scale == 1:
        yield Sentence(translate("arithmetic", "This model does not scale q·k, or has already scaled q."))
    else:
        factor = rf"s = q \cdot k \times \text{{{number_text(softmax.scale)}}}"
        yield Equation(factor, number_text(softmax.scaled), translate("arithmetic", "The model's own scale."))
    if softmax.cap is not None and softmax.capped is not None:
        formula = rf"c \tanh\frac{{s}}{{c}}, \quad c = \text{{{number_text(softmax.cap)}}}"
        yield Equation(formula, number_text(softmax.capped), translate("arithmetic", "Soft cap: no score exceeds ±c."))
    if softmax.bias is not None:
        before = softmax.scaled if softmax.capped is None else softmax.capped
        told = translate("arithmetic", "The bias for this distance is {bias}.").format(bias=number_text(softmax.bias))
        yield Equation(r"s + b", number_text(before + softmax.bias), told)
    yield Equation(r"+ \text{mask}", number_text(0.0 if softmax.hidden is None else -math.inf), _visible(softmax))


def _visible(softmax: Softmax) -> str:
    """Whether the query sees the key."""
    if softmax.hidden == "later":
        return translate("arithmetic", "Masked: the key comes after the query, and attention here is causal.")
    if softmax.hidden == "window":
        return translate(
            "arithmetic", "Masked: this layer attends to the last {window} tokens, and the key precedes them."
        ).format(window=softmax.window)
    if softmax.hidden == "mask" and softmax.sees is not None:
        told = translate("arithmetic", "Masked: this query may attend to keys {first} to {last}.")
        return told.format(first=softmax.sees[0], last=softmax.sees[-1])
    if softmax.hidden == "mask":
        return translate("arithmetic", "Masked.")
    if softmax.window is not None:
        return translate("arithmetic", "Visible: this layer attends to the last {window} tokens.").format(window=softmax.window)
    n = softmax.n_seen
    return translate("arithmetic", "Visible: this query may attend to %n key(s).", "", n)


def _row(working: Working, labels: tuple[str, ...], key: int) -> Iterator[Step]:
    """The keys with the largest scores, and the cell's own, in the order of the text; the others in a sentence."""
    scores, exponentials, weights = working.scores, working.exponentials, working.weights
    visible = np.flatnonzero(np.isfinite(scores))
    largest = visible[np.argsort(-scores[visible], kind="stable")][:_MOST_KEYS].tolist()
    if key not in largest and np.isfinite(scores[key]):
        largest[-1] = key
    listed = sorted(largest)
    yield Row(
        tuple(RowKey(labels[at], at, float(scores[at]), float(exponentials[at]), float(weights[at])) for at in listed), key
    )
    n = len(visible) - len(listed)
    if n:
        rest = float(weights[visible].sum() - weights[listed].sum())
        told = translate("arithmetic", "The other %n key(s) have smaller scores; together their weights are {sum}.", "", n)
        yield Sentence(told.format(sum=number_text(max(rest, 0.0))))


def _softmax(working: Working, keys: tuple[str, ...], key: int) -> Iterator[Step]:
    softmax = working.softmax
    yield Heading(translate("arithmetic", "The softmax"))
    if not softmax.n_seen:
        yield Sentence(translate("arithmetic", "This query may attend to no key, so it has no weights."))
        return
    if softmax.largest_at is None:
        told = translate("arithmetic", "m = {largest}, the row's largest score, is the sink's.")
    else:
        told = translate("arithmetic", "m = {largest}, the row's largest score, is that of “{token}” at position {place}.")
    place = softmax.largest_at
    token = "" if place is None else keys[place]
    yield Equation(
        r"e^{s - m}",
        number_text(softmax.exponential),
        told.format(largest=number_text(softmax.largest), token=token, place=place),
    )
    n = softmax.n_seen
    told = translate("arithmetic", "Summed over the %n key(s) that the query may attend to.", "", n)
    if softmax.sink is not None:
        told += " " + translate("arithmetic", "The sum includes a learned sink with the score {sink}.").format(
            sink=number_text(softmax.sink)
        )
    yield Equation(r"Z = \sum_j e^{s_j - m}", number_text(softmax.row_sum), told)
    yield from _row(working, keys, key)
    yield Equation(r"\alpha = \frac{e^{s - m}}{Z}", number_text(softmax.weight, 6), _compared(working), strong=True)


def _compared(working: Working) -> str:
    if working.difference == 0:
        return translate("arithmetic", "Exactly the model's own weight.")
    difference = number_text(working.difference, 2)
    if working.is_rounding:
        return translate("arithmetic", "Recomputed; differs from the model's own by {difference}: rounding.").format(
            difference=difference
        )
    return translate(
        "arithmetic", "Differs from the model's own by {difference}: this layer does more to its scores than is shown here."
    ).format(difference=difference)


def _carried(carried: Carried | None, on_paper: bool) -> Iterator[Step]:
    yield Heading(translate("arithmetic", "The contribution"))
    if carried is None:
        told = translate(
            "arithmetic", "Values were not kept: the text was generated or is long. Run a shorter text to see them."
        )
        yield Sentence(translate("arithmetic", "Values were not kept.") if on_paper else told)
        return
    yield Bars("v", "v", carried.value, "value")
    hint = translate("arithmetic", "The key's value vector, which α multiplies.")
    yield Readout("value", hint, _falling(carried.value))
    if carried.norm is None:
        yield Sentence(
            translate(
                "arithmetic", "The output projection W_O is not applied to this head directly, or is no longer available."
            )
        )
        return
    told = translate("arithmetic", "The norm of what the key adds to the residual stream at the query. Its largest dimensions:")
    if not carried.strongest:
        told = translate("arithmetic", "A weight of 0 contributes nothing.")
    yield Equation(r"\norm \alpha v W_O \norm", number_text(carried.norm), told)
    if carried.strongest:
        yield Largest(carried.strongest)


def _falling(numbers: Numbers) -> tuple[int, ...]:
    """Dimensions from the largest number to the smallest, signs apart."""
    return tuple(np.argsort(-np.abs(numbers), kind="stable").tolist())

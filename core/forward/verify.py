"""Verification of captured attention against the model's own eager attention: the largest difference of each head.

The two passes share nothing but the weights of the model: other kernels, in every layer, from the first token on. What they
may differ by is what rounding alone does; `numerics.softmax_tolerance` says how that is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from headscope.core.memory import check_room
from headscope.core.numerics import computed_in, softmax_tolerance, spread_of, sums_of_layers
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded


@dataclass(frozen=True, slots=True)
class KindDifference:
    """The largest difference between the attention weights of one kind, where it is, and what is allowed."""

    kind: Kind
    difference: float
    layer: int
    head: int
    query: int
    key: int
    tolerance: float

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance  # not so for NaN

    def __str__(self) -> str:
        place = f"layer {self.layer}, head {self.head}, query {self.query}, key {self.key}"
        return f"{self.kind} attention: largest difference {self.difference:.1e} at {place} (tolerance {self.tolerance:.1e})"


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What `verify` found.

    Attributes
    ----------
    passed : bool
        Whether every difference is within its tolerance.
    largest_difference : float
        Of all attention weights.
    kinds : tuple of KindDifference
        One for each kind of attention.
    probability_difference, probability_tolerance : float or None
        Of what the model predicts at any position; None for a model without a head.
    dtype : str
        The number format of both passes: "float32".
    """

    passed: bool
    largest_difference: float
    kinds: tuple[KindDifference, ...]
    probability_difference: float | None
    probability_tolerance: float | None
    dtype: str

    def __str__(self) -> str:
        lines = [str(difference) for difference in self.kinds]
        if self.probability_difference is not None:
            limit = f"(tolerance {self.probability_tolerance:.1e})"
            lines.append(f"predicted probabilities: largest difference {self.probability_difference:.1e} {limit}")
        lines.append(f"{self.dtype}: {'within the tolerance' if self.passed else 'NOT within the tolerance'}")
        return "\n".join(lines)


def verify(model: BaseModel, text: str, text_pair: str | None = None, target: str | None = None) -> VerifyReport:
    """Compare what is captured of a pass with the model's own eager attention, and the two predictions.

    Parameters
    ----------
    model : BaseModel
    text, text_pair, target : str
        As `BaseModel.capture` takes them.

    Raises
    ------
    HeadscopeError
        ``empty_text``, ``out_of_memory``; ``not_enough_memory`` if the matrices of all heads, which eager attention makes
        at once, do not fit.
    """
    source, encoded_target = model.encode(text, text_pair, target)
    _check_room(model, source, encoded_target)
    record, output = model.observe(source, encoded_target)
    inputs = model.inputs(source, encoded_target)
    rounds = computed_in(model.module), sums_of_layers(model.module, model.info.n_layers)
    probabilities = _probability_difference(output.logits, _logits(model.eager_pass(inputs)), *rounds)
    own = model.eager_attentions(inputs)
    kinds = tuple(_difference(record, kind, own[kind], *rounds) for kind in record.kinds)
    return VerifyReport(
        passed=all(kind.passed for kind in kinds) and (probabilities is None or probabilities[0] <= probabilities[1]),
        largest_difference=float(np.max([kind.difference for kind in kinds])),
        kinds=kinds,
        probability_difference=None if probabilities is None else probabilities[0],
        probability_tolerance=None if probabilities is None else probabilities[1],
        dtype=model.info.dtype,
    )


def _difference(
    record: AttentionRecord, kind: Kind, matrices: Sequence[Tensor], dtype: torch.dtype, length: int
) -> KindDifference:
    """Layer by layer: ours of one layer are all that is there beside eager's (1, n_heads, n_queries, n_keys) each."""
    assert record.n_layers(kind) == len(matrices)
    spread, found = 0.0, []
    for layer, expected in enumerate(matrices):
        own = expected[0].float().cpu()  # (n_heads, n_queries, n_keys)
        spread = max(spread, spread_of(own))
        differences = np.abs(record.layer_weights(layer, kind) - own.numpy())
        head, query, key = map(int, np.unravel_index(differences.argmax(), differences.shape))
        found.append((float(differences[head, query, key]), layer, head, query, key))
    largest = found[int(np.argmax([difference for difference, *_ in found]))]  # numpy takes NaN for the largest
    return KindDifference(kind, *largest, tolerance=softmax_tolerance(spread, dtype, length))


def _probability_difference(
    ours: Tensor | None, own: Tensor | None, dtype: torch.dtype, length: int
) -> tuple[float, float] | None:
    """(largest difference of the softmax, tolerance), or None if nothing is predicted."""
    if ours is None or own is None:
        return None
    spread = float((own.amax(dim=-1) - own.amin(dim=-1)).max())
    difference = (ours.float().softmax(dim=-1) - own.float().softmax(dim=-1)).abs().max()
    return float(difference), softmax_tolerance(spread, dtype, length)


def _logits(output: Any) -> Tensor | None:
    """As `BaseModel.forward` leaves them: a pre-training model has two heads."""
    logits = getattr(output, "logits", None)
    found: Tensor | None = getattr(output, "prediction_logits", None) if logits is None else logits
    return found


def _check_room(model: BaseModel, source: Encoded, target: Encoded | None) -> None:
    """Eager attention's matrices, all at once, and three times those of a layer: scores, their softmax, what is cast."""
    size = 4 if model.info.dtype == "float32" else 2
    needed = 0
    for kind, (queries, keys) in model.axes(source.axis, target.axis if target else None).items():
        n_layers, n_heads = model.info.layers[kind]
        needed += (n_layers * size + 3 * 4) * n_heads * len(queries) * len(keys)
    check_room("not_enough_memory", needed, model.place)

"""Results of an attribution, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from headscope.core.target import Target
from headscope.core.vocabulary import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What a prediction owes to each token.

    Attributes
    ----------
    predicted : Target
        What is predicted where, with nothing left open.
    ids, target_ids : tuple of int
        The tokens as the model read them; no target where there is none.
    source, target : float32, (len(ids),) and (len(target_ids),)
        Logits, 0 and more.
    """

    predicted: Target
    ids: tuple[int, ...]
    source: FloatArray
    target_ids: tuple[int, ...]
    target: FloatArray

"""Where the weight of a cell comes from, as plain numbers; `arithmetic` computes them. Nothing here imports torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Numbers = npt.NDArray[np.float64]
Hidden = Literal["later", "window", "mask"]
"""Why a query does not see a key: it comes later in the text; it lies before the window (both in decoders); a mask hides it."""


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """What rotary positions did to a vector.

    Attributes
    ----------
    before : float64, (d_head,)
    angles : float64, (d_head,)
        By which each dimension was turned together with its partner, radians from -π to π; 0 where it was not turned.
    partners : int, (d_head,)
        The other dimension of each pair; its own number where a dimension was not turned.
    difference : float
        The largest of any dimension between the vector and `before`, turned again.
    """

    before: Numbers
    angles: Numbers
    partners: npt.NDArray[np.int64]
    difference: float


@dataclass(frozen=True, slots=True, eq=False)
class Softmax:
    """From q·k to the weight, all in float64.

    Attributes
    ----------
    dot, scale, scaled : float
        q·k, what it is multiplied with, and the product.
    root : int or None
        d, where the scale is 1/√d of the vectors' width.
    cap, capped : float or None
        Gemma 2's soft cap: capped = cap · tanh(scaled / cap).
    bias : float or None
        Added for the distance of the two (T5's relative positions, ALiBi); None where the layer adds nothing to any key.
    hidden : Hidden or None
        Why the key is not seen; None if it is.
    window : int or None
        How many keys a decoder's query sees, its own the last, where that hides earlier ones.
    sees : range or None
        The keys that the query sees, if they stand side by side.
    score : float
        What goes into the softmax; -inf if the key is hidden.
    largest : float
        Of the row's scores.
    largest_at : int or None
        Its key; None if it is the sink.
    n_seen : int
        Keys that the query sees.
    sink : float or None
        The score of the learned sink that takes part of every row (gpt-oss).
    exponential, row_sum, weight : float
        exp(score - largest), the sum of those of all keys seen and the sink, and their quotient.
    """

    dot: float
    scale: float
    root: int | None
    scaled: float
    cap: float | None
    capped: float | None
    bias: float | None
    hidden: Hidden | None
    window: int | None
    sees: range | None
    score: float
    largest: float
    largest_at: int | None
    n_seen: int
    sink: float | None
    exponential: float
    row_sum: float
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What the weight carries.

    Attributes
    ----------
    value : float64, (d_value,)
        The key's value vector; what is carried is weight · value.
    norm : float or None
        ‖weight · value · W_O‖, in the residual stream's own unit; None where no linear layer reads the head directly, or its
        weights are not at hand.
    strongest : tuple of (dimension, number)
        The largest dimensions of that vector, none of them 0.
    """

    value: Numbers
    norm: float | None = None
    strongest: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Working:
    """All the numbers of a cell of tokens.

    Attributes
    ----------
    q, k : float64, (d_head,)
        As they meet: behind all norms and rotary positions.
    rotated : (Turned, Turned), "unseen" or None
        What rotary positions did to q and to k; "unseen" where they may be in the vectors and were not watched.
    softmax : Softmax
    scores : float64, (n_keys,)
        What goes into the softmax of the whole row; -inf where a key is hidden.
    difference : float
        Between the weight here and the one on the map, before any edit.
    is_rounding : bool
        Whether rounding explains it.
    carried : Carried or None
        None where values were not kept.
    key_head : int
        The head of the keys and values that the query's head reads.
    shared_by : range
        The query heads that read it.
    dtype : str
        What q and k were kept in.
    """

    q: Numbers
    k: Numbers
    rotated: tuple[Turned, Turned] | Literal["unseen"] | None
    softmax: Softmax
    scores: Numbers
    difference: float
    is_rounding: bool
    carried: Carried | None
    key_head: int
    shared_by: range
    dtype: str

    @property
    def products(self) -> Numbers:
        """q·k, dimension by dimension."""
        return self.q * self.k

    @property
    def exponentials(self) -> Numbers:
        """exp(score - largest) of the whole row, (n_keys,); 0 where a key is hidden."""
        if not np.isfinite(self.softmax.largest):
            return np.zeros_like(self.scores)
        return np.exp(self.scores - self.softmax.largest)

    @property
    def weights(self) -> Numbers:
        """Of the whole row, (n_keys,)."""
        return self.exponentials / (self.softmax.row_sum or 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One cell of a head's map; of a record in words it may be one of those."""

    record: AttentionRecord
    kind: Kind
    layer: int
    head: int
    query: int
    key: int


@dataclass(frozen=True, slots=True, eq=False)
class Arithmetic:
    """Where the weight of a cell comes from.

    Attributes
    ----------
    cell : Cell
    weight : float
        Of the cell that was asked for, as the map has it.
    query, key : int
        The model's own tokens whose numbers these are: of a cell of words, the strongest pair of its tokens.
    token_weight : float
        Of these two, as the map of tokens has it; `weight` itself where the cell is one of tokens.
    n_queries, n_keys : int
        How many tokens the cell stands for on both sides.
    renormalised : bool
        Whether rows were divided by what special tokens leave of them.
    edited : bool
        Whether the run changed weights of this layer after they were computed; `weight` is the changed one.
    working : Working or None
        None where weights alone are known.
    """

    cell: Cell
    weight: float
    query: int
    key: int
    token_weight: float
    n_queries: int = 1
    n_keys: int = 1
    renormalised: bool = False
    edited: bool = False
    working: Working | None = None

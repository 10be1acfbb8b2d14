"""Intervention: what is changed inside a pass, said as plain data. `core.attention.intervene` carries it out.

Every edit names a place: layers, heads, a kind of attention, queries and a text of the batch; what is left out means all of
them. Edits of weights come first, in the order they are given, whatever their place in the list; then those of outputs.
So the weights of a head can be set and its output scaled in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from headscope.core.arguments import check_fields, refuse, whole_number
from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.sentences import sentence
from headscope.core.vocabulary import FloatArray, Kind


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Edit:
    """Where an edit acts. None stands for all.

    Attributes
    ----------
    layer, head : int or None
        From 0.
    kind : Kind or None
    queries : tuple of int or None
        Positions of the text, also during generation, where a step's own query is the number of tokens before it.
    batch : int or None
        Which text of a batch.
    """

    layer: int | None = None
    head: int | None = None
    kind: Kind | None = None
    queries: tuple[int, ...] | None = None
    batch: int | None = None
    on_weights: ClassVar[bool] = True
    """Whether it changes attention weights; if not, it changes the head's output."""

    def __post_init__(self) -> None:
        check_fields(self, Edit)

    def acts_on(self, kind: Kind, layer: int) -> bool:
        return self.kind in (None, kind) and self.layer in (None, layer)

    def moved(self, first_query: int, first_key: int) -> Self:
        """With positions counted from these, where a call's own queries and keys begin."""
        del first_key
        return self if self.queries is None else replace(self, queries=tuple(query - first_query for query in self.queries))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scale(Edit):
    """Multiply a head's output α·v. 0 takes the head out ("ablation"; Michel et al., Are Sixteen Heads Really Better than One?, 2019)."""

    factor: float = 0.0
    on_weights: ClassVar[bool] = False

    def __post_init__(self) -> None:
        Edit.__post_init__(self)
        _numbers("factor", self.factor, (0,))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Replace(Edit):
    """Put something else in the place of a head's output.

    Its mean over a reference text is mean ablation (Wang et al., Interpretability in the Wild, 2023); its output in another run
    is activation patching (Vig et al., Causal Mediation Analysis, 2020; Meng et al., ROME, 2022).

    Attributes
    ----------
    output : float32, (d_head,), (n_heads, d_head), (n_queries, d_head) if `head` is given, or (n_heads, n_queries, d_head)
        With queries: of the text's positions from 0; later positions are left as they are.
    """

    output: FloatArray
    on_weights: ClassVar[bool] = False

    def __post_init__(self) -> None:
        Edit.__post_init__(self)
        numbers = _numbers("output", self.output, (1, 2) if self.head is not None else (1, 2, 3))
        object.__setattr__(self, "output", numbers)

    @property
    def per_query(self) -> bool:
        """Whether each query has an output of its own."""
        return self.output.ndim == (3 if self.head is None else 2)

    def moved(self, first_query: int, first_key: int) -> Self:
        moved = Edit.moved(self, first_query, first_key)
        return replace(moved, output=self.output[..., first_query:, :]) if self.per_query else moved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cut(Edit):
    """Hide keys from queries before the softmax: the others share the weight ("attention knockout", Geva et al. 2023).

    One edge is ``Cut(..., queries=(q,), keys=(k,))``; a forbidden key is a `Cut` without queries. A query that has no key left to attend to gets
    weight 0 everywhere (of a model with attention sinks: the sink takes it).
    """

    keys: tuple[int, ...]

    def __post_init__(self) -> None:
        Edit.__post_init__(self)
        check_fields(self, Cut)

    def moved(self, first_query: int, first_key: int) -> Self:
        moved = Edit.moved(self, first_query, first_key)
        return replace(moved, keys=tuple(key - first_key for key in moved.keys))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Uniform(Edit):
    """Attend to every visible key with the same weight; keys that are cut get 0."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Paste(Edit):
    """Use these weights.

    Attributes
    ----------
    pattern : float32, (n_queries, n_keys)
        Of the text's positions from 0; later queries are left as they are, later keys get 0. Rows need not sum to 1.
    """

    pattern: FloatArray

    def __post_init__(self) -> None:
        Edit.__post_init__(self)
        object.__setattr__(self, "pattern", _numbers("pattern", self.pattern, (2,)))

    def moved(self, first_query: int, first_key: int) -> Self:
        return replace(Edit.moved(self, first_query, first_key), pattern=self.pattern[first_query:, first_key:])


@dataclass(frozen=True, slots=True, eq=False)
class Intervention:
    """Edits that are made together."""

    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        check_fields(self)

    def at(self, kind: Kind, layer: int) -> tuple[Edit, ...]:
        """The edits that act on this layer."""
        return tuple(edit for edit in self.edits if edit.acts_on(kind, layer))

    def frozen(self) -> Intervention:
        """The same with copies of the patterns: a record computes its weights with them whenever somebody looks."""
        copied = (
            replace(edit, pattern=edit.pattern.copy()) if isinstance(edit, Paste) and edit.pattern.size else edit
            for edit in self
        )
        return Intervention(tuple(copied))

    def __iter__(self) -> Iterator[Edit]:
        return iter(self.edits)

    def __bool__(self) -> bool:
        return bool(self.edits)


Edits = Intervention | Edit | Sequence[Edit]
"""What is taken for an intervention."""


def as_intervention(given: Edits) -> Intervention:
    """One edit, or some, as an `Intervention`. Raises ``bad_option`` for anything else."""
    if isinstance(given, Intervention):
        return given
    expected = "an edit such as Scale(layer=0, head=1), or an Intervention"
    try:
        edits = (given,) if isinstance(given, Edit) else tuple(given)
    except TypeError:  # a number, or a tensor without dimensions
        refuse("intervention", given, expected)
    for edit in edits:
        if not isinstance(edit, Edit):
            refuse("intervention", edit, expected)
    return Intervention(edits)


def ablate(layer: int, head: int, kind: Kind | None = None) -> Intervention:
    """An intervention that sets one head's output to 0."""
    return Intervention((Scale(layer=layer, head=head, kind=kind),))


def check(
    intervention: Intervention,
    layers: dict[Kind, tuple[int, int]],
    n_tokens: dict[Kind, tuple[int, int]] | None = None,
    n_texts: int = 1,
) -> None:
    """Raise if an edit's place does not exist.

    Parameters
    ----------
    layers : dict of kind to (n_layers, n_heads)
        As in `ModelInfo`.
    n_tokens : dict of kind to (n_queries, n_keys), optional
        Of the text; without it (in generation, where texts grow) positions are not checked.
    n_texts : int
        In the batch.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``no_such_text``.
    """
    for edit in intervention:
        if edit.batch is not None and not 0 <= whole_number("batch", edit.batch) < n_texts:
            raise HeadscopeError("no_such_text", text=edit.batch, last=n_texts - 1)
        if edit.kind is not None and (not isinstance(edit.kind, str) or edit.kind not in layers):
            raise HeadscopeError("unknown_kind", kind=edit.kind, known=", ".join(layers))
        for kind in layers if edit.kind is None else (edit.kind,):
            _check_head(edit, *layers[kind])
            if n_tokens is not None:
                n_queries, n_keys = n_tokens[kind]
                _check_positions(edit.queries or (), n_queries)
                _check_positions(edit.keys if isinstance(edit, Cut) else (), n_keys)


def _check_head(edit: Edit, n_layers: int, n_heads: int) -> None:
    layer, head = (whole_number(name, getattr(edit, name) or 0) for name in ("layer", "head"))
    if not (0 <= layer < n_layers and 0 <= head < n_heads):
        raise HeadscopeError("no_such_head", layer=layer, head=head, last_layer=n_layers - 1, last_head=n_heads - 1)


def _check_positions(positions: tuple[int, ...], n_tokens: int) -> None:
    for position in positions:
        if not 0 <= whole_number("position", position) < n_tokens:
            raise HeadscopeError("no_such_position", position=position, last=n_tokens - 1)


def _numbers(name: str, given: npt.ArrayLike, dimensions: tuple[int, ...]) -> FloatArray:
    """As float32, in torch's order of bytes and memory."""
    try:
        found = np.asarray(given)
    except (TypeError, ValueError) as error:  # of ragged lists, and of tensors that numpy cannot read
        raise HeadscopeError("edit_misfit", what=name, reason=reason_of(error)) from error
    if found.dtype.kind not in "buif":
        raise HeadscopeError("edit_misfit", what=name, reason=sentence("values_of_type", dtype=found.dtype))
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
        numbers: FloatArray = found.astype(np.float32, order="C", copy=False)
    if numbers.ndim not in dimensions or not np.isfinite(numbers).all():
        shape = " × ".join(map(str, numbers.shape)) or str(given)
        raise HeadscopeError("edit_misfit", what=name, reason=sentence("values_of_shape", shape=shape))
    return numbers

"""AttentionRecord: the attention of one run; weights are computed on demand."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, get_args

from torch import Tensor, nn

from headscope.core import arguments
from headscope.core.attention.head_map import HeadOverview, Pooling
from headscope.core.attention.kept.difference import differences
from headscope.core.attention.kept.edited import sets_weights
from headscope.core.attention.kept.in_units import UnitsLayer
from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.kept.lenses import LensLayer
from headscope.core.attention.lens import SCORES, WEIGHTS, Lens, difference_of
from headscope.core.attention.maps import overview as overviews
from headscope.core.attention.maps.pooling import blocks_of_heads, pooled
from headscope.core.attention.maps.rank_table import rank_table
from headscope.core.attention.maps.whole import whole
from headscope.core.attention.ranks import RankTable
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.sentences import sentence
from headscope.core.text.tokens import TOKENS, TokenAxis, Units
from headscope.core.text.units import axis_in_units
from headscope.core.vocabulary import Backend, FloatArray, Kind


class Axes(NamedTuple):
    """The tokens along the two sides of an attention map."""

    queries: TokenAxis
    keys: TokenAxis


class AttentionRecord:
    """The attention of one run of a model over one text, frozen.

    Nothing is computed before it is asked for; any thread may ask. Weights are exact: what the model's own attention
    computes from the same queries and keys, in float32. A record seen `through` another lens answers everything that is asked for
    weights with that lens's numbers, NaN where it has none.

    Parameters
    ----------
    layers : mapping of kind to the captured layers, first to last
    axes : mapping of kind to (queries, keys)
        Kinds that are in only one of `layers` and `axes` are left out.
    backend : Backend
    batch : int
        Which text of the batch the run had.
    model : str
        What the error calls the model.
    kept : Keep
        How much of the pass is in `layers`.
    of : (Lens, AttentionRecord), optional
        What `layers` show, and the record of weights that they are a view of.

    Attributes
    ----------
    backend : Backend
        How attention was captured.
    kinds : tuple of Kind
        In the order of `axes`.
    dtype, device : str
        The number format queries and keys are kept in, and where they lie: "bfloat16", "cuda:0"; of a model on several
        devices "cuda:0, cpu".
    kept : Keep
        With `half`, weights are right to about 3 digits; layers that are not among `layers` raise ``layer_not_kept``.
    lens : Lens
        What its numbers are: `WEIGHTS`, unless it is seen through another.
    inner : AttentionRecord or None
        The record of weights that this one is a view of.

    Raises
    ------
    HeadscopeError
        ``no_attention`` if no kind is left.
    """

    def __init__(
        self,
        layers: Mapping[Kind, Sequence[Layer]],
        axes: Mapping[Kind, tuple[TokenAxis, TokenAxis]],
        *,
        backend: Backend,
        batch: int = 0,
        model: nn.Module | None = None,
        kept: Keep = KEEP_ALL,
        of: tuple[Lens, AttentionRecord] | None = None,
    ) -> None:
        self.backend: Backend = backend
        self.lens: Lens = WEIGHTS if of is None else of[0]
        self.inner: AttentionRecord | None = None if of is None else of[1]
        self._views: weakref.WeakValueDictionary[str, AttentionRecord] = weakref.WeakValueDictionary()
        self._model = None if model is None else weakref.ref(model)
        self.kept = kept
        self.kinds: tuple[Kind, ...] = tuple(kind for kind in axes if layers.get(kind))
        if not self.kinds:
            name = "The model" if model is None else type(model).__name__
            raise HeadscopeError("no_attention", model=name, reason=sentence("nothing_captured"))
        self._axes = {kind: Axes(*axes[kind]) for kind in self.kinds}
        self._layers = {kind: tuple(layers[kind]) for kind in self.kinds}
        self._batch = batch
        firsts = [layer.tensors[0] for found in self._layers.values() for layer in found if layer.tensors]
        self.dtype = str(firsts[0].dtype).removeprefix("torch.")
        self.device = ", ".join(dict.fromkeys(str(first.device) for first in firsts))
        self._check_axes()

    def is_of(self, model: nn.Module) -> bool:
        """Whether this very module was run for it; False for arrays of somebody's."""
        return self._model is not None and self._model() is model

    def __getstate__(self) -> dict[str, object]:
        """A record in a file has no model beside it, and no views."""
        return vars(self) | {"_model": None, "_views": {}}

    def axis(self, kind: Kind) -> Axes:
        """The tokens of the query side (`.queries`) and of the key side (`.keys`)."""
        self._of_kind(kind)
        return self._axes[kind]

    def n_layers(self, kind: Kind) -> int:
        return len(self._of_kind(kind))

    def kept_layers(self, kind: Kind) -> tuple[int, ...]:
        """The layers that can be asked for."""
        every = range(self.n_layers(kind))
        return tuple(every) if self.kept.layers is None else tuple(layer for layer in every if layer in self.kept.layers)

    def n_heads(self, kind: Kind) -> int:
        """Heads of each layer."""
        return self._of_kind(kind)[0].shape[0]

    def captured(self, layer: int, head: int, kind: Kind) -> tuple[Layer, int]:
        """What is kept of the layer that a head is in, and which text of its batch is this record's. Raises as `attention_weights`."""
        return self._layer(kind, layer, head), self._batch

    def attention_weights(self, layer: int, head: int, kind: Kind | None = None, rows: slice | None = None) -> FloatArray:
        """The weights of one head.

        Parameters
        ----------
        layer, head : int
            From 0.
        kind : Kind, optional
            The record's first kind if not given.
        rows : slice, optional
            Only these queries (step 1): the rest is not computed.

        Returns
        -------
        float32, (n_queries, n_keys)
            0 to 1; each row sums to 1 (to less where a model has attention sinks, to 0 where a query may see nothing).

        Raises
        ------
        HeadscopeError
            ``unknown_kind``, ``no_such_head``, ``bad_option`` for rows that cannot be.
        """
        found = self._layer(self.kinds[0] if kind is None else kind, layer, head)
        weights: FloatArray = whole(found, arguments.part("rows", rows, found.shape[1]), batch=self._batch, head=head)[0]
        return weights

    def layer_weights(self, layer: int, kind: Kind, rows: slice | None = None) -> FloatArray:
        """The weights of all heads of a layer: float32 (n_heads, n_queries, n_keys). `rows` and errors as `attention_weights`."""
        found = self._layer(kind, layer, 0)
        return whole(found, arguments.part("rows", rows, found.shape[1]), batch=self._batch, head=None)

    def blocks_of_heads(self, layer: int, kind: Kind) -> Iterator[tuple[range, Iterator[Tensor]]]:
        """Rows, and their weights of all heads, some heads at a time: see `pooling.blocks_of_heads`. Memory stays bounded."""
        return blocks_of_heads(self._layer(kind, layer, 0), batch=self._batch)

    def cell(self, layer: int, head: int, query: int, key: int, kind: Kind | None = None) -> float:
        """One weight; only its row is computed. Raises as `attention_weights`, and ``no_such_position``."""
        _, n_queries, n_keys = self._layer(self.kinds[0] if kind is None else kind, layer, head).shape
        query, key = arguments.position(query, n_queries), arguments.position(key, n_keys)
        return float(self.attention_weights(layer, head, kind, slice(query, query + 1))[0, key])

    def pooled(
        self,
        layer: int,
        head: int,
        kind: Kind | None = None,
        *,
        height: int,
        width: int,
        rows: range | None = None,
        keys: range | None = None,
        how: Pooling = "max",
        by_row: bool = False,
        job: Job | None = None,
    ) -> FloatArray:
        """A picture of a part of a head's map, which is computed in blocks and never whole.

        Parameters
        ----------
        height, width : int
            Pixels, if there are as many rows and keys.
        rows, keys : range, optional
            The part (step 1); everything if not given.
        how : Pooling
            Each pixel is the exact maximum or mean of the cells from floor(i·n/p) to floor((i+1)·n/p).
        by_row : bool
            Of cells divided by the largest of their row.

        Returns
        -------
        float32, (min(height, len(rows)), min(width, len(keys)))

        Raises
        ------
        HeadscopeError
            As `attention_weights`; ``bad_option`` for a part or a size that cannot be.
        Cancelled
            Many times a second.
        """
        found, cancel = self._layer(self.kinds[0] if kind is None else kind, layer, head), (job or Job()).cancel
        size = {"height": arguments.count("height", height), "width": arguments.count("width", width)}
        rows, keys = (arguments.part(*each) for each in zip(("rows", "keys"), (rows, keys), found.shape[1:], strict=True))
        arguments.one_of("how", how, get_args(Pooling))
        picture: FloatArray = pooled(
            found, batch=self._batch, head=head, rows=rows, keys=keys, how=how, by_row=by_row, cancel=cancel, **size
        )[0]
        return picture

    def attention_scores(self, layer: int, head: int, kind: Kind | None = None, rows: slice | None = None) -> FloatArray:
        """What goes into a head's softmax: q·k · scale with position bias and soft cap, before weights are set (`sets_weights`).

        The same as ``through(SCORES).attention_weights(...)``.

        Returns
        -------
        float32, (n_queries, n_keys)
            NaN where a query may not see a key, of its model or since it was cut.

        Raises
        ------
        HeadscopeError
            As `attention_weights`; ``no_scores`` where only weights are known, and of words.
        """
        return self.through(SCORES).attention_weights(layer, head, kind, rows)

    def sets_weights(self, layer: int, head: int, kind: Kind) -> bool:
        """Whether the run set weights of a head after its softmax, so that its scores do not tell them."""
        return sets_weights(self._layer(kind, layer, head), batch=self._batch, head=head)

    def is_before_edits(self, layer: int, head: int, kind: Kind) -> bool:
        """Whether what the lens shows is from before weights of the head that the run set."""
        return self.lens.before_softmax and self.sets_weights(layer, head, kind)

    def rank_table(self, layer: int, head: int, kind: Kind, job: Job | None = None) -> RankTable:
        """Ranks among all numbers of a head, which are counted in blocks. Raises as `attention_weights`, or as the lens does."""
        found, cancel = self._layer(kind, layer, head), (job or Job()).cancel
        return rank_table(found, batch=self._batch, head=head, cancel=cancel)

    def is_large(self, kind: Kind) -> bool:
        """Whether the map of a head has more cells than the screen takes as a whole: ask for `overview` and `pooled`."""
        axes = self.axis(kind)
        return len(axes.queries) * len(axes.keys) > overviews.LARGE_CELLS

    def overview(self, layer: int, head: int, kind: Kind, size: int = 1024, job: Job | None = None) -> Iterator[HeadOverview]:
        """What the screen shows of a large head: where it can be had, one of some rows first; the last is exact.

        `size` limits the pixels along a side of its picture. Raises as `pooled`.
        """
        found, cancel = self._layer(kind, layer, head), (job or Job()).cancel
        first = overviews.first_overview(found, batch=self._batch, head=head, size=size, cancel=cancel)
        if first is not None:
            yield first
        yield overviews.overview(found, batch=self._batch, head=head, size=size, cancel=cancel)

    def thumbnails(
        self,
        kind: Kind,
        size: int = 32,
        job: Job | None = None,
        *,
        layers: Sequence[int] | None = None,
        how: Pooling = "max",
    ) -> Iterator[tuple[int, FloatArray]]:
        """Small pictures of all heads, layer by layer; memory stays bounded for any length.

        Parameters
        ----------
        kind : Kind
        size : int
            Pixels along the longer side a picture may have.
        job : Job, optional
            Looked at for cancellation many times a layer.
        layers : sequence of int, optional
            Which, in this order, if they were kept; all if not given.
        how : Pooling
            As `pooled`. A maximum keeps a thin diagonal visible.

        Yields
        ------
        layer : int
        pictures : float32, (n_heads, min(size, n_queries), min(size, n_keys))
        """
        found, cancel = self._of_kind(kind), (job or Job()).cancel
        kept, size, _ = self.kept_layers(kind), arguments.count("size", size), arguments.one_of("how", how, get_args(Pooling))
        for index in kept if layers is None else [layer for layer in layers if layer in kept]:
            yield index, pooled(found[index], batch=self._batch, head=None, height=size, width=size, how=how, cancel=cancel)

    @property
    def of_weights(self) -> AttentionRecord:
        """This record, or the record of weights that it is a view of."""
        return self if self.inner is None else self.inner

    def through(self, lens: Lens) -> AttentionRecord:
        """This record as a lens shows it: the same object as long as somebody has it. Nothing is computed yet.

        What is asked of it raises ``no_scores`` where the lens has no numbers.
        """
        if not isinstance(lens, Lens):
            arguments.refuse("lens", lens, "a Lens, such as SCORES")
        base = self.of_weights
        if lens == WEIGHTS:
            return base
        found = base._views.get(lens.id)
        if found is None:
            layers = {kind: tuple(LensLayer(layer, lens) for layer in layers) for kind, layers in base._layers.items()}
            found = base._views[lens.id] = base._viewed(layers, base._axes, (lens, base))
        return found

    def minus(self, reference: AttentionRecord) -> AttentionRecord:
        """What this record shows minus what `reference` does, position by position: `DIFFERENCE`. Nothing is computed yet.

        Raises ``no_difference`` unless both have as many tokens, in the same units, seen through the same lens.
        """
        if not isinstance(reference, AttentionRecord):
            arguments.refuse("reference", reference, "an AttentionRecord")
        if self.kept.layers != reference.kept.layers:
            raise HeadscopeError("no_difference")
        layers = differences(self._layers, reference._layers, batch_of_reference=reference._batch)
        return self._viewed(layers, self._axes, (difference_of(self.lens), self.of_weights))

    def in_units(self, units: Units) -> AttentionRecord:
        """This record in words, sentences or segments, without its special tokens: see `Units`. Nothing is computed yet.

        ``in_units(...).axis(kind).queries.pieces`` tells which tokens each row stands for.
        """
        if units == TOKENS:
            return self
        if self.inner is not None:
            return self.inner.in_units(units).through(self.lens)
        read: dict[int, TokenAxis] = {}  # an axis that is both queries and keys stays one
        axes: dict[Kind, tuple[TokenAxis, TokenAxis]] = {}
        layers: dict[Kind, tuple[Layer, ...]] = {}
        for kind, both in self._axes.items():
            queries, keys = (read.setdefault(id(axis), axis_in_units(axis, units)) for axis in (both.queries, both.keys))
            rows, columns = queries.pieces or (), keys.pieces or ()
            axes[kind] = queries, keys
            layers[kind] = tuple(UnitsLayer(layer, rows, columns, units.renormalises) for layer in self._layers[kind])
        return self._viewed(layers, axes)

    def _viewed(
        self,
        layers: Mapping[Kind, Sequence[Layer]],
        axes: Mapping[Kind, tuple[TokenAxis, TokenAxis]],
        of: tuple[Lens, AttentionRecord] | None = None,
    ) -> AttentionRecord:
        """Views of the same run's layers."""
        model = None if self._model is None else self._model()
        return AttentionRecord(layers, axes, backend=self.backend, batch=self._batch, model=model, kept=self.kept, of=of)

    @property
    def nbytes(self) -> int:
        """Memory this record keeps alive; tensors that share storage are counted once."""
        storages = {
            storage.data_ptr(): storage.nbytes()
            for layers in self._layers.values()
            for layer in layers
            for storage in (tensor.untyped_storage() for tensor in layer.tensors)
        }
        return sum(storages.values())

    def _of_kind(self, kind: Kind) -> tuple[Layer, ...]:
        if not isinstance(kind, str) or kind not in self._layers:
            raise HeadscopeError("unknown_kind", kind=kind, known=", ".join(self.kinds))
        return self._layers[kind]

    def _layer(self, kind: Kind, layer: int, head: int) -> Layer:
        layers = self._of_kind(kind)
        layer, head = arguments.whole_number("layer", layer), arguments.whole_number("head", head)
        last_head = layers[min(max(layer, 0), len(layers) - 1)].shape[0] - 1
        if not (0 <= layer < len(layers) and 0 <= head <= last_head):
            raise HeadscopeError("no_such_head", layer=layer, head=head, last_layer=len(layers) - 1, last_head=last_head)
        return layers[layer]

    def _check_axes(self) -> None:
        for kind, axes in self._axes.items():
            for index, layer in enumerate(self._layers[kind]):
                if layer.shape[1:] != (len(axes.queries), len(axes.keys)):
                    tokens = len(axes.queries), len(axes.keys)
                    raise ValueError(f"{kind} layer {index} caught {layer.shape[1:]} queries and keys for {tokens} tokens")

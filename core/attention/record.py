"""AttentionRecord: what one run left behind, and any of its attention weights on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from headscope.core.attention.layers import Layer
from headscope.core.attention.thumbnails import thumbnail
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import FloatArray, Job, Kind, Tier
from headscope.core.tokens import TokenAxis


class Axes(NamedTuple):
    """The tokens along the two sides of an attention map."""

    queries: TokenAxis
    keys: TokenAxis


class AttentionRecord:
    """The attention of one run of a model over one text, frozen.

    Nothing is computed before it is asked for; any thread may ask. Weights are exact: what the model's own attention
    computes from the same queries and keys, in float32.

    Parameters
    ----------
    layers : mapping of kind to the layers caught, first to last
    axes : mapping of kind to (queries, keys)
        Kinds that are in only one of `layers` and `axes` are left out.
    tier : Tier
    batch : int
        Which text of the batch the run had.
    model : str
        What the error calls the model.

    Attributes
    ----------
    tier : Tier
        How attention was caught.
    kinds : tuple of Kind
        In the order of `axes`.
    dtype, device : str
        The number format the model computed queries and keys in, and where they lie: "bfloat16", "cuda:0".

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
        tier: Tier,
        batch: int = 0,
        model: str = "The model",
    ) -> None:
        self.tier: Tier = tier
        self.kinds: tuple[Kind, ...] = tuple(kind for kind in axes if layers.get(kind))
        if not self.kinds:
            raise HeadscopeError("no_attention", model=model)
        self._axes = {kind: Axes(*axes[kind]) for kind in self.kinds}
        self._layers = {kind: tuple(layers[kind]) for kind in self.kinds}
        self._batch = batch
        first = self._layers[self.kinds[0]][0].tensors[0]
        self.dtype = str(first.dtype).removeprefix("torch.")
        self.device = str(first.device)
        self._check_axes()

    def axis(self, kind: Kind) -> Axes:
        """The tokens of the query side (`.queries`) and of the key side (`.keys`)."""
        self._of_kind(kind)
        return self._axes[kind]

    def n_layers(self, kind: Kind) -> int:
        return len(self._of_kind(kind))

    def n_heads(self, kind: Kind) -> int:
        """Heads of each layer."""
        return self._of_kind(kind)[0].shape[0]

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
            ``unknown_kind`` or ``no_such_head``.
        """
        found = self._layer(self.kinds[0] if kind is None else kind, layer, head)
        n_queries = found.shape[1]
        asked = range(n_queries) if rows is None else range(n_queries)[rows.start : rows.stop]
        weights: FloatArray = self._computed(found, asked, head)[0]
        return weights

    def layer_weights(self, layer: int, kind: Kind) -> FloatArray:
        """The weights of all heads of a layer: float32 (n_heads, n_queries, n_keys). Raises as `attention_weights`."""
        found = self._layer(kind, layer, 0)
        return self._computed(found, range(found.shape[1]), None)

    def thumbnails(
        self, kind: Kind, size: int = 32, job: Job | None = None, first_layer: int = 0
    ) -> Iterator[tuple[int, FloatArray]]:
        """Small pictures of all heads, layer by layer; memory stays bounded for any length.

        Parameters
        ----------
        kind : Kind
        size : int
            Pixels along the longer side a picture may have.
        job : Job, optional
            Looked at for cancellation many times a layer.
        first_layer : int
            Where to begin.

        Yields
        ------
        layer : int
        pictures : float32, (n_heads, min(size, n_queries), min(size, n_keys))
            Each pixel is the exact maximum of the cells it covers, so that a thin diagonal stays visible.
        """
        layers = self._of_kind(kind)
        for index in range(first_layer, len(layers)):
            yield index, thumbnail(layers[index], size, batch=self._batch, cancel=(job or Job()).cancel)

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

    def _computed(self, layer: Layer, rows: range, head: int | None) -> FloatArray:
        n_heads, _, n_keys = layer.shape
        weights = np.zeros((n_heads if head is None else 1, len(rows), n_keys), np.float32)
        for block in layer.row_blocks(rows=rows, head=head):
            computed = layer.weights(block, batch=self._batch, head=head)
            weights[:, block.start - rows.start : block.stop - rows.start, : computed.shape[-1]] = computed.cpu().numpy()
        return weights

    def _of_kind(self, kind: Kind) -> tuple[Layer, ...]:
        if kind not in self._layers:
            raise HeadscopeError("unknown_kind", kind=kind, known=", ".join(self.kinds))
        return self._layers[kind]

    def _layer(self, kind: Kind, layer: int, head: int) -> Layer:
        layers = self._of_kind(kind)
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

"""Keeping less of a pass: its layers in the computer's memory, in half precision, or only some of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NoReturn, Protocol

import torch
from torch import Tensor

from headscope.core.arguments import check_fields
from headscope.core.attention.kept.layer import Layer
from headscope.core.errors import HeadscopeError
from headscope.core.keep import Keep
from headscope.core.vocabulary import Kind


class Captured(Protocol):
    """A layer as a pass leaves it."""

    @property
    def shape(self) -> tuple[int, int, int]: ...

    def converted(self, convert: Callable[[Tensor], Tensor]) -> Layer:
        """The layer with other tensors in the place of those that are kept."""
        ...


def kept(layer: Captured, index: int, keep: Keep) -> Layer:
    """What is kept of a layer; `index` counts the layers of its kind."""
    if keep.layers is not None and index not in keep.layers:
        return SkippedLayer(index, keep.layers, layer.shape)

    def converted(tensor: Tensor) -> Tensor:
        if keep.half and tensor.dtype == torch.float32:
            tensor = _halved(tensor)
        return tensor.cpu() if keep.place == "host" else tensor

    return layer.converted(converted)


def check_kept(keep: Keep, layers: Mapping[Kind, tuple[int, int]]) -> None:
    """Raise ``bad_option`` if none or others are to be kept than a model has; `layers` as in `ModelInfo`."""
    check_fields(keep)
    last = max(n_layers for n_layers, _ in layers.values()) - 1
    if keep.layers is not None and (not keep.layers or not all(0 <= layer <= last for layer in keep.layers)):
        raise HeadscopeError("bad_option", option="layers", value=keep.layers, expected=f"some of 0 to {last}")


def _halved(tensor: Tensor) -> Tensor:
    """float16 has three bits more than bfloat16, but ends at 65,504."""
    half = tensor.half()
    return half if bool(half.isfinite().all()) else tensor.bfloat16()


@dataclass(frozen=True, slots=True)
class SkippedLayer(Layer):
    """A layer that was there, and of which nothing is kept."""

    index: int
    layers: tuple[int, ...]
    size: tuple[int, int, int]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.size

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return ()

    def weights(self, rows: range, *, batch: int, head: int | None) -> NoReturn:
        raise HeadscopeError("layer_not_kept", layer=self.index, kept=", ".join(map(str, self.layers)))

    scores = weights

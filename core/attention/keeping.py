"""Keeping less of a pass: its layers in the computer's memory, in half precision, or only some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor

from headscope.core.attention.layers import Layer
from headscope.core.errors import HeadscopeError
from headscope.core.requests import Keep


def kept(layer: Layer, index: int, keep: Keep) -> Layer:
    """What is kept of a layer; `index` counts the layers of its kind."""
    if keep.layers is not None and index not in keep.layers:
        return SkippedLayer(index, keep.layers, layer.shape)

    def converted(tensor: Tensor) -> Tensor:
        if keep.half and tensor.dtype == torch.float32:
            tensor = _halved(tensor)
        return tensor.cpu() if keep.place == "host" else tensor

    return layer if keep == Keep(layers=keep.layers) else layer.converted(converted)


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

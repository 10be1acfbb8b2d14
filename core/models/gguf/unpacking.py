"""The numbers of a tensor of a GGUF file."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gguf.constants import GGMLQuantizationType
from gguf.quants import dequantize

from headscope.core.models.gguf.header import Tensor, opened, refuse, shown

Floats = npt.NDArray[np.float32]

_PLAIN: Final[dict[GGMLQuantizationType, Any]] = {
    GGMLQuantizationType.F32: np.float32,
    GGMLQuantizationType.F16: np.float16,
    GGMLQuantizationType.F64: np.float64,
}


def unpacked(tensor: Tensor) -> Floats:
    """What the tensor unpacks to, read from its file.

    Returns
    -------
    float32, of the tensor's shape

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` if it is packed in a way that cannot be unpacked, or if its file became shorter.
    """
    with opened(tensor.file) as file:
        file.seek(tensor.begin)
        raw = bytearray(tensor.n_bytes)
        if file.readinto(raw) != len(raw):  # type: ignore[attr-defined]
            refuse(tensor.file, "became_shorter")
    if (plain := _PLAIN.get(tensor.packing)) is not None:
        return np.frombuffer(raw, plain).astype(np.float32, copy=False).reshape(tensor.shape)
    rows = np.frombuffer(raw, np.uint8).reshape(*tensor.shape[:-1], -1)
    with np.errstate(all="ignore"):  # a scale may be infinite in a file that was made so
        try:
            numbers = dequantize(rows, tensor.packing)
        except NotImplementedError:
            refuse(tensor.file, "tensor_packing", tensor=shown(tensor.name), packing=tensor.packing.name)
    return np.ascontiguousarray(numbers, np.float32).reshape(tensor.shape)

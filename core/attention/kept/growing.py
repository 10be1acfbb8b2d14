"""Rows of a text that is being written: what a key-value cache and a recorder of attention keep of it, once for both.

Joining the old rows to each new one costs time and memory in every step. Here new rows are written behind the old ones, into
spare room. What was handed out is never overwritten, so a record may keep it, and branches of a text share what they have
in common.
"""

from __future__ import annotations

from weakref import WeakValueDictionary

import torch
from torch import Tensor

_LEAST_SPARE = 32
_MOST_RESERVED = 4096
"""Tokens. A device commits what is reserved, so that a text without an end must not take it all."""


class _Buffer:
    """A tensor (batch, n_heads, room, d_head) whose first `filled` rows are in use."""

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor
        self.filled = 0
        _buffers[_address(tensor)] = self


_buffers: WeakValueDictionary[int, _Buffer] = WeakValueDictionary()


class Growing:
    """Rows along the token axis.

    Parameters
    ----------
    expected : int
        How many rows there may be in the end, if that is known: memory is taken once, and no more than that.
    """

    def __init__(self, expected: int = 0) -> None:
        self.length = 0
        self._expected = expected
        self._buffer: _Buffer | None = None

    @property
    def rows(self) -> Tensor | None:
        """(batch, n_heads, length, d_head); None before the first."""
        return None if self._buffer is None else self._buffer.tensor[:, :, : self.length]

    @torch.inference_mode()
    def append(self, new: Tensor) -> Tensor:
        """All rows so far and these: (batch, n_heads, length, d_head)."""
        length, buffer = self.length + new.shape[2], self._buffer
        # Another branch may have gone on from here: its rows are not ours to overwrite.
        if buffer is None or length > buffer.tensor.shape[2] or buffer.filled != self.length:
            buffer = self._roomier(new, length)
        buffer.tensor[:, :, self.length : length] = new
        buffer.filled = self.length = length
        self._buffer = buffer
        return buffer.tensor[:, :, :length]

    def branch(self, length: int) -> Growing:
        """The first `length` rows, to go on from in another way; they are shared."""
        other = Growing(self._expected)
        other.length, other._buffer = length, self._buffer
        return other

    def _roomier(self, like: Tensor, length: int) -> _Buffer:
        to_come = min(self._expected - length, _MOST_RESERVED)
        room = length + (to_come if to_come > 0 else max(length // 2, _LEAST_SPARE))
        buffer = _Buffer(like.new_empty((*like.shape[:2], room, like.shape[3])))
        if self._buffer is not None:
            buffer.tensor[:, :, : self.length] = self._buffer.tensor[:, :, : self.length]
        return buffer


def is_growing(tensor: Tensor) -> bool:
    """Whether `tensor` is a view of rows that a `Growing` keeps, and that will therefore not change."""
    buffer = _buffers.get(_address(tensor))
    return buffer is not None and _address(buffer.tensor) == _address(tensor)


def _address(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()

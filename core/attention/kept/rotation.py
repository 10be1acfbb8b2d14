"""How queries and keys were rotated by their positions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

Turn = Callable[..., tuple[Tensor, Tensor]]


@dataclass(frozen=True, slots=True)
class Rotation:
    """One call of the function.

    Attributes
    ----------
    turn : callable
    cos, sin : Tensor, (batch or 1, n_tokens, d)
        What it was given, the same tensors for all layers.
    last_query, last_key : Tensor or None, (batch, n_heads, d_turned)
        What it made of the last token: whether a layer used just that is seen by it. None where that is certain.
    """

    turn: Turn
    cos: Tensor
    sin: Tensor
    last_query: Tensor | None = None
    last_key: Tensor | None = None

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(part for part in (self.cos, self.sin, self.last_query, self.last_key) if part is not None)

    def owned(self, own: Callable[[Tensor], Tensor]) -> Rotation:
        """With tables that no model keeps."""
        cos, sin = own(self.cos), own(self.sin)
        return self if cos is self.cos and sin is self.sin else replace(self, cos=cos, sin=sin)

    def converted(self, convert: Callable[[Tensor], Tensor]) -> Rotation:
        """With what is its own converted; the tables, which layers share, stay shared as they are."""
        query, key = (None if part is None else convert(part) for part in (self.last_query, self.last_key))
        return replace(self, last_query=query, last_key=key)


Rotated = Rotation | Literal["unseen"] | None
"""None: there is none; "unseen": the model has rotary positions, and where they are used was not watched."""

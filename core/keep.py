"""How much of a pass a record keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of a pass's attention is kept, and where.

    Attributes
    ----------
    place : "device" or "host"
        Where the model computes it, or in the computer's memory.
    half : bool
        float32 queries and keys as float16 (bfloat16 where one is too large for that): weights are then right to about 3 digits.
    layers : tuple of int or None
        Which layers of each kind; None: all. The others give ``layer_not_kept``.
    """

    place: Literal["device", "host"] = "device"
    half: bool = False
    layers: tuple[int, ...] | None = None


KEEP_ALL: Final = Keep()


@dataclass(frozen=True, slots=True)
class Offer:
    """A way to run a pass that would not fit: to keep less of it, or, with `text`, to read less: `n_tokens` of it."""

    keep: Keep
    text: str | None = None
    n_tokens: int | None = None

    def __str__(self) -> str:
        if self.text is not None:
            return f"shorten the text to {self.n_tokens:,} tokens"
        parts = ["in the computer's memory"] if self.keep.place == "host" else []
        parts += ["in half precision"] if self.keep.half else []
        what = "the record" if self.keep.layers is None else f"only {len(self.keep.layers)} layers"
        return f"keep {' '.join([what, *parts])}"

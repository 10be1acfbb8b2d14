"""Rotary positions: seen while a model turns its queries and keys by them, so that the turn can be taken back later.

What is kept of a layer are its vectors behind the rotation. It is linear and orthogonal, so that the vectors before it need not be
kept too: the model file's own function says what it did. That function is watched and not the tables it is given, for some layers are
given tables and do not use them (Cohere 2, SmolLM3), and some do more to a vector behind it (HunYuan's norms).

References
----------
Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021, equation 34.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, wraps
from typing import Any, Final

from torch import Tensor

from headscope.core.attention.hooks import Parts
from headscope.core.attention.kept.rotation import Rotated, Rotation, Turn
from headscope.core.counted import Counted

_NAME: Final = "apply_rotary_pos_emb"
"""What transformers' files call the function: (query, key, cos, sin) to (query, key)."""
_FAMILY: Final = "apply_rotary"
"""How the names begin of functions that turn vectors in other ways: they are seen, but not taken back."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of the function, and what it gave back."""

    turn: Turn
    rotated: tuple[Tensor, Tensor]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    def kept(self, query: Tensor, key: Tensor) -> Rotated:
        """What is kept of it beside the layer's `query` and `key`; "unseen" of one in another form (Gemma 3n's, heads last)."""
        args, rotated = self.args, self.rotated
        plain = self.turn.__name__ == _NAME and len(args) == 4 and (self.kwargs or {"unsqueeze_dim": 1}) == {"unsqueeze_dim": 1}
        if not plain or not isinstance(rotated, tuple) or [part.dim() for part in (*rotated, *args[2:])] != [4, 4, 3, 3]:
            return "unseen"
        cos, sin = (table.detach() if table.requires_grad else table for table in args[2:])
        if _is_same(rotated[0], query) and _is_same(rotated[1], key):
            return Rotation(self.turn, cos, sin)
        last_query, last_key = (part[:, :, -1].detach().clone() for part in rotated)
        return Rotation(self.turn, cos, sin, last_query, last_key)


def _is_same(one: Tensor, other: Tensor) -> bool:
    return one.data_ptr() == other.data_ptr() and one.shape == other.shape and one.stride() == other.stride()


class Watch:
    """Keeps the latest rotation of a pass until the attention layer that it is for takes it.

    Parameters
    ----------
    parts : tuple of Module
        The model's.
    is_wanted : bool
        False: nothing is watched. Of a text that grows the tables of all its steps would be needed.
    """

    def __init__(self, parts: Parts, *, is_wanted: bool = True) -> None:
        kinds = set(map(type, parts))
        files = {kind.__module__ for kind in kinds} if is_wanted else ()
        self._places = [(file, name) for file in files for name in _functions(file)]
        self._otherwise: Rotated = "unseen" if any("rotary" in kind.__name__.lower() for kind in kinds) else None
        self._seen: _Call | None = None
        self._is_on = False

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the rotations of forwards inside this block, in this thread."""
        with ExitStack() as stack:
            for file, name in self._places:
                stack.enter_context(_watched(file, name).held())
            token = _active.set(self)
            self._is_on = True
            try:
                yield
            finally:
                self._is_on = False
                _active.reset(token)

    def see(self, call: _Call) -> None:
        """Called by the function that is watched."""
        self._seen = call

    def take(self, query: Tensor, key: Tensor) -> Rotated:
        """What was seen since the last layer, by the layer that goes on with `query` and `key`."""
        if not self._is_on or not self._places:
            return self._otherwise
        seen, self._seen = self._seen, None
        return None if seen is None else seen.kept(query, key)


@cache
def _functions(file: str) -> tuple[str, ...]:
    """The names of a module's functions that turn vectors."""
    found = vars(sys.modules[file]).items() if file in sys.modules else ()
    return tuple(name for name, part in found if name.startswith(_FAMILY) and callable(part))


_active: ContextVar[Watch | None] = ContextVar("headscope_rotations", default=None)


@cache
def _watched(file: str, name: str) -> Counted:
    """A function of a modeling file is wrapped while anybody watches it; only who watches in his own thread is told."""
    return Counted(lambda: _wrapped(file, name))


@contextmanager
def _wrapped(file: str, name: str) -> Iterator[None]:
    functions = vars(sys.modules[file])
    functions[name] = _telling(functions[name])
    try:
        yield
    finally:
        functions[name] = functions[name].__wrapped__


def _telling(turn: Turn) -> Turn:
    @wraps(turn)
    def told(*args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        rotated = turn(*args, **kwargs)
        watch = _active.get()
        if watch is not None:
            watch.see(_Call(turn, rotated, args, kwargs))
        return rotated

    return told

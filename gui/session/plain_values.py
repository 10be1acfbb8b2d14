"""Frozen dataclasses of plain values to JSON and back; what JSON holds is believed only if it is of the kind that is wanted."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from math import isfinite
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

from headscope.core.attention.lens import LENSES, Lens


def to_plain(value: Any) -> Any:
    """What `json.dumps` takes: dataclasses as dicts, tuples as lists, sets as sorted lists, a lens as its id."""
    if isinstance(value, Lens):
        return value.id
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: to_plain(getattr(value, item.name)) for item in fields(value)}
    if isinstance(value, frozenset):
        return sorted(to_plain(each) for each in value)
    return [to_plain(each) for each in value] if isinstance(value, tuple) else value


def from_plain(kind: Any, kept: Any) -> Any:
    """What `to_plain` made of a value whose annotation is `kind`.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    origin, args = get_origin(kind), get_args(kind)
    if kind is Lens and isinstance(kept, str) and kept in LENSES:
        return LENSES[kept]
    if is_dataclass(kind) and kind is not Lens and isinstance(kept, dict):
        hints, make = get_type_hints(kind), cast(Any, kind)
        return make(**{item.name: from_plain(hints[item.name], kept.get(item.name)) for item in fields(kind)})
    if origin is Literal:
        if any(type(each) is type(kept) and each == kept for each in args):
            return kept
    elif origin in (Union, UnionType):
        return _one_of(args, kept)
    elif origin in (tuple, frozenset) and isinstance(kept, list):
        return origin(_members(args, kept, any_number=origin is frozenset or args[-1] is Ellipsis))
    elif kind is float and type(kept) in (int, float) and isfinite(kept):
        return float(kept)
    elif kind in (bool, int, str, NoneType) and type(kept) is kind:
        return kept
    raise ValueError(f"no {kind}")


def _one_of(kinds: tuple[Any, ...], kept: Any) -> Any:
    for kind in kinds:
        try:
            return from_plain(kind, kept)
        except ValueError:
            pass
    raise ValueError("none of them")


def _members(kinds: tuple[Any, ...], kept: list[Any], *, any_number: bool) -> list[Any]:
    kinds = kinds[:1] * len(kept) if any_number else kinds
    if len(kinds) != len(kept):
        raise ValueError("another number")
    return [from_plain(kind, each) for kind, each in zip(kinds, kept, strict=True)]

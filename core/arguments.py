"""What is handed to the public face by people: checked where it comes in, so that a wrong one ends in a sentence."""

from __future__ import annotations

import builtins
import collections.abc
import inspect
import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import fields
from functools import cache, wraps
from operator import index
from types import SimpleNamespace, UnionType
from typing import Any, Final, Literal, NoReturn, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from headscope.core.errors import HeadscopeError

_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")

_MOST_SHOWN = 60
"""Characters of a wrong value in the sentence about it."""


def refuse(option: str, value: Any, expected: str) -> NoReturn:
    """Raise ``bad_option``."""
    shown = repr(value)
    shown = f"{shown[:_MOST_SHOWN]}…" if len(shown) > _MOST_SHOWN else shown
    raise HeadscopeError("bad_option", option=option, value=shown, expected=expected)


def whole_number(option: str, value: Any, expected: str = "a whole number") -> int:
    """`value` as an int; numpy's and a tensor's are taken, a bool or a float is not."""
    if isinstance(value, bool):
        refuse(option, value, expected)
    try:
        return index(value)
    except TypeError:
        refuse(option, value, expected)


def count(option: str, value: Any) -> int:
    """A number of things, at least one."""
    number = whole_number(option, value, "1 or more")
    if number < 1:
        refuse(option, value, "1 or more")
    return number


def position(value: Any, length: int) -> int:
    """The position of one of `length` tokens, from 0. Raises ``no_such_position``, ``bad_option``."""
    found = whole_number("position", value)
    if not 0 <= found < length:
        raise HeadscopeError("no_such_position", position=found, last=length - 1)
    return found


def part(option: str, value: Any, length: int) -> range:
    """Some of `length` rows or keys, one after another: a slice as Python's lists take it, or a range; None is all of them."""
    if value is None:
        return range(length)
    expected = f"a slice or range of step 1 within 0 to {length}, not empty"
    if isinstance(value, slice):
        try:
            found = range(length)[value]
        except (TypeError, ValueError):
            refuse(option, value, expected)
    elif isinstance(value, range):
        found = value
    else:
        refuse(option, value, expected)
    if found.step != 1 or not 0 <= found.start < found.stop <= length:
        refuse(option, value, expected)
    return found


def text(option: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        refuse(option, value, "a text")
    return value


def one_of(option: str, value: Any, known: Collection[str]) -> str:
    """A name that is known."""
    if not isinstance(value, str) or value not in known:
        refuse(option, value, f"one of {', '.join(known)}")
    return str(value)


# ---------------------------------------------------------------- what annotations say
def checked(function: Callable[_Parameters, _Result]) -> Callable[_Parameters, _Result]:
    """A function whose arguments are what their annotations say, or are refused with ``bad_option`` before it begins.

    Whole numbers of numpy and of torch arrive as int, their real ones as float, lists and ranges as tuples. Values are not looked at:
    whether there is such a layer, the function itself knows. Annotations that are no types of values, such as those of arrays, are not looked at.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def call(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Result:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            return function(*args, **kwargs)  # which says it in Python's own words
        for name, value in given.arguments.items():
            parameter = signature.parameters[name]
            if parameter.kind is not parameter.VAR_KEYWORD and parameter.annotation is not parameter.empty:
                given.arguments[name] = as_annotated(name, value, parameter.annotation, function.__module__)
        return function(*given.args, **given.kwargs)

    return call


def check_fields(values: Any, declared: type[Any] | None = None) -> None:
    """The same for the fields of a frozen dataclass, which are set to what they arrive as; those that `declared` declares, if given."""
    for kind in (declared,) if declared is not None else type(values).__mro__:
        for name in vars(kind).get("__annotations__", {}).keys() & {field.name for field in fields(values)}:
            value = getattr(values, name)
            found = as_annotated(name, value, kind.__annotations__[name], kind.__module__)
            if found is not value:
                object.__setattr__(values, name, found)


def as_annotated(option: str, value: Any, annotation: Any, module: str) -> Any:
    """`value` as an annotation of a module says. Raises ``bad_option``."""
    meant = _meant(annotation, module) if isinstance(annotation, str) else annotation
    with suppress(_Unlike):
        return _as(meant, value)
    refuse(option, value, _described(meant))


class _Unlike(Exception):  # noqa: N818 - it never leaves this file
    """A value is not what it should be."""


class _ByName:
    """Stands for a class that is imported for types only: what it is called is known, and not what it is."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __or__(self, other: object) -> Any:
        return Union[self, other]  # noqa: UP007 - of what is no class

    __ror__ = __or__

    def __call__(self) -> NoReturn:  # what typing asks of a part of a union
        raise TypeError(self.name)

    def __getitem__(self, _: object) -> Any:
        return Any


_READ_ELSEWHERE: Final[Mapping[str, Any]] = {"Ids": Any, "Edits": Any, "Kind": str}
"""Their own readers know more of them, and refuse them in other words."""


class _Names(dict[str, Any]):
    """The names that a module's annotations are written with."""

    def __missing__(self, name: str) -> Any:
        return getattr(builtins, name, None) or getattr(collections.abc, name, None) or _ByName(name)


@cache
def _meant(annotation: str, module: str) -> Any:
    names = _Names({**vars(sys.modules[module]), **_READ_ELSEWHERE})
    return get_type_hints(SimpleNamespace(__annotations__={"": annotation}), {}, names)[""]


_WORDS: Final[Mapping[Any, str]] = {
    int: "a whole number",
    float: "a number",
    str: "a text",
    bool: "True or False",
    type(None): "None",
    "PathLike": "a path",
    "BaseModel": "a model, as load_model returns it",
    "AttentionRecord": "a record, as Model.capture returns it",
}


def _as(meant: Any, value: Any) -> Any:
    """`value`, or what it is as a plain one; raises `_Unlike`."""
    origin, parts = get_origin(meant), get_args(meant)
    if origin in (Union, UnionType):
        return _as_one_of(parts, value)
    if origin is Literal:
        return value if isinstance(value, str | bool) and value in parts else _unlike()
    if origin in (tuple, Sequence, Iterable):
        return _as_several(parts, value)
    if meant in _PLAIN:
        return _PLAIN[meant](value)
    if isinstance(meant, _ByName):
        return value if meant.name in {each.__name__ for each in type(value).__mro__} else _unlike()
    kind = origin or meant
    if kind in (Any, np.ndarray) or not isinstance(kind, type):  # lists are taken for arrays
        return value
    return value if isinstance(value, kind) else _unlike()


def _unlike() -> NoReturn:
    raise _Unlike


def _as_one_of(parts: tuple[Any, ...], value: Any) -> Any:
    for part in parts:
        try:
            return _as(part, value)
        except _Unlike:
            continue
    raise _Unlike


def _as_several(parts: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    if isinstance(value, str | bytes | Mapping):
        raise _Unlike
    try:
        found = tuple(value)
    except TypeError:  # a number, a tensor without dimensions
        raise _Unlike from None
    if len(parts) > 1 and parts[1] is not Ellipsis:
        if len(found) != len(parts):
            raise _Unlike
        return tuple(_as(part, each) for part, each in zip(parts, found, strict=True))
    return tuple(_as(parts[0], each) for each in found)


def _int(value: Any) -> int:
    try:
        return _unlike() if isinstance(value, bool) else index(value)
    except TypeError:
        raise _Unlike from None


def _float(value: Any) -> float:
    if isinstance(value, bool | str | bytes):
        raise _Unlike
    try:
        return float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # of several numbers, of none, beyond all floats
        raise _Unlike from None


def _bool(value: Any) -> bool:
    return bool(value) if isinstance(value, bool | np.bool_) else _unlike()


def _str(value: Any) -> str:
    return value if isinstance(value, str) else _unlike()


def _none(value: Any) -> None:
    return None if value is None else _unlike()


_PLAIN: Final[Mapping[Any, Callable[[Any], Any]]] = {int: _int, float: _float, bool: _bool, str: _str, type(None): _none}


def _described(meant: Any) -> str:
    """An annotation in words."""
    origin, parts = get_origin(meant), get_args(meant)
    if origin in (Union, UnionType, Literal):
        *others, last = dict.fromkeys(str(part) if origin is Literal else _described(part) for part in parts)
        return f"{', '.join(others)} or {last}" if others else last
    if origin in (tuple, Sequence, Iterable):
        return f"a list, each of it {_described(parts[0])}"
    name = meant.name if isinstance(meant, _ByName) else getattr(origin or meant, "__name__", str(meant))
    return _WORDS.get(meant if meant in _PLAIN else name, f"of the kind {name}")

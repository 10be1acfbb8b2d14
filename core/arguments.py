"""What is handed to the public face by people: checked where it comes in, so that a wrong one ends in a sentence."""

from __future__ import annotations

from collections.abc import Collection
from operator import index
from typing import Any, NoReturn

from headscope.core.errors import HeadscopeError

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
    if value not in known:
        refuse(option, value, f"one of {', '.join(known)}")
    return str(value)

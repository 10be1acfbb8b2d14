"""Request: what can be asked, with the type of its answer."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

A = TypeVar("A")


class Request(Generic[A]):
    """Base of everything that is asked: a frozen value, answered by an `A`. What is asked of a record needs no model.

    It is carried out by the one function in `core.engine` that is marked with ``@answers(TheRequest)``.
    """

    __slots__ = ()


class ModelRequest(Request[A]):
    """What needs the model that is loaded."""

    __slots__ = ()


class RunRequest(ModelRequest[A]):
    """A run of the model, whose pictures follow those on the screen."""

    __slots__ = ()


class Question(ModelRequest[A]):
    """What changes no picture: a panel asks it, and says the answer or why there is none."""

    __slots__ = ()


AnyRequest = Request[Any]
AnyModelRequest = ModelRequest[Any]

"""Which function carries out which request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from headscope.core.job import Job, Stream
from headscope.core.requests.request import ModelRequest, Request

if TYPE_CHECKING:
    from headscope.core.model import Model

A = TypeVar("A")
OfRecords = Callable[[Any, Job, Stream], A]
"""Takes the request; parts of the answer on the way go to the stream."""
OfModel = Callable[["Model", Any, Job, Stream], A]

of_records: dict[type, OfRecords[Any]] = {}
of_model: dict[type, OfModel[Any]] = {}


def answers(request: type[Request[A]]) -> Callable[[OfRecords[A]], OfRecords[A]]:
    """Marks the function that answers a request from records alone."""

    def mark(function: OfRecords[A]) -> OfRecords[A]:
        _register(of_records, request, function)
        return function

    return mark


def answers_with_model(request: type[ModelRequest[A]]) -> Callable[[OfModel[A]], OfModel[A]]:
    """Marks the function that answers a request with the model that is loaded."""

    def mark(function: OfModel[A]) -> OfModel[A]:
        _register(of_model, request, function)
        return function

    return mark


def _register(handlers: dict[type, Any], request: type, function: Any) -> None:
    if request in of_records or request in of_model:
        raise TypeError(f"{request.__name__} is answered twice")
    handlers[request] = function

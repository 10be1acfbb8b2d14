"""Taking attention matrices out of a running model one by one, as its layers make them.

A model that is asked for its matrices holds them all until it returns. Here a hook takes each one from the layer that made it and
leaves an empty tensor, so that no more than one layer's lies on the device at a time. Which modules make them is learned
once, by a pass over a few tokens; where a model does more with its matrices than pass them on, they are left where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from headscope.core.attention.hooks import turn
from headscope.core.attention.kept.owned import Place
from headscope.core.job import Cancelled
from headscope.core.memory import is_out_of_memory
from headscope.core.numerics import same_maps
from headscope.core.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Source:
    """Where a module's output has its matrix, and which layers its calls are, in their order."""

    position: int
    places: tuple[Place, ...]


_SOURCES: WeakKeyDictionary[nn.Module, Mapping[str, Source]] = WeakKeyDictionary()
"""By the names of the modules within a model."""


@contextmanager
def streamed(model: nn.Module, take: Callable[[Place, Tensor], None]) -> Iterator[None]:
    """Inside this block, `take` is given each matrix that `learn` found a source of: (batch, n_heads, n_queries, n_keys)."""
    with _taken(model, _SOURCES.get(model, {}), take):
        yield


@contextmanager
def _taken(model: nn.Module, sources: Mapping[str, Source], take: Callable[[Place, Tensor], None]) -> Iterator[None]:
    with turn(model) as hooks:
        for name, source in sources.items():
            hook = _Hook(source, take)
            hooks.before(model, hook.begin)
            hooks.after(model.get_submodule(name), hook, first=True)  # transformers collects outputs by hooks of its own
        yield


def learn(model: nn.Module, run: Callable[[], Any], maps_of: Callable[[Any], Mapping[Kind, list[Tensor]]]) -> None:
    """Find the modules whose outputs hold a model's matrices, and make sure that it can do without them.

    Parameters
    ----------
    model : Module
    run : callable
        A pass that asks for the matrices, always the same; gives the model's output.
    maps_of : callable
        The matrices in an output, by kind.
    """
    _SOURCES.pop(model, None)
    made: list[tuple[str, int, Tensor]] = []
    with turn(model) as hooks, torch.inference_mode():
        for name, part in model.named_modules():
            if part is not model:
                hooks.after(part, _Witness(name, made), first=True)
        output = run()
    expected = maps_of(output)
    places = {id(matrix): (kind, index) for kind, maps in expected.items() for index, matrix in enumerate(maps)}
    found: dict[str, Source] = {}
    for name, position, tensor in made:
        if place := places.pop(id(tensor), None):  # the first module that has it
            earlier = found.get(name, Source(position, ()))
            found[name] = Source(position, (*earlier.places, place))
    if found and not places and _gives_the_same(model, found, run, expected):
        _SOURCES[model] = found


def _gives_the_same(
    model: nn.Module, sources: Mapping[str, Source], run: Callable[[], Any], expected: Mapping[Kind, list[Tensor]]
) -> bool:
    taken: dict[Place, Tensor] = {}
    try:
        with _taken(model, sources, taken.__setitem__), torch.inference_mode():
            run()
    except Exception as error:  # whatever a model says that misses its matrices
        if is_out_of_memory(error) or isinstance(error, Cancelled):
            raise
        return False
    wanted = {(kind, index): matrix for kind, maps in expected.items() for index, matrix in enumerate(maps)}
    return taken.keys() == wanted.keys() and all(same_maps(taken[place], wanted[place]) for place in wanted)


class _Witness:
    """Notes which module is the first to have a tensor in its output."""

    def __init__(self, name: str, made: list[tuple[str, int, Tensor]]) -> None:
        self._name = name
        self._made = made

    def __call__(self, _module: nn.Module, _args: object, output: Any) -> None:
        if isinstance(output, tuple):
            self._made.extend(
                (self._name, position, part)
                for position, part in enumerate(output)
                if isinstance(part, Tensor) and part.dim() == 4
            )


class _Hook:
    """Takes the matrix out of each output of a module."""

    def __init__(self, source: Source, take: Callable[[Place, Tensor], None]) -> None:
        self._source = source
        self._take = take
        self._n_calls = 0

    def begin(self, *_: object) -> None:
        self._n_calls = 0

    def __call__(self, _module: nn.Module, _args: object, output: Any) -> tuple[Any, ...]:
        position = self._source.position
        matrix: Tensor = output[position]
        self._take(self._source.places[self._n_calls], matrix)
        self._n_calls += 1
        return (*output[:position], matrix.new_empty(0), *output[position + 1 :])

"""Memory that runs out is said as such, and is no verdict about a model: the next try works."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import pytest
import torch
from torch import nn

from headscope.core.analyse.causal.sweeps import Question, ablate_heads
from headscope.core.attention.capture.matrix_hooks import _SOURCES
from headscope.core.attention.intervention import Intervention, Scale
from headscope.core.errors import HeadscopeError
from headscope.core.memory import is_out_of_memory
from headscope.core.model import Model
from headscope.core.models.hub.attention import install
from tests import allowed
from tests.golden.families import FAMILIES, built
from tests.looked_into import opened

ERRORS: list[Callable[[], BaseException]] = [
    lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
    lambda: RuntimeError("[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    lambda: RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
    MemoryError,
]


@contextmanager
def failing_in_pass(module: nn.Module, number: int, error: BaseException) -> Iterator[list[int]]:
    """In the given pass from now on, counted from 0, the last linear layer finds no memory; the list gets the passes' numbers."""
    linear = [part for part in module.modules() if type(part).__name__ in ("Linear", "Conv1D")][-1]
    passes: list[int] = []

    def run_out(*_: object) -> None:
        passes.append(len(passes))
        if passes[-1] == number:
            raise error

    hook = linear.register_forward_pre_hook(run_out)
    try:
        yield passes
    finally:
        hook.remove()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Model]:
    return cache(lambda name: opened(name, tmp_path_factory.mktemp(name)))


@pytest.mark.parametrize(
    ("number", "error"), [*((0, error) for error in ERRORS), *((number, ERRORS[0]) for number in (1, 2, 3))]
)
def test_an_edit_is_not_refused_for_good(
    model: Callable[[str], Model], number: int, error: Callable[[], BaseException]
) -> None:
    gpt2 = copy.deepcopy(model("gpt2"))
    edits = Intervention((Scale(layer=0, head=1),))
    with failing_in_pass(gpt2.module, number, error()) as passes, pytest.raises(HeadscopeError) as captured:
        gpt2.capture("the cat", intervention=edits)
    assert captured.value.code == "out_of_memory" and passes[-1] == number
    assert gpt2.capture("the cat", intervention=edits).n_layers("decoder") == 3


@pytest.mark.parametrize("name", ["gpt2", "bloom", "t5"])
def test_a_sweep_that_found_no_memory_is_the_same_the_next_time(model: Callable[[str], Model], name: str) -> None:
    looked = model(name)
    question = Question("the cat")
    *_, expected = ablate_heads(looked, question)
    passes = 0
    while True:
        fresh = copy.deepcopy(looked)
        with failing_in_pass(fresh.module, passes, torch.OutOfMemoryError("out of memory")) as ran:
            try:
                *_, found = ablate_heads(fresh, question)
            except HeadscopeError as error:
                assert error.code == "out_of_memory"
            else:
                assert len(ran) <= passes
                break
        *_, found = ablate_heads(fresh, question)
        change = expected.log_probability_change  # where memory was short, of fewer passes at once
        assert allowed.difference(found.log_probability_change, change) <= allowed.of_logits(change, looked)
        passes += 1
    assert passes >= 5


@pytest.mark.parametrize("name", ["bert", "gpt2", "bloom", "gptj", "gemma2-softcap", "t5"])
def test_a_models_way_is_not_chosen_for_want_of_memory(name: str) -> None:
    family = next(family for family in FAMILIES if family.name == name)
    whole = built(family)
    backend = install(whole)
    number = 0
    while True:
        module = built(family)
        with failing_in_pass(module, number, torch.OutOfMemoryError("out of memory")) as passes:
            try:
                found = install(module)
            except torch.OutOfMemoryError:
                assert module not in _SOURCES
                assert install(module) == backend
            else:
                assert len(passes) <= number
                assert found == backend
                break
        number += 1
    assert number >= 2
    assert (_SOURCES.get(module) is None) == (_SOURCES.get(whole) is None)


def test_weights_that_are_no_numbers_for_a_while_are_no_verdict_either(model: Callable[[str], Model]) -> None:
    gpt2 = copy.deepcopy(model("gpt2"))
    edits = Intervention((Scale(layer=0, head=1),))
    weight = gpt2.module.transformer.h[1].mlp.c_proj.weight
    kept = weight.detach().clone()
    with torch.no_grad():
        weight.fill_(torch.nan)
    with pytest.raises(HeadscopeError) as captured:
        gpt2.capture("the cat", intervention=edits)
    assert captured.value.code == "not_a_number"
    with torch.no_grad():
        weight.copy_(kept)
    assert gpt2.capture("the cat", intervention=edits).kinds == ("decoder",)


def test_the_processors_own_words_are_known() -> None:
    """What this computer's allocator says of more than there can be."""
    with pytest.raises(RuntimeError) as captured:
        torch.empty(1 << 46)
    assert is_out_of_memory(captured.value)
    assert not is_out_of_memory(RuntimeError("shape '[2, 3]' is invalid for input of size 5"))

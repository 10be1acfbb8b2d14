"""Where a model runs, in which number format, and whether there is room."""

import pytest
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.memory import check_room, free_memory, is_out_of_memory, out_of_memory_reported
from headscope.core.models.hub.placement.devices import devices, dtypes, pick_device, pick_dtype
from headscope.core.models.hub.placement.packing import packings

CPU = torch.device("cpu")


def test_every_device_that_is_offered_can_be_picked() -> None:
    known = devices()
    assert (known[0], *known[-2:]) == ("auto", "cpu", "all")
    assert [str(pick_device(name)) for name in known[1:-1]] == known[1:-1]
    assert str(pick_device("auto")) == str(pick_device("all")) == known[1]


def test_every_number_format_that_is_offered_can_be_picked() -> None:
    numbers = [name for name in dtypes()[1:] if name not in packings()]
    assert [str(pick_dtype(name, CPU, 1)) for name in numbers] == [f"torch.{name}" for name in numbers]
    assert all(pick_dtype(name, CPU, 1) == torch.float32 for name in packings())  # what they are computed in


def test_half_precision_is_taken_when_the_room_is_small() -> None:
    free = free_memory(CPU)
    assert pick_dtype("auto", CPU, free // 16) == torch.float32
    assert pick_dtype("auto", CPU, free // 4) == torch.bfloat16


def test_room_is_asked_for_before_it_is_taken() -> None:
    check_room("not_enough_memory", 1, CPU)
    with pytest.raises(HeadscopeError) as captured:
        check_room("not_enough_memory", 2**60, CPU)
    assert captured.value.code == "not_enough_memory"
    assert "1073741824.0 GB" in captured.value.message


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 10 bytes"), True),
        (MemoryError(), True),
        (RuntimeError("shapes do not match"), False),
    ],
    ids=lambda it: str(it)[:20],
)
def test_memory_that_runs_out_is_told_from_other_trouble(error: Exception, counts: bool) -> None:
    assert is_out_of_memory(error) is counts
    with pytest.raises(HeadscopeError if counts else RuntimeError), out_of_memory_reported(CPU):
        raise error


def test_torch_itself_says_it_in_one_of_these_ways() -> None:
    with pytest.raises(HeadscopeError) as captured, out_of_memory_reported(CPU):
        torch.empty(2**58)
    assert captured.value.code == "out_of_memory"

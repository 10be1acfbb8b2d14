"""Many edited passes over one text for the price of a few: the changed copies share what they have in common.

A copy that is edited in layer 20 is the unedited text up to there. So one pass begins with the unedited text alone, the trunk,
and in front of each layer the copies whose first edit is in it join the batch. Ablating each of L · H heads costs about half
of L · H passes, and less than that where larger batches keep the machine busier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.hooks import Turn, turn
from headscope.core.attention.intervention import Intervention, ablate
from headscope.core.forward.budget import Lengths, bytes_of_forward
from headscope.core.forward.residual_stream import layer_lists
from headscope.core.job import Job
from headscope.core.memory import free_memory, out_of_memory_reported
from headscope.core.numerics import computed_in, same_when_branched
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded

_MOST_BYTES = 512 << 20
_MOST_ROWS = 40
_FROM_THE_START = -1
Layout = tuple[list[nn.Module], list[int]]
"""The blocks of the stack that predicts, and for each call of one in a pass the first attention layer behind it."""
_BRANCHES: WeakKeyDictionary[nn.Module, bool] = WeakKeyDictionary()
"""Models that were tried: whether copies may join on the way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What edited passes predict.

    Attributes
    ----------
    indices : tuple of int
        Which of the interventions these are.
    logits : Tensor, (len(indices), n_positions, vocabulary)
    shared_prefix : Tensor, (n_positions, vocabulary)
        Of the unedited text, from the same pass.
    """

    indices: tuple[int, ...]
    logits: Tensor
    shared_prefix: Tensor


def outcomes(
    model: BaseModel,
    source: Encoded,
    target: Encoded | None,
    interventions: Sequence[Intervention],
    positions: Sequence[int],
    *,
    job: Job | None = None,
) -> Iterator[Outcome]:
    """What the model predicts under each of many interventions.

    Parameters
    ----------
    source, target : Encoded
        From `BaseModel.encode`.
    interventions : sequence of Intervention
        Without batches of their own.
    positions : sequence of int
        Where predictions are read.
    job : Job
        Its cancel is looked at in every layer; reports nothing.

    Yields
    ------
    Outcome
        Some of the interventions at a time, those that begin in late layers last.

    Raises
    ------
    HeadscopeError
        As `BaseModel.observe`, at once for an edit's place; ``not_enough_memory``.
    Cancelled
    """
    axes = model.axes(source.axis, target.axis if target else None)
    job = job or Job()
    checked = []
    for intervention in interventions:
        job.cancel.check()
        checked.append(model.check(intervention, axes))
    lengths = {kind: (len(queries), len(keys)) for kind, (queries, keys) in axes.items()}
    most = _most_rows(model, lengths, len(positions))
    return _outcomes(model, model.inputs(source, target), checked, positions, most, job)


def _outcomes(
    model: BaseModel,
    inputs: dict[str, Tensor],
    interventions: Sequence[Intervention],
    positions: Sequence[int],
    most: int,
    job: Job,
) -> Iterator[Outcome]:
    layout = _layout_to_branch(model, inputs)
    starts = {
        index: _FROM_THE_START if layout is None else _first_layer(model, intervention)
        for index, intervention in enumerate(interventions)
    }
    ordered = sorted(starts, key=lambda index: starts[index])
    for _, alike in groupby(ordered, key=lambda index: starts[index] == _FROM_THE_START):
        indices = list(alike)
        for start in range(0, len(indices), most):
            part = indices[start : start + most]
            yield _together(model, inputs, interventions, {index: starts[index] for index in part}, positions, job, layout)


def _first_layer(model: BaseModel, intervention: Intervention) -> int:
    """Where the intervention's copy leaves the trunk; an encoder's edits reach the decoder through its source."""
    last = _last_stack(model)
    stays = all(edit.layer is not None and edit.kind in last for edit in intervention) if len(model.info.layers) > 1 else True
    layers = [edit.layer for edit in intervention]
    found = [layer for layer in layers if layer is not None]
    return min(found) if stays and found and len(found) == len(layers) else _FROM_THE_START


def _last_stack(model: BaseModel) -> tuple[Kind, ...]:
    """The kinds of attention in the stack that predicts."""
    kinds: tuple[Kind, ...] = tuple(model.info.layers)
    return ("decoder", "cross") if "cross" in kinds else kinds


def _together(
    model: BaseModel,
    inputs: dict[str, Tensor],
    interventions: Sequence[Intervention],
    starts: dict[int, int],
    positions: Sequence[int],
    job: Job,
    layout: Layout | None = None,
) -> Outcome:
    """One pass: the trunk in row 0, then a row for each of `starts`, in its order."""
    edits = [
        replace(edit, batch=row) for row, index in enumerate(starts, start=1) for edit in interventions[index].edits
    ]  # a row that has not joined yet has no edits in the layers so far
    recorder = recorder_for(
        model.module, model.info.backend, intervention=Intervention(tuple(edits)), keep_layers=False, job=Job(cancel=job.cancel)
    )
    n_at_start = 1 + sum(start == _FROM_THE_START for start in starts.values())
    rows = {name: tensor.expand(n_at_start, *tensor.shape[1:]) for name, tensor in inputs.items()}
    with recorder.recording(), turn(model.module) as hooks:
        if layout is not None and n_at_start < 1 + len(starts):
            _join(hooks, layout, list(starts.values()))
        narrowed = _narrow(hooks, model.module, positions)
        logits: Tensor = model.forward(rows).logits
    if not narrowed:
        logits = logits[:, list(positions)]
    return Outcome(tuple(starts), logits[1:], logits[0])


def _join(hooks: Turn, layout: Layout, starts: Sequence[int]) -> None:
    """Let the batch grow in front of each block by the rows that begin in its layers."""
    blocks, ends = layout
    following = iter(ends)
    n_rows = 1

    def grow(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        nonlocal n_rows
        end = next(following)
        before, n_rows = n_rows, 1 + sum(start < end for start in starts)
        grown = tuple(_grown(argument, before, n_rows) for argument in args)
        return grown, {name: _grown(argument, before, n_rows) for name, argument in kwargs.items()}

    for block in blocks:
        hooks.before(block, grow, with_kwargs=True)


def _grown(argument: Any, before: int, wanted: int) -> Any:
    """Copies of the trunk behind the rows so far. A source that all share stays one at the caller: it has one row each time.

    Masks and positions (not of three dimensions) are one for all as well, and broadcast.
    """
    if not isinstance(argument, Tensor) or argument.dim() != 3 or argument.shape[0] not in (1, before):
        return argument
    return torch.cat([argument, argument[:1].expand(wanted - argument.shape[0], -1, -1)])


def _layout(model: BaseModel) -> Layout:
    """The stack that predicts, seen in a pass over two tokens.

    A block is the outermost element of a module list around an attention module. ALBERT calls one block for all its layers;
    some blocks attend twice.
    """
    recorder = recorder_for(model.module, model.info.backend, keep_layers=False)
    token = torch.zeros((1, 2), dtype=torch.long, device=model.place)
    inputs = {"input_ids": token, "decoder_input_ids": token} if "cross" in model.info.layers else {"input_ids": token}
    kinds = _last_stack(model)
    with recorder.recording():
        model.forward(inputs)
    attention = {module for kind, module in recorder.modules if kind in kinds}
    every = (block for layers in layer_lists(model.module) for block in layers)
    blocks = [block for block in every if not attention.isdisjoint(block.modules())]
    begins: list[int] = []
    with recorder.recording(), turn(model.module) as hooks:
        for block in blocks:
            hooks.before(block, lambda *_: begins.append(recorder.next_index(kinds[0])))
        model.forward(inputs)
    return blocks, [*begins[1:], model.info.layers[kinds[0]][0]]


def _narrow(hooks: Turn, module: nn.Module, positions: Sequence[int]) -> list[bool]:
    """Let the output head compute only these positions; the list is filled once it did."""
    done: list[bool] = []
    find: Callable[[], nn.Module | None] = getattr(module, "get_output_embeddings", lambda: None)
    head = find()
    if not isinstance(head, nn.Module):
        return done

    def narrow(_: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
        done.append(True)
        return (args[0][:, list(positions)], *args[1:])

    hooks.before(head, narrow)
    return done


def _layout_to_branch(model: BaseModel, inputs: dict[str, Tensor]) -> Layout | None:
    """Where rows may join; None if they may not: tried once with a few tokens, against rows that are there from the start."""
    if model.info.backend == "fallback":
        return None  # their masks and biases have a row for each text
    if "classify" in model.info.abilities and model.info.family != "encoder":
        return None  # its head counts the texts by their ids
    layout = _layout(model)
    if model.module not in _BRANCHES:
        first = {name: tensor[:, :6] for name, tensor in inputs.items()}
        _BRANCHES[model.module] = _branching_is_exact(model, first, layout)
    return layout if _BRANCHES[model.module] else None


def _branching_is_exact(model: BaseModel, inputs: dict[str, Tensor], layout: Layout) -> bool:
    kind = _last_stack(model)[0]
    n_layers = model.info.layers[kind][0]
    layers = sorted({0, n_layers // 2, n_layers - 1})
    trials = [ablate(layer, 0, kind) for layer in layers]
    try:
        with out_of_memory_reported(model.place):
            joined = _together(model, inputs, trials, dict(enumerate(layers)), [0], Job(), layout)
    except (RuntimeError, ValueError, IndexError):  # a shape that cannot grow
        return False
    apart = _together(model, inputs, trials, dict.fromkeys(range(len(layers)), _FROM_THE_START), [0], Job())
    if joined.logits.shape != apart.logits.shape:
        return False
    return same_when_branched(joined.logits, apart.logits, computed_in(model.module))


def _most_rows(model: BaseModel, lengths: Lengths, n_positions: int) -> int:
    """How many copies fit at a time, the trunk beside them."""
    row = bytes_of_forward(model, lengths, n_logits=2 * n_positions)
    room = min(_MOST_BYTES, free_memory(model.place) // 4)
    return max(1, min(_MOST_ROWS, room // row - 1))

"""Catching attention while a model runs: the model goes at full speed and leaves its queries and keys behind.

`attend` has the signature of transformers' attention functions and computes what they compute. If a `Recorder` is active
in this thread it also keeps references to the queries, keys and masks, from which `AttentionRecord` computes weights later.
Our own Transformers call `attend` directly, so this file needs torch alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, replace
from typing import Any
from weakref import ref

from torch import Tensor, nn

from headscope.core.attention.capture.rotary_watch import Watch
from headscope.core.attention.hooks import Parts, turn
from headscope.core.attention.intervention import Intervention
from headscope.core.attention.kept.edited import edited_output, with_edits
from headscope.core.attention.kept.growing import Growing, is_growing
from headscope.core.attention.kept.keeping import kept
from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.attention.kept.owned import Own, Place, owning, with_output_weights
from headscope.core.attention.kept.visibility import as_rule, joined
from headscope.core.attention.record import AttentionRecord
from headscope.core.attention.stacks import is_linear, roles
from headscope.core.job import Job, Progress
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Backend, Kind


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an attention layer.

    Attributes
    ----------
    kind, index : Kind, int
        Which layer it is; `index` counts the layers of a kind.
    layer : LazyLayer
        What it was given, part of the autograd graph if there is one.
    first_query, first_key : int
        Where its queries and keys stand in the text: in generation with a cache not at 0.
    """

    kind: Kind
    index: int
    layer: LazyLayer
    first_query: int
    first_key: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A step of a generation: the layers so far, and how many queries each has read."""

    layers: Mapping[Place, Layer]
    read: Mapping[Place, int]


_active: ContextVar[Recorder | None] = ContextVar("headscope_recorder", default=None)


def active_recorder() -> Recorder | None:
    """The recorder of the innermost `Recorder.recording` of this thread."""
    return _active.get()


class Recorder:
    """Collects what `attend` catches while a model runs in this thread, and changes it where an intervention says so.

    Parameters
    ----------
    module : Module
        The whole model; every forward of it begins a new pass.
    append : bool
        False: keep the last pass. True: the passes are the steps of one generation with a cache, and each adds its
        queries and new keys to those of the steps before.
    job : Job, optional
        Looked at for cancellation at every layer, and told how far a pass is (if `n_layers_hint` is given).
    n_layers_hint : int, optional
        How many attention layers a pass goes through, all kinds together.
    intervention : Intervention, optional
        What to change; the records show the weights that were used.
    keep_layers : bool
        False: there will be no record, and memory is free for something else.
    keep : Keep
        How much of each layer, and where; not with `append`.
    keep_values : bool
        Also keep the layers' values, and find their output projections (`LazyLayer.projection`).
    keep_outputs : bool
        Also keep the heads' outputs of the last pass, see `outputs`.
    expected : int
        With `append`: how many tokens there may be in the end, if that is known.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        append: bool = False,
        job: Job | None = None,
        n_layers_hint: int | None = None,
        intervention: Intervention | None = None,
        keep_layers: bool = True,
        keep: Keep = KEEP_ALL,
        keep_values: bool = False,
        keep_outputs: bool = False,
        expected: int = 0,
    ) -> None:
        self._module = module
        self._append = append
        self._job = job or Job()
        self._n_layers_hint = n_layers_hint
        self._intervention = (intervention or Intervention()).frozen() if keep_layers else intervention or Intervention()
        self._keep_layers = keep_layers
        self.kept = keep
        self._keep_values = keep_values
        self._keep_outputs = keep_outputs
        self._expected = expected
        with turn(module, cancel=self._job.cancel) as hooks:  # with the parts that it runs with
            self._roles = roles(module, hooks.parts)
            self._rotations = Watch(hooks.parts, is_wanted=keep_layers and not append)
        self._n_calls = 0
        self._ordinals: dict[Kind, int] = {}
        self._read: dict[Place, int] = {}
        self._layers: dict[Place, Layer] = {}
        self._grown: dict[Place, tuple[Growing, Growing, Growing]] = {}
        self._outputs: dict[Place, Tensor] = {}
        self._unread: tuple[Kind, int, int] | None = None
        self._own: Own | None = None
        self._previous: tuple[nn.Module, Call] | None = None
        self.modules: list[tuple[Kind, nn.Module]] = []
        """The attention modules of the pass, in the order of the calls."""

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Catch the attention of forwards inside this block, in this thread."""
        with turn(self._module, cancel=self._job.cancel) as hooks:
            hooks.before(self._module, self._begin_pass)
            for part in filter(is_linear, hooks.parts) if self._keep_values else ():
                hooks.before(part, self._look_for_projection)
            token = _active.set(self)
            hooks.callback(_active.reset, token)
            with self._rotations.watching():
                yield self
            self._own_all(hooks.parts)

    def record(self, axes: Mapping[Kind, tuple[TokenAxis, TokenAxis]], *, backend: Backend, batch: int = 0) -> AttentionRecord:
        """A frozen snapshot of what has been caught so far; later passes do not change it.

        Parameters
        ----------
        axes : mapping of kind to (queries, keys)
            The tokens along both sides of each kind's maps.
        backend : Backend
        batch : int
            Which text of the batch.

        Raises
        ------
        HeadscopeError
            ``no_attention`` if nothing was caught.
        """
        layers = self._as_edited(with_output_weights(self._layers) if self._keep_values else self._layers)
        return AttentionRecord(layers, axes, backend=backend, batch=batch, model=self._module, kept=self.kept)

    def mark(self) -> Mark:
        """Where a generation stands, for `branch`."""
        return Mark(dict(self._layers), dict(self._read))

    def branch(self, mark: Mark, job: Job) -> Recorder:
        """Another recorder that goes on from `mark` of this one; what both have in common is kept once."""
        other = copy(self)
        other._job, other._layers, other._read = job, dict(mark.layers), dict(mark.read)
        other._grown = {
            place: tuple(  # type: ignore[misc]
                grown.branch(rows.shape[2]) if grown.length and rows is not None else Growing(self._expected)
                for grown, rows in zip(self._grown[place], (layer.query, layer.key, layer.value), strict=True)
            )
            for place, layer in mark.layers.items()
            if isinstance(layer, LazyLayer) and place in self._grown
        }
        return other

    @property
    def layers(self) -> dict[Kind, list[Layer]]:
        """What has been caught so far, first layer first."""
        return self._as_edited(self._layers)

    @property
    def outputs(self) -> dict[Kind, list[Tensor]]:
        """Of the last pass, if `keep_outputs`: each layer's heads' outputs α·v, (batch, n_queries, n_heads, d_value)."""
        outputs: dict[Kind, list[Tensor]] = {}
        for (kind, _), output in sorted(self._outputs.items(), key=lambda item: item[0][1]):
            outputs.setdefault(kind, []).append(output)
        return outputs

    def next_index(self, kind: Kind) -> int:
        """Which layer of this kind a pass comes to next."""
        return self._ordinals.get(kind, 0)

    def catch(self, module: nn.Module, layer: LazyLayer, *, causal: bool) -> Call:
        """Keep one call of an attention layer. Called by attention functions, before they compute.

        Raises
        ------
        Cancelled
            If the job was cancelled.
        """
        previous = self._previous
        if previous is not None and previous[0] is module and previous[1].layer.query is layer.query:
            return replace(previous[1], layer=layer)  # DiffLlama mixes two halves of the values with the same weights
        kind = self._kind_of(module, causal=causal)
        # By order of the calls and not by module: ALBERT calls one module for all its layers.
        index = self._ordinals.get(kind, 0)
        self._ordinals[kind] = index + 1
        call = Call(kind, index, layer, *self._located(kind, index, *layer.shape[1:]))
        self._previous = module, call
        self.modules.append((kind, module))
        if self._keep_layers:
            self._keep(call)
        self._n_calls += 1
        self._job.cancel.check()
        if self._n_layers_hint:
            self._job.report(Progress("running", min(1.0, self._n_calls / self._n_layers_hint)))
        return call

    def _as_edited(self, kept: Mapping[Place, Layer]) -> dict[Kind, list[Layer]]:
        layers: dict[Kind, list[Layer]] = {}
        for (kind, index), layer in sorted(kept.items(), key=lambda item: item[0][1]):
            layers.setdefault(kind, []).append(with_edits(layer, self._intervention.at(kind, index)))
        return layers

    def _kind_of(self, module: nn.Module, *, causal: bool) -> Kind:
        if module in self._roles.cross:
            return "cross"
        return self._roles.stacks.get(module, "decoder" if causal else "encoder")

    def passed_on(self, call: Call, output: Tensor) -> Tensor:
        """What the model goes on with instead of a layer's `output`, (batch, n_queries, n_heads, d_value)."""
        if edits := self._intervention.at(call.kind, call.index):
            output = edited_output(call.layer, output, edits, first_query=call.first_query, first_key=call.first_key)
        if self._keep_outputs:
            self._outputs[call.kind, call.index] = output.detach()
        self._unread = (call.kind, call.index, output.untyped_storage().data_ptr())
        return output

    def _located(self, kind: Kind, index: int, n_queries: int, n_keys: int) -> tuple[int, int]:
        """Where a call's first query and key stand in the text."""
        if not self._append or kind == "encoder":
            return 0, 0
        first_query = self._read.get((kind, index), 0)
        read = self._read[kind, index] = first_query + n_queries
        return first_query, 0 if kind == "cross" else read - n_keys

    def _keep(self, call: Call) -> None:
        place, layer = (call.kind, call.index), call.layer.detached()
        value, rotation = layer.value if self._keep_values else None, self._rotations.take(layer.query, layer.key)
        layer = replace(layer, value=value, rotation=rotation)
        if self._append and call.kind != "encoder":
            self._layers[place] = self._appended(call, layer)
        else:
            self._layers[place] = kept(layer, call.index, self.kept)

    def _own_all(self, parts: Parts) -> None:
        """After a pass: what is kept of it is nobody else's."""
        if self._keep_layers:
            self._own = self._own or owning(parts)  # of a generation once: its passes take a few milliseconds
            self._layers = {place: layer.owned(self._own) for place, layer in self._layers.items()}

    def _look_for_projection(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """The linear layer that is given the memory which an attention layer has just filled reads its heads."""
        if self._unread is None or not args or not isinstance(args[0], Tensor):
            return
        kind, index, storage = self._unread
        layer = self._layers[kind, index]
        if args[0].untyped_storage().data_ptr() == storage and isinstance(layer, LazyLayer):
            self._layers[kind, index] = replace(layer, reader=ref(module))
            self._unread = None

    def _begin_pass(self, *_: object) -> None:
        self._n_calls, self._ordinals, self._outputs, self._unread = 0, {}, {}, None
        self.modules, self._previous = [], None
        if not self._append:
            self._layers = {}

    def _appended(self, call: Call, layer: LazyLayer) -> LazyLayer:
        """The layer of all steps so far and this one."""
        place = call.kind, call.index
        earlier = self._layers.get(place)
        if place not in self._grown:
            self._grown[place] = Growing(self._expected), Growing(self._expected), Growing(self._expected)
        queries, keys, values = self._grown[place]
        (visible,), key, value = layer.visibility, layer.key, layer.value
        visible = visible.moved(queries=call.first_query, keys=call.first_key)
        if call.kind == "cross":  # the keys are the source's, the same at each step
            if isinstance(earlier, LazyLayer):
                key, value = earlier.key, earlier.value
        else:
            n_new = key.shape[2] if earlier is None else layer.query.shape[2]
            key = _all_rows(key, n_new, keys)
            value = None if value is None else _all_rows(value, n_new, values)
            visible = as_rule(visible)
        visibility = joined(earlier.visibility if isinstance(earlier, LazyLayer) else (), visible)
        return replace(layer, query=queries.append(layer.query), key=key, value=value, visibility=visibility)


def _all_rows(given: Tensor, n_new: int, grown: Growing) -> Tensor:
    """The rows of all steps: those that the model was given, if its cache keeps them; or else its new ones behind ours.

    (A slice of another cache would keep every step's whole cache alive.)
    """
    return given if is_growing(given) else grown.append(given[:, :, -n_new:])

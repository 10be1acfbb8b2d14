"""The residual stream: what each layer of a model hands to the next, and the model's own way from there to logits.

Layers are found by what runs and not by their names: the last list of attending layers that a pass goes through is the one
whose result the head reads. To read a stream, the model itself runs once more with its layers standing aside: they hand on
what they are given, and the last one hands on the stream. So everything that comes after the layers (final norm, projections,
head, bias, scale, soft cap) is the model's own, in every family, and costs no layer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from headscope.core.attention.hooks import turn
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import why_no_prediction
from headscope.core.job import Job
from headscope.core.memory import check_room
from headscope.core.numerics import computed_in, longest_sum, same_logits
from headscope.core.sentences import sentence

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import Encoded


class ResidualStream:
    """The residual stream of one pass, the decoder's of an encoder-decoder model.

    Parameters
    ----------
    model : BaseModel
    source, target : Encoded
        As `BaseModel.encode` gives them.
    job : Job, optional
        Its cancel is looked at after each layer.
    position : int, optional
        Where the stream is compared with what the model says: the last token if not given.
    watched_by : context managers
        Entered around the pass.

    Attributes
    ----------
    streams : list of Tensor, (1, n_tokens, d_model)
        What enters the first layer, then what each layer hands on: n_layers + 1.
    layers : list of Module
        The layers in the order of their calls (of ALBERT the same module many times).
    logits : Tensor, (n_outcomes,)
        What the model itself says at `position`.

    Raises
    ------
    HeadscopeError
        ``predicts_nothing``, ``head_missing``, ``answers_by_beams``; ``analysis_undefined`` if its layers cannot be found, or hand on
        more than one stream; ``not_enough_memory``, ``out_of_memory``.
    Cancelled
    """

    def __init__(
        self,
        model: BaseModel,
        source: Encoded,
        target: Encoded | None,
        job: Job | None = None,
        *,
        position: int | None = None,
        watched_by: Sequence[AbstractContextManager[object]] = (),
    ) -> None:
        if not model.info.abilities & {"fill_mask", "generate", "classify", "tag", "answer"}:
            raise why_no_prediction(model.info)
        self._model = model
        self._job = job or Job()
        self._inputs = model.inputs(source, target)
        self._written = {"decoder_input_ids"} if target is not None else set(self._inputs)
        self._lists = layer_lists(model.module)
        self._results: dict[nn.ModuleList, object] = {}
        self._last: nn.ModuleList | None = None
        self.streams: list[Tensor] = []
        self.layers: list[nn.Module] = []
        self._check_room(len(source.ids if target is None else target.ids))
        with turn(model.module, cancel=self._job.cancel) as hooks:
            for watcher in watched_by:
                hooks.enter_context(watcher)
            for layers in self._lists:
                for layer in layers:
                    hooks.after(layer, partial(self._keep, layers), with_kwargs=True)
            output = model.forward(self._inputs, logits_to_keep=1)
        self.logits: Tensor = self._at(output.logits[0], -1 if position is None else position)
        self._check_that_the_stream_gives_the_logits(position)

    @property
    def n_tokens(self) -> int:
        return int(self.streams[0].shape[1])

    def read(self, depths: Sequence[int], positions: Sequence[int]) -> Tensor:
        """What the model's own head makes of streams, side by side as a batch.

        Parameters
        ----------
        depths : sequence of int
            Which of `streams`: 0 is the input, n_layers what the last layer hands on.
        positions : sequence of int

        Returns
        -------
        Tensor, (len(depths), len(positions), vocabulary)
            Logits; of a model that predicts no words as a `Readout` has them, of a text of these positions.
        """
        kept, device = list(positions), self.streams[-1].device
        chosen = torch.cat([self.streams[depth][:, kept].to(device) for depth in depths])
        inputs = {name: rows.expand(len(depths), -1) for name, rows in self.inputs_at(kept).items()}
        with self.standing_aside(chosen):
            logits: Tensor = self._model.forward(inputs).logits
        return logits

    def inputs_at(self, positions: list[int]) -> dict[str, Tensor]:
        """Inputs of the model cut to some positions of the side it predicts: what is read has its length."""
        return {name: rows[:, positions] if name in self._written else rows for name, rows in self._inputs.items()}

    @contextmanager
    def standing_aside(self, stream: Tensor) -> Iterator[None]:
        """Inside, a forward of the model runs no layer: what comes after them is given `stream`, (batch, n_positions, d_model)."""
        calls = count(1)

        def hand_on(layers: nn.ModuleList, *args: Any, **kwargs: Any) -> object:
            at_end = layers is self._last and next(calls) == len(self.layers)
            return _with_stream(self._results[layers], stream if at_end else _given(args, kwargs))

        with turn(self._model.module) as hooks:
            for layers in self._results:
                for layer in layers:
                    hooks.instead(layer, partial(hand_on, layers))
            yield

    def _keep(
        self, layers: nn.ModuleList, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object
    ) -> None:
        self._job.cancel.check()
        if self._last is not layers:  # an encoder's layers are over, its decoder's begin
            self._last, self.streams, self.layers = layers, [_given(args, kwargs)], []
        self._results[layers] = output
        self.streams.append(_stream(output))
        self.layers.append(layer)

    def _check_room(self, n_tokens: int) -> None:
        config: Any = self._model.module.config
        width = int(getattr(config, "hidden_size", None) or getattr(config, "d_model", None) or 1024)
        size = 4 if self._model.info.dtype == "float32" else 2
        n_layers = max((len(layers) for layers in self._lists), default=0)
        check_room("not_enough_memory", (n_layers + 1) * n_tokens * width * size, self._model.place)

    def _at(self, logits: Tensor, position: int) -> Tensor:
        """What (n_rows, n_outcomes) logits say at a position."""
        abilities = self._model.info.abilities
        if "answer" in abilities:
            return logits[:, position]
        return logits[0] if "classify" in abilities else logits[position]

    def _check_that_the_stream_gives_the_logits(self, position: int | None) -> None:
        """So that a model which is built in another way is refused and not read wrongly."""
        if self.streams and self.streams[-1].dim() == 3 and self.streams[-1].shape[0] == 1:
            at = self.n_tokens - 1 if position is None else position
            again = self._at(self.read([len(self.layers)], [at])[0], 0)
            module = self._model.module
            if same_logits(again, self.logits, computed_in(module), longest_sum(module)):
                return
        raise HeadscopeError(
            "analysis_undefined",
            analysis="Reading the residual stream",
            reason=sentence("several_streams", architecture=self._model.info.architecture),
            instead=sentence("choose_one_stream"),
        )


def layer_lists(module: nn.Module) -> list[nn.ModuleList]:
    """The outermost lists of layers that attend: an encoder's, a decoder's."""
    found: list[nn.ModuleList] = []
    for part in module.children():
        if isinstance(part, nn.ModuleList) and any("attention" in type(inner).__name__.lower() for inner in part.modules()):
            found.append(part)
        else:
            found += layer_lists(part)
    return found


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
    stream: Tensor = args[0] if args else kwargs["hidden_states"]
    return stream


def _stream(output: Any) -> Tensor:
    stream: Tensor = output if isinstance(output, Tensor) else output[0]
    return stream


def _with_stream(output: object, stream: Tensor) -> object:
    """A layer's result with another stream in it."""
    return (stream, *output[1:]) if isinstance(output, tuple) else stream

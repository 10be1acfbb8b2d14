"""Interventions in models that compute attention in a way of their own.

While such a model runs, a `TorchFunctionMode` looks at torch's functions: inside a module that is called attention, a softmax
over a (batch, n_heads, n_queries, n_keys) tensor makes weights, and the product they go into makes the heads' outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from headscope.core.attention.hooks import turn
from headscope.core.attention.intervention import Edit
from headscope.core.attention.kept.edited import change_output, edited_weights, touched
from headscope.core.attention.kept.softmax_input import SOFTMAXES

_PRODUCTS = (torch.matmul, Tensor.matmul, Tensor.__matmul__, torch.bmm, Tensor.bmm, torch.einsum)
_HIDDEN_BELOW = -5e3
"""Models hide keys by adding from -1e4 on down to -inf; no trained score comes near."""


class SoftmaxTap(TorchFunctionMode):
    """Edits the attention of a model's forwards inside `tapping`, and shows the heads' outputs.

    Parameters
    ----------
    module : Module
    begin : callable
        Told of each softmax: its attention module, n_queries, n_keys; answers the edits to make there, with positions
        counted from the call's own first query and key.
    end : callable
        Given the heads' outputs of that layer, (batch, n_queries, n_heads, d_value), as the model goes on with them.
    """

    def __init__(
        self, module: nn.Module, begin: Callable[[nn.Module, int, int], tuple[Edit, ...]], end: Callable[[Tensor], None]
    ) -> None:
        super().__init__()
        self._module = module
        self._begin = begin
        self._end = end
        self._inside: list[nn.Module] = []
        self._weights: dict[int, Tensor] = {}
        self._edits: tuple[Edit, ...] = ()

    @contextmanager
    def tapping(self) -> Iterator[None]:
        """Edit forwards inside this block, in this thread."""
        with turn(self._module) as hooks:
            for part in hooks.parts:
                if "attention" in type(part).__name__.lower():
                    hooks.before(part, self._enter)
                    hooks.after(part, self._leave, always=True)
            hooks.enter_context(self)
            yield

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if not self._inside:
            return func(*args, **kwargs)
        if func in SOFTMAXES and args[0].dim() >= 3 and (args[1:2] or (kwargs.get("dim"),))[0] in (-1, args[0].dim() - 1):
            return self._softmax(func, args, kwargs)
        result = func(*args, **kwargs)
        if self._weights and isinstance(result, Tensor):
            return self._followed(func, args, result)
        return result

    def _enter(self, module: nn.Module, _args: object) -> None:
        self._inside.append(module)

    def _leave(self, *_: object) -> None:
        self._inside.pop()
        self._weights = {}

    def _softmax(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        """The softmax, edited; its result is followed to the product it goes into."""
        weights: Tensor = func(*args, **kwargs)
        scores: Tensor = args[0]
        self._edits = self._begin(self._inside[-1], *scores.shape[-2:])
        changing = [edit for edit in self._edits if edit.on_weights]
        if changing:
            layer = _Scores(scores.view(-1, self._n_heads, *scores.shape[-2:]))
            edited = weights.clone().view(layer.scores.shape)
            for batch, head, rows in touched(changing, edited.shape[0], edited.shape[2]):
                acting = [
                    edit for edit in changing if edit.batch in (None, batch) and (head is None or edit.head in (None, head))
                ]
                heads = slice(None) if head is None else slice(head, head + 1)
                new = edited_weights(layer, acting, rows, batch=batch, head=head)
                edited[batch, heads, rows.start : rows.stop] = new.to(edited.dtype)
            weights = edited.view(weights.shape)
        self._weights = {id(weights): weights}
        return weights

    @property
    def _n_heads(self) -> int:
        return _n_heads(self._inside[-1], self._module)

    def _followed(self, func: Callable[..., Any], args: tuple[Any, ...], result: Tensor) -> Tensor:
        """The result of a function; if it is the heads' outputs, edited."""
        operands = [part for part in args if isinstance(part, Tensor)]
        found = next((part for part in operands if id(part) in self._weights), None)
        if found is None:
            return result
        if func not in _PRODUCTS:
            if result.numel() == found.numel():  # cast, dropped out, turned into another shape: still the weights
                self._weights[id(result)] = result
            return result
        self._weights = {}
        outputs = result.clone()
        by_head = _heads_last(outputs, self._n_heads, args[0] if isinstance(args[0], str) else None)
        for edit in self._edits:
            if not edit.on_weights:
                change_output(by_head, edit)
        self._end(by_head)
        return outputs


@dataclass(frozen=True, slots=True)
class _Scores:
    """What a softmax was given, (batch, n_heads, n_queries, n_keys), in the place of a `LazyLayer`."""

    scores: Tensor

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.scores.shape[1], self.scores.shape[2], self.scores.shape[3]

    @property
    def device(self) -> torch.device:
        return self.scores.device

    def formed(self, rows: range, *, batch: int, head: int | None, hidden: Tensor | None = None) -> tuple[Tensor, Tensor]:
        heads = slice(None) if head is None else slice(head, head + 1)
        scores = self.scores[batch, heads, rows.start : rows.stop].float()
        seen = scores > _HIDDEN_BELOW
        if hidden is not None:
            seen = seen & ~hidden
        mask = torch.zeros_like(scores).masked_fill(~seen, -torch.inf)
        weights = torch.softmax(scores.masked_fill(~seen, -torch.inf), dim=-1)
        return weights.masked_fill(~seen.any(-1, keepdim=True), 0.0), mask


def _heads_last(outputs: Tensor, n_heads: int, equation: str | None) -> Tensor:
    """A view of a product's result as (batch, n_queries, n_heads, d_value)."""
    if equation is not None:  # its first operand is the weights: (batch, n_heads, n_queries, n_keys)
        operands, letters = equation.replace(" ", "").split("->")
        batch, head, query, key = list(operands.split(",")[0])
        (width,) = set(letters) - {batch, head, query, key}
        return outputs.permute([letters.index(letter) for letter in (batch, query, head, width)])
    return outputs.view(-1, n_heads, *outputs.shape[-2:]).transpose(1, 2)


def _n_heads(part: nn.Module, model: nn.Module) -> int:
    for name in ("num_attention_heads", "num_heads", "n_heads", "n_head"):
        if isinstance(number := getattr(part, name, None), int):
            return number
    config: Any = model.config
    return int(config.get_text_config().num_attention_heads)

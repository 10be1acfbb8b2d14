"""Attention weights in whatever form a transformers model hands them over: of a pass, of a generation, of both stacks and between.

A kind's layers come first to last; each is a tuple of `Piece`, one for each pass that the model made, or None for a layer
without attention weights (state-space and recurrent layers of hybrids).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.attention.kept.stored import Piece
from headscope.core.errors import HeadscopeError
from headscope.core.numerics import are_weights, rows_exceed_one
from headscope.core.sentences import sentence
from headscope.core.vocabulary import Kind

Layers = list[tuple[Piece, ...] | None]
_NAMES: Final[Mapping[str, Kind | None]] = {
    "encoder_attentions": "encoder",
    "decoder_attentions": "decoder",
    "cross_attentions": "cross",
    "attentions": None,
    "encoder": "encoder",
    "decoder": "decoder",
    "cross": "cross",
}
"""What outputs call their weights; None: of a model with one stack."""


def layers_of(given: Any, *, is_cross: bool) -> dict[Kind | None, Layers]:
    """The layers of each kind of attention in `given`; the kind is None where only the weights themselves can tell it.

    Parameters
    ----------
    given : array, sequence of arrays, sequence of sequences, mapping or ModelOutput
        See `headscope.core.attention.from_arrays.record_of`.
    is_cross : bool
        Whether weights that do not say their kind have keys of another text than their queries.

    Raises
    ------
    HeadscopeError
        ``attentions_missing`` if a model was not asked for its weights or does not compute them, ``dropout_active``,
        ``not_attention``.
    """
    found = _stacks(given)
    if found is None:
        return {"cross" if is_cross else None: _checked(_layers(given, None, is_cross))}
    beams = _field(given, "beam_indices")
    kinds = {kind: _layers(weights, beams, kind == "cross") for kind, weights in found.items() if len(weights)}
    if not kinds:
        raise HeadscopeError("attentions_missing")
    if None in kinds and len(kinds) > 1:  # a decoder with cross-attention calls its own `attentions`
        kinds["decoder"] = kinds.pop(None)
    return {kind: _checked(layers) for kind, layers in kinds.items()}


def _stacks(given: Any) -> dict[Kind | None, Any] | None:
    """The weights of an output by kind; None if `given` are weights themselves."""
    if isinstance(given, Tensor | np.ndarray | list | tuple) and not hasattr(given, "_fields"):
        return None
    names = [name for name in _NAMES if _field(given, name) is not None]
    if names:
        return {_NAMES[name]: _field(given, name) for name in names}
    if isinstance(given, torch.nn.Module):
        raise HeadscopeError("not_attention", reason=sentence("model_for_weights"))
    if isinstance(given, Mapping) or given is None or hasattr(given, "attentions") or hasattr(given, "last_hidden_state"):
        raise HeadscopeError("attentions_missing")
    return None


def _field(given: Any, name: str) -> Any:
    return given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)


def _layers(weights: Any, beams: Any, is_cross: bool) -> Layers:
    if isinstance(weights, tuple | list):
        if not weights or all(each is None for each in weights):
            raise HeadscopeError("attentions_missing")
        first = next(each for each in weights if each is not None)
        if isinstance(first, tuple | list) and any(_axes(part) >= 3 for part in first):
            return _generated(weights, beams, is_cross)
        if any(isinstance(each, Tensor) and each.dim() == 4 and rows_exceed_one(each) for each in weights):
            raise HeadscopeError("dropout_active")  # so a model returns them
        if _axes(first) or (isinstance(first, tuple | list) and any(_axes(part) == 2 for part in first)):
            return [None if each is None else (_whole(_one_text(each)),) for each in weights]
    whole = _tensor(weights)
    if whole.dim() == 5:
        return [(_whole(layer[:1]),) for layer in whole]
    if not 2 <= whole.dim() <= 4:
        raise HeadscopeError("not_attention", reason=sentence("array_axes", n=whole.dim()))
    return [(_whole(layer),) for layer in whole[(None,) * (4 - whole.dim())][:, None].unbind()]


def _axes(part: Any) -> int:
    return int(part.ndim) if hasattr(part, "ndim") else 0


def _whole(layer: Tensor) -> Piece:
    return Piece(range(layer.shape[2]), range(layer.shape[3]), layer)


def _one_text(array: Any, index: int = 0) -> Tensor:
    """(1, head, query, key): the text `index` of a batch, or a single head's matrix."""
    layer = torch.stack([_tensor(head) for head in array]) if isinstance(array, tuple | list) else _tensor(array)
    if not 2 <= layer.dim() <= 4:
        raise HeadscopeError("not_attention", reason=sentence("layer_axes", n=layer.dim()))
    return layer[index : index + 1] if layer.dim() == 4 else layer[(None,) * (4 - layer.dim())]


def _tensor(array: Any) -> Tensor:
    """On the CPU, in float32, a copy."""
    if isinstance(array, Tensor):
        return array.detach().to("cpu", torch.float32, copy=True)
    try:
        return torch.from_numpy(np.array(array, dtype=np.float32))
    except (ValueError, TypeError) as error:
        raise HeadscopeError("not_attention", reason=str(error)) from None


# ---------------------------------------------------------------- generations
def _generated(steps: Sequence[Any], beams: Any, is_cross: bool) -> Layers:
    """Of ``generate(…, output_attentions=True)``: for each step its layers, which hold the rows of what was read in it."""
    layers: list[list[Piece] | None] = [None if each is None else [] for each in steps[0]]
    for number, step in enumerate(steps):
        beam = 0 if beams is None or number == 0 else max(0, int(beams[0][number]))
        for pieces, each in zip(layers, step, strict=True):
            if pieces is not None and each is not None:
                _append(pieces, _one_text(each, beam), is_cross)
    return [None if pieces is None else tuple(pieces) for pieces in layers]


def _append(pieces: list[Piece], rows: Tensor, is_cross: bool) -> None:
    """One pass more of a layer. Keys of a cache with room to spare are cut; those that a sliding one forgot stay 0."""
    n_rows, n_keys = rows.shape[2:]
    begins = pieces[-1].queries.stop if pieces else 0
    if pieces and n_rows > begins and (is_cross or n_keys == n_rows):  # without a cache each step reads all of the text again
        rows = rows[:, :, begins:]
    ends = begins + rows.shape[2]
    if is_cross:
        keys = range(n_keys)
    elif n_keys >= ends:
        if bool(rows[..., ends:].any()):
            raise HeadscopeError("not_attention", reason=sentence("keys_of_another_text"))
        keys, rows = range(ends), rows[..., :ends]
    else:
        keys = range(ends - n_keys, ends)
    pieces.append(Piece(range(begins, ends), keys, rows))


# ---------------------------------------------------------------- checks
def _checked(layers: Layers) -> Layers:
    if not any(layer and all(piece.weights.numel() for piece in layer) for layer in layers):
        raise HeadscopeError("not_attention", reason=sentence("no_weights"))
    for piece in (piece for layer in layers if layer is not None for piece in layer):
        if bool(piece.weights.isnan().any()):
            raise HeadscopeError("not_attention", reason=sentence("weights_are_nan"))
        if not are_weights(piece.weights):
            raise HeadscopeError("not_attention", reason=sentence("weights_out_of_range"))
    return layers

"""Direct logit attribution: what each part of a model adds to the logit of a token, as it stands in the residual stream.

It counts what reaches the head directly. What a head does for later heads and layers to use is counted as theirs, and a part
that was taken away would be answered by others (Wang et al. 2023 found such backup heads), so a part's contribution is not what
its removal would change. Logits have no zero: a part that adds the same to all tokens changes nothing, so compare tokens by
attributing both and subtracting; parts come in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from headscope.core.analyse.attribution.frozen_head import (
    ANALYSIS,
    FrozenHead,
    frozen_head,
    frozen_norm,
    looks_like_norm,
    undefined,
)
from headscope.core.analyse.attribution.output_projection import recorder_with_values, value_and_projection
from headscope.core.analyse.prediction_point import PredictionPoint, point_of
from headscope.core.arguments import checked
from headscope.core.attention.hooks import turn
from headscope.core.forward.residual_stream import ResidualStream, layer_lists
from headscope.core.job import Job
from headscope.core.numerics import computed_in, half_digits, same_vector, stream_tolerance
from headscope.core.target import SpanEnd, Target
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.capture.recorder import Recorder
    from headscope.core.attention.kept.layer import Layer
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids
    from headscope.core.text.tokenizer import Encoded

PartKind = Literal["embedding", "head", "attention_bias", "feed_forward", "layer", "norm_bias", "output_bias"]
_KINDS: tuple[Kind, ...] = ("encoder", "decoder", "cross")


@dataclass(frozen=True, slots=True)
class Part:
    """One term of a logit.

    Attributes
    ----------
    kind : PartKind
        "embedding": all that enters the first layer. "attention_bias": the output projection's bias (and that of a norm behind
        it). "layer": all of a layer that does not attend, or whose values cannot be caught (tier "fallback"). "norm_bias", "output_bias": of the final norm, of the head.
    contribution : float
        To the logit.
    layer, head : int or None
        From 0; a layer counts all layers of the stack, also those that do not attend.
    attention : Kind or None
    """

    kind: PartKind
    contribution: float
    layer: int | None = None
    head: int | None = None
    attention: Kind | None = None

    @property
    def name(self) -> str:
        """As "layer 3 decoder head 5", "layer 3 decoder attention bias", "layer 3 feed forward", "embedding"."""
        where = [] if self.layer is None else [f"layer {self.layer}"]
        what = self.kind.replace("_", " ") + ("" if self.head is None else f" {self.head}")
        return " ".join([*where, *([self.attention] if self.attention else []), what])


@dataclass(frozen=True, slots=True)
class DirectLogit:
    """A logit, taken apart.

    Attributes
    ----------
    target : Target
        Whose logit, with nothing left open.
    logit : float
        As the model computes it.
    parts : tuple of Part
        In the order of the pass.
    """

    target: Target
    logit: float
    parts: tuple[Part, ...]

    @property
    def remainder(self) -> float:
        """What the parts do not sum up to: rounding, below 1e-3 in float32."""
        return self.logit - sum(part.contribution for part in self.parts)

    def heads(self, kind: Kind) -> FloatArray:
        """Contributions of heads: float32 (n_layers, n_heads), NaN in layers that have none of this kind."""
        found = [part for part in self.parts if part.kind == "head" and part.attention == kind]
        places = [(part.layer or 0, part.head or 0) for part in found]
        n_layers = 1 + max((part.layer or 0 for part in self.parts), default=0)
        contributions = np.full((n_layers, 1 + max((head for _, head in places), default=-1)), np.nan, np.float32)
        for place, part in zip(places, found, strict=True):
            contributions[place] = part.contribution
        return contributions


@checked
def direct_logit_attribution(
    model: BaseModel,
    text: str | Ids,
    text_pair: str | None = None,
    target: str | Ids | None = None,
    *,
    position: int | None = None,
    token: int | str | None = None,
    label: int | str | None = None,
    span: SpanEnd | None = None,
    job: Job | None = None,
) -> DirectLogit:
    """Take the logit of what is predicted apart into what each head, each feed-forward layer, the embedding and the biases add to it.

    The stream after the last layer is a sum, x = embedding + Σ_l (Σ_h o_lh + b_l + m_l), with o_lh = α·v·W_O of a head (Kobayashi
    et al. 2020), b_l the output projection's bias and m_l the feed-forward layer. With the final norm frozen at the length that it
    has here, logit = d · x + biases, so each part adds d · part. Norms behind attention (Gemma 2) are frozen likewise, soft caps by
    their ratio. That the parts do add up to what each layer hands on is checked.

    Parameters
    ----------
    model : BaseModel
        One that normalises before each part (or before and behind it), masked, causal or encoder-decoder (then its decoder), or with a
        linear head for classes (of a decoder), tags or answers.
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    position : int, optional
        The first mask, or the last token of what a decoder reads, if not given; of a tagger the token that has the tag, of an
        answer the token that it starts or ends with.
    token : int, optional
        A vocabulary id; the most probable one if not given.
    label : int or str, optional
        A class or a tag; the most probable one if not given.
    span : "start" or "end", optional
        Which end of an answer; the start if not given.
    job : Job, optional
        Its cancel is looked at in every layer.

    Returns
    -------
    DirectLogit
        Its parts sum to the logit within 1e-3 in float32.

    Raises
    ------
    HeadscopeError
        ``analysis_undefined`` for a model that normalises after each part (BERT), whose head reads no sum, and for a head that is
        not linear (a pooler with a tanh); ``predicts_nothing``, ``no_mask``, ``no_such_position``, ``bad_option``.
    Cancelled

    References
    ----------
    Elhage et al., A Mathematical Framework for Transformer Circuits, 2021, "Virtual weights and the residual stream".
    Wang et al., Interpretability in the Wild, 2023, section 3.
    """
    source, written = model.encode(text, text_pair, target)
    point = point_of(model, source, written, Target(position, token, label, span))
    position = _read_at(point, source, written)
    recorder = recorder_with_values(model, job)
    steps = _Steps(model, recorder, position, n_tokens=len(source.ids if written is None else written.ids))
    compared = None if point.readout.kind == "token" else position  # of whose logits only the last are computed
    stream = ResidualStream(model, source, written, job, position=compared, watched_by=(steps.watching(), recorder.recording()))
    if point.readout.kind == "span":
        index, outcome = position, (point.row, 0)
    else:
        index = point.index_in(stream.read([len(stream.layers)], [position])[0, 0])
        outcome = (0, index)
    head = frozen_head(model, stream, position, outcome)
    handed_on = [each[0, position].cpu() for each in stream.streams]  # from layer to layer: (d_model,) each
    parts = [Part("embedding", _along(head, handed_on[0]))]
    for depth, step in enumerate(steps.of_last(len(stream.layers))):
        parts += _parts_of_layer(model, head, step, depth, *handed_on[depth : depth + 2])
    parts += [Part("norm_bias", head.norm_bias), Part("output_bias", head.output_bias)]
    return DirectLogit(point.target(index), head.logit, tuple(parts))


def _read_at(point: PredictionPoint, source: Encoded, written: Encoded | None) -> int:
    """The position of the stream that the logit is read from."""
    model, readout = point.model, point.readout
    if readout.kind == "class":
        if readout.read_at is None or written is not None:
            raise undefined(model, "class_not_linear")
        return readout.read_at
    if readout.kind != "span":
        return point.row
    row = model.forward(model.inputs(source, written)).logits[0, point.row]
    return point.index_in(row)


# ---------------------------------------------------------------- what happens inside a layer
@dataclass(frozen=True, slots=True)
class _Step:
    """One call of a layer: its attention, and what the modules inside it were given and gave at the position."""

    attention: list[tuple[Kind, Layer]]
    inner: list[tuple[nn.Module, Tensor | None, Tensor]]
    row: int


class _Steps:
    """Watches the inside of layers during the pass."""

    def __init__(self, model: BaseModel, recorder: Recorder, position: int, n_tokens: int) -> None:
        self._model = model
        self._recorder = recorder
        self._position = position
        self._n_tokens = n_tokens
        self._inner: list[tuple[nn.Module, Tensor | None, Tensor]] = []
        self._seen = dict.fromkeys(_KINDS, 0)
        self._calls: list[tuple[list[tuple[Kind, int]], list[tuple[nn.Module, Tensor | None, Tensor]]]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        with turn(self._model.module) as hooks:
            for layer in (layer for layers in layer_lists(self._model.module) for layer in layers):
                for part in layer.modules():
                    if part is not layer:
                        hooks.after(part, self._look, with_kwargs=True)
                hooks.after(layer, self._end_layer)
            yield

    def of_last(self, n_layers: int) -> list[_Step]:
        """The layers' calls in order; an encoder's are before those of its decoder."""
        layers = self._recorder.layers
        return [
            _Step([(kind, layers[kind][index]) for kind, index in attention], inner, self._position)
            for attention, inner in self._calls[-n_layers:]
        ]

    def _look(self, part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object) -> None:
        given = args[0] if args else kwargs.get("hidden_states")
        result = output[0] if isinstance(output, tuple) and output else output
        if (after := self._at_position(result)) is not None:
            self._inner.append((part, self._at_position(given), after))

    def _at_position(self, tensor: object) -> Tensor | None:
        """float32 (width,), of one text's tensor over the tokens, however its first two axes are folded (OPT's are)."""
        if not isinstance(tensor, Tensor) or tensor.dim() < 2 or tensor.numel() != self._n_tokens * tensor.shape[-1]:
            return None
        return tensor.reshape(self._n_tokens, -1)[self._position].float().clone()

    def _end_layer(self, *_: object) -> None:
        now = {kind: self._recorder.next_index(kind) for kind in _KINDS}
        attention = [(kind, index) for kind in _KINDS for index in range(self._seen[kind], now[kind])]
        self._calls.append((attention, self._inner))
        self._inner, self._seen = [], now


# ---------------------------------------------------------------- from a layer to its parts
@dataclass(frozen=True, slots=True)
class _Attended:
    """What an attention layer adds at the position: `heads` (n_heads, d_model) and `bias` (d_model,)."""

    kind: Kind
    heads: Tensor
    bias: Tensor

    @property
    def whole(self) -> Tensor:
        return self.heads.sum(dim=0) + self.bias


def _along(head: FrozenHead, vector: Tensor) -> float:
    return float(vector.double() @ head.direction.double())


def _parts_of_layer(model: BaseModel, head: FrozenHead, step: _Step, depth: int, before: Tensor, after: Tensor) -> list[Part]:
    change = after.float() - before.float()
    if not step.attention:
        return [Part("layer", _along(head, change), depth)]
    attended = [_attended(kind, layer, step.row) for kind, layer in step.attention]
    factor, attended = _as_added(model, step, attended, change, size=float(after.abs().max()))
    parts: list[Part] = []
    for each in attended:
        of_heads = (factor * each.heads).double() @ head.direction.double()
        parts += [Part("head", number, depth, index, each.kind) for index, number in enumerate(of_heads.tolist())]
        parts.append(Part("attention_bias", _along(head, factor * each.bias), depth, attention=each.kind))
    rest = change - factor * torch.stack([each.whole for each in attended]).sum(dim=0)
    return [*parts, Part("feed_forward", _along(head, rest), depth)]


@torch.inference_mode()
def _attended(kind: Kind, layer: Layer, row: int) -> _Attended:
    value, weight, bias = value_and_projection(layer, ANALYSIS)
    alpha = layer.weights(range(row, row + 1), batch=0, head=None)  # (n_heads, 1, seen)
    mixed = alpha @ value[:, : alpha.shape[-1]]  # (n_heads, 1, d_value)
    return _Attended(kind, (mixed @ weight)[:, 0].cpu(), bias.cpu())


def _as_added(
    model: BaseModel, step: _Step, attended: list[_Attended], change: Tensor, *, size: float
) -> tuple[float, list[_Attended]]:
    """How attention enters the stream: (a factor for all that is added, the attention behind its own norm if it has one).

    It is known to be so when with the output of a module inside the layer it makes up the whole change; Granite multiplies both.
    """
    dtype = computed_in(model.module)
    allowed = stream_tolerance(float(change.abs().max()), size, dtype)
    others = [after.cpu() for _, _, after in step.inner if after.shape == change.shape]
    for candidate in (attended, [_behind_norm(step, each, dtype) for each in attended]):
        whole = torch.stack([each.whole for each in candidate]).sum(dim=0)
        for added in (whole, *(whole + other for other in others)):
            factor = float((change @ added) / (added @ added))
            if abs(factor - 1) <= half_digits(dtype):
                factor = 1.0
            if float((change - factor * added).abs().max()) <= allowed:
                return factor, candidate
    raise undefined(model, "stream_not_a_sum")


def _behind_norm(step: _Step, attended: _Attended, dtype: torch.dtype) -> _Attended:
    """The same behind the norm that is given it, frozen; unchanged if there is none."""
    whole = attended.whole
    for module, given, _ in step.inner:
        if not looks_like_norm(module) or given is None or given.shape != whole.shape:
            continue
        if same_vector(given.cpu(), whole, dtype):
            frozen = frozen_norm(module, given.to(dtype)[None, None], dtype)
            if frozen is not None:
                return _Attended(attended.kind, frozen.scaled(attended.heads), frozen.scaled(attended.bias) + frozen.bias)
    return attended

"""Measures a family: is what we say it attends to what its own eager attention computes, everywhere?"""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput
from transformers.utils import logging as hf_logging

from headscope.core.attention.capture.edit_trial import reaches
from headscope.core.attention.capture.fallback import attentions_of, recorder_for
from headscope.core.attention.record import AttentionRecord
from headscope.core.attention.stacks import is_encoder_decoder
from headscope.core.errors import HeadscopeError
from headscope.core.forward import budget
from headscope.core.models.hub.attention import attention_layers, eager_pass, install, own_attention
from headscope.core.models.hub.compat import without_cache
from headscope.core.models.hub.tokenizer import HubTokenizer
from headscope.core.models.hub.unavailable import notes
from headscope.core.numerics import computed_in, half_digits, longest_sum, rounding, softmax_tolerance, spread_of
from headscope.core.vocabulary import Backend, Kind
from tests.golden.families import CACHE, VOCABULARY, Family, axis, built, inputs_of
from tests.make_tokenizer import make_tokenizer

CASES = {"one token": (1, 0), "short": (5, 0), "beyond the window": (21, 0), "padded": (21, 6)}
"""(tokens, of which padding) of each pass; windows are 8 tokens wide."""
TEXT = "the cat is the goal of life ."
N_READ, N_PROMPT = 21, 12
"""Tokens read with a cache, and how many of them in the first step; an encoder-decoder's decoder begins with one."""
_OUTPUTS = ("logits", "prediction_logits", "last_hidden_state")
Form = Literal["encoder", "decoder", "encoder-decoder"]


@dataclass
class Measured:
    """What was found.

    Attributes
    ----------
    refused : str
        The sentence of the error, if there are no maps; then nothing else is set.
    float32, bfloat16, generated : float or None
        Largest difference of a weight from eager's: of all passes, of a pass in half precision, of rows collected step by
        step from those of a whole pass; None where a model does not generate with a cache.
    edits : bool
        Whether interventions reach its attention, see `core.attention.reach`.
    largest : float
        The largest weight beyond the first four queries; sharp heads come near 1.
    faults : list of str
        Where a difference is larger than rounding explains, or a row is no distribution.
    """

    family: Family
    refused: str = ""
    backend: Backend = "fast"
    layers: Mapping[Kind, tuple[int, int]] = field(default_factory=dict)
    note: str = ""
    edits: bool = False
    float32: float = 0.0
    bfloat16: float | None = None
    generated: float | None = None
    largest: float = 0.0
    faults: list[str] = field(default_factory=list)


@cache
def measured(family: Family) -> Measured:
    """Everything about a family, measured once. What transformers and torch warn of meanwhile is theirs, and is not said."""
    before = hf_logging.get_verbosity()
    hf_logging.set_verbosity(hf_logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _measured(family)
    finally:
        hf_logging.set_verbosity(before)


def _measured(family: Family) -> Measured:
    found = Measured(family)
    model = built(family)
    try:
        found.backend = install(model)
    except HeadscopeError as error:
        found.refused = error.message
        return found
    family = replace(family, form=form_of(model, family))
    found.layers = attention_layers(model, found.backend)
    found.note = " ".join(map(str, notes(model.config, found.layers, two_texts=is_encoder_decoder(model))))
    found.edits = reaches(model, found.backend, model.device)
    _check_sizes(found, model, inputs_of(family, *CASES["short"]))
    for case, size in CASES.items():
        found.float32 = max(found.float32, _compared(found, model, inputs_of(family, *size), case))
    if (own := own_text(model, family, found.faults)) is not None:
        found.float32 = max(found.float32, _compared(found, model, own, "a text by its own tokenizer"))
    if family.form != "encoder" and CACHE in inspect.signature(model.forward).parameters:
        found.generated = _generated(found, model, family)
    if _computes_in_half(model.to(torch.bfloat16), inputs_of(family, *CASES["padded"])):
        found.bfloat16 = _compared(found, model, inputs_of(family, *CASES["padded"]), "bfloat16")
    return found


def own_text(model: Any, family: Family, faults: list[str]) -> dict[str, Tensor] | None:
    """A text twice, as the model's own tokenizer class writes it; what Headscope makes of it otherwise goes to `faults`.

    None if a library for it is missing, or if its vocabulary is fixed (bytes) and larger than the tiny model's.
    """
    try:
        theirs = make_tokenizer(model.config)
    except ImportError:
        return None
    ids = theirs(TEXT)["input_ids"]
    encoded = HubTokenizer(make_tokenizer(model.config)).encode(TEXT)
    if list(encoded.ids) != ids:
        faults.append(f"{type(theirs).__name__}: other ids than its own")
    if max(ids) >= VOCABULARY:
        return None
    row = torch.tensor([ids, ids])
    return inputs_of(family, len(ids)) | {"input_ids": row, "attention_mask": torch.ones_like(row)}


def _computes_in_half(model: Any, inputs: Mapping[str, Tensor]) -> bool:
    """Whether the model itself can. (Inkling 2 multiplies float32 with bfloat16.)"""
    try:
        eager_pass(model, inputs)
    except RuntimeError:
        return False
    return True


def form_of(model: Any, family: Family) -> Form:
    if is_encoder_decoder(model):
        return "encoder-decoder"
    return "decoder" if family.form == "decoder" or model.can_generate() else "encoder"


def real_queries(kind: Kind, inputs: Mapping[str, Tensor], batch: int) -> np.ndarray:
    """Which queries are tokens. (Eager lets padding look everywhere alike; we say that it looks nowhere.)"""
    if "decoder_input_ids" in inputs and kind != "encoder":
        return np.ones(inputs["decoder_input_ids"].shape[1], bool)
    return inputs["attention_mask"][batch].bool().numpy()


def _check_sizes(found: Measured, model: Any, inputs: Mapping[str, Tensor]) -> None:
    """What memory is estimated from, `core.models.budget`, against what comes out of a pass."""
    sized = SimpleNamespace(module=model, info=SimpleNamespace(layers=found.layers))
    with torch.inference_mode():
        output = model(**inputs, **without_cache(model), output_hidden_states=True)
    side = "decoder_" if is_encoder_decoder(model) else ""
    for kind in found.layers:
        states = getattr(output, f"{'encoder_' if side and kind == 'encoder' else side}hidden_states", None)
        if states and budget.width(sized, kind) != states[1].shape[-1]:
            found.faults.append(f"{kind}: width {budget.width(sized, kind)} estimated, it is {states[1].shape[-1]}")
    logits = next(
        (each for name in _OUTPUTS[:2] if (each := getattr(output, name, None)) is not None and each.dim() == 3), None
    )
    if logits is not None and budget.vocabulary(sized) != logits.shape[-1]:
        found.faults.append(f"vocabulary {budget.vocabulary(sized)} estimated, it is {logits.shape[-1]}")


# ---------------------------------------------------------------- one pass
def _compared(found: Measured, model: Any, inputs: Mapping[str, Tensor], case: str) -> float:
    """The largest difference of the weights of a pass; what is too large goes to `faults`."""
    recorder = recorder_for(model, found.backend)
    with torch.inference_mode(), recorder.recording():
        output = model(**inputs, **without_cache(model))
    eager = eager_pass(model, inputs)
    maps = attentions_of(eager, model)
    worst = 0.0
    half = case == "bfloat16"
    for batch in (0, 1):
        record = recorder.record(_axes(found, inputs), backend=found.backend, batch=batch)
        for kind, layer, expected in _each(found, maps):
            if half and layer:
                continue  # both passes read the same numbers in the first layer; then a rounding grows layer by layer
            real = real_queries(kind, inputs, batch)
            own = expected[batch].float()
            weights = record.layer_weights(layer, kind)
            if case == "beyond the window":
                found.largest = max(found.largest, weights[:, 4:].max(initial=0.0))
            difference = float(np.abs(weights - own.numpy())[:, real].max())
            worst = max(worst, difference)
            place = f"{case}, text {batch}, {kind} layer {layer}"
            if not difference <= _allowed(model, own):
                found.faults.append(f"{place}: {difference:.1e} from eager")
            if not weights[:, real].sum(-1).max() <= 1 + rounding(computed_in(model), weights.shape[-1]):
                found.faults.append(f"{place}: a row sums to more than 1")
    if not half:
        _compare_outputs(found, output, eager, inputs, case)
    return worst


def _allowed(model: Any, maps: Tensor) -> float:
    return softmax_tolerance(spread_of(maps), computed_in(model), longest_sum(model))


def _each(found: Measured, maps: Mapping[Kind, list[Tensor]]) -> Iterator[tuple[Kind, int, Tensor]]:
    for kind, (n_layers, _) in found.layers.items():
        assert len(maps[kind]) == n_layers, f"{kind}: {n_layers} layers, eager has {len(maps[kind])}"
        for layer, expected in enumerate(maps[kind]):
            yield kind, layer, expected


def _axes(found: Measured, inputs: Mapping[str, Tensor]) -> dict[Kind, Any]:
    source = axis(inputs["input_ids"].shape[1])
    target = axis(inputs["decoder_input_ids"].shape[1]) if "decoder_input_ids" in inputs else source
    every = {"encoder": (source, source), "decoder": (target, target), "cross": (target, source)}
    return {kind: every[kind] for kind in found.layers}


def _compare_outputs(found: Measured, output: Any, eager: Any, inputs: Mapping[str, Tensor], case: str) -> None:
    name = next((name for name in _OUTPUTS if getattr(output, name, None) is not None), None)
    if name is None:
        return
    ours, own = getattr(output, name).float(), getattr(eager, name).float()
    kind: Kind = "decoder" if "decoder_input_ids" in inputs else next(iter(found.layers))
    for batch in (0, 1):
        real = torch.from_numpy(real_queries(kind, inputs, batch))
        one, other = (each[batch][real] if each.dim() == 3 else each[batch] for each in (ours, own))
        if not _same(one, other):
            found.faults.append(f"{case}, text {batch}: the model says something else")


# ---------------------------------------------------------------- step by step
def _generated(found: Measured, model: Any, family: Family) -> float | None:
    """The largest difference of rows collected with a cache from those of a whole pass.

    None if the model makes no cache, or if with its cache it says something else than without, whoever looks on.
    """
    whole = _whole_text(family)
    with own_attention(model), torch.inference_mode():
        expected = model(**whole, **without_cache(model)).logits[0, -1]
        if not _same(_last_logits(model, whole, nullcontext), expected):
            return None
    recorder = recorder_for(model, found.backend, append=True)
    _last_logits(model, whole, recorder.recording)
    record = recorder.record(_axes(found, whole), backend=found.backend)
    return max(_step_differences(found, model, record, attentions_of(eager_pass(model, whole), model)))


def _whole_text(family: Family) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(7)
    tokens = torch.randint(5, VOCABULARY, (1, N_READ), generator=generator)
    if family.form == "decoder":
        return {"input_ids": tokens}
    return {"input_ids": torch.randint(5, VOCABULARY, (1, 11), generator=generator), "decoder_input_ids": tokens}


def _last_logits(
    model: Any, whole: Mapping[str, Tensor], watching: Callable[[], AbstractContextManager[object]]
) -> Tensor | None:
    """What a model says after it has read a prompt and then token by token, with its cache; None if it cannot."""
    fed_by = list(whole)[-1]
    inputs: dict[str, Any] = {name: tensor for name, tensor in whole.items() if name != fed_by}
    kept = None
    with torch.inference_mode():
        for start, stop in pairwise([0, *range(1 if inputs else N_PROMPT, N_READ + 1)]):
            step = {**inputs, fed_by: whole[fed_by][:, start:stop]}
            try:
                with watching():
                    output = model(**step, **{CACHE: kept}, use_cache=True)
            except (AttributeError, RuntimeError, TypeError, ValueError):
                return None
            kept = getattr(output, CACHE, None)
            if kept is None:
                return None
            if inputs:
                inputs = {"encoder_outputs": BaseModelOutput(output.encoder_last_hidden_state)}
                inputs["encoder_outputs"].router_logits = None  # NLLB-MoE asks for them
    return output.logits[0, -1]


def _same(one: Tensor | None, other: Tensor) -> bool:
    return one is not None and bool(
        (one - other).abs().max() <= half_digits(torch.float32) * max(1.0, float(other.abs().max()))
    )


def _step_differences(
    found: Measured, model: Any, record: AttentionRecord, maps: Mapping[Kind, list[Tensor]]
) -> Iterator[float]:
    for kind, layer, expected in _each(found, maps):
        difference = float(np.abs(record.layer_weights(layer, kind) - expected[0].numpy()).max())
        if not difference <= _allowed(model, expected):
            found.faults.append(f"step by step, {kind} layer {layer}: {difference:.1e} from one pass")
        yield difference

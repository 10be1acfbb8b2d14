"""Records are facts: whatever becomes of the model afterwards, they say the same, and they keep no model alive."""

from __future__ import annotations

import gc
import pickle
import types
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.core.attention.capture.attend import attend
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.capture.recorder import Recorder
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.intervention import Intervention, Paste
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.models.hub.attention import install
from headscope.core.toy.model import ToyConfig, ToyTransformer
from tests import allowed
from tests.golden.families import FAMILIES, VOCABULARY, Family, axis, built
from tests.looked_into import OTHERS

EVERY = {family.name: family for family in (*FAMILIES, *OTHERS)}
N_TOKENS = 9


def captured(family: Family, module: nn.Module) -> AttentionRecord:
    """A record with all that one can have: values and output projections too."""
    ids = torch.arange(5, 5 + N_TOKENS)[None]
    inputs = {"input_ids": ids, "decoder_input_ids": ids} if family.form == "encoder-decoder" else {"input_ids": ids}
    backend = install(module)  # type: ignore[arg-type]
    recorder = recorder_for(module, backend, keep_values=True)
    with torch.inference_mode(), recorder.recording():
        module(**inputs)
    return recorder.record(
        {kind: (axis(N_TOKENS), axis(N_TOKENS)) for kind in ("encoder", "decoder", "cross")}, backend=backend
    )


def answers(record: AttentionRecord) -> list[bytes]:
    """All that can be asked of a record, bit for bit."""
    found: list[bytes] = []
    for kind in record.kinds:
        for layer in {0, record.n_layers(kind) - 1}:
            weights = record.layer_weights(layer, kind)
            found.append(weights.tobytes())
            weights[:] = 7  # what was handed out is not the record's own
            found.append(record.pooled(layer, 1, kind, height=4, width=4).tobytes())
            picture = record.pooled(layer, 1, kind, height=99, width=99)
            picture[:] = 7
            found += [tensor.numpy().tobytes() for _, heads in record.blocks_of_heads(layer, kind) for tensor in heads]
            found.append(np.float64(record.cell(layer, 0, N_TOKENS - 1, 2, kind)).tobytes())
            try:
                scores = record.attention_scores(layer, 2, kind)
                found.append(scores.tobytes())
                scores[:] = 7
            except HeadscopeError as error:
                assert error.code == "no_scores"
            found.append(pickle.dumps(arithmetic(record, kind, layer, 1, N_TOKENS - 1, 3).working))
    return found


def tensors_of(module: nn.Module) -> list[Tensor]:
    """Parameters, buffers, and what modules keep beside them."""
    beside = (value for part in module.modules() for value in vars(part).values() if isinstance(value, Tensor))
    return [*module.parameters(), *module.buffers(), *beside]


def spoil(module: nn.Module) -> None:
    """As an optimizer's steps do, only worse."""
    with torch.no_grad():
        for tensor in tensors_of(module):
            if tensor.is_inference():
                continue
            tensor.add_(3) if tensor.dtype != torch.bool else tensor.logical_not_()
    config: Any = module.config
    for name in ("attn_logit_softcapping", "sliding_window", "num_key_value_heads"):
        if isinstance(value := getattr(config, name, None), (int, float)):
            setattr(config, name, type(value)(1))
    for part in module.modules():
        part.train()
        if hasattr(part, "num_key_value_groups"):
            part.num_key_value_groups = 99


@pytest.mark.parametrize("name", EVERY)
def test_a_record_says_the_same_after_its_model_was_changed_and_after_it_is_gone(name: str) -> None:
    module = built(EVERY[name])
    record = captured(EVERY[name], module)
    before = answers(record)
    own = {tensor.untyped_storage().data_ptr() for tensor in tensors_of(module)}
    assert own.isdisjoint(tensor.untyped_storage().data_ptr() for tensor in reached(record, Tensor))
    assert not reached(record, nn.Module)
    spoil(module)
    assert answers(record) == before
    alive = weakref.ref(module)
    del module
    gc.collect()
    assert alive() is None
    assert answers(record) == before
    assert answers(pickle.loads(pickle.dumps(record))) == before  # it can be kept in a file


def reached(root: object, kind: type) -> list[Any]:
    """The objects of a kind that something keeps alive, programs and their globals aside."""
    passed, found, waiting = {id(root)}, [], [root]
    while waiting:
        each = waiting.pop()
        found += [each] if isinstance(each, kind) else []
        for other in gc.get_referents(each):
            if id(other) not in passed and not isinstance(
                other, (type, types.ModuleType, types.FunctionType, types.MethodType)
            ):
                passed.add(id(other))
                waiting.append(other)
    return found


class Learned(nn.Module):
    """Attention whose queries are learned, with a mask that is a buffer and a bias that is a table of its own, cut for each pass."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.queries = nn.Parameter(torch.randn(1, 2, 8, 4))
        self.register_buffer("mask", torch.ones(1, 1, 8, 8, dtype=torch.bool).tril())
        self.tables = [torch.randn(1, 2, 16, 16)]
        self.key = nn.Linear(8, 8)
        self.is_causal = False

    def forward(self, hidden: Tensor) -> Tensor:
        key = self.key(hidden).view(1, 8, 2, 4).transpose(1, 2)
        output, _ = attend(self, self.queries[:, :, :8], key, key, self.mask, position_bias=self.tables[0][:, :, :8, :8])
        return output


@pytest.mark.parametrize("gradients", [False, True])
def test_learned_queries_masks_and_tables_are_copied(gradients: bool) -> None:
    module = Learned()
    recorder = Recorder(module)
    with torch.inference_mode(not gradients), recorder.recording():
        module(torch.randn(1, 8, 8))
    record = recorder.record({"encoder": (axis(8), axis(8))}, backend="fast")
    before = record.layer_weights(0, "encoder")
    with torch.no_grad():
        module.queries += 1
        module.mask[:] = True
        module.tables[0] -= 4
    np.testing.assert_array_equal(record.layer_weights(0, "encoder"), before)
    alive = weakref.ref(module)
    del module, recorder
    gc.collect()
    assert alive() is None


def test_what_a_pass_made_for_itself_is_not_copied() -> None:
    module = ToyTransformer(ToyConfig("decoder", VOCABULARY)).eval()
    made: list[int] = []
    for block in module.modules():
        if type(block).__name__ == "MultiHeadAttention":
            block.query.register_forward_hook(lambda _part, _args, made_here: made.append(made_here.data_ptr()))
    recorder = Recorder(module)
    with torch.inference_mode(), recorder.recording():
        module(input_ids=torch.arange(5)[None])
    assert [layer.query.data_ptr() for layer in recorder.layers["decoder"]] == made


def test_a_pattern_that_was_pasted_may_be_used_again_for_another() -> None:
    pattern = np.full((5, 5), 0.2, np.float32)
    module = ToyTransformer(ToyConfig("encoder", VOCABULARY)).eval()
    recorder = Recorder(module, intervention=Intervention((Paste(layer=0, head=1, pattern=pattern),)))
    with torch.inference_mode(), recorder.recording():
        module(input_ids=torch.arange(5)[None])
    record = recorder.record({"encoder": (axis(5), axis(5))}, backend="fast")
    pattern[:] = 0
    np.testing.assert_allclose(record.attention_weights(0, 1), 0.2, atol=allowed.of_sums())


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_a_record_of_arrays_is_not_changed_with_them(kind: str) -> None:
    weights = np.full((1, 2, 3, 3), 1 / 3, np.float32)
    given: Any = weights if kind == "array" else torch.from_numpy(weights)
    record = record_of(given, ["a", "b", "c"])
    weights[:] = 0
    assert record.cell(0, 1, 2, 2) == pytest.approx(1 / 3, abs=allowed.of_sums())

"""A model that somebody has in memory: looked into as it is, and given back as it was."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import Module
from transformers import AutoTokenizer, BertForMaskedLM, GPT2LMHeadModel, T5ForConditionalGeneration, pipeline

from headscope.core import load_model, wrap_model
from headscope.core.errors import HeadscopeError
from tests.golden.families import mamba

CLASSES = {"bert": BertForMaskedLM, "gpt2": GPT2LMHeadModel, "t5": T5ForConditionalGeneration}


@pytest.fixture(params=["bert", "gpt2", "t5"])
def folder(request: pytest.FixtureRequest, originals: Path) -> Path:
    return originals / request.param


def opened(folder: Path):
    return CLASSES[folder.name].from_pretrained(folder), AutoTokenizer.from_pretrained(folder)


def state_of(module: Module) -> list[object]:
    """Everything about a module that looking into it could change."""
    weights = [(name, id(each), each.data_ptr(), each._version, each.requires_grad) for name, each in module.named_parameters()]
    modes = [part.training for part in module.modules()]
    return [weights, modes, module.config._attn_implementation, module.config.to_dict()]


def test_it_is_the_same_model_as_the_one_that_is_read_from_its_folder(folder: Path) -> None:
    wrapped, loaded = wrap_model(*opened(folder)), load_model(folder, device="cpu")
    record, other = wrapped.capture("the cat sat"), loaded.capture("the cat sat")
    assert record.kinds == other.kinds
    for kind in record.kinds:
        for layer in range(record.n_layers(kind)):
            np.testing.assert_array_equal(record.layer_weights(layer, kind), other.layer_weights(layer, kind))
    assert (wrapped.info.source, wrapped.info.checkpoint) == ("", "in memory")
    assert wrapped.info.abilities == loaded.info.abilities
    assert not wrapped.is_movable


def test_a_module_in_training_is_given_back_as_it_was(folder: Path) -> None:
    module, tokenizer = opened(folder)
    module.train()
    next(iter(module.children())).eval()  # one half is frozen
    before, truncation = state_of(module), tokenizer.backend_tokenizer.truncation
    with wrap_model(module, tokenizer, name="mine") as wrapped:
        assert wrapped.info.name == "mine"
        assert wrapped.module is module
        during: list[tuple[bool, str]] = []
        hook = module.register_forward_pre_hook(
            lambda *_: during.append((any(part.training for part in module.modules()), module.config._attn_implementation))
        )
        wrapped.run("the cat sat")
        hook.remove()
        assert during == [(False, "headscope")]
        assert state_of(module) == before, "between two passes it is as it was, too"
    assert state_of(module) == before
    assert tokenizer.backend_tokenizer.truncation == truncation
    module.train()
    wrapped.release()
    assert all(part.training for part in module.modules())


def test_training_goes_on_between_two_looks_and_each_shows_the_weights_of_its_moment(originals: Path) -> None:
    module, tokenizer = opened(originals / "gpt2")
    twin, _ = opened(originals / "gpt2")
    inputs = tokenizer("the cat sat on the mat", return_tensors="pt")
    records = []
    for step in range(3):
        with wrap_model(module, tokenizer) as look:
            records.append(look.capture("the cat"))
        for each in (module, twin):
            torch.manual_seed(step)  # the same dropout
            each.train()
            each(**inputs, labels=inputs.input_ids).loss.backward()
            torch.optim.SGD(each.parameters(), lr=0.5).step()
            each.zero_grad()
    first, last = (record.attention_weights(2, 1) for record in (records[0], records[-1]))
    assert np.abs(first - last).max() > 1e-3
    for weights, other in zip(module.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(weights, other, rtol=0, atol=0)  # looking has changed nothing
    np.testing.assert_array_equal(records[0].attention_weights(2, 1), load_first(originals))


def load_first(originals: Path) -> np.ndarray:
    return load_model(originals / "gpt2", device="cpu").capture("the cat").attention_weights(2, 1)


def test_half_precision_on_whatever_device_is_left_as_it_is(originals: Path) -> None:
    module, tokenizer = opened(originals / "gpt2")
    with wrap_model(module.to(torch.bfloat16), tokenizer) as wrapped:
        assert (wrapped.info.dtype, wrapped.info.device) == ("bfloat16", "cpu")
        assert wrapped.capture("the cat").dtype == "bfloat16"


def test_what_cannot_be_looked_into_is_said_and_left_alone(originals: Path) -> None:
    _, tokenizer = opened(originals / "bert")
    stateful = mamba().train()
    for module, words, code in (
        (torch.nn.Linear(2, 2), tokenizer, "architecture_unsupported"),
        (opened(originals / "bert")[0], None, "no_tokenizer"),
        (opened(originals / "bert")[0], object(), "no_tokenizer"),
        (stateful, tokenizer, "no_attention"),
    ):
        before = [part.training for part in module.modules()]
        with pytest.raises(HeadscopeError) as captured:
            wrap_model(module, words)
        assert captured.value.code == code
        assert [part.training for part in module.modules()] == before


def test_a_loaded_model_can_be_closed_in_the_same_way() -> None:
    with load_model("toy:grammar", device="cpu") as toy:
        assert toy.capture("the cat purrs .").kinds == ("encoder",)
    assert toy.capture("the cat purrs .").kinds == ("encoder",)


# ---------------------------------------------------------------- what wraps a model itself
class Mine(Module):
    """Somebody's module around a model of transformers."""

    def __init__(self, inner: Module) -> None:
        super().__init__()
        self.backbone = inner


def compiled_in_place(module: Module) -> Module:
    module.compile()
    return module


@pytest.mark.filterwarnings("ignore:.*script_method.*:DeprecationWarning")  # torch's compiler itself
@pytest.mark.parametrize(
    "around",
    [
        torch.compile,
        torch.nn.DataParallel,
        lambda module: torch.compile(torch.nn.DataParallel(module)),
        lambda module: torch.nn.DataParallel(torch.compile(module)),
        compiled_in_place,
    ],
    ids=["compiled", "data-parallel", "both", "both the other way", "in place"],
)
def test_a_compiled_or_parallel_model_is_the_model_inside(folder: Path, around) -> None:
    module, tokenizer = opened(folder)
    before = state_of(module)
    with wrap_model(around(module), tokenizer) as wrapped:
        assert wrapped.module is module
        found = wrapped.capture("the cat sat")
    expected = load_model(folder, device="cpu").capture("the cat sat")
    for kind in expected.kinds:
        np.testing.assert_array_equal(found.layer_weights(0, kind), expected.layer_weights(0, kind))
    assert state_of(module) == before
    assert (module._compiled_call_impl is not None) == (around is compiled_in_place)


def test_what_only_holds_a_model_says_where(originals: Path) -> None:
    module, tokenizer = opened(originals / "bert")
    for holder, inside in (
        (Mine(module), ".backbone"),
        (pipeline("fill-mask", model=module, tokenizer=tokenizer), ".model"),
        (module.bert.encoder, None),
    ):
        with pytest.raises(HeadscopeError) as captured:
            wrap_model(holder, tokenizer)
        assert captured.value.code == ("architecture_unsupported" if inside is None else "wrap_inside")
        assert (inside or "BertEncoder") in str(captured.value)

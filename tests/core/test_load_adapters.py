"""Adapters: opened with the model that they change, computed as peft computes them, or said to be there and not applied."""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import peft
import pytest
import torch
import transformers as hf

from headscope.core import Model, wrap_model
from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.models.hub import adapters
from headscope.core.models.hub.attention import eager_attentions
from headscope.core.models.load import load_model
from headscope.core.numerics import half_digits, longest_sum, softmax_tolerance, spread_of
from tests import allowed
from tests.spoiled import refused

pytestmark = [
    pytest.mark.usefixtures("alone"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning"),  # peft and transformers about one another
]

TEXT = "the cat sat on a mat"
QUERIES = {"bert": ["query", "value", "dense"], "gpt2": ["c_attn", "c_proj"], "t5": ["q", "v", "o"]}
CLASSES = {"bert": hf.BertForMaskedLM, "gpt2": hf.GPT2LMHeadModel, "t5": hf.T5ForConditionalGeneration}
KINDS = {
    "lora": lambda targets: peft.LoraConfig(r=4, target_modules=targets, lora_alpha=16),
    "dora": lambda targets: peft.LoraConfig(r=4, target_modules=targets, use_dora=True),
    "ia3": lambda targets: peft.IA3Config(target_modules=targets, feedforward_modules=[]),
    "loha": lambda targets: peft.LoHaConfig(r=4, target_modules=targets),
    "lokr": lambda targets: peft.LoKrConfig(r=4, target_modules=targets),
}


def strong(adapted: peft.PeftModel) -> peft.PeftModel:
    """With changes that are seen: a new adapter of peft changes nothing."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if weight.requires_grad and "classifier" not in name:
                weight.add_(torch.randn_like(weight) * 0.2)
    return adapted.eval()


def adapter_of(base: Path, folder: Path, kind: str = "lora", **settings: object) -> peft.PeftModel:
    """A folder with an adapter of the model in another, and what it is in peft."""
    targets = [each for each in QUERIES[base.name] if kind == "lora" or each in ("query", "value", "q", "v", "c_attn")]
    config = KINDS[kind](targets)
    config.task_type = settings.get("task_type")
    adapted = strong(peft.get_peft_model(CLASSES[base.name].from_pretrained(base), config))
    adapted.save_pretrained(folder)
    named = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps({**named, "base_model_name_or_path": str(base)}))
    return adapted


def inputs_of(model: Model) -> dict[str, torch.Tensor]:
    return model.inputs(*model.encode(TEXT, target="a mat" if model.start_id is not None else None))


def assert_as_in_peft(model: Model, adapted: peft.PeftModel) -> None:
    """Every weight as peft merges it; the logits of the model that is not merged; attention by plain eager."""
    inputs = inputs_of(model)
    with torch.no_grad():
        logits = adapted(**inputs).logits
    found = model.forward(inputs).logits
    assert float((found - logits).abs().max()) <= half_digits(torch.float32) * float(logits.abs().max())
    merged = copy.deepcopy(adapted).merge_and_unload()
    expected = merged.state_dict()
    assert [key for key, each in model.module.state_dict().items() if not torch.equal(each, expected[key])] == []
    record, _ = model.observe(*model.encode(TEXT, target="a mat" if model.start_id is not None else None))
    for kind, layers in eager_attentions(merged, inputs).items():
        for layer, maps in enumerate(layers):
            allowed = softmax_tolerance(spread_of(maps), torch.float32, longest_sum(merged))
            assert float(np.abs(record.layer_weights(layer, kind) - maps[0].numpy()).max()) <= allowed


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_an_adapter_that_names_its_base_is_opened_with_it(originals: Path, tmp_path: Path, name: str) -> None:
    adapted = adapter_of(originals / name, tmp_path / "adapter")
    model = load_model(tmp_path / "adapter", device="cpu")
    assert (model.info.name, model.info.checkpoint) == ("adapter", "safetensors, LORA adapter")
    plain = load_model(originals / name, device="cpu")
    assert (model.forward(inputs_of(model)).logits - plain.forward(inputs_of(plain)).logits).abs().max() > 0.01
    assert_as_in_peft(model, adapted)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lora"])
def test_other_kinds_that_change_weights_are_merged_as_peft_merges_them(originals: Path, tmp_path: Path, kind: str) -> None:
    adapted = adapter_of(originals / "bert", tmp_path / "adapter", kind)
    model = load_model(tmp_path / "adapter", device="cpu")
    assert_as_in_peft(model, adapted)


def test_weights_of_an_adapter_in_a_bin_are_the_same(originals: Path, tmp_path: Path) -> None:
    adapted = adapter_of(originals / "bert", tmp_path / "adapter")
    adapted.save_pretrained(tmp_path / "bin", safe_serialization=False)
    shutil.copy(tmp_path / "adapter" / "adapter_config.json", tmp_path / "bin")
    assert_as_in_peft(load_model(tmp_path / "bin", device="cpu"), adapted)


def test_a_base_that_moved_with_its_adapter_is_found_beside_it(originals: Path, tmp_path: Path) -> None:
    adapted = adapter_of(originals / "bert", tmp_path / "moved" / "adapter")
    shutil.copytree(originals / "bert", tmp_path / "moved" / "bert")
    path = tmp_path / "moved" / "adapter" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": "/somewhere/else/bert"}))
    assert_as_in_peft(load_model(path.parent, device="cpu"), adapted)


def test_a_model_with_an_adapter_beside_it_is_opened_with_it(bert: Path, originals: Path) -> None:
    """As transformers opens such a folder."""
    adapted = adapter_of(originals / "bert", bert)
    model = load_model(bert, device="cpu")
    assert "LORA" in model.info.checkpoint
    assert_as_in_peft(model, adapted)


def test_a_head_that_an_adapter_brings_is_the_models_head(bert: Path, tmp_path: Path) -> None:
    """Of a base without one, and with labels of its own."""
    sizes = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    hf.BertModel(hf.BertConfig(**sizes)).save_pretrained(bert)
    base = hf.BertForSequenceClassification.from_pretrained(bert, num_labels=5)
    config = peft.LoraConfig(task_type="SEQ_CLS", r=4, target_modules=["query"])
    adapted = strong(peft.get_peft_model(base, config))
    adapted.save_pretrained(tmp_path / "adapter")
    model = load_model(tmp_path / "adapter", device="cpu")
    assert model.info.architecture == "BertForSequenceClassification"
    assert model.info.abilities == {"classify"}
    assert_as_in_peft(model, adapted)


# ---------------------------------------------------------------- what is refused, or not applied
def test_without_peft_an_adapter_names_the_library(
    engine: Engine, originals: Path, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter_of(originals / "bert", tmp_path / "adapter")
    adapter_of(originals / "bert", bert)
    monkeypatch.setattr(adapters, "has_peft", lambda: False)
    error = refused(engine, tmp_path / "adapter")
    assert error.code == "needs_library"
    assert "peft" in error.message
    info = load_model(bert, device="cpu").info
    assert "not applied" in info.note
    assert info.checkpoint == "safetensors"


@pytest.mark.parametrize(
    "config",
    [
        peft.PromptTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        peft.PrefixTuningConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
        peft.PromptEncoderConfig(task_type="CAUSAL_LM", num_virtual_tokens=4),
    ],
    ids=lambda it: type(it).__name__,
)
def test_adapters_that_add_tokens_are_refused_by_name(
    engine: Engine, originals: Path, tmp_path: Path, config: peft.PeftConfig
) -> None:
    adapted = peft.get_peft_model(hf.GPT2LMHeadModel.from_pretrained(originals / "gpt2"), config)
    adapted.save_pretrained(tmp_path / "adapter")
    error = refused(engine, tmp_path / "adapter")
    assert error.code == "adapter_unsupported"
    assert config.peft_type.value in error.message
    with pytest.raises(HeadscopeError) as captured:
        wrap_model(adapted, hf.AutoTokenizer.from_pretrained(originals / "gpt2"))
    assert captured.value.code == "adapter_unsupported"


def test_an_adapter_of_another_model_is_refused(engine: Engine, originals: Path, tmp_path: Path) -> None:
    adapter_of(originals / "bert", tmp_path / "adapter")
    path = tmp_path / "adapter" / "adapter_config.json"
    for base, code in ((originals / "gpt2", "adapter_misfit"), ("nowhere/at/all", "path_not_found"), ("nobody", "offline")):
        path.write_text(json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": str(base)}))
        assert refused(engine, path.parent).code == code


def test_an_adapter_of_a_larger_model_is_refused(engine: Engine, originals: Path, bert: Path, tmp_path: Path) -> None:
    sizes = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    adapter_of(originals / "bert", tmp_path / "adapter")
    hf.BertForMaskedLM(hf.BertConfig(**sizes)).save_pretrained(bert)
    path = tmp_path / "adapter" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "base_model_name_or_path": str(bert)}))
    assert refused(engine, path.parent).code == "adapter_misfit"


@pytest.mark.parametrize("settings", [{"peft_type": ...}, {"peft_type": "NEW"}, {"megatron_config": {"a": 1}}], ids=str)
def test_a_broken_adapter_is_refused(engine: Engine, originals: Path, tmp_path: Path, settings: dict[str, object]) -> None:
    adapter_of(originals / "bert", tmp_path / "adapter")
    path = tmp_path / "adapter" / "adapter_config.json"
    config = {**json.loads(path.read_text()), **settings}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))
    assert refused(engine, path.parent).code in ("config_invalid", "adapter_misfit")


# ---------------------------------------------------------------- in memory
@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_a_model_of_peft_in_memory_is_looked_into_with_its_adapter(originals: Path, tmp_path: Path, name: str) -> None:
    adapted = adapter_of(originals / name, tmp_path / "adapter")
    tokenizer = hf.AutoTokenizer.from_pretrained(originals / name)
    before = {key: each.clone() for key, each in adapted.state_dict().items()}
    with wrap_model(adapted, tokenizer) as model:
        record = model.capture(TEXT)
        logits = model.forward(inputs_of(model)).logits
        with torch.no_grad():
            assert allowed.difference(logits, own := adapted(**inputs_of(model)).logits) <= allowed.of_logits(own)
    assert [key for key, each in adapted.state_dict().items() if not torch.equal(each, before[key])] == []
    merged = load_model(tmp_path / "adapter", device="cpu").capture(TEXT)
    for kind in record.kinds:
        difference = np.abs(record.layer_weights(0, kind) - merged.layer_weights(0, kind)).max()
        assert difference <= half_digits(torch.float32)


@pytest.mark.parametrize(("name", "text"), [("bert", "the cat [MASK] on a mat"), ("gpt2", "the cat")])
def test_the_output_projection_of_a_model_in_memory_is_read_with_its_adapter(
    originals: Path, tmp_path: Path, name: str, text: str
) -> None:
    adapted = adapter_of(originals / name, tmp_path / "adapter")
    merged = value_weighted_attention(load_model(tmp_path / "adapter", device="cpu"), text).norms(1, 0)
    with wrap_model(adapted, hf.AutoTokenizer.from_pretrained(originals / name)) as model:
        beside = value_weighted_attention(model, text).norms(1, 0)
    assert np.abs(merged - beside).max() <= half_digits(torch.float32) * merged.max()

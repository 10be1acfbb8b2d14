"""Weights under other names, in other formats, more or fewer than a class has: loaded as they are, or refused by name."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers as hf
from safetensors.torch import load_file, save_file

from headscope.core.engine.engine import Engine
from headscope.core.models.load import load_model
from tests.spoiled import WEIGHTS, edit_config, edit_weights, refused, without

pytestmark = pytest.mark.usefixtures("alone")

Weights = dict[str, torch.Tensor]
SMALL = {"vocab_size": 99, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
PREFIXES = {"bert": "bert.", "gpt2": "transformer.", "t5": ""}


@pytest.fixture
def copied(originals: Path, tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: Path(shutil.copytree(originals / name, tmp_path / name))


def with_tokenizer_of(bert: Path, module: hf.PreTrainedModel) -> Path:
    """The folder of another model that reads the same ids."""
    module.save_pretrained(bert)
    return bert


def prefixed(prefix: str) -> Callable[[Weights], Weights]:
    return lambda weights: {f"{prefix}{name}": each for name, each in weights.items()}


def replaced(old: str, new: str) -> Callable[[Weights], Weights]:
    return lambda weights: {name.replace(old, new, 1): each for name, each in weights.items()}


def numbers(module: torch.nn.Module) -> Weights:
    return {name: each.clone() for name, each in module.state_dict().items()}


def assert_same(found: Weights, expected: Weights) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


# ---------------------------------------------------------------- other beginnings
@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        *(("bert", prefix) for prefix in ("module.", "_orig_mod.", "module._orig_mod.", "model.", "net.backbone.")),
        *(("gpt2", prefix) for prefix in ("module.", "model.")),
        *(("t5", prefix) for prefix in ("_orig_mod.", "model.")),
    ],
)
def test_names_with_something_before_them_are_recognised(copied: Callable[[str], Path], name: str, prefix: str) -> None:
    """Data-parallel training, torch.compile, Lightning, and whatever somebody called the model in a module of their own."""
    folder = copied(name)
    expected = numbers(type(plain := load_model(folder, device="cpu").module).from_pretrained(folder))
    assert type(load_model(edit_weights(folder, prefixed(prefix)), device="cpu").module) is type(plain)
    assert_same(numbers(load_model(folder, device="cpu").module), expected)


@pytest.mark.parametrize(
    "change",
    [
        replaced("bert.", ""),
        replaced("bert.", "roberta."),
        replaced("bert.", "text_model.encoder."),
        replaced("LayerNorm.weight", "LayerNorm.gamma"),
        replaced("LayerNorm.bias", "LayerNorm.beta"),
        replaced("attention.self", "_orig_mod.attention.self"),
    ],
    ids=["no bert.", "roberta.", "text_model.encoder.", "gamma", "beta", "compiled by layers"],
)
def test_names_of_old_versions_and_other_models_are_recognised(bert: Path, change: Callable[[Weights], Weights]) -> None:
    expected = numbers(hf.BertForMaskedLM.from_pretrained(bert))
    model = load_model(edit_weights(bert, change), device="cpu")
    assert_same(numbers(model.module), expected)
    assert model.info.abilities == {"fill_mask"}
    assert model.info.note == ""


def test_a_bin_of_data_parallel_training_is_recognised(bert: Path) -> None:
    expected = numbers(hf.BertForMaskedLM.from_pretrained(bert))
    torch.save(prefixed("module.")(load_file(bert / WEIGHTS)), bert / "pytorch_model.bin")
    (bert / WEIGHTS).unlink()
    assert_same(numbers(load_model(bert, device="cpu").module), expected)


def test_of_two_models_in_one_file_none_is_chosen(engine: Engine, bert: Path) -> None:
    edit_weights(
        bert, lambda weights: {**prefixed("teacher.")(weights), **prefixed("student.")({k: v + 1 for k, v in weights.items()})}
    )
    error = refused(engine, bert)
    assert error.code == "checkpoint_damaged"
    assert "missing" in error.message


def test_a_bare_model_in_the_class_with_a_head_takes_its_weights(bert: Path) -> None:
    module = hf.BertModel(hf.BertConfig(**SMALL)).eval()
    edit_config(with_tokenizer_of(bert, module), architectures=["BertForMaskedLM"])
    model = load_model(bert, device="cpu")
    found = {name.removeprefix("bert."): each for name, each in numbers(model.module).items() if name.startswith("bert.")}
    expected = {name: each for name, each in numbers(module).items() if "pooler" not in name}
    assert_same(found, expected)
    assert model.info.abilities == frozenset()
    assert "cls.predictions" in model.info.note


# ---------------------------------------------------------------- which class
@pytest.mark.parametrize(
    "architecture",
    [
        hf.BertForMaskedLM,
        hf.BertForPreTraining,
        hf.BertForNextSentencePrediction,
        hf.BertForSequenceClassification,
        hf.BertForTokenClassification,
        hf.BertForQuestionAnswering,
        hf.BertModel,
        hf.RobertaForMaskedLM,
        hf.ElectraForMaskedLM,
        hf.ElectraForPreTraining,
        hf.DistilBertForSequenceClassification,
        hf.LlamaForCausalLM,
        hf.T5EncoderModel,
        hf.T5ForConditionalGeneration,
    ],
    ids=lambda it: it.__name__,
)
def test_without_a_class_by_name_it_is_the_one_that_the_weights_are(bert: Path, architecture: type) -> None:
    sizes = {**SMALL, "num_labels": 3} if "Classification" in architecture.__name__ else SMALL
    module = architecture(architecture.config_class(**sizes)).eval()
    with_tokenizer_of(bert, module)
    model = load_model(edit_config(bert, architectures=...), device="cpu")
    assert model.info.architecture == architecture.__name__
    assert_same(numbers(model.module), numbers(module))
    assert model.info.note == ""


@pytest.mark.parametrize("named", ["Nonsense", "TFBertForMaskedLM", "BERTForMaskedLM"])
def test_a_class_that_transformers_does_not_have_is_said(bert: Path, named: str) -> None:
    info = load_model(edit_config(bert, architectures=[named]), device="cpu").info
    assert info.architecture == "BertForMaskedLM"
    assert (named in info.note) == (named == "Nonsense")


def test_an_old_package_without_class_and_type_is_opened_as_its_weights(bert: Path) -> None:
    """As rxnfp's: neither `architectures` nor `model_type`, and both heads of pre-training among the weights."""
    module = hf.BertForPreTraining(hf.BertConfig(**SMALL)).eval()
    with_tokenizer_of(bert, module)
    model = load_model(edit_config(bert, architectures=..., model_type=...), device="cpu")
    assert model.info.architecture == "BertForPreTraining"
    assert model.info.abilities == {"fill_mask", "next_sentence"}
    assert_same(numbers(model.module), numbers(module))


@pytest.mark.parametrize(
    "architecture", [hf.BertModel, hf.GPT2Model, hf.DistilBertModel, hf.RobertaModel], ids=lambda it: it.__name__
)
def test_an_old_bare_model_without_class_and_type_is_recognised_by_its_names(bert: Path, architecture: type) -> None:
    settings = {"type_vocab_size": 1} if architecture is hf.RobertaModel else {}
    module = architecture(architecture.config_class(**SMALL, **settings)).eval()
    with_tokenizer_of(bert, module)
    model = load_model(edit_config(bert, architectures=..., model_type=...), device="cpu")
    assert model.module.config.model_type == module.config.model_type
    assert_same(numbers(model.module.base_model), numbers(module))


# ---------------------------------------------------------------- more or fewer than the class has
@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
@pytest.mark.parametrize("says_so", [True, False])
def test_relative_positions_that_transformers_forgot_are_refused(engine: Engine, bert: Path, kind: str, says_so: bool) -> None:
    """BERT's and its kin's, which versions before 5 added to the scores."""
    more = {f"bert.encoder.layer.{n}.attention.self.distance_embedding.weight": torch.randn(127, 16) for n in range(3)}
    edit_weights(bert, lambda weights: weights | more)
    error = refused(engine, edit_config(bert, position_embedding_type=kind) if says_so else bert)
    assert error.code == ("config_invalid" if says_so else "weights_left_out")
    assert kind in error.message or "distance_embedding" in error.message


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_layers_beyond_those_of_the_configuration_are_not_left_out(
    engine: Engine, copied: Callable[[str], Path], name: str
) -> None:
    fewer = {"bert": {"num_hidden_layers": 2}, "gpt2": {"n_layer": 2}, "t5": {"num_decoder_layers": 2}}
    error = refused(engine, edit_config(copied(name), **fewer[name]))
    assert error.code == "weights_left_out"
    assert ".2." in error.message


def test_tables_of_old_versions_are_known_to_be_harmless(bert: Path) -> None:
    more = {"bert.embeddings.position_ids": torch.arange(64)[None], "bert.embeddings.token_type_ids": torch.zeros(1, 64).long()}
    assert load_model(edit_weights(bert, lambda weights: weights | more), device="cpu").info.note == ""


def test_masks_of_old_gpt2_are_known_to_be_harmless(copied: Callable[[str], Path]) -> None:
    more = {f"transformer.h.{n}.attn.bias": torch.ones(1, 1, 64, 64).tril() for n in range(3)}
    more |= {f"transformer.h.{n}.attn.masked_bias": torch.tensor(-1e4) for n in range(3)}
    assert load_model(edit_weights(copied("gpt2"), lambda weights: weights | more), device="cpu").info.note == ""


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cls.seq_relationship.weight": torch.zeros(2, 64), "cls.seq_relationship.bias": torch.zeros(2)}, ""),
        ({"bert.pooler.dense.weight": torch.zeros(64, 64)}, ""),
        ({"classifier.weight": torch.zeros(5, 64)}, ""),
        ({"v_head.summary.weight": torch.zeros(1, 64)}, "v_head.summary.weight"),
    ],
    ids=["next sentence", "pooler", "classifier", "value head"],
)
def test_heads_that_the_class_does_not_have_are_known_or_said(bert: Path, more: Weights, said: str) -> None:
    note = load_model(edit_weights(bert, lambda weights: weights | more), device="cpu").info.note
    assert said in note
    assert bool(said) == bool(note)


@pytest.mark.parametrize("part", ["pooler", "seq_relationship"])
def test_a_next_sentence_without_its_weights_is_not_offered(bert: Path, part: str) -> None:
    with_tokenizer_of(bert, hf.BertForPreTraining(hf.BertConfig(**SMALL)))
    info = load_model(edit_weights(bert, without(part)), device="cpu").info
    assert info.abilities == {"fill_mask"}
    assert part in info.note


def test_a_head_that_is_not_tied_and_not_there_is_not_made_up(copied: Callable[[str], Path]) -> None:
    folder = edit_config(copied("gpt2"), tie_word_embeddings=False)
    info = load_model(edit_weights(folder, without("lm_head")), device="cpu").info
    assert "generate" not in info.abilities
    assert "lm_head" in info.note


def test_a_head_of_its_own_is_not_tied(copied: Callable[[str], Path]) -> None:
    """A checkpoint that has both is right, whatever `tie_word_embeddings` says."""
    folder = copied("gpt2")
    head = torch.randn_like(load_file(folder / WEIGHTS)["transformer.wte.weight"])
    edit_weights(folder, lambda weights: weights | {"lm_head.weight": head})
    state = numbers(load_model(folder, device="cpu").module)
    assert torch.equal(state["lm_head.weight"], head)
    assert not torch.equal(state["transformer.wte.weight"], head)


def test_embeddings_of_another_size_are_said_by_name(engine: Engine, bert: Path) -> None:
    key = "bert.embeddings.word_embeddings.weight"
    error = refused(engine, edit_weights(bert, lambda weights: {**weights, key: torch.cat([weights[key]] * 2)}))
    assert error.code == "config_invalid"
    assert key in error.message
    assert "198 × 64" in error.message


def test_shared_tensors_are_read_once_for_each_of_their_names(bert: Path) -> None:
    """Older files hold a tied head beside the embeddings that it is."""
    weights = load_file(bert / WEIGHTS)
    tied = {"cls.predictions.decoder.weight": weights["bert.embeddings.word_embeddings.weight"].clone()}
    save_file(weights | tied, bert / WEIGHTS, metadata={"format": "pt"})
    model = load_model(bert, device="cpu")
    head = model.module.get_output_embeddings().weight
    assert head is model.module.get_input_embeddings().weight
    assert model.info.note == ""


# ---------------------------------------------------------------- number formats
@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16], ids=str)
def test_numbers_of_another_format_are_the_same_numbers(bert: Path, dtype: torch.dtype) -> None:
    expected = {name: each.to(dtype).float() for name, each in load_file(bert / WEIGHTS).items()}
    edit_weights(bert, lambda weights: {name: each.to(dtype) for name, each in weights.items()})
    state = numbers(load_model(bert, device="cpu", dtype="float32").module)
    assert [name for name in expected if not torch.equal(state[name], expected[name])] == []


@pytest.mark.parametrize("as_bin", [False, True])
@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int32], ids=str)
def test_whole_numbers_that_nothing_explains_are_refused(engine: Engine, bert: Path, dtype: torch.dtype, as_bin: bool) -> None:
    """Weights that were packed, and whose scales are elsewhere: as floats they would be another model."""
    key = "bert.encoder.layer.1.attention.self.query.weight"
    edit_weights(bert, lambda weights: {**weights, key: (weights[key] * 50).to(dtype)})
    if as_bin:
        torch.save(load_file(bert / WEIGHTS), bert / "pytorch_model.bin")
        (bert / WEIGHTS).unlink()
    error = refused(engine, bert)
    assert error.code == "config_invalid"
    assert key in error.message

"""Whatever is opened, it is a model, or one sentence that says why not: never a traceback, and the model before stays."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import transformers as hf

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Job
from headscope.core.models.load import load_model
from headscope.core.requests.models import LoadRequest
from tests import allowed
from tests.golden.families import VOCABULARY, funnel, mamba
from tests.spoiled import WEIGHTS, edit_config, edit_weights, refused, tensor, with_header

pytestmark = pytest.mark.usefixtures("alone")


# ---------------------------------------------------------------- names and paths
@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "no_name"),
        (" \n", "no_name"),
        ("nobody-has-this", "offline"),
        ("nobody/has-this", "offline"),
        ("a b", "model_not_found"),
        ("a\nb", "model_not_found"),
        ("a/b\0c", "model_not_found"),
        ("a--b", "model_not_found"),
        ("nobody/", "model_not_found"),
        ("😀", "model_not_found"),
        ("\ud800", "model_not_found"),
        ("x" * 300, "model_not_found"),
        ("x" * 5000, "model_not_found"),
        ("../x", "path_not_found"),
        ("a/b/c", "path_not_found"),
        ("C:\\x", "path_not_found"),
        ("~nobody-of-this-name/x", "path_not_found"),
        ("/nowhere/at/all", "path_not_found"),
        ("https://example.org/model", "path_not_found"),
        ("nowhere.gguf", "path_not_found"),
        ("x" * 300 + ".GGUF", "path_not_found"),
        ("toy:", "unknown_toy"),
        ("toy:nothing", "unknown_toy"),
        ("toy:../grammar", "unknown_toy"),
    ],
    ids=ascii,
)
def test_a_name_of_nothing_is_said_so(engine: Engine, source: str, code: str) -> None:
    assert refused(engine, source).code == code


def test_blanks_around_a_name_do_not_matter(tmp_path: Path) -> None:
    assert load_model(" toy:grammar\n", device="cpu").info.source == "toy:grammar"


def test_a_path_can_be_given_as_one(bert: Path) -> None:
    info = load_model(bert, device="cpu").info
    assert (info.source, info.name, info.checkpoint) == (str(bert), "bert", "safetensors")


@pytest.mark.parametrize("missing", ["config.json", WEIGHTS])
def test_a_folder_that_lacks_a_file_says_which(engine: Engine, bert: Path, missing: str) -> None:
    (bert / missing).unlink()
    error = refused(engine, bert)
    assert error.code == "folder_without_model"
    assert missing in error.message


def test_a_file_that_is_no_model_is_said_so(engine: Engine, bert: Path) -> None:
    assert refused(engine, bert / "config.json").code == "folder_without_model"


# ---------------------------------------------------------------- the configuration
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'"bert"', b"\x80\x81\xff\x00", b"[" * 100_000], ids=lambda it: ascii(it[:8])
)
def test_a_configuration_that_is_no_json_object_is_said_so(engine: Engine, bert: Path, content: bytes) -> None:
    (bert / "config.json").write_bytes(content)
    assert refused(engine, bert).code == "config_invalid"


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": -1},
        {"hidden_size": 0},
        {"hidden_size": 63},
        {"hidden_size": "abc"},
        {"hidden_size": None},
        {"num_hidden_layers": "3"},
        {"num_hidden_layers": 10**9},
        {"num_attention_heads": 0},
        {"vocab_size": -5},
        {"vocab_size": 50},
        {"vocab_size": 10**12},
        {"max_position_embeddings": 0},
        {"max_position_embeddings": 10**15},
        {"type_vocab_size": 0},
        {"hidden_act": "nonsense"},
        {"layer_norm_eps": "x"},
        {"pad_token_id": 1000},
        {"dtype": "nonsense"},
        {"architectures": ["GPT2LMHeadModel"]},
        {"quantization_config": "x"},
    ],
    ids=str,
)
def test_a_configuration_of_nonsense_is_said_so(engine: Engine, bert: Path, change: dict[str, object]) -> None:
    error = refused(engine, edit_config(bert, **change))
    assert error.code == "config_invalid"
    assert error.parameters["reason"]


@pytest.mark.parametrize(
    "architectures", [..., 7, "BertForMaskedLM", {"a": 1}, [["x"]], [None], ["nn"], ["PreTrainedModel"], ["AutoModel"]], ids=str
)
def test_an_odd_class_name_leaves_what_the_weights_are(bert: Path, architectures: object) -> None:
    edit_config(bert, architectures=architectures)
    assert load_model(bert, device="cpu").info.architecture == "BertForMaskedLM"
    # "PreTrainedModel" once spoiled every later load: transformers keeps what it finds on that class, for all of them.
    assert load_model(edit_config(bert, architectures=["BertForMaskedLM"]), device="cpu").info.abilities == {"fill_mask"}


@pytest.mark.parametrize("model_type", ["nonsense", 3, ["bert"], {"a": 1}], ids=str)
def test_an_unknown_kind_of_model_is_said_so(engine: Engine, bert: Path, model_type: object) -> None:
    assert refused(engine, edit_config(bert, model_type=model_type)).code == "architecture_unsupported"
    error = refused(engine, edit_config(bert, auto_map={"AutoModel": "modeling_x.X"}))
    assert error.code == "needs_remote_code"


def test_code_beside_a_model_is_not_run(engine: Engine, bert: Path, tmp_path: Path) -> None:
    proof = tmp_path / "executed"
    (bert / "modeling_x.py").write_text(f"open({str(proof)!r}, 'w')")
    mapped = {"AutoConfig": "modeling_x.BertConfig", "AutoModelForMaskedLM": "modeling_x.BertForMaskedLM"}
    assert load_model(edit_config(bert, auto_map=mapped), device="cpu").info.architecture == "BertForMaskedLM"
    assert refused(engine, edit_config(bert, model_type="x")).code == "needs_remote_code"
    assert not proof.exists()


def small(configuration: type, **sizes: object) -> object:
    usual = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    return configuration(**{**usual, **sizes})


def vision() -> object:
    return hf.ViTForImageClassification(small(hf.ViTConfig, image_size=32, patch_size=16))


def speech() -> object:
    convolutions = {
        "conv_dim": (32,),
        "conv_kernel": (3,),
        "conv_stride": (2,),
        "num_conv_pos_embeddings": 4,
        "num_conv_pos_embedding_groups": 2,
    }
    return hf.Wav2Vec2ForCTC(small(hf.Wav2Vec2Config, vocab_size=10, **convolutions))


def text_and_vision() -> object:
    sizes = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    text = {**sizes, "vocab_size": VOCABULARY, "bos_token_id": 1, "eos_token_id": 2}
    return hf.CLIPModel(hf.CLIPConfig(text_config=text, vision_config={**sizes, "image_size": 32, "patch_size": 16}))


@pytest.mark.parametrize(
    ("build", "code"),
    [
        (vision, "architecture_unsupported"),
        (speech, "architecture_unsupported"),
        (text_and_vision, "architecture_unsupported"),
        (mamba, "no_attention"),
        (funnel, "no_attention"),
    ],
)
def test_models_that_are_not_of_text_and_attention_are_said_so(
    engine: Engine, bert: Path, build: Callable[[], object], code: str
) -> None:
    build().save_pretrained(bert)
    assert refused(engine, bert).code == code


# ---------------------------------------------------------------- tokenizers
@pytest.mark.parametrize("model", ["bert", "gpt2", "t5"])
def test_a_model_without_a_tokenizer_is_said_so(engine: Engine, originals: Path, tmp_path: Path, model: str) -> None:
    folder = Path(shutil.copytree(originals / model, tmp_path / model))
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    assert refused(engine, folder).code == "no_tokenizer"


@pytest.mark.parametrize("name", ["tokenizer.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\x80\xff", b"null", b'{"model":{}}', b"[" * 100_000], ids=lambda it: ascii(it[:12])
)
def test_a_broken_tokenizer_is_said_so(engine: Engine, bert: Path, name: str, content: bytes) -> None:
    (bert / name).write_bytes(content)
    assert refused(engine, bert).code == "no_tokenizer"


def with_vocabulary(folder: Path, words: list[str]) -> Path:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    return folder


@pytest.mark.parametrize("words", [[], [">>", "[C+]", "[N+]", "[O+]", "[S+]"]], ids=["none", "reactions without [CLS]"])
def test_a_vocabulary_that_will_not_do_is_said_so(engine: Engine, bert: Path, words: list[str]) -> None:
    assert refused(engine, with_vocabulary(bert, words)).code == "no_tokenizer"


SPECIAL_WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def test_a_tokenizer_of_another_model_is_said_so_when_it_matters(bert: Path) -> None:
    model = load_model(with_vocabulary(bert, [*SPECIAL_WORDS, *(f"w{number}" for number in range(500))]), device="cpu")
    assert len(model.capture("w1 w2").axis("encoder").keys) == 4
    with pytest.raises(HeadscopeError) as captured:
        model.capture("w1 w400")
    assert captured.value.code == "tokenizer_unfit"
    assert "w400" in captured.value.message


def test_rows_without_a_word_are_candidates_by_number(bert: Path) -> None:
    model = load_model(with_vocabulary(bert, [*SPECIAL_WORDS, "the"]), device="cpu")
    (prediction,) = model.fill_mask("the [MASK]", top_k=1000)
    assert {f"⟨{number}⟩" for number in range(6, VOCABULARY)} <= {candidate.label for candidate in prediction.candidates}


# ---------------------------------------------------------------- room, devices, number formats
def hollow(folder: Path, n_numbers: int, dtype: str, size: int) -> Path:
    """A file of the size that it says, but without blocks on the disk."""
    edit_config(folder, num_hidden_layers=1)
    header = {"bert.embeddings.word_embeddings.weight": tensor([n_numbers], 0, n_numbers * size, dtype)["a"]}
    with_header(folder, header)
    length = (folder / WEIGHTS).stat().st_size + n_numbers * size
    try:
        os.truncate(folder / WEIGHTS, length)
    except OSError:
        pytest.skip("this file system has no files with holes")
    return folder


def test_a_model_that_does_not_fit_is_answered_before_it_is_read(engine: Engine, bert: Path) -> None:
    in_half_precision = psutil.virtual_memory().total * 3 // 8  # as float32 it takes one and a half times the memory
    error = refused(engine, hollow(bert, in_half_precision, "F16", 2), dtype="float32")
    assert error.code == "model_too_large"
    assert "bfloat16" in error.remedy


def test_a_file_that_cannot_even_be_mapped_is_said_so(engine: Engine, bert: Path) -> None:
    assert refused(engine, hollow(bert, 10**11, "F32", 4)).code == "model_too_large"


@pytest.mark.parametrize("source", ["toy:grammar", "bert"])
@pytest.mark.parametrize("name", ["nonsense", "", "CPU", "cpu:3", "cuda:77"])
def test_an_unknown_device_is_said_with_those_that_are_here(engine: Engine, bert: Path, source: str, name: str) -> None:
    error = refused(engine, bert if source == "bert" else source, device=name)
    assert error.code == "unknown_device"
    assert "cpu" in error.remedy


@pytest.mark.parametrize("source", ["toy:grammar", "bert"])
@pytest.mark.parametrize("name", ["nonsense", "", "FLOAT32", "int3"])
def test_an_unknown_number_format_is_said_with_those_there_are(engine: Engine, bert: Path, source: str, name: str) -> None:
    error = refused(engine, bert if source == "bert" else source, dtype=name)
    assert error.code == "unknown_dtype"
    assert "bfloat16" in error.remedy


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("source", ["toy:grammar", "toy:tales", "bert", "gpt2", "t5"])
def test_half_precision_opens_and_its_rows_sum_to_one(originals: Path, source: str, dtype: str) -> None:
    model = load_model(source if source.startswith("toy:") else originals / source, device="cpu", dtype=dtype)
    assert model.info.dtype == dtype
    record = model.capture("the cat sat")
    for kind in record.kinds:
        assert abs(record.attention_weights(0, 0, kind).sum(axis=-1) - 1).max() <= allowed.of_sums()


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5"])
def test_float16_on_the_cpu_is_captured_as_its_own_eager_attention_computes_it(originals: Path, name: str) -> None:
    model = load_model(originals / name, device="cpu", dtype="float16")
    encoded = model.encode("the cat sat")
    record, output = model.observe(*encoded)
    assert record.dtype == "float16"
    assert not output.logits.isnan().any()
    for kind, layers in model.eager_attentions(model.inputs(*encoded)).items():
        for layer, weights in enumerate(layers):
            ours, expected = record.layer_weights(layer, kind), weights[0].float()
            assert allowed.difference(ours, expected) <= allowed.of_weights(expected, model)


def test_float16_that_overflows_is_said_so_and_the_model_stays(bert: Path) -> None:
    loud = {"bert.encoder.layer.0.intermediate.dense.weight", "bert.encoder.layer.0.output.dense.weight"}
    edit_weights(bert, lambda weights: {key: each * 1000 if key in loud else each for key, each in weights.items()})
    model = load_model(bert, device="cpu", dtype="float16")
    with pytest.raises(HeadscopeError) as captured:
        model.run("the cat sat")
    assert captured.value.code == "not_a_number"
    assert "float16" in captured.value.message
    assert "float32" in captured.value.remedy
    assert load_model(bert, device="cpu", dtype="float32").run("the cat sat").record.dtype == "float32"


def test_opening_answers_what_the_model_is(engine: Engine, originals: Path) -> None:
    info = Engine().handle(LoadRequest(str(originals / "gpt2"), device="cpu"), Job(), lambda _: None)
    assert isinstance(info, ModelInfo)
    assert (info.family, info.architecture, info.max_tokens) == ("decoder", "GPT2LMHeadModel", 64)

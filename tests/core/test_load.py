"""Whatever is opened, it is a model, or one sentence that says why not: never a traceback, and the model before stays."""

import json
import os
import pickle
import shutil
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
import transformers as hf
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from headscope.core.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import CaptureRequest, Job, LoadRequest, ModelInfo
from headscope.core.models.load import load_model
from tests.golden.families import VOCABULARY, funnel, mamba
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

SENTENCE = "the keys near the cabinet [MASK] rusty ."
QUERY = "bert.encoder.layer.1.attention.self.query.weight"
WEIGHTS, BIN, INDEX = "model.safetensors", "pytorch_model.bin", "model.safetensors.index.json"


def ignore(_: object) -> None:
    pass


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT, a GPT-2 and a T5."""
    folder = tmp_path_factory.mktemp("originals")
    write_masked(folder / "bert")
    write_decoder(folder / "gpt2")
    write_encoder_decoder(folder / "t5")
    return folder


@pytest.fixture
def bert(originals: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(originals / "bert", tmp_path / "bert"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    engine = Engine()
    engine.handle(LoadRequest("toy:grammar", device="cpu"), Job(), ignore)
    return engine


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a network, and with caches of its own."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def refused(engine: Engine, source: object, **options: str) -> HeadscopeError:
    """The error that opening `source` ends with; a good one, and the toy that was loaded before still answers."""
    before = engine.handle(CaptureRequest(SENTENCE), Job(), ignore).predictions
    with pytest.raises(HeadscopeError) as caught:
        engine.handle(LoadRequest(str(source), **{"device": "cpu", **options}), Job(), ignore)
    error = caught.value
    for sentence in (error.message, error.remedy):
        assert sentence.endswith(".")
        assert len(sentence) < 400
        assert sentence.isprintable()
        assert "Traceback" not in sentence
    assert engine.handle(CaptureRequest(SENTENCE), Job(), ignore).predictions == before
    return error


def edit_config(folder: Path, **changes: object) -> Path:
    """Change config.json; a value of ... takes the key away."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))
    return folder


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Path:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def without(*parts: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda weights: {name: each for name, each in weights.items() if not any(part in name for part in parts)}


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
        {"quantization_config": {"quant_method": "gptq", "bits": 4}},
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
def test_an_odd_class_name_leaves_the_bare_model(bert: Path, architectures: object) -> None:
    edit_config(bert, architectures=architectures)
    assert load_model(bert, device="cpu").info.architecture == "BertModel"
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
    mapped = {"AutoConfig": "modeling_x.X", "AutoModel": "modeling_x.X", "AutoModelForMaskedLM": "modeling_x.X"}
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


# ---------------------------------------------------------------- safetensors
@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 1000, -200_000, -1])
def test_a_file_that_was_cut_short_is_said_so(engine: Engine, bert: Path, length: int) -> None:
    path = bert / WEIGHTS
    path.write_bytes(path.read_bytes()[:length])
    error = refused(engine, bert)
    assert error.code == "checkpoint_damaged"
    assert WEIGHTS in error.message


def with_header(folder: Path, header: object, content: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + content)
    return folder


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}


@pytest.mark.parametrize(
    "header",
    [
        b"[[[[",
        {},
        {"__metadata__": {"format": "pt"}},
        tensor([7, 7], 0, 4),
        tensor([1], 0, 10**15),
        tensor([-1], 0, 4),
        tensor([1], 0, 4, "Q9"),
    ],
    ids=str,
)
def test_a_header_that_lies_is_said_so(engine: Engine, bert: Path, header: object) -> None:
    assert refused(engine, with_header(bert, header, b"1234")).code == "checkpoint_damaged"


def test_what_git_lfs_leaves_in_place_of_a_file_is_said_so(engine: Engine, bert: Path) -> None:
    (bert / WEIGHTS).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n")
    assert "Git LFS" in refused(engine, bert).message


@pytest.mark.parametrize(("model", "part"), [("bert", "layer.1."), ("gpt2", "h.1."), ("t5", "block.1.")])
def test_weights_that_are_missing_are_never_made_up(
    engine: Engine, originals: Path, tmp_path: Path, model: str, part: str
) -> None:
    folder = Path(shutil.copytree(originals / model, tmp_path / model))
    error = refused(engine, edit_weights(folder, without(part)))
    assert error.code == "checkpoint_damaged"
    assert part in error.message


def test_a_bare_model_is_looked_at_as_closely(engine: Engine, bert: Path) -> None:
    edit_config(bert, architectures=["BertModel"])
    assert load_model(edit_weights(bert, without("cls.")), device="cpu").info.architecture == "BertModel"
    edit_weights(
        bert, lambda weights: {name.removeprefix("bert."): each for name, each in weights.items() if "layer.1." not in name}
    )
    assert refused(engine, bert).code == "checkpoint_damaged"


def test_a_model_without_its_head_opens_and_cannot_guess(bert: Path) -> None:
    assert load_model(edit_weights(bert, without("cls.")), device="cpu").info.abilities == frozenset()


def test_weights_of_another_shape_are_said_so(engine: Engine, bert: Path) -> None:
    error = refused(engine, edit_weights(bert, lambda weights: {**weights, QUERY: torch.zeros(3, 3)}))
    assert error.code == "config_invalid"
    assert "shapes" in error.message


def test_weights_that_are_no_numbers_are_said_so_when_they_run(bert: Path) -> None:
    model = load_model(
        edit_weights(bert, lambda weights: {name: each * float("nan") for name, each in weights.items()}), device="cpu"
    )
    with pytest.raises(HeadscopeError) as caught:
        model.capture("the cat")
    assert caught.value.code == "not_a_number"


# ---------------------------------------------------------------- shards
def in_shards(folder: Path, weight_map: object, **shards: dict[str, torch.Tensor]) -> Path:
    (folder / WEIGHTS).unlink(missing_ok=True)
    (folder / INDEX).write_text(
        weight_map if isinstance(weight_map, str) else json.dumps({"metadata": {}, "weight_map": weight_map})
    )
    for name, weights in shards.items():
        save_file(weights, folder / f"{name}.safetensors", metadata={"format": "pt"})
    return folder


def test_shards_are_read_as_one_and_a_missing_one_is_named(engine: Engine, bert: Path) -> None:
    weights = load_file(bert / WEIGHTS)
    names = sorted(weights)
    first, second = ({name: weights[name] for name in part} for part in (names[:10], names[10:]))
    where = dict.fromkeys(first, "one.safetensors") | dict.fromkeys(second, "two.safetensors")
    folder = in_shards(bert, where, one=first, two=second)
    assert load_model(folder, device="cpu").info.n_parameters == sum(each.numel() for each in weights.values())
    (bert / "two.safetensors").unlink()
    error = refused(engine, bert)
    assert error.code == "folder_without_model"
    assert "two.safetensors" in error.message


@pytest.mark.parametrize("name", ["../../x", "/etc/passwd", "..", ""])
def test_an_index_cannot_lead_out_of_the_folder(engine: Engine, bert: Path, name: str) -> None:
    assert refused(engine, in_shards(bert, {"a": name})).code == "checkpoint_damaged"


@pytest.mark.parametrize("index", ["{", "[]", "{}", '{"weight_map": []}', "[" * 100_000], ids=lambda it: it[:20])
def test_an_index_that_lists_nothing_is_said_so(engine: Engine, bert: Path, index: str) -> None:
    assert refused(engine, in_shards(bert, index)).code == "checkpoint_damaged"


@pytest.mark.parametrize("name", [3, None, ["x"]], ids=str)
def test_an_index_of_odd_names_is_said_so(engine: Engine, bert: Path, name: object) -> None:
    assert refused(engine, in_shards(bert, {"a": name})).code == "folder_without_model"


# ---------------------------------------------------------------- torch's own files
class Plain:
    """Any class: not a tensor."""


class Runs:
    """Runs a command when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._command = f"touch {proof}"

    def __reduce__(self) -> tuple[object, ...]:
        return os.system, (self._command,)


class Evaluates:
    """Evaluates Python when it is unpickled."""

    def __init__(self, proof: Path) -> None:
        self._source = f"open({str(proof)!r}, 'w')"

    def __reduce__(self) -> tuple[object, ...]:
        return eval, (self._source,)


@pytest.fixture
def state(bert: Path) -> Iterator[dict[str, torch.Tensor]]:
    """The weights of `bert`, whose safetensors file is gone."""
    weights = load_file(bert / WEIGHTS)
    (bert / WEIGHTS).unlink()
    return weights


zipped = pytest.mark.parametrize("as_zip", [True, False], ids=["zip", "older"])


@zipped
def test_a_bin_of_tensors_opens(bert: Path, state: dict[str, torch.Tensor], as_zip: bool) -> None:
    torch.save({**state, "epoch": 3}, bert / BIN, _use_new_zipfile_serialization=as_zip)
    model = load_model(bert, device="cpu")
    assert model.info.checkpoint == "torch weights"
    assert torch.equal(model.module.state_dict()[QUERY], state[QUERY])


@zipped
@pytest.mark.parametrize("kind", ["system", "eval", "class", "object", "function", "module", "array"])
def test_a_bin_of_anything_else_is_refused_and_not_executed(
    engine: Engine, bert: Path, state: dict[str, torch.Tensor], tmp_path: Path, kind: str, as_zip: bool
) -> None:
    proof = tmp_path / "executed"
    held, name = {
        "system": (Runs(proof), "system"),
        "eval": (Evaluates(proof), "eval"),
        "class": (Plain, "Plain"),
        "object": (Plain(), "Plain"),
        "function": (os.getcwd, "getcwd"),
        "module": (torch.nn.Linear(2, 2), "Linear"),
        "array": (state[QUERY].numpy(), "reconstruct"),
    }[kind]
    torch.save({**state, "more": held}, bert / BIN, _use_new_zipfile_serialization=as_zip)
    error = refused(engine, bert)
    assert error.code == "checkpoint_unsafe"
    assert name in error.message
    assert not proof.exists()


@pytest.mark.parametrize("protocol", range(1, pickle.HIGHEST_PROTOCOL + 1))
def test_a_bare_pickle_is_refused_and_not_executed(
    engine: Engine, bert: Path, state: object, tmp_path: Path, protocol: int
) -> None:
    proof = tmp_path / "executed"
    (bert / BIN).write_bytes(pickle.dumps({"a": Runs(proof)}, protocol=protocol))
    assert refused(engine, bert).code == "checkpoint_unsafe"
    assert not proof.exists()


@zipped
@pytest.mark.parametrize("length", [0, 1, 7, 100, -200_000, -1])
def test_a_bin_that_was_cut_short_is_said_so(
    engine: Engine, bert: Path, state: dict[str, torch.Tensor], length: int, as_zip: bool
) -> None:
    torch.save(state, bert / BIN, _use_new_zipfile_serialization=as_zip)
    (bert / BIN).write_bytes((bert / BIN).read_bytes()[:length])
    assert refused(engine, bert).code == "checkpoint_damaged"


@pytest.mark.parametrize("held", [3, [1, 2], {"epoch": 3}, {"state_dict": {}}], ids=str)
def test_a_bin_without_weights_is_said_so(engine: Engine, bert: Path, state: object, held: object) -> None:
    torch.save(held, bert / BIN)
    assert refused(engine, bert).code == "checkpoint_damaged"


@pytest.mark.parametrize("content", [b"hello world", bytes(range(256)) * 8], ids=["text", "bytes"])
def test_a_bin_of_something_else_is_said_so(engine: Engine, bert: Path, state: object, content: bytes) -> None:
    (bert / BIN).write_bytes(content)
    assert refused(engine, bert).code == "checkpoint_damaged"


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
    with pytest.raises(HeadscopeError) as caught:
        model.capture("w1 w400")
    assert caught.value.code == "tokenizer_unfit"
    assert "w400" in caught.value.message


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
@pytest.mark.parametrize("name", ["nonsense", "", "FLOAT32", "int8"])
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
        assert abs(record.attention_weights(0, 0, kind).sum(axis=-1) - 1).max() < 1e-5


def test_opening_answers_what_the_model_is(engine: Engine, originals: Path) -> None:
    info = Engine().handle(LoadRequest(str(originals / "gpt2"), device="cpu"), Job(), ignore)
    assert isinstance(info, ModelInfo)
    assert (info.family, info.architecture, info.max_tokens) == ("decoder", "GPT2LMHeadModel", 64)

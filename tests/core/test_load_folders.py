"""Folders as people have them: a model inside a folder, in another library's format, or several at once."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from headscope.core.engine.engine import Engine
from headscope.core.models.load import load_model
from tests.spoiled import WEIGHTS, refused
from tests.tiny_models import write_gguf

pytestmark = pytest.mark.usefixtures("alone")


def moved(bert: Path, *names: str) -> Path:
    """The model, in folders of these names inside its own."""
    for name in names:
        shutil.copytree(bert, bert.parent / "new" / name)
    shutil.rmtree(bert)
    return Path(shutil.move(bert.parent / "new", bert))


def only(bert: Path, *names: str, config: bool = True) -> Path:
    """The folder with files of these names in the place of its weights."""
    (bert / WEIGHTS).unlink()
    if not config:
        (bert / "config.json").unlink()
    for name in names:
        (bert / name).write_bytes(b"x" * 100)
    return bert


# ---------------------------------------------------------------- a model inside a folder
@pytest.mark.parametrize("name", ["0_Transformer", "0_BERT"])
def test_the_transformer_of_an_old_sentence_transformers_package_opens(bert: Path, name: str) -> None:
    moved(bert, name)
    (bert / "1_Pooling").mkdir()
    (bert / "1_Pooling" / "config.json").write_text('{"word_embedding_dimension": 64}')
    (bert / "config.json").write_text('{"__version__": "0.2.5"}')
    parts = [{"idx": 0, "name": "0", "path": name, "type": "sentence_transformers.models.Transformer"}]
    parts += [{"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
    (bert / "modules.json").write_text(json.dumps(parts))
    info = load_model(bert, device="cpu").info
    assert (info.name, info.architecture) == ("bert", "BertForMaskedLM")


@pytest.mark.parametrize("path", ["../other", "/etc", ".", "", "nowhere", 3, None], ids=str)
def test_a_list_of_modules_that_leads_elsewhere_is_not_followed(bert: Path, path: object) -> None:
    (bert / "modules.json").write_text(json.dumps([{"path": path}]))
    assert load_model(bert, device="cpu").info.architecture == "BertForMaskedLM"


@pytest.mark.parametrize("content", ["", "{", "[]", "[3]", "{}", '[{"name": "0"}]'])
def test_a_broken_list_of_modules_does_not_matter(bert: Path, content: str) -> None:
    moved(bert, "0_Transformer")
    (bert / "modules.json").write_text(content)
    assert load_model(bert, device="cpu").info.architecture == "BertForMaskedLM"


def test_the_only_model_inside_a_folder_opens(bert: Path) -> None:
    moved(bert, "checkpoint-500")
    (bert / "logs").mkdir()
    assert load_model(bert, device="cpu").info.name == "bert"


def test_of_several_models_inside_a_folder_their_names_are_said(engine: Engine, bert: Path) -> None:
    error = refused(engine, moved(bert, "checkpoint-500", "checkpoint-1000"))
    assert error.code == "several_models"
    assert "checkpoint-500" in error.message
    assert "checkpoint-1000" in error.message


def test_a_model_with_checkpoints_of_its_training_inside_is_itself(bert: Path) -> None:
    shutil.copytree(bert, bert.parent / "copy")
    shutil.move(bert.parent / "copy", bert / "checkpoint-500")
    assert load_model(bert, device="cpu").info.architecture == "BertForMaskedLM"


# ---------------------------------------------------------------- formats of others
FORMATS = {
    "tf_model.h5": "TensorFlow",
    "bert_model.ckpt.index": "TensorFlow",
    "flax_model.msgpack": "Flax",
    "model.onnx": "ONNX",
    "openvino_model.xml": "OpenVINO",
    "model.tflite": "TensorFlow Lite",
    "model.mlpackage": "Core ML",
    "rust_model.ot": "Rust",
    "consolidated.00.pth": "consolidated.00.pth",
    "weights.npz": "MLX",
    "model.bin": "CTranslate2",
    "last.ckpt": "training checkpoint",
    "model.pt": "model.pt",
    "pytorch_model.pth": "pytorch_model.pth",
    "model.fp16.safetensors": "another name",
    "model-00001-of-00002.safetensors": "another name",
}


@pytest.mark.parametrize("config", [True, False], ids=["with config.json", "without"])
@pytest.mark.parametrize("name", FORMATS)
def test_weights_of_other_libraries_are_named(engine: Engine, bert: Path, name: str, config: bool) -> None:
    error = refused(engine, only(bert, name, "training_args.bin", config=config))
    assert error.code == "weights_unsupported"
    assert FORMATS[name] in error.message


def test_what_training_leaves_beside_weights_is_none(engine: Engine, bert: Path) -> None:
    assert refused(engine, only(bert, "training_args.bin", "optimizer.pt", "scheduler.pt")).code == "folder_without_model"


@pytest.mark.parametrize("key", ["state_dict", "model", "model_state_dict"])
def test_a_training_checkpoint_is_named_as_one(engine: Engine, bert: Path, key: str) -> None:
    state = load_file(bert / WEIGHTS)
    torch.save({key: state, "epoch": 3, "optimizer": {"lr": 0.1}}, only(bert) / "pytorch_model.bin")
    error = refused(engine, bert)
    assert error.code == "weights_unsupported"
    assert key in error.message


def test_weights_packed_for_mlx_are_named(engine: Engine, bert: Path) -> None:
    config = json.loads((bert / "config.json").read_text())
    (bert / "config.json").write_text(json.dumps({**config, "quantization": {"group_size": 64, "bits": 4}}))
    error = refused(engine, bert)
    assert error.code == "weights_unsupported"
    assert "MLX" in error.message


# ---------------------------------------------------------------- GGUF
@pytest.mark.parametrize("config", [True, False])
def test_a_folder_with_one_gguf_file_opens_it(bert: Path, config: bool) -> None:
    write_gguf(only(bert, config=config) / "tiny.gguf")
    info = load_model(bert, device="cpu").info
    assert info.name == "tiny"
    assert "GGUF" in info.checkpoint


def test_of_several_gguf_files_the_names_are_said(engine: Engine, bert: Path) -> None:
    for name in ("one.gguf", "two.gguf"):
        write_gguf(bert / name)
    error = refused(engine, only(bert))
    assert error.code == "several_models"
    assert "one.gguf" in error.message


def test_weights_beside_a_gguf_file_come_first(bert: Path) -> None:
    write_gguf(bert / "tiny.gguf")
    assert load_model(bert, device="cpu").info.architecture == "BertForMaskedLM"

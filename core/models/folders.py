"""Which folder a model is in, and what a folder holds whose weights cannot be read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from headscope.core.errors import HeadscopeError
from headscope.core.files.inspect import check_file, read_json
from headscope.core.sentences import Sentence, sentence
from headscope.core.text.tokens import visible

_OWN: Final = ("model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "pytorch_model.bin.index.json")
"""What save_pretrained calls weights."""
_OTHERS: Final = (
    (r"tf_model.*\.h5|.*\.h5", "tensorflow_weights"),
    (r".*\.ckpt\.(index|meta|data-.*)", "tensorflow_checkpoint"),
    (r"flax_model.*\.msgpack.*", "flax_weights"),
    (r".*\.onnx(_data)?|onnx", "onnx_model"),
    (r"openvino_model.*", "openvino_model"),
    (r".*\.tflite", "tensorflow_lite_model"),
    (r".*\.(mlpackage|mlmodelc?)", "core_ml_model"),
    (r"rust_model\.ot", "rust_weights"),
    (r".*\.nemo", "nemo_archive"),
    (r".*\.engine", "tensorrt_engine"),
    (r"consolidated.*\.(pth|safetensors)", "original_weights"),
    (r".*weights.*\.npz|model\.npz", "mlx_weights"),
    (r"adapter_(model|config)\..*", "adapter_alone"),
    (r"model\.bin", "ctranslate_model"),
    (r".*\.ckpt", "training_checkpoint"),
    (r".*\.(pt|pth)", "torch_file"),
    (r".*\.(safetensors|bin)", "weights_misnamed"),
)
"""Names of files, and the code of the sentence that says what they are; the first that fits counts."""
_NOT_WEIGHTS: Final = ("training_args.bin", "optimizer.pt", "scheduler.pt", "optimizer.bin", "rng_state.pth", "scaler.pt")
_MOST_NAMED: Final = 3
_LONGEST: Final = 60


def model_folder(path: Path) -> Path:
    """The folder that holds config.json and weights: `path`, or the one inside it that does.

    sentence-transformers had the Transformer of its pipelines in a folder ``0_Transformer``, which modules.json names.

    Raises
    ------
    HeadscopeError
        ``several_models``.
    """
    if _is_model(path) or is_adapter(path) or gguf_files(path):
        return path
    for name in _modules(path):
        if name and Path(name).name == name and _is_model(path / name):
            return path / name
    inside = [path / name for name in sorted(_names(path)) if _is_model(path / name) or is_adapter(path / name)]
    if len(inside) > 1:
        names = ", ".join(visible(each.name)[:_LONGEST] for each in inside[:_MOST_NAMED])
        raise HeadscopeError("several_models", path=path, names=f"{names} …" if len(inside) > _MOST_NAMED else names)
    return inside[0] if inside else path


def is_adapter(path: Path) -> bool:
    """Whether a folder holds what changes a model that is elsewhere."""
    return (path / "adapter_config.json").is_file() and not _is_model(path)


def without_weights(path: Path, missing: str) -> HeadscopeError:
    """That a folder holds no model, or one in a format that cannot be read."""
    for name in _OWN:
        if os.path.lexists(path / name):
            check_file(path / name)  # a pipe, a device, a broken link: it says so itself
    if not _has_weights(path) and (found := other_weights(path)):
        return HeadscopeError("weights_unsupported", path=path, reason=found)
    return HeadscopeError("folder_without_model", path=path, missing=missing)


def gguf_files(path: Path) -> list[Path]:
    """The GGUF models of a folder without other weights: files, or the first parts of split ones."""
    if _has_weights(path):
        return []
    found = sorted(each for each in _names(path) if each.lower().endswith(".gguf"))
    return [path / each for each in found if not re.search(r"-(?!0*1-of-)\d+-of-\d+\.gguf$", each, re.IGNORECASE)]


def other_weights(path: Path) -> Sentence | None:
    """What a folder holds in place of weights that can be read; None if nothing."""
    names = [name for name in sorted(_names(path)) if name not in _NOT_WEIGHTS]
    for pattern, code in _OTHERS:
        for name in names:
            if re.fullmatch(pattern, name, re.IGNORECASE):
                return sentence(code, name=visible(name)[:_LONGEST])
    return None


def _is_model(path: Path) -> bool:
    return (path / "config.json").is_file() and _has_weights(path)


def _has_weights(path: Path) -> bool:
    return any((path / name).is_file() for name in _OWN)


def _names(path: Path) -> list[str]:
    try:
        return [each.name for each in path.iterdir()]
    except OSError:
        return []


def _modules(path: Path) -> list[str]:
    """The folders of a sentence-transformers pipeline, in its order."""
    try:
        return [str(part["path"]) for part in read_json(path / "modules.json")]
    except (HeadscopeError, KeyError, TypeError):
        return []

"""GGUF files: a look at the header, and a safetensors copy, so that the weights are unpacked only once."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.jobs import Cancelled, Job


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file says of itself: architecture, how most weights are packed ("Q4_1"), how many there are."""

    architecture: str
    format: str
    n_parameters: int


def look(path: Path) -> Header:
    """Read the header.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` if it is no GGUF, is damaged, or of a kind that transformers cannot unpack.
    """
    from gguf import GGUFReader
    from transformers.modeling_gguf_pytorch_utils import GGUF_SUPPORTED_ARCHITECTURES

    try:
        with path.open("rb") as file:
            if file.read(4) != b"GGUF":
                raise HeadscopeError("gguf_unsupported", path=path, reason="it is not a GGUF file")
        reader = GGUFReader(path)
        architecture = str(reader.fields["general.architecture"].contents())
        packed: dict[str, int] = {}
        for tensor in reader.tensors:
            packed[tensor.tensor_type.name] = packed.get(tensor.tensor_type.name, 0) + int(tensor.n_elements)
        main = max(packed, key=lambda name: packed[name])
    except HeadscopeError:
        raise
    except Exception as error:  # its reader trusts the file: what a broken one raises depends on where it ends
        reason = "it is damaged or was cut short"
        raise HeadscopeError("gguf_unsupported", path=path, reason=reason, details=reason_of(error)) from None
    if architecture not in GGUF_SUPPORTED_ARCHITECTURES:
        raise HeadscopeError("gguf_unsupported", path=path, reason=f"its kind is {architecture}")
    return Header(architecture, main, sum(packed.values()))


def cache_folder() -> Path:
    """Where copies are kept; may be deleted at any time."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "headscope" / "gguf"


def copy_folder(path: Path) -> Path:
    """Where the copy of this file belongs; another size or time of change gives another place."""
    about = path.stat()
    key = f"{path.resolve()}\0{about.st_size}\0{about.st_mtime_ns}"
    return cache_folder() / f"{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:16]}"


def unpack(path: Path, to: Path, job: Job) -> None:
    """Unpack the file with transformers and write model and tokenizer to the folder `to`, which appears whole or not at all.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported``, ``no_disk_space``, ``cannot_write``.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        job.cancel.check()
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
        job.cancel.check()
    except Cancelled:
        raise
    except Exception as error:  # as above
        raise HeadscopeError("gguf_unsupported", path=path, reason=reason_of(error), details=str(error)) from None
    model.hf_quantizer = None  # it is unpacked: without these two the copy would be packed again
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{to.name}-", dir=to.parent))
        try:
            model.save_pretrained(part)
            tokenizer.save_pretrained(part)
            part.replace(to)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        if not to.is_dir():
            code = "no_disk_space" if error.errno == 28 else "cannot_write"
            raise HeadscopeError(code, path=to, reason=error.strerror or str(error)) from None

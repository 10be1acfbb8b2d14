"""GGUF files: a look at the header, and a safetensors copy, so that the weights are unpacked only once."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files import unwritable
from headscope.core.jobs import Cancelled, Job, Progress
from headscope.core.models.device import is_out_of_memory

_MAGIC = b"GGUF"


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
    if _first_bytes(path) != _MAGIC:
        raise HeadscopeError("gguf_unsupported", path=path, reason="it is not a GGUF file")
    try:
        reader = GGUFReader(path)
        architecture = str(reader.fields["general.architecture"].contents())
        packed: dict[str, int] = {}
        for tensor in reader.tensors:
            packed[tensor.tensor_type.name] = packed.get(tensor.tensor_type.name, 0) + int(tensor.n_elements)
        n_layers = int(reader.fields[f"{architecture}.block_count"].contents())
        main = max(packed, key=lambda name: packed[name])
    except Exception as error:  # its reader trusts the file: what a broken one raises depends on where it ends
        reason = "it is damaged or was cut short"
        raise HeadscopeError("gguf_unsupported", path=path, reason=reason, details=reason_of(error)) from None
    if architecture not in modeling_gguf_pytorch_utils.GGUF_SUPPORTED_ARCHITECTURES:
        raise HeadscopeError("gguf_unsupported", path=path, reason=f"its kind is {architecture}")
    if n_layers > len(reader.tensors):  # building them would never end
        raise HeadscopeError("gguf_unsupported", path=path, reason=f"it says it has {n_layers} layers")
    return Header(architecture, main, sum(packed.values()))


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC))
    except OSError as error:
        raise HeadscopeError("gguf_unsupported", path=path, reason=reason_of(error)) from None


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
    Cancelled
        Between two tensors.
    """
    try:
        with _watched(job):
            tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
            model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, local_files_only=True)
    except Cancelled:
        raise
    except Exception as error:  # as above
        if is_out_of_memory(error):
            raise
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
    except (OSError, SafetensorError) as error:
        if not to.is_dir():  # another Headscope may have unpacked it meanwhile
            raise unwritable(error, to) from None


@contextmanager
def _watched(job: Job) -> Iterator[None]:
    """transformers draws a bar in the terminal as it unpacks: in its place the job hears how far it is, and can be cancelled."""

    def each(tensors: list[Any], **_: Any) -> Iterator[Any]:
        for done, tensor in enumerate(tensors):
            job.cancel.check()
            job.report(Progress("reading", done / len(tensors)))
            yield tensor

    drawn = modeling_gguf_pytorch_utils.tqdm
    modeling_gguf_pytorch_utils.tqdm = each
    try:
        yield
    finally:
        modeling_gguf_pytorch_utils.tqdm = drawn

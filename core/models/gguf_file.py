"""GGUF files: a look at the header, and a safetensors copy, so that the weights are unpacked only once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gguf import GGUFReader
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, modeling_gguf_pytorch_utils

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files.atomic import one_at_a_time, unwritable
from headscope.core.jobs import Cancelled, Job, Progress
from headscope.core.models.device import is_out_of_memory
from headscope.core.models.gguf_copies import lock_of, part_of

_MAGIC = b"GGUF"
_ATTENTION = re.compile(r"\battn_(q|k|qkv|kv)")
"""Weights that make queries and keys; what llama.cpp calls attn_norm is in every sort of layer."""


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
        ``gguf_unsupported`` if it is no GGUF, is damaged, or of a kind that transformers cannot unpack; ``no_attention`` if
        none of its layers attends.
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
    if not any(_ATTENTION.search(tensor.name) for tensor in reader.tensors):
        raise HeadscopeError("no_attention", model=path.name, reason="it has no queries and keys")
    return Header(architecture, main, sum(packed.values()))


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC))
    except OSError as error:
        raise HeadscopeError("gguf_unsupported", path=path, reason=reason_of(error)) from None


def unpack(path: Path, to: Path, job: Job) -> None:
    """Unpack the file with transformers and write model and tokenizer to the folder `to`, which appears whole or not at all.

    A second process that wants the same waits, and finds it done.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported``, ``no_disk_space``, ``cannot_write``.
    Cancelled
        Between two tensors, or while it waits.
    """
    with one_at_a_time(lock_of(to), job):
        if not to.is_dir():
            _write(*_unpacked(path, job), to)


def _unpacked(path: Path, job: Job) -> tuple[Any, Any]:
    """The model and its tokenizer."""
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
    return model, tokenizer


def _write(model: Any, tokenizer: Any, to: Path) -> None:
    part = part_of(to)
    shutil.rmtree(part, ignore_errors=True)  # of a process that was killed: we hold its lock
    try:
        part.mkdir(parents=True)
        model.save_pretrained(part)
        tokenizer.save_pretrained(part)
        part.replace(to)
    except (OSError, SafetensorError) as error:
        raise unwritable(error, to) from None
    finally:
        shutil.rmtree(part, ignore_errors=True)


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

"""A transformers model from files: which class, checked weights, the room they need, and what is missing in them."""

from __future__ import annotations

import logging
from pathlib import Path

import torch
import transformers

from headscope.core.errors import readable_bytes
from headscope.core.files.atomic import check_disk
from headscope.core.jobs import Job, Progress
from headscope.core.models import checkpoint, gguf_file
from headscope.core.models.device import check_room, out_of_memory_said, pick_device
from headscope.core.models.gguf_copies import copy_folder
from headscope.core.models.hub.reading import Opening, configuration, quiet
from headscope.core.models.hub_model import HubModel
from headscope.core.models.hub_tokenizer import read_tokenizer
from headscope.core.models.packing import method_of, packer_of, unpack_at_once
from headscope.core.models.placing import place

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
for _library in ("huggingface_hub", "accelerate", "bitsandbytes"):
    logging.getLogger(_library).setLevel(logging.ERROR)


def load_folder(
    folder: Path, source: str, *, name: str, device: str, dtype: str, job: Job, packed: str | None = None
) -> HubModel:
    """A folder as `save_pretrained` writes it, or as older versions did.

    Parameters
    ----------
    source, name : str
        For `ModelInfo`.
    packed : str or None
        What the weights are called for people, if they were unpacked from another format.
    """
    raw = checkpoint.read_config(folder)
    with out_of_memory_said(pick_device(device)):
        weights = checkpoint.look(folder)
        config = configuration(raw, weights, name)
        if method := method_of(raw, name):
            unpack_at_once(method, config)
        placing = place(weights, device=device, dtype=dtype, method=method, name=name)
        job.cancel.check()
        opening = Opening(folder, name, raw, config, weights, placing, method is not None, job.cancel.check)
        choice = opening.choose()
        tokenizer = read_tokenizer(folder, name, job)
        job.report(Progress("reading", detail=readable_bytes(weights.n_bytes)))
        job.cancel.check()
        module = opening.read(choice)
        job.cancel.check()
        words = packed or weights.format
        if packer := method or packer_of(module):
            words = f"{words}, {packer}"
        return HubModel(
            module, tokenizer, source=source, name=name, checkpoint=words, lacking=choice.lacking, notes=choice.notes
        )


def load_file(path: Path, source: str, *, device: str, dtype: str, job: Job) -> HubModel:
    """A GGUF file; the first time its weights are unpacked, and kept as safetensors for the next time."""
    header = gguf_file.look(path)
    kept = copy_folder(path)
    if not (kept / "config.json").is_file():
        cpu = torch.device("cpu")
        check_room("model_too_large", header.n_parameters * torch.float32.itemsize, cpu, model=path.name)
        check_disk(kept, header.n_parameters * torch.float32.itemsize)
        job.report(Progress("reading", detail=path.name))
        with quiet(), out_of_memory_said(cpu):
            gguf_file.unpack(path, kept, job)
    packed = f"GGUF {header.format}"
    return load_folder(kept, source, name=path.stem, device=device, dtype=dtype, job=job, packed=packed)

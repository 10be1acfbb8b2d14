"""A transformers model from files: which class, checked weights, the room they need, and what is missing in them."""

from __future__ import annotations

import logging
from pathlib import Path

import transformers

from headscope.core.errors import readable_bytes
from headscope.core.jobs import Job, Progress
from headscope.core.models import checkpoint
from headscope.core.models.device import out_of_memory_said, pick_device
from headscope.core.models.hub.reading import Opening, configuration
from headscope.core.models.hub_model import HubModel
from headscope.core.models.hub_tokenizer import read_tokenizer
from headscope.core.models.packing import method_of, packer_of, unpack_at_once
from headscope.core.models.placing import place

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
for _library in ("huggingface_hub", "accelerate", "bitsandbytes"):
    logging.getLogger(_library).setLevel(logging.ERROR)


def load_folder(folder: Path, source: str, *, name: str, device: str, dtype: str, job: Job) -> HubModel:
    """A folder as `save_pretrained` writes it, or as older versions did.

    Parameters
    ----------
    source, name : str
        For `ModelInfo`.
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
        words = weights.format
        if packer := method or packer_of(module):
            words = f"{words}, {packer}"
        return HubModel(
            module, tokenizer, source=source, name=name, checkpoint=words, lacking=choice.lacking, notes=choice.notes
        )

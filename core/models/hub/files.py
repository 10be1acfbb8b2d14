"""A transformers model from files: which class, checked weights, the room they need, and what is missing in them."""

from __future__ import annotations

from pathlib import Path

from headscope.core.errors import readable_bytes
from headscope.core.job import Job, Progress
from headscope.core.memory import out_of_memory_reported
from headscope.core.models.hub import checkpoint, compat
from headscope.core.models.hub.adapters import Adapter, applied, for_task, has_adapter
from headscope.core.models.hub.download import VOCABULARY_FILES
from headscope.core.models.hub.model import HubModel
from headscope.core.models.hub.placement.devices import pick_device
from headscope.core.models.hub.placement.packing import method_of, packer_of, unpack_at_once
from headscope.core.models.hub.placement.plan import place
from headscope.core.models.hub.reading import Opening, configuration
from headscope.core.models.hub.tokenizer import read_tokenizer
from headscope.core.sentences import sentence


def load_folder(
    folder: Path, source: str, *, name: str, device: str, dtype: str, job: Job, adapter: Adapter | None = None
) -> HubModel:
    """A folder as `save_pretrained` writes it, or as older versions did.

    Parameters
    ----------
    source, name : str
        For `ModelInfo`.
    adapter : Adapter or None
        What changes its weights.
    """
    raw = checkpoint.read_config(folder)
    with compat.LOADING.held(job.cancel), out_of_memory_reported(pick_device(device)):
        weights = checkpoint.look(folder)
        config = configuration(raw, weights, name)
        if adapter is not None:
            raw = for_task(adapter, raw, config)
        if method := method_of(raw, name):
            unpack_at_once(method, config)
        placing = place(weights, device=device, dtype=dtype, method=method, name=name)
        job.cancel.check()
        adapted = frozenset(adapter.shapes if adapter else ())
        opening = Opening(folder, name, raw, config, weights, placing, method is not None, job.cancel.check, adapted)
        choice = opening.choose()
        has_own = adapter is not None and any((adapter.folder / each).is_file() for each in VOCABULARY_FILES)
        tokenizer = read_tokenizer(adapter.folder if adapter and has_own else folder, name, job)
        job.report(Progress("reading", detail=readable_bytes(weights.n_bytes)))
        job.cancel.check()
        module = opening.read(choice)
        job.cancel.check()
        words, notes = weights.format, choice.notes
        if adapter is None and has_adapter(folder):
            notes = (*notes, sentence("adapter_ignored"))
        if packer := method or packer_of(module):
            words = f"{words}, {packer}"
        if adapter is not None:
            module = applied(module, adapter, folder.name, merge=packer is None and not placing.options)
            words = f"{words}, {adapter.kind} adapter"
        return HubModel(module, tokenizer, source=source, name=name, checkpoint=words, lacking=choice.lacking, notes=notes)

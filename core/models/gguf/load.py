"""Opening a GGUF file: header, plan and tokenizer first, the weights when all of it is known to fit."""

from __future__ import annotations

from pathlib import Path

from transformers import PreTrainedModel

from headscope.core.errors import HeadscopeError, readable_bytes, reason_of
from headscope.core.job import Job, Progress
from headscope.core.memory import is_out_of_memory, out_of_memory_reported
from headscope.core.models.gguf.header import read_header
from headscope.core.models.gguf.tokenizer import Read, read_tokenizer
from headscope.core.models.gguf.weights import Plan, plan, read
from headscope.core.models.hub import compat
from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.models.hub.model import HubModel
from headscope.core.models.hub.placement.devices import pick_device
from headscope.core.models.hub.placement.plan import Placing, place
from headscope.core.models.hub.placement.spread import forget_with
from headscope.core.models.hub.quiet import QUIET


def load_file(path: Path, source: str, *, device: str, dtype: str, job: Job) -> HubModel:
    """A GGUF file as a model.

    Parameters
    ----------
    source : str
        For `ModelInfo`.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported``, ``no_attention``, ``model_too_large``, ``out_of_memory``, and those of `place`.
    Cancelled
    """
    with compat.LOADING.held(job.cancel):
        header = read_header(path)
        planned = plan(header)
        words = Checkpoint(header.files, f"GGUF {header.format}", planned.shapes)
        placing = place(words, device=device, dtype=dtype, method=None, name=path.stem)
        job.cancel.check()
        tokenizer = read_tokenizer(header, planned.keys)
        planned.keys.refuse_unasked()
        job.report(Progress("reading", detail=readable_bytes(words.n_bytes)))
        with out_of_memory_reported(pick_device(device)):
            module = _built(planned, placing, job)
        _end_and_suppress(module, tokenizer)
        return HubModel(module, tokenizer.tokenizer, source=source, name=path.stem, checkpoint=words.format)


def refuse_masks(path: Path) -> None:
    """Say of a file, from its header alone, that it guesses no masked words: no kind that opens does.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``, or what is wrong with the file.
    """
    plan(read_header(path))
    raise HeadscopeError("cannot_fill_mask", model=path.stem)


def _built(planned: Plan, placing: Placing, job: Job) -> PreTrainedModel:
    """The model with all of its weights."""
    weights = read(planned, placing.dtype, job)
    try:
        with QUIET.held():
            module, loading = planned.model.from_pretrained(
                None,
                config=planned.config,
                state_dict=weights,
                dtype=placing.dtype,
                output_loading_info=True,
                **placing.options,
            )
    except Exception as error:  # whatever it may be, the file is not what it seemed
        if is_out_of_memory(error):
            raise
        planned.header.refuse("not_built", model=planned.kind.model, words=reason_of(error))
    left = [*loading["missing_keys"], *loading["unexpected_keys"], *loading["mismatched_keys"]]
    if left:
        planned.header.refuse("tensor_unread", tensor=left[0])
    forget_with(module, placing.options)
    if not placing.options:
        module.to(placing.device)
    return module


def _end_and_suppress(module: PreTrainedModel, tokenizer: Read) -> None:
    """What ends a text, and what is never written, as the file says it."""
    settings = module.generation_config
    if settings is None:
        return
    if len(tokenizer.end_ids) > 1:
        settings.eos_token_id = list(dict.fromkeys(tokenizer.end_ids))
    if tokenizer.suppressed:
        settings.suppress_tokens = list(tokenizer.suppressed)

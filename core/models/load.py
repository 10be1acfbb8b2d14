"""Loading a model: `load_model` takes a toy's name, a folder, a .gguf file or a Hugging Face name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from headscope.core.arguments import checked
from headscope.core.errors import HeadscopeError
from headscope.core.files.inspect import check_file
from headscope.core.job import Job, Progress
from headscope.core.model import Model
from headscope.core.models.folders import gguf_files, is_adapter, model_folder
from headscope.core.models.hub.quiet import QUIET
from headscope.core.text.tokens import visible

_TOY = "toy:"
_MOST_SHOWN = 80
"""Characters of a name that does not exist, in the sentence that says so."""


@checked
def load_model(
    source: str | os.PathLike[str],
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    job: Job | None = None,
) -> Model:
    """Load a model.

    Parameters
    ----------
    source : str or path
        ``toy:NAME``, a folder that `save_pretrained` wrote, a ``.gguf`` file, or a hub name such as ``bert-base-uncased``: that is
        taken from this computer's Hugging Face cache, and downloaded only if it is not there. ``NAME@REVISION`` asks for a branch,
        a tag or a commit of it.
    revision : str or None
        The same, beside the name; it counts more than one in the name. Toys, folders and files have none.
    device : str
        "auto" (CUDA, then MPS, XPU, CPU), a name such as "cpu" or "cuda:0", or "all": layers on every accelerator, in memory and
        on the disk, as they fit. "auto" does so too, but for the disk, with a model that is larger than its accelerator.
    dtype : str
        "auto" (float32 where it fits well, else bfloat16), "float32", "bfloat16" or "float16"; "int8" or "int4" where a library
        that packs weights is installed (int8: torchao, optimum-quanto, bitsandbytes; int4: bitsandbytes). A checkpoint that is packed itself
        stays as it is.
    job : Job or None
        For progress and cancellation.

    Raises
    ------
    HeadscopeError
        Its message names what is wrong with the name, the files or the memory. Code that comes with a model is never run.
    Cancelled
    """
    with QUIET.held():
        return _load(os.fspath(source), revision, device, dtype, job or Job())


def _load(source: str, revision: str | None, device: str, dtype: str, job: Job) -> Model:
    shown = visible(source.strip())[:_MOST_SHOWN]
    if not shown:
        raise HeadscopeError("no_name")
    job.report(Progress("loading", detail=shown))
    if shown.startswith(_TOY):
        from headscope.core.models.toy_model import ToyModel

        return ToyModel(shown.removeprefix(_TOY), device=device, dtype=dtype)
    from headscope.core.models.gguf.load import load_file  # imports transformers

    path = _existing(source)
    if path is not None and path.is_dir():
        name = path.resolve().name or source
        return _load_folder(path, source, name, device, dtype, job)
    if path is not None and path.suffix.lower() == ".gguf":
        check_file(path)
        return load_file(path, source, device=device, dtype=dtype, job=job)
    if path is not None:
        raise HeadscopeError("folder_without_model", path=path, missing="config.json")
    if _is_path(source):
        raise HeadscopeError("path_not_found", path=shown)
    from headscope.core.models.hub.download import is_hub_name, snapshot

    name, _, written = source.strip().partition("@")
    if not is_hub_name(name):
        raise HeadscopeError("model_not_found", name=shown)
    revision = revision or written or None
    folder = snapshot(name, job, revision)
    whole = f"{name}@{revision}" if revision else name
    return _load_folder(folder, whole, whole, device, dtype, job)


@checked
def wrap_model(module: Any, tokenizer: Any, *, name: str | None = None) -> Model:
    """A transformers model that is in memory, half-trained or fine-tuned, as it is: no weight is copied, moved or changed.

    >>> with wrap_model(model, tokenizer) as look:  # doctest: +SKIP
    ...     record = look.capture("the keys of the cabinet")

    During each pass of ours, and at no other time, the module is in evaluation mode and its attention goes through Headscope's
    functions. Between two it is as you have it: train it, copy it, save it. What is captured is what the weights are at that
    moment. Passes of several threads take turns; do not train it while one runs.

    Parameters
    ----------
    module : PreTrainedModel
        On any device, or on several; also inside `torch.compile`, `DataParallel` or a `PeftModel` whose adapter changes weights.
    tokenizer : PreTrainedTokenizerBase
        Its settings stay as they are: a fast one is copied, of others nothing is changed.
    name : str, optional
        Name to show; by default the configuration's, or else the name of the class.

    Raises
    ------
    HeadscopeError
        ``architecture_unsupported``, ``wrap_inside``, ``adapter_unsupported``, ``no_tokenizer``, ``no_attention``; the module is
        as it was.
    """
    from headscope.core.models.hub.model import wrapped

    return wrapped(module, tokenizer, name)


def _load_folder(folder: Path, source: str, name: str, device: str, dtype: str, job: Job) -> Model:
    """What a folder holds: a model, one in a folder inside it, a .gguf file, or an adapter of a model elsewhere."""
    from headscope.core.models.gguf.load import load_file
    from headscope.core.models.hub.adapters import base_folder, has_adapter, has_peft, read_adapter
    from headscope.core.models.hub.files import load_folder

    folder = model_folder(folder)
    if is_adapter(folder):
        adapter = read_adapter(folder, name)
        base = base_folder(adapter, job)
        return load_folder(base, source, name=name, device=device, dtype=dtype, job=job, adapter=adapter)
    found = gguf_files(folder)
    if len(found) > 1:
        raise HeadscopeError("several_models", path=folder, names=", ".join(visible(each.name)[:40] for each in found[:3]))
    if found:
        return load_file(found[0], source, device=device, dtype=dtype, job=job)
    own = read_adapter(folder, name) if has_adapter(folder) and has_peft() else None
    return load_folder(folder, source, name=name, device=device, dtype=dtype, job=job, adapter=own)


def _existing(source: str) -> Path | None:
    """The file or folder of this name; None if there is none, or if no file can have such a name."""
    try:
        path = Path(source).expanduser()
        path.stat()
    except (OSError, ValueError, RuntimeError):  # too long; holds a zero; the home of nobody
        return None
    return path


def _is_path(source: str) -> bool:
    """Whether this can only be a path: hub names are ``name`` or ``owner/name``."""
    begins = source.startswith((".", "/", "~", "\\")) or source[1:2] == ":"
    return begins or source.lower().endswith(".gguf") or source.partition("@")[0].count("/") > 1 or "\\" in source

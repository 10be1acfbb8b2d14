"""One door to every model: `load_model` takes a toy's name, a folder, a .gguf file or a name of the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Job, Progress
from headscope.core.models.device import leave_a_core
from headscope.core.models.loaded import LoadedModel

_TOY = "toy:"


def load_model(source: str, *, device: str = "auto", dtype: str = "auto", job: Job | None = None) -> LoadedModel:
    """Load a model.

    Parameters
    ----------
    source : str
        ``toy:NAME``, a folder that `save_pretrained` wrote, a ``.gguf`` file, or a hub name such as ``bert-base-uncased``: that is
        taken from this computer's Hugging Face cache, and downloaded only if it is not there.
    device : str
        "auto" (CUDA, then MPS, XPU, CPU), or a name such as "cpu" or "cuda:0".
    dtype : str
        "auto" (float32 where it fits well, else bfloat16), "float32", "bfloat16" or "float16".
    job : Job or None
        For progress and cancellation.

    Raises
    ------
    HeadscopeError
        Says what is wrong with the name, the files or the room. No code of a model is ever run.
    Cancelled
    """
    job = job or Job()
    job.report(Progress("loading", detail=source))
    leave_a_core()
    if source.startswith(_TOY):
        from headscope.core.models.toy_model import ToyModel

        return ToyModel(source.removeprefix(_TOY), device=device, dtype=dtype)
    from headscope.core.models.hub_model import load_file, load_folder  # imports transformers

    path = Path(source).expanduser()
    if path.suffix.lower() == ".gguf":
        return load_file(_existing(path), source, device=device, dtype=dtype, job=job)
    if path.is_dir():
        return load_folder(path, source, device=device, dtype=dtype, job=job)
    if path.exists() or _is_path(source):
        raise HeadscopeError("folder_without_model" if path.exists() else "path_not_found", path=path, missing="config.json")
    from headscope.core.models.download import snapshot

    return load_folder(snapshot(source, job), source, device=device, dtype=dtype, job=job)


def _is_path(source: str) -> bool:
    """Whether this can only be a path: hub names are ``name`` or ``owner/name``."""
    return source.startswith((".", "/", "~", "\\")) or source.count("/") > 1 or "\\" in source or source[1:2] == ":"


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise HeadscopeError("path_not_found", path=path)
    return path

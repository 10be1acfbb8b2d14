"""Looking at a model's files before anything reads them for good: complete, undamaged, and holding tensors only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files.guarded import guarded
from headscope.core.files.inspect import is_there, open_file, read_json
from headscope.core.files.passed import checked_once
from headscope.core.memory import check_room, is_out_of_memory
from headscope.core.models.folders import without_weights
from headscope.core.models.hub.quiet import QUIET
from headscope.core.models.hub.torch_file import is_plain, misread
from headscope.core.sentences import sentence

_SAFETENSORS, _BIN = "model.safetensors", "pytorch_model.bin"
_PYTHON_OBJECT = re.compile(r"\bGLOBAL ([\w.]+)")
_LARGEST_HEADER = 16 * 2**20
"""Bytes of a safetensors header: a hundred thousand tensors."""
_PICKLE, _LFS_POINTER = b"\x80", b"version https://git-lfs"
_Tensor = tuple[tuple[int, ...], bool]
"""A shape, and whether the numbers are whole ones."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The weights of a folder: `files`, what they are called for people, tensor shapes by name, and names of whole numbers."""

    files: tuple[Path, ...]
    format: str
    shapes: dict[str, tuple[int, ...]]
    integers: frozenset[str] = frozenset()

    @property
    def n_bytes(self) -> int:
        """Of the files."""
        return sum(file.stat().st_size for file in self.files)

    @property
    def n_parameters(self) -> int:
        """Numbers in all tensors."""
        total = 0
        for shape in self.shapes.values():
            count = 1
            for length in shape:
                count *= length
            total += count
        return total


def read_config(folder: Path) -> dict[str, Any]:
    """The folder's config.json.

    Raises
    ------
    HeadscopeError
        ``folder_without_model`` if there is none, ``config_invalid`` if it is no JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise without_weights(folder, "config.json")
    try:
        config = read_json(path)
    except HeadscopeError as error:
        reason = sentence("config_unreadable", reason=error.parameters["reason"])
        raise HeadscopeError("config_invalid", model=folder.name, reason=reason) from None
    if not isinstance(config, dict):
        raise HeadscopeError("config_invalid", model=folder.name, reason=sentence("config_not_object"))
    return config


def look(folder: Path, safetensors: str = _SAFETENSORS, torch_file: str = _BIN) -> Checkpoint:
    """Find and check a folder's weights, by these names; safetensors are preferred.

    Raises
    ------
    HeadscopeError
        ``folder_without_model``, ``weights_unsupported``, ``checkpoint_damaged``, ``checkpoint_unsafe``.
    """
    for name, read, words in ((safetensors, _safetensors_shapes, "safetensors"), (torch_file, _bin_shapes, "torch weights")):
        files = _files(folder, name)
        if files:
            tensors: dict[str, _Tensor] = {}
            for file in files:
                if _first_bytes(file) == _LFS_POINTER:
                    raise HeadscopeError("checkpoint_damaged", path=file, reason=sentence("lfs_pointer"))
                tensors |= read(file)
            if not tensors:
                raise HeadscopeError("checkpoint_damaged", path=files[0], reason=sentence("no_named_weights"))
            shapes = {name: shape for name, (shape, _) in tensors.items()}
            return Checkpoint(files, words, shapes, frozenset(name for name, (_, is_integer) in tensors.items() if is_integer))
    raise without_weights(folder, f"{safetensors} or {torch_file}")


def _files(folder: Path, name: str) -> tuple[Path, ...]:
    """The single file called `name`, or the shards its index lists."""
    if (folder / name).is_file():
        return (folder / name,)
    index = folder / f"{name}.index.json"
    if not index.is_file():
        return ()
    try:
        shards = read_json(index)["weight_map"].values()
        names = sorted({str(shard) for shard in shards})
    except (HeadscopeError, KeyError, AttributeError, TypeError):
        raise HeadscopeError("checkpoint_damaged", path=index, reason=sentence("index_empty")) from None
    for shard in names:
        if shard in ("", "..") or Path(shard).name != shard:
            raise HeadscopeError("checkpoint_damaged", path=index, reason=sentence("index_misnames", file=shard))
        if not is_there(folder / shard):
            raise HeadscopeError("folder_without_model", path=folder, missing=shard)
    return tuple(folder / shard for shard in names)


def _safetensors_shapes(path: Path) -> dict[str, _Tensor]:
    with open_file(path) as file:
        if int.from_bytes(file.read(8), "little") > _LARGEST_HEADER:
            raise HeadscopeError("checkpoint_damaged", path=path, reason=sentence("header_implausible"))
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - not a dict
            return {
                name: (tuple(each.get_shape()), each.get_dtype()[0] in "IUB" and each.get_dtype() != "BF16")
                for name, each in slices.items()
            }
    except (SafetensorError, OSError) as error:
        raise HeadscopeError("checkpoint_damaged", path=path, reason=reason_of(error)) from None
    except (RuntimeError, MemoryError):  # a file much larger than the memory is not even mapped
        check_room("model_too_large", path.stat().st_size, torch.device("cpu"), model=path.parent.name)
        raise


def try_torch_file(path: str) -> None:
    """What an unusual file is tried with in a child process (`headscope.core.files.guarded`): read it as `look` does.

    Raises
    ------
    HeadscopeError
        Of `bin_shapes`.
    """
    bin_shapes(Path(path))


def _bin_shapes(path: Path) -> dict[str, _Tensor]:
    """As `bin_shapes`; a file that is not what torch writes for tensors is read in a child process first."""
    if not is_plain(path):
        trial = f"{try_torch_file.__module__}.{try_torch_file.__name__}"
        checked_once("torch file", [path], lambda: guarded(trial, path, subject=path, torch=True))
    if reason := misread(path):
        raise HeadscopeError("checkpoint_damaged", path=path, reason=sentence(reason))
    return bin_shapes(path)


def bin_shapes(path: Path) -> dict[str, _Tensor]:
    """Read by torch's weights-only loader, which builds tensors and plain containers and calls nothing else."""
    try:
        with QUIET.held():  # it warns of what it then refuses
            state = torch.load(path, map_location="meta", weights_only=True)
    except Exception as error:  # the loader raises nearly everything, depending on where a broken file ends
        if is_out_of_memory(error):
            raise
        raise _refusal(path, str(error)) from None
    tensors = state if isinstance(state, dict) else {}
    for key, held in tensors.items():  # beside an optimizer's state, as training leaves it
        if isinstance(held, dict) and held and all(isinstance(each, torch.Tensor) for each in held.values()):
            reason = sentence("training_checkpoint_key", key=f"{key!r:.40}")
            raise HeadscopeError("weights_unsupported", path=path, reason=reason)
    if any(not isinstance(name, str) for name, value in tensors.items() if isinstance(value, torch.Tensor)):
        raise HeadscopeError("weights_unsupported", path=path, reason=sentence("tensors_unnamed"))
    tensors = {name: value for name, value in tensors.items() if isinstance(value, torch.Tensor)}
    return {name: (tuple(value.shape), not value.is_floating_point()) for name, value in tensors.items()}


def _refusal(path: Path, text: str) -> HeadscopeError:
    """What torch's loader said about a file, in a sentence of ours."""
    if found := _PYTHON_OBJECT.search(text):
        return HeadscopeError(
            "checkpoint_unsafe", path=path, reason=sentence("holds_object", name=found.group(1)), details=text
        )
    if "Unsupported operand" in text and _first_bytes(path).startswith(_PICKLE):
        return HeadscopeError("checkpoint_unsafe", path=path, reason=sentence("holds_pickle"), details=text)
    return HeadscopeError("checkpoint_damaged", path=path, reason=sentence("torch_cannot_read"), details=text)


def _first_bytes(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(len(_LFS_POINTER))

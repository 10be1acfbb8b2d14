"""Whether reading a file of torch's is bounded: its pickle is walked, never run, before torch's weights-only loader reads it.

That loader builds nothing but tensors and plain containers, but as large as the file says: a few bytes ask for a bytearray of
gigabytes, or for a tuple of tuples whose hash takes longer than the universe is old. What `torch.save` writes for a dictionary of
tensors needs none of that. Files that do are read in a child process first.
"""

from __future__ import annotations

import pickletools
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from torch.serialization import get_safe_globals

_LARGEST: Final = 4 * 2**20
"""Bytes of a pickle that is walked; those of models with thousands of tensors have some hundred thousand."""
_LEGACY_PICKLES: Final = 5
"""Before zip files: a magic number, a version, the system, the tensors, the names of their storages; then the storages."""
_CALLED: Final = frozenset(
    {
        "collections OrderedDict",
        "torch._utils _rebuild_tensor_v2",
        "torch._utils _rebuild_parameter",
    }
)
_KNOWN: Final = frozenset({"torch", "collections", "builtins", "__builtin__", "_codecs"})
"""Packages of which torch's loader knows names, unless a user has added others."""
_ITEM_BYTES: Final = {
    "Float": 4, "Double": 8, "Half": 2, "BFloat16": 2, "Byte": 1, "Char": 1, "Short": 2, "Int": 4, "Long": 8, "Bool": 1,
}  # fmt: skip
_CONSTANTS: Final = frozenset({"NONE", "NEWTRUE", "NEWFALSE", "BINFLOAT", "LONG1", "BININT", "BININT1", "BININT2"})
_TEXTS: Final = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "SHORT_BINSTRING", "BINSTRING"})
_MEMORIES: Final = frozenset({"BINPUT", "LONG_BINPUT"})
_LOOKS: Final = frozenset({"BINGET", "LONG_BINGET"})
_CONTAINERS: Final = {"EMPTY_DICT": "dict", "EMPTY_LIST": "list"}
_TUPLES: Final = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


class _Unusual(Exception):  # noqa: N818 - a verdict
    """The pickle does something that a dictionary of tensors does not need."""


def is_plain(path: Path) -> bool:
    """Whether torch's weights-only loader reads this file, or finds out what is wrong with it, in time and memory that grow with
    its size and no faster."""
    size = path.stat().st_size
    with path.open("rb") as file:
        try:
            if not zipfile.is_zipfile(file):
                return _is_plain_legacy(file, size)
            file.seek(0)
            with zipfile.ZipFile(file) as archive:
                return _is_plain_archive(archive, size)
        except _Unusual:
            return False
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, EOFError, RuntimeError):
            return False


def misread(path: Path) -> str:
    """Why transformers, which maps a file into memory, would take other bytes for its numbers, as a sentence's code; "" if not.

    It looks at nothing but where a record begins: one that is compressed, or shorter than its tensor, is read all the same.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                return "compressed"
            pickles = [member for member in members if member.filename.endswith("/data.pkl") and member.file_size <= _LARGEST]
            if len(pickles) != 1:
                return ""
            walk = _Walk()
            walk.run(archive.read(pickles[0]))
            folder = pickles[0].filename.removesuffix("data.pkl")
            sizes = {member.filename: member.file_size for member in members}
            short = [key for key, size in walk.storages.items() if sizes.get(f"{folder}data/{key}", size) < size]
            return "tensor_cut_short" if short else ""
    except (_Unusual, zipfile.BadZipFile, OSError, NotImplementedError, ValueError, EOFError, RuntimeError):
        return ""


def _is_plain_archive(archive: zipfile.ZipFile, size: int) -> bool:
    members = archive.infolist()
    names = {member.filename for member in members}
    stored = all(member.compress_type == zipfile.ZIP_STORED for member in members)
    if not stored or len(names) < len(members) or sum(member.file_size for member in members) > size:
        return False
    pickles = [member for member in members if member.filename.endswith("/data.pkl") and member.file_size <= _LARGEST]
    if len(pickles) != 1:
        return False
    with archive.open(pickles[0]) as file:
        return _walked(file.read(_LARGEST)) <= size


def _is_plain_legacy(file: BinaryIO, size: int) -> bool:
    file.seek(0)
    raw = file.read(_LARGEST)
    total = 0
    for _ in range(_LEGACY_PICKLES):
        if not raw.startswith(b"\x80"):
            return False
        walk = _Walk()
        end = walk.run(raw)
        if end is None:
            return size <= _LARGEST  # cut short: all that is there was walked
        total += sum(walk.storages.values())
        raw = raw[end:]
    return total <= size


def _walked(raw: bytes) -> int:
    walk = _Walk()
    walk.run(raw)
    return sum(walk.storages.values())


@dataclass(slots=True)
class _Walk:
    """The stack of a pickle's machine, with what kind each thing is in its place; no thing is made.

    What is taken from the memory a second time is a text, a name or a tensor, never a container: so what is built is a tree, and
    grows with the file.
    """

    stack: list[Any] = field(default_factory=list)
    marks: list[int] = field(default_factory=list)
    memory: dict[int, Any] = field(default_factory=dict)
    storages: dict[str, int] = field(default_factory=dict)

    def run(self, raw: bytes) -> int | None:
        """Walk one pickle; where it ends, or None if it is damaged: torch's loader stops there too."""
        try:
            for name, argument, _ in _operations(raw):
                self._step(name, argument)
                if name == "STOP":
                    return self._end(raw)
        except (IndexError, KeyError):
            return None
        return None

    def _end(self, raw: bytes) -> int:
        return next(at + 1 for operation, _, at in pickletools.genops(raw) if operation.name == "STOP" and at is not None)

    def _step(self, name: str, argument: Any) -> None:
        if name in _TEXTS:
            self.stack.append(("text", argument))
        elif name in _CONSTANTS:
            self.stack.append(("constant", argument))
        elif name == "GLOBAL":
            self._name(argument)
        elif name in _CONTAINERS:
            self.stack.append((_CONTAINERS[name], None))
        elif name == "MARK":
            self.marks.append(len(self.stack))
        elif name in _TUPLES or name == "TUPLE":
            at = self.marks.pop() if name == "TUPLE" else len(self.stack) - _TUPLES[name]
            self.stack[at:] = [("tuple", tuple(self.stack[at:]))]
        elif name in _MEMORIES:
            self.memory[argument] = self.stack[-1]
        elif name in _LOOKS:
            self._look(argument)
        elif name not in {"PROTO", "STOP"}:
            self._build(name)

    def _name(self, name: str) -> None:
        """torch's loader stops at a name that it does not know, before anything is done with it."""
        added = {str(getattr(each, "__module__", "")).partition(".")[0] for each in get_safe_globals()}
        if name.partition(" ")[0].partition(".")[0] not in _KNOWN | added:
            raise KeyError(name)
        self.stack.append(("name", name))

    def _look(self, at: int) -> None:
        kept = self.memory[at]
        if kept[0] not in {"text", "name", "tensor"}:
            raise _Unusual
        self.stack.append(kept)

    def _build(self, name: str) -> None:
        if name == "BINPERSID":
            self.stack[-1] = self._storage(self.stack[-1])
        elif name == "REDUCE":
            (arguments, _), (kind, called) = self.stack.pop(), self.stack[-1]
            if arguments != "tuple" or kind != "name" or called not in _CALLED:
                raise _Unusual
            self.stack[-1] = ("dict" if called.endswith("OrderedDict") else "tensor", None)
        elif name in {"SETITEM", "SETITEMS"}:
            at = self.marks.pop() if name == "SETITEMS" else len(self.stack) - 2
            if any(kind not in {"text", "constant"} for kind, _ in self.stack[at::2]):
                raise _Unusual
            del self.stack[at:]
        elif name in {"APPEND", "APPENDS"}:
            del self.stack[self.marks.pop() if name == "APPENDS" else len(self.stack) - 1 :]
        elif name == "BUILD":  # an OrderedDict's own attributes
            self.stack.pop()
            if self.stack[-1][0] != "dict":
                raise _Unusual
        else:
            raise _Unusual

    def _storage(self, described: Any) -> Any:
        """("storage", class, key, device, how many): counted by its key."""
        kind, parts = described
        if kind != "tuple" or len(parts) < 5 or parts[1][0] != "name":
            raise _Unusual
        item = _ITEM_BYTES.get(str(parts[1][1]).removeprefix("torch ").removesuffix("Storage"))
        if item is None or not isinstance(parts[4][1], int) or parts[4][1] < 0:
            raise _Unusual
        key = str(parts[2][1])
        self.storages[key] = max(self.storages.get(key, 0), item * parts[4][1])
        return ("storage", None)


def _operations(raw: bytes) -> Iterator[tuple[str, Any, int]]:
    """The operations of a pickle, up to where it is damaged."""
    try:
        for operation, argument, at in pickletools.genops(raw):
            yield operation.name, argument, at or 0
    except (ValueError, UnicodeDecodeError, OverflowError):
        return

"""The header of a GGUF file, read within bounds: what is refused is refused before anything of its size is taken.

No number of the file is believed before it is held against the file's own length, so that reading takes time and memory
in proportion to what is really there, and never more than the limits below. The format:
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import os
import re
import stat
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Final, NoReturn

import numpy as np
import numpy.typing as npt
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.sentences import sentence
from headscope.core.text.tokens import visible

Value = int | float | bool | str | list[str] | npt.NDArray[np.generic]
"""What a key can hold. Arrays of numbers are numpy arrays; nested arrays, which no known key has, are refused."""

_MAGIC: Final = b"GGUF"
_VERSIONS: Final = (2, 3)
_STRING, _ARRAY, _BOOL, _FLOAT = 8, 9, 7, 6
_NUMBERS: Final = {
    0: "<u1",
    1: "<i1",
    2: "<u2",
    3: "<i2",
    4: "<u4",
    5: "<i4",
    6: "<f4",
    _BOOL: "|u1",
    10: "<u8",
    11: "<i8",
    12: "<f8",
}
"""Types of a value that have a fixed size, as numpy writes them."""
_MOST_KEYS: Final = 2**16
_MOST_TENSORS: Final = 2**17
_MOST_STRINGS: Final = 2**22
"""Of one file: words and merges; Gemma 3 has 0.8 million."""
_LONGEST_HEADER: Final = 2**27
"""Bytes of keys and values; Gemma 3 has 16 million."""
_MOST_DIMENSIONS: Final = 4
_ALIGNMENT: Final = 32
"""Bytes, where the file says nothing."""
_LONGEST_SHOWN: Final = 40
_MOST_PARTS: Final = 999
_PART: Final = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Tensor:
    """Where a tensor lies: `shape` as in torch, `begin` from the start of `file`, `n_bytes` as it is packed."""

    name: str
    shape: tuple[int, ...]
    packing: GGMLQuantizationType
    begin: int
    n_bytes: int
    file: Path


@dataclass(frozen=True, slots=True)
class Header:
    """What a GGUF file (all parts of it) says: `values` by key, `tensors` by name."""

    path: Path
    values: dict[str, Value]
    tensors: dict[str, Tensor]
    files: tuple[Path, ...] = field(default=())

    def refuse(self, code: str, **parameters: object) -> NoReturn:
        """Raise HeadscopeError(``gguf_unsupported``) with the sentence that has this code."""
        refuse(self.path, code, **parameters)

    @property
    def n_parameters(self) -> int:
        """Numbers in all tensors."""
        return sum(_product(tensor.shape) for tensor in self.tensors.values())

    @property
    def format(self) -> str:
        """How most of its numbers are packed: "Q4_1", "F16", …"""
        packed: dict[str, int] = {}
        for tensor in self.tensors.values():
            packed[tensor.packing.name] = packed.get(tensor.packing.name, 0) + _product(tensor.shape)
        return max(packed, key=lambda name: packed[name], default="")


def refuse(path: Path, code: str, **parameters: object) -> NoReturn:
    """Raise HeadscopeError(``gguf_unsupported``) with the sentence that has this code."""
    reason = sentence(code, **parameters)
    raise HeadscopeError("gguf_unsupported", path=visible(path.name)[:_LONGEST_SHOWN], reason=reason) from None


def shown(name: str) -> str:
    """A name out of a file, for a sentence: short, and without control characters."""
    clean = visible(name)
    return clean if len(clean) <= _LONGEST_SHOWN else f"{clean[:_LONGEST_SHOWN]}…"


def read_header(path: Path) -> Header:
    """Read the header of a file, and of the other parts if it is the first of several.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` if it is no GGUF, is damaged or cut short, of a version or packing that is not known, or if a part is missing.
    """
    first = _read_part(path)
    number, count, total = (_split(first, key) for key in ("split.no", "split.count", "split.tensors.count"))
    if count <= 1:
        return first
    name = _PART.fullmatch(path.name)
    if name is None or int(name[3]) != count or int(name[2]) != number + 1 or count > _MOST_PARTS:
        first.refuse("part_misnamed", number=number + 1, count=count)
    files = [path.with_name(f"{name[1]}-{each:05}-of-{count:05}.gguf") for each in range(1, count + 1)]
    missing = [file.name for file in files if not file.exists()]
    if missing:
        first.refuse("part_missing", count=count, part=shown(missing[0]))
    parts = [first if each == path else _read_part(each) for each in files]
    tensors: dict[str, Tensor] = {}
    for index, part in enumerate(parts):
        if (_split(part, "split.no"), _split(part, "split.count")) != (index, count):
            part.refuse("part_of_another")
        if twice := tensors.keys() & part.tensors.keys():
            part.refuse("tensor_in_two_parts", tensor=shown(min(twice)))
        tensors |= part.tensors
    if len(tensors) != total:
        first.refuse("parts_misfit", n=len(tensors), total=total)
    return replace(parts[0], path=path, tensors=tensors, files=tuple(files))


def _split(header: Header, key: str) -> int:
    value = header.values.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        header.refuse("key_not_count", key=key)
    return value


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """A file that is one: opening a pipe or a device would wait for ever."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(descriptor, "rb", buffering=2**20) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                refuse(path, "is_no_file")
            yield file
    except OSError as error:
        refuse(path, "cause", words=error.strerror or reason_of(error))


def _read_part(path: Path) -> Header:
    with opened(path) as file:
        reader = _IncrementalPass(path, file, os.fstat(file.fileno()).st_size)
        if reader.size < len(_MAGIC) or reader.take(len(_MAGIC)) != _MAGIC:
            reader.refuse("not_gguf")
        version = reader.integer("<I")
        if version & 0xFFFF == 0:
            reader.refuse("big_endian")
        if version not in _VERSIONS:
            reader.refuse("version_unknown", version=version)
        n_tensors, n_keys = reader.integer("<Q"), reader.integer("<Q")
        reader.check_count(n_keys, 13, _MOST_KEYS, "keys")
        values = _read_values(reader, n_keys)
        reader.check_count(n_tensors, 32, _MOST_TENSORS, "tensors")
        return Header(path, values, _read_tensors(reader, n_tensors, values.get("general.alignment", _ALIGNMENT)), (path,))


def _read_values(reader: _IncrementalPass, n_keys: int) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for _ in range(n_keys):
        key = reader.text()
        if key in values:
            reader.refuse("key_twice", key=shown(key))
        values[key] = reader.value(key)
    return values


def _read_tensors(reader: _IncrementalPass, n_tensors: int, alignment: Value) -> dict[str, Tensor]:
    if isinstance(alignment, bool) or not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        reader.refuse("alignment")
    listed = [_read_tensor(reader, alignment) for _ in range(n_tensors)]
    data = -(-reader.position // alignment) * alignment
    tensors: dict[str, Tensor] = {}
    end = data
    for tensor in sorted(listed, key=lambda each: each.begin):
        begin = data + tensor.begin
        if tensor.name in tensors:
            reader.refuse("tensor_twice", tensor=shown(tensor.name))
        if begin < end:
            reader.refuse("tensor_overlaps", tensor=shown(tensor.name))
        end = begin + tensor.n_bytes
        if end > reader.size:
            reader.refuse("cut_short_in_tensor", tensor=shown(tensor.name))
        tensors[tensor.name] = replace(tensor, begin=begin)
    return {tensor.name: tensors[tensor.name] for tensor in listed}


def _read_tensor(reader: _IncrementalPass, alignment: int) -> Tensor:
    """Its `begin` still counts from the start of the data."""
    name = reader.text()
    n_dimensions = reader.integer("<I")
    if not 1 <= n_dimensions <= _MOST_DIMENSIONS:
        reader.refuse("tensor_dimensions", tensor=shown(name), n=n_dimensions)
    shape = tuple(reader.integer("<Q") for _ in range(n_dimensions))[::-1]
    packing, begin = reader.integer("<I"), reader.integer("<Q")
    try:
        known = GGMLQuantizationType(packing)
    except ValueError:
        reader.refuse("tensor_packing_unknown", tensor=shown(name), packing=packing)
    per_block, block_bytes = GGML_QUANT_SIZES[known]
    if 0 in shape or shape[-1] % per_block:
        reader.refuse("tensor_packing_shape", tensor=shown(name), packing=known.name)
    if begin % alignment:
        reader.refuse("tensor_unaligned", tensor=shown(name))
    return Tensor(name, shape, known, begin, _product(shape) // per_block * block_bytes, reader.path)


class _IncrementalPass:
    """A file that is read from its start, never past its end."""

    def __init__(self, path: Path, file: BinaryIO, size: int) -> None:
        self.path = path
        self.size = size
        self.position = 0
        self._file = file
        self._n_strings = 0

    def refuse(self, code: str, **parameters: object) -> NoReturn:
        refuse(self.path, code, **parameters)

    def take(self, n_bytes: int) -> bytes:
        if n_bytes > self.size - self.position:
            self.refuse("cut_short_or_length")
        if self.position + n_bytes > _LONGEST_HEADER:
            self.refuse("header_too_long")
        data = self._file.read(n_bytes)
        if len(data) != n_bytes:
            self.refuse("became_shorter")
        self.position += n_bytes
        return data

    def integer(self, form: str) -> int:
        (number,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(number)

    def text(self) -> str:
        try:
            return self.take(self.integer("<Q")).decode("utf-8")
        except UnicodeDecodeError:
            self.refuse("text_not_utf8")

    def check_count(self, count: int, least_bytes: int, most: int, what: str) -> None:
        """`count` things of at least `least_bytes` each must be able to follow."""
        if count * least_bytes > self.size - self.position:
            self.refuse("cut_short_or_count", what=what)
        if count > most:
            self.refuse("too_many", count=count, what=what, most=most)

    def value(self, key: str) -> Value:
        kind = self.integer("<I")
        if kind == _STRING:
            return self.text()
        if kind == _ARRAY:
            return self._array(key)
        if kind not in _NUMBERS:
            self.refuse("key_of_unknown_type", key=shown(key), type=kind)
        number = self._numbers(kind, 1)[0]
        if kind == _FLOAT:  # 1e-05, as the model's own configuration has it, and not 9.999999747378752e-06
            return float(str(number))
        return bool(number) if kind == _BOOL else number.item()

    def _array(self, key: str) -> Value:
        kind, count = self.integer("<I"), self.integer("<Q")
        if kind == _STRING:
            self.check_count(count, 8, _MOST_STRINGS - self._n_strings, "texts")
            self._n_strings += count
            return [self.text() for _ in range(count)]
        if kind not in _NUMBERS:
            self.refuse("key_of_arrays" if kind == _ARRAY else "key_of_unknown_arrays", key=shown(key), type=kind)
        return self._numbers(kind, count)

    def _numbers(self, kind: int, count: int) -> npt.NDArray[np.generic]:
        dtype = np.dtype(_NUMBERS[kind])
        numbers = np.frombuffer(self.take(count * dtype.itemsize), dtype)
        return numbers != 0 if kind == _BOOL else numbers


def _product(shape: tuple[int, ...]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product

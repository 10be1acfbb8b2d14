"""Attention weights as files that other programs read: CSV and NPZ. Never half a file (`atomic_write`), never a pickle."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write
from headscope.core.job import Job, Progress
from headscope.core.text.tokens import TokenAxis, visible
from headscope.core.translating import QT_TRANSLATE_NOOP
from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_FORMULA = re.compile(r"(?:^|(?<=;))(?=[=+\-@'＝＋－＠])")
"""Before what begins a formula."""


def write_head_csv(path: Path, weights: FloatArray, queries: TokenAxis, keys: TokenAxis, *, job: Job | None = None) -> None:
    """One head as a table: key tokens in the first row, query tokens in the first column, both as `text_cell`.

    Parameters
    ----------
    weights : float32, (n_queries, n_keys)
        Written with nine digits, which give the same float32 back; or the numbers of another lens, "nan" where it has none.
    job : Job, optional
        Told and looked at in every row.

    Raises
    ------
    HeadscopeError
        ``no_disk_space``, ``cannot_write``.
    Cancelled
        Nothing is written then.
    """
    job = job or Job()
    with atomic_write(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        file.write(",".join(map(text_cell, ["", *keys.labels])) + "\r\n")
        for index, (label, row) in enumerate(zip(queries.labels, weights, strict=True)):
            job.cancel.check()
            job.report(Progress("writing", index / len(weights)))
            file.write(",".join([text_cell(label), *(f"{weight:.9g}" for weight in row)]) + "\r\n")


def text_cell(text: str) -> str:
    """A token as a cell of a table that no spreadsheet takes for a formula, also where it parts cells at ``;``.

    It is one visible line in quotation marks, and where it, or a part after ``;``, begins with one of ``= + - @ '`` there is a ``'``
    before that. Without these it is the token again.
    """
    return '"' + _FORMULA.sub("'", visible(text)).replace('"', '""') + '"'


def write_head_npz(
    path: Path,
    weights: FloatArray,
    queries: TokenAxis,
    keys: TokenAxis,
    *,
    kind: Kind,
    head: Head,
    model: str,
    lens: Lens = WEIGHTS,
) -> None:
    """One head as arrays: attention (query, key), query_tokens, key_tokens, which head of which model it is, and the lens's id.

    Raises
    ------
    HeadscopeError
        ``no_disk_space``, ``cannot_write``.
    """
    layer, number = head
    with atomic_write(path) as temporary, temporary.open("wb") as file:  # an open file: savez would append ".npz" to a name
        np.savez_compressed(
            file,
            attention=weights,
            query_tokens=_labels(queries),
            key_tokens=_labels(keys),
            layer=np.int64(layer),
            head=np.int64(number),
            kind=np.str_(kind),
            model=np.str_(model),
            lens=np.str_(lens.id),
        )


@dataclass(frozen=True, slots=True, eq=False)
class HeadNumbers:
    """What is written of one head: float32 (n_queries, n_keys) of a lens, the tokens of both sides, and whose they are."""

    weights: FloatArray
    queries: TokenAxis
    keys: TokenAxis
    kind: Kind
    head: Head
    model: str
    lens: Lens = WEIGHTS

    @classmethod
    def of(cls, record: AttentionRecord, kind: Kind, head: Head, model: str) -> HeadNumbers:
        """Of a head of a record, through its lens."""
        axis = record.axis(kind)
        return cls(record.attention_weights(*head, kind), axis.queries, axis.keys, kind, head, model, record.lens)


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """A form that the numbers of a head are written in: what a file has, in one English sentence, and what writes it."""

    note: str
    write: Callable[[Path, HeadNumbers, Job], None]


def _csv(path: Path, of: HeadNumbers, job: Job) -> None:
    write_head_csv(path, of.weights, of.queries, of.keys, job=job)


def _npz(path: Path, of: HeadNumbers, _: Job) -> None:
    write_head_npz(path, of.weights, of.queries, of.keys, kind=of.kind, head=of.head, model=of.model, lens=of.lens)


# fmt: off
NUMBER_FORMATS: Final = {
    ".csv": NumberFormat(QT_TRANSLATE_NOOP("formats", "Key tokens in the first row, query tokens in the first column."), _csv),
    ".npz": NumberFormat(QT_TRANSLATE_NOOP("formats", "NumPy arrays, float32, with the tokens of both sides."), _npz),
}
"""By the ending of the file's name; to add one, an entry: the export dialog and the command line read this."""
# fmt: on


def write_head(path: Path, numbers: HeadNumbers, *, job: Job | None = None) -> None:
    """Write a head's numbers in the form that the ending of `path` says.

    Raises
    ------
    HeadscopeError
        ``unknown_file_type``, ``no_disk_space``, ``cannot_write``.
    Cancelled
        Nothing is written then.
    """
    found = NUMBER_FORMATS.get(path.suffix.lower())
    if found is None:
        raise HeadscopeError("unknown_file_type", path=path, known=", ".join(NUMBER_FORMATS))
    found.write(path, numbers, job or Job())


def write_capture_npz(record: AttentionRecord, path: Path, *, job: Job | None = None) -> None:
    """Every head of a record: <kind>_attention (layer, head, query, key), <kind>_query_tokens, <kind>_key_tokens, the lens's id.

    Of a record that kept some layers, those; <kind>_layers says which. One layer is in memory at a time, however long the text.

    Raises
    ------
    HeadscopeError
        ``no_disk_space``, ``cannot_write``.
    Cancelled
        Nothing is written then.
    """
    job = job or Job()
    done, total = count(), sum(len(record.kept_layers(kind)) for kind in record.kinds)
    with atomic_write(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        lens = np.array(record.lens.id, dtype=np.str_)
        _write_member(archive, "lens", lens.shape, lens.dtype, iter([lens]))
        for kind in record.kinds:
            axis = record.axis(kind)
            kept = record.kept_layers(kind)
            shape = (len(kept), record.n_heads(kind), len(axis.queries), len(axis.keys))
            _write_member(archive, f"{kind}_attention", shape, np.dtype(np.float32), _layers(record, kind, job, done, total))
            for side, tokens in (("query", _labels(axis.queries)), ("key", _labels(axis.keys))):
                _write_member(archive, f"{kind}_{side}_tokens", tokens.shape, tokens.dtype, iter([tokens]))
            if len(kept) < record.n_layers(kind):
                layers = np.array(kept, dtype=np.int64)
                _write_member(archive, f"{kind}_layers", layers.shape, layers.dtype, iter([layers]))


def _layers(record: AttentionRecord, kind: Kind, job: Job, done: Iterator[int], total: int) -> Iterator[FloatArray]:
    for layer in record.kept_layers(kind):
        job.cancel.check()
        job.report(Progress("writing", next(done) / total))
        yield record.layer_weights(layer, kind)


def _write_member(
    archive: zipfile.ZipFile, name: str, shape: tuple[int, ...], dtype: np.dtype[Any], blocks: Iterator[npt.NDArray[Any]]
) -> None:
    """One array of an NPZ file, a block of its first axis at a time."""
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
        np.lib.format.write_array_header_1_0(member, header)
        for block in blocks:
            member.write(np.ascontiguousarray(block, dtype).data)


def _labels(axis: TokenAxis) -> npt.NDArray[np.str_]:
    """Labels as numpy text of one width; as objects they would be pickled."""
    return np.array(axis.labels, dtype=np.str_)

"""From the tensors of a GGUF file to the parameters of a transformers model: every tensor is used, every parameter is filled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import transformers
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize
from torch import Tensor
from transformers import PreTrainedConfig, PreTrainedModel

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.job import Job, Progress
from headscope.core.models.gguf.header import Header, shown
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.kinds import Kind
from headscope.core.models.gguf.known_kinds import kind_of
from headscope.core.models.gguf.unpacking import Floats, unpacked
from headscope.core.sentences import sentence

_ATTENTION: Final = re.compile(r"\battn_(q|k|qkv|kv)\b")
"""Tensors that make queries and keys; what llama.cpp calls attn_norm is in every sort of layer."""
_LAYER: Final = re.compile(r"\.(\d+)\.")
_ROW: Final = re.compile(r"(.*)\.(\d+)")
_OF_POSITIONS: Final = ("rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight")
"""Tensors that are read with the configuration."""
_PLAIN: Final = (GGMLQuantizationType.F32, GGMLQuantizationType.F16, GGMLQuantizationType.F64)
_WORKERS: Final = 4


@dataclass(frozen=True, slots=True)
class Source:
    """What a parameter of this shape is made of: tensors, the row of the first that is taken (None: all), the table's name."""

    tensors: tuple[str, ...]
    shape: tuple[int, ...]
    stem: str
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A file that can be opened: the class, its configuration, the source of each parameter."""

    header: Header
    kind: Kind
    model: type[PreTrainedModel]
    config: PreTrainedConfig
    sources: dict[str, Source]
    keys: Keys

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters."""
        return {name: source.shape for name, source in self.sources.items()}


def plan(header: Header) -> Plan:
    """Decide how a file is opened, without reading its weights.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported`` with what the file lacks, or holds and would be ignored; ``no_attention``.
    """
    keys = Keys(header, _architecture(header))
    if not any(_ATTENTION.search(name) for name in header.tensors):
        raise HeadscopeError("no_attention", model=shown(header.path.name), reason=sentence("no_queries_and_keys"))
    for packing in {tensor.packing for tensor in header.tensors.values()}:
        _check_packing(header, packing)
    kind = kind_of(keys)
    settings = kind.settings(keys)
    keys.refuse_unasked(but="tokenizer.")
    model: type[PreTrainedModel] = getattr(transformers, kind.model)
    try:
        config = model.config_class(**settings)
        with torch.device("meta"):
            parameters = model(config).state_dict(keep_vars=True)
    except Exception as error:  # each configuration class has checks of its own
        header.refuse("not_built", model=kind.model, words=reason_of(error))
    config.architectures = [kind.model]
    sources = _sources(header, kind, parameters)
    used = {name for source in sources.values() for name in source.tensors}
    left = [name for name in header.tensors if name not in used and name not in _OF_POSITIONS]
    if left:
        header.refuse("tensor_unused" if len(left) == 1 else "tensors_unused", tensor=shown(left[0]), n=len(left))
    return Plan(header, kind, model, config, sources, keys)


def _architecture(header: Header) -> str:
    name = header.values.get("general.architecture")
    if not isinstance(name, str) or not name:
        header.refuse("no_kind")
    return name


def _check_packing(header: Header, packing: GGMLQuantizationType) -> None:
    if packing in _PLAIN:
        return
    try:
        dequantize(np.zeros((1, GGML_QUANT_SIZES[packing][1]), np.uint8), packing)
    except NotImplementedError:
        header.refuse("packing", packing=packing.name)


def _sources(header: Header, kind: Kind, parameters: dict[str, Tensor]) -> dict[str, Source]:
    """The source of each parameter; of weights that are tied only the first must be there."""
    stems = {to: stem for stem, to in kind.names.items()}
    seen: set[int] = set()
    sources = {}
    for name, parameter in parameters.items():
        source = _source(kind, stems, name, tuple(parameter.shape))
        is_tied = id(parameter) in seen
        seen.add(id(parameter))
        if source is None:
            if is_tied:
                continue
            header.refuse("weight_without_tensor", weight=name)
        missing = [tensor for tensor in source.tensors if tensor not in header.tensors]
        if missing and is_tied:
            continue
        if missing:
            header.refuse("tensor_missing", tensor=missing[0])
        _check_size(header, source)
        sources[name] = source
    return sources


def _source(kind: Kind, stems: dict[str, str], name: str, shape: tuple[int, ...]) -> Source | None:
    layer = match[1] if (match := _LAYER.search(name)) else ""
    general = _LAYER.sub(".{}.", name, count=1)
    if general in kind.joined:
        tensors, _ = kind.joined[general]
        return Source(tuple(tensor.replace("{}", layer) for tensor in tensors), shape, general)
    module, _, end = general.rpartition(".")
    if module in stems:
        return Source((f"{stems[module].replace('{}', layer)}.{end}",), shape, stems[module])
    row = _ROW.fullmatch(module)
    if row and row[1] in stems:  # a list of modules that the file keeps as one tensor
        return Source((f"{stems[row[1]].replace('{}', layer)}.{end}",), shape, stems[row[1]], int(row[2]))
    return None


def _check_size(header: Header, source: Source) -> None:
    """As many numbers as the model has, before any is read."""
    tensors = [header.tensors[name] for name in source.tensors]
    held = sum(int(np.prod(tensor.shape)) for tensor in tensors)
    if source.row is not None and (source.row >= tensors[0].shape[0] or tensors[0].shape[1:] != source.shape):
        held = -1
    elif source.row is not None:
        held //= tensors[0].shape[0]
    if held != int(np.prod(source.shape)):
        shapes = " + ".join("×".join(map(str, tensor.shape)) for tensor in tensors)
        expected = "×".join(map(str, source.shape))
        header.refuse("tensor_misshapen", tensor=source.tensors[0], shape=shapes, expected=expected)


# ---------------------------------------------------------------- reading
def read(plan: Plan, dtype: torch.dtype, job: Job) -> dict[str, Tensor]:
    """All parameters, in `dtype` where that loses nothing that the model would keep.

    Raises
    ------
    HeadscopeError
        ``gguf_unsupported``.
    Cancelled
        Between two tensors.
    """
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            return dict(_each(plan, dtype, job, pool))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _each(plan: Plan, dtype: torch.dtype, job: Job, pool: ThreadPoolExecutor) -> Iterator[tuple[str, Tensor]]:
    waiting = {name: pool.submit(_parameter, plan, name, dtype) for name in plan.sources}
    for done, (name, future) in enumerate(waiting.items()):
        job.cancel.check()
        job.report(Progress("reading", done / len(waiting)))
        yield name, future.result()


def _parameter(plan: Plan, name: str, dtype: torch.dtype) -> Tensor:
    source = plan.sources[name]
    tensors = [unpacked(plan.header.tensors[tensor]) for tensor in source.tensors]
    try:
        weights = _undone(plan, source, tensors)
    except (ValueError, IndexError):  # numbers enough, but in rows of another length
        weights = np.empty(0, np.float32)
    if weights.shape != source.shape:
        plan.header.refuse("tensor_shape", tensor=source.tensors[0])
    parameter = torch.from_numpy(weights)
    stays = parameter.dim() < 2 or any(part in name for part in plan.kind.float32)
    return parameter if stays else parameter.to(dtype)


def _undone(plan: Plan, source: Source, tensors: list[Floats]) -> Floats:
    if source.stem in plan.kind.joined:
        return plan.kind.joined[source.stem][1](*tensors)
    weights = tensors[0] if source.row is None else tensors[0][source.row].copy()
    end = source.tensors[0].rpartition(".")[2]
    change = plan.kind.changes.get(f"{source.stem}.{end}", plan.kind.changes.get(source.stem))
    return weights if change is None else change(weights, plan.config)

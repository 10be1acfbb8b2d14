"""A transformers model from files: which class, checked weights, the room they need, and what is missing in them."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import transformers
from transformers import CONFIG_MAPPING, MODEL_MAPPING, AutoConfig, PretrainedConfig, PreTrainedModel

from headscope.core.errors import HeadscopeError, readable_bytes, reason_of
from headscope.core.jobs import Ability, Job, Progress
from headscope.core.models import checkpoint
from headscope.core.models.device import is_out_of_memory, out_of_memory_said, pick_device
from headscope.core.models.hub_model import HubModel
from headscope.core.models.hub_tokenizer import read_tokenizer
from headscope.core.models.packing import method_of, packer_of, unpack_at_once
from headscope.core.models.placing import Placing, place
from headscope.core.models.spread import forget_with

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
        config, architecture = _config(folder, raw, weights, name)
        if method := method_of(raw, name):
            unpack_at_once(method, config)
        placing = place(weights, device=device, dtype=dtype, method=method, name=name)
        job.cancel.check()
        tokenizer = read_tokenizer(folder, name, job)
        job.report(Progress("reading", detail=readable_bytes(weights.n_bytes)))
        job.cancel.check()
        module, lacking = _read(architecture, folder, config, placing, name, weights)
        job.cancel.check()
        words = weights.format
        if packer := method or packer_of(module):
            words = f"{words}, {packer}"
        return HubModel(module, tokenizer, source=source, name=name, checkpoint=words, lacking=lacking)


# ---------------------------------------------------------------- which class
def _config(
    folder: Path, raw: dict[str, Any], weights: checkpoint.Checkpoint, name: str
) -> tuple[PretrainedConfig, type[PreTrainedModel]]:
    """The configuration and the model class; `config.json` of old packages may lack the model's type."""
    wanted = _wanted_class(raw)
    architecture = _model_class(wanted)
    model_type = raw.get("model_type") or _type_of(architecture, weights)
    if not isinstance(model_type, str) or model_type not in CONFIG_MAPPING:
        if raw.get("auto_map"):
            raise HeadscopeError("needs_remote_code", model=name)
        raise HeadscopeError("architecture_unsupported", model=name, architecture=model_type or wanted or "unknown")
    _check_depth(raw, weights, name)
    with _refusals_said(name):
        if raw.get("model_type"):
            config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        else:
            config = CONFIG_MAPPING[model_type].from_dict(raw)
        config.transformers_weights = None  # it may name another file than those we have looked at
        architecture = architecture or MODEL_MAPPING.get(type(config), None)
    if isinstance(architecture, tuple):
        architecture = architecture[0]
    if architecture is None or architecture.main_input_name != "input_ids":  # it reads pictures or sound
        raise HeadscopeError("architecture_unsupported", model=name, architecture=wanted or model_type)
    return config, architecture


def _wanted_class(raw: dict[str, Any]) -> str:
    """The class that the configuration names first, or ""."""
    names = raw.get("architectures")
    first = names[0] if isinstance(names, list) and names else ""
    return first if isinstance(first, str) else ""


def _model_class(name: str) -> type[PreTrainedModel] | None:
    """transformers' model class of this name, if it is one that can be built."""
    found = getattr(transformers, name, None) if name and not name.endswith("PreTrainedModel") else None
    return found if isinstance(found, type) and issubclass(found, PreTrainedModel) else None


def _type_of(architecture: type[PreTrainedModel] | None, weights: checkpoint.Checkpoint) -> str | None:
    """The model type by the class, or by what the weights' names begin with ("bert.encoder…")."""
    if architecture is not None and architecture.config_class is not None:
        return str(architecture.config_class.model_type)
    prefixes = {name.split(".")[0] for name in weights.shapes}
    return next((prefix for prefix in sorted(prefixes) if prefix in CONFIG_MAPPING), None)


def _check_depth(raw: dict[str, Any], weights: checkpoint.Checkpoint, name: str) -> None:
    """More layers than tensors cannot be; building a billion of them would never end."""
    for key, value in raw.items():
        if key.endswith(("layers", "n_layer")) and isinstance(value, int) and value > len(weights.shapes):
            reason = f"{key} is {value}, and the weights are {len(weights.shapes)} tensors"
            raise HeadscopeError("config_invalid", model=name, reason=reason)


def _read(
    architecture: type[PreTrainedModel],
    folder: Path,
    config: PretrainedConfig,
    placing: Placing,
    name: str,
    weights: checkpoint.Checkpoint,
) -> tuple[PreTrainedModel, frozenset[Ability]]:
    """The model, and the abilities whose weights are not in the checkpoint."""
    with _refusals_said(name):
        module, loading = architecture.from_pretrained(
            folder,
            config=config,
            dtype=placing.dtype,
            use_safetensors=weights.format == "safetensors",
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **placing.options,
        )
    forget_with(module, placing.options)
    if not placing.options:
        module.to(placing.device)
    unpooled = any("pooler" in key for key in loading["missing_keys"])  # only heads of classes read what a pooler makes
    missing = {key for key in loading["missing_keys"] if "pooler" not in key}
    body = sorted(key for key in missing if _is_body(module, key))
    if body:
        reason = f"{len(body)} of its weights are missing, {body[0]} for one"
        raise HeadscopeError("checkpoint_damaged", path=folder, reason=reason)
    lacking: set[Ability] = {"classify", "next_sentence"} if unpooled else set()
    for key in missing:
        lacking |= {"next_sentence"} if "seq_relationship" in key else {"fill_mask", "generate", "classify", "tag", "answer"}
    return module, frozenset(lacking)


def _is_body(module: PreTrainedModel, key: str) -> bool:
    """Whether a weight belongs to the model itself, and not to a head on top of it."""
    if module.base_model is not module:
        return key.startswith(f"{module.base_model_prefix}.")
    head = module.get_output_embeddings()
    return head is None or all(weight is not module.get_parameter(key) for weight in head.parameters())


@contextmanager
def _refusals_said(name: str) -> Iterator[None]:
    """For a configuration it cannot use, transformers raises nearly everything: which kind depends on the place."""
    try:
        with _quiet():
            yield
    except Exception as error:
        if is_out_of_memory(error):
            raise
        reason = "its weights have other shapes than it says" if "mismatched_sizes" in str(error) else reason_of(error)
        raise HeadscopeError("config_invalid", model=name, reason=reason, details=traceback.format_exc()) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers warns about what we have looked at ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield

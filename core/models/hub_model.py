"""A transformers model as a LoadedModel: which class, which tokenizer, checked files, room, and what it can do."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
import transformers
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, DynamicCache, EncoderDecoderCache, PretrainedConfig, PreTrainedModel
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

from headscope.core.attention import interface
from headscope.core.errors import HeadscopeError, readable_bytes
from headscope.core.jobs import Ability, Job, Kind, ModelInfo, Progress
from headscope.core.models import checkpoint, gguf_file
from headscope.core.models.device import check_room, pick_device, pick_dtype
from headscope.core.models.hub_tokenizer import HubTokenizer, read_tokenizer
from headscope.core.models.loaded import LoadedModel

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

_REFUSED = (ValueError, TypeError, KeyError, AttributeError, OSError, RuntimeError, ImportError, IndexError)
"""What transformers raises, depending on the place, for a configuration it cannot use."""


class HubModel(LoadedModel):
    """A transformers model that is in memory.

    Parameters
    ----------
    module : PreTrainedModel
    tokenizer : a transformers tokenizer
    source, name, checkpoint : str
        For `ModelInfo`.
    lacking : abilities whose weights were missing

    Raises
    ------
    HeadscopeError
        ``no_attention``, ``architecture_unsupported``.
    """

    module: PreTrainedModel

    def __init__(
        self,
        module: PreTrainedModel,
        tokenizer: Any,
        *,
        source: str,
        name: str,
        checkpoint: str = "in memory",
        lacking: frozenset[Ability] = frozenset(),
    ) -> None:
        self.module = module.eval()
        if module.main_input_name != "input_ids":
            raise HeadscopeError("architecture_unsupported", model=name, architecture=type(module).__name__)
        tier = interface.install(module)
        family = _family(module)
        self.tokenizer = HubTokenizer(tokenizer)
        if family == "encoder-decoder":
            config = module.config
            start = config.decoder_start_token_id
            self.start_id = config.bos_token_id if start is None else start
            if self.start_id is None:
                self.start_id = config.pad_token_id or 0
        first = next(module.parameters())
        self.info = ModelInfo(
            source=source,
            name=name,
            family=family,
            architecture=type(module).__name__,
            layers=interface.attention_layers(module, tier),
            abilities=_abilities(module, self.tokenizer) - lacking,
            tier=tier,
            device=str(module.device),
            dtype=str(first.dtype).removeprefix("torch."),
            max_tokens=_max_tokens(module, tokenizer),
            mask_token=self.tokenizer.mask_token,
            n_parameters=sum(weights.numel() for weights in module.parameters()),
            memory_bytes=sum(weights.nbytes for weights in module.parameters()),
            checkpoint=checkpoint,
        )

    def new_cache(self) -> Any:
        if "past_key_values" not in self._accepted:
            return None
        if self.start_id is not None:  # without the configuration: T5's counts the layers of its encoder
            return EncoderDecoderCache(DynamicCache(), DynamicCache())
        return DynamicCache(config=self.module.config.get_text_config(decoder=True))

    def eager_pass(self, inputs: Mapping[str, Tensor]) -> Any:
        return interface.eager_pass(self.module, inputs)

    def eager_attentions(self, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
        return interface.eager_attentions(self.module, inputs)


# ---------------------------------------------------------------- from files
def load_folder(folder: Path, source: str, *, device: str, dtype: str, job: Job) -> HubModel:
    """A folder as `save_pretrained` writes it, or as older versions did."""
    raw = checkpoint.read_config(folder)
    weights = checkpoint.look(folder)
    name = source if folder.name in ("", source) or not Path(source).is_dir() else folder.resolve().name
    config, architecture = _config(folder, raw, weights, name)
    place = pick_device(device)
    number_format = pick_dtype(dtype, place, weights.n_parameters)
    _check_room(name, weights.n_parameters, number_format, place)
    job.cancel.check()
    tokenizer = read_tokenizer(folder, name)
    job.report(Progress("reading", detail=readable_bytes(sum(file.stat().st_size for file in weights.files))))
    job.cancel.check()
    module, lacking = _read(architecture, folder, config, number_format, name, weights)
    job.cancel.check()
    return HubModel(module.to(place), tokenizer, source=source, name=name, checkpoint=weights.format, lacking=lacking)


def load_file(path: Path, source: str, *, device: str, dtype: str, job: Job) -> HubModel:
    """A GGUF file; the first time its weights are unpacked, and kept as safetensors for the next time."""
    header = gguf_file.look(path)
    place = pick_device(device)
    number_format = pick_dtype(dtype, place, header.n_parameters)
    _check_room(path.name, header.n_parameters, number_format, place)
    kept = gguf_file.copy_folder(path)
    if not (kept / "config.json").is_file():
        job.report(Progress("reading", detail=path.name))
        with _quiet():
            gguf_file.unpack(path, kept, job)
    model = load_folder(kept, source, device=device, dtype=dtype, job=job)
    return HubModel(
        model.module, read_tokenizer(kept, path.stem), source=source, name=path.stem, checkpoint=f"GGUF {header.format}"
    )


def _check_room(name: str, n_parameters: int, dtype: torch.dtype, device: torch.device) -> None:
    check_room("model_too_large", n_parameters * dtype.itemsize, device, model=name)


# ---------------------------------------------------------------- which class
def _config(
    folder: Path, raw: dict[str, Any], weights: checkpoint.Checkpoint, name: str
) -> tuple[PretrainedConfig, type[PreTrainedModel]]:
    """The configuration and the model class; `config.json` of old packages may lack the model's type."""
    wanted = (raw.get("architectures") or [""])[0]
    architecture = getattr(transformers, wanted, None) if isinstance(wanted, str) and wanted else None
    model_type = raw.get("model_type") or _type_of(architecture, weights)
    if model_type not in CONFIG_MAPPING:
        if raw.get("auto_map"):
            raise HeadscopeError("needs_remote_code", model=name)
        raise HeadscopeError("architecture_unsupported", model=name, architecture=model_type or wanted or "unknown")
    try:
        with _quiet():
            if raw.get("model_type"):
                config = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
            else:
                config = CONFIG_MAPPING[model_type].from_dict(raw)
            if not (isinstance(architecture, type) and issubclass(architecture, PreTrainedModel)):
                architecture = AutoModel._model_mapping[type(config)]
    except _REFUSED as error:
        raise HeadscopeError("config_invalid", model=name, reason=_first_line(error), details=str(error)) from None
    if isinstance(architecture, tuple):
        architecture = architecture[0]
    return config, architecture


def _type_of(architecture: Any, weights: checkpoint.Checkpoint) -> str | None:
    """The model type by the class, or by what the weights' names begin with ("bert.encoder…")."""
    if getattr(architecture, "config_class", None) is not None:
        return str(architecture.config_class.model_type)
    prefixes = {name.split(".")[0] for name in weights.shapes}
    return next((prefix for prefix in sorted(prefixes) if prefix in CONFIG_MAPPING), None)


def _read(
    architecture: type[PreTrainedModel],
    folder: Path,
    config: PretrainedConfig,
    dtype: torch.dtype,
    name: str,
    weights: checkpoint.Checkpoint,
) -> tuple[PreTrainedModel, frozenset[Ability]]:
    """The model, and the abilities whose weights are not in the checkpoint."""
    try:
        with _quiet():
            module, loading = architecture.from_pretrained(
                folder,
                config=config,
                dtype=dtype,
                use_safetensors=weights.format == "safetensors",
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except torch.OutOfMemoryError as error:
        raise HeadscopeError("out_of_memory", device="cpu", details=str(error)) from None
    except _REFUSED as error:
        raise HeadscopeError("config_invalid", model=name, reason=_first_line(error), details=str(error)) from None
    missing = {key for key in loading["missing_keys"] if "pooler" not in key}
    body = sorted(key for key in missing if key.startswith(f"{module.base_model_prefix}."))
    if body:
        reason = f"{len(body)} of its weights are missing, {body[0]} for one"
        raise HeadscopeError("checkpoint_damaged", path=folder, reason=reason)
    lacking: set[Ability] = set()
    for key in missing:
        lacking |= {"next_sentence"} if "seq_relationship" in key else {"fill_mask", "generate"}
    return module, frozenset(lacking)


# ---------------------------------------------------------------- what it can do
def _family(module: PreTrainedModel) -> Literal["encoder", "decoder", "encoder-decoder"]:
    if module.config.is_encoder_decoder:
        return "encoder-decoder"
    return "decoder" if module.can_generate() else "decoder" if _is_causal(module) else "encoder"


def _is_causal(module: PreTrainedModel) -> bool:
    """Whether the attention modules look backwards only (a bare GPT-2 without its head)."""
    flags = [bool(part.is_causal) for part in module.modules() if isinstance(getattr(part, "is_causal", None), bool)]
    return bool(flags) and all(flags)


def _abilities(module: PreTrainedModel, tokenizer: HubTokenizer) -> frozenset[Ability]:
    name = type(module).__name__
    abilities: set[Ability] = set()
    if name.endswith(("ForMaskedLM", "ForPreTraining")) and tokenizer.mask_id is not None and _has_vocabulary_head(module):
        abilities.add("fill_mask")
    if name.endswith("ForNextSentencePrediction") or hasattr(getattr(module, "cls", None), "seq_relationship"):
        abilities.add("next_sentence")
    if module.can_generate() and name.endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration", "MTModel")):
        abilities.add("generate")
    return frozenset(abilities)


def _has_vocabulary_head(module: PreTrainedModel) -> bool:
    """ELECTRA's discriminator is called ForPreTraining too, but predicts no words."""
    return module.get_output_embeddings() is not None


def _max_tokens(module: PreTrainedModel, tokenizer: Any) -> int | None:
    """Positions that a text can use, or None if there is no limit.

    RoBERTa's kin count positions from their padding id on, so two of their 514 stay unused.
    """
    config = module.config.get_text_config()
    names = ("max_position_embeddings", "n_positions", "max_seq_len")
    positions = next((getattr(config, name) for name in names if getattr(config, name, None)), None)
    for name, part in module.named_modules():
        if name.endswith("position_embeddings") and isinstance(part, nn.Embedding) and part.padding_idx is not None:
            positions = part.num_embeddings - part.padding_idx - 1
            break
    limit = tokenizer.model_max_length
    if positions is None:
        return int(limit) if limit < 10**9 else None
    return int(positions)


@contextmanager
def _quiet() -> Iterator[None]:
    """transformers warns about what we have looked at ourselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:160] if lines else type(error).__name__

"""A configuration without what only says how to run it. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from transformers import AutoConfig, PreTrainedConfig

from headscope.core.files.inspect import read_json
from headscope.core.models.hub.quiet import QUIET

_HOW_TO_RUN: Final = {
    *("attn_implementation", "_attn_implementation", "_attn_implementation_internal"),
    *("experts_implementation", "_experts_implementation", "_experts_implementation_internal"),
    *("output_attentions", "output_hidden_states", "return_dict", "use_return_dict", "torchscript", "gradient_checkpointing"),
    *("fusion_config", "distributed_config", "transformers_weights", "configuration_files", "auto_map"),
}
"""Settings of the run that saved the model. The attention is ours, and `transformers_weights` may name another file."""


def model_settings(raw: Mapping[str, Any], depth: int = 3) -> dict[str, Any]:
    """A configuration without the settings that say how to run, nor those of the configurations inside it."""
    kept = {key: value for key, value in raw.items() if key not in _HOW_TO_RUN}
    if depth:
        kept |= {key: model_settings(value, depth - 1) for key, value in kept.items() if isinstance(value, dict)}
    return kept


def read_settings(settings: Mapping[str, Any]) -> PreTrainedConfig:
    """transformers' configuration of settings as config.json has them; raises nearly everything."""
    with TemporaryDirectory() as folder, QUIET.held():  # it warns of names that it has changed
        (Path(folder) / "config.json").write_text(json.dumps(model_settings(settings)), encoding="utf-8")
        config: PreTrainedConfig = AutoConfig.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    return config


def read_config_file(folder: Path) -> PreTrainedConfig | None:
    """The configuration of a model's folder; None where there is none that can be read."""
    try:
        return read_settings(read_json(folder / "config.json"))
    except Exception:  # as above
        return None

"""What looking into a model could change: in the module itself, in its configurations, and in what the whole process shares."""

from __future__ import annotations

import faulthandler
import gc
import hashlib
import locale
import logging
import os
import random
import signal
import socket
import sys
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from huggingface_hub import constants
from torch import nn

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called",
)
_PLAIN = (bool, int, float, str, type(None))


def fingerprint(module: nn.Module) -> dict[str, Any]:
    """Of a module: hooks, names and values of every part, modes, weights' identities and versions, configurations."""
    found: dict[str, Any] = {}
    for name, part in module.named_modules():
        found[f"{name} class"] = type(part)
        found[f"{name} identity"] = id(part)
        found |= {f"{name} {hooks}": [(key, id(hook)) for key, hook in getattr(part, hooks).items()] for hooks in _HOOKS}
        for key, value in vars(part).items():
            if key in _HOOKS:
                continue
            found[f"{name}.{key}"] = value if isinstance(value, _PLAIN) else id(value) if callable(value) else type(value)
        found |= {f"{name} part {key}": id(inner) for key, inner in part._modules.items()}
    for name, weights in module.named_parameters():
        found[f"{name} weights"] = (
            id(weights),
            weights.data_ptr(),
            weights._version,
            weights.requires_grad,
            weights.grad is None,
        )
    for name, buffer in module.named_buffers():
        found[f"{name} buffer"] = tuple(buffer.shape), buffer.dtype
    for name, config in _configs(getattr(module, "config", None)).items():
        found |= {f"config{name}.{key}": repr(value) for key, value in vars(config).items()}
    generation = getattr(module, "generation_config", None)
    return found | {"generation_config": None if generation is None else generation.to_dict()} | registries()


def _configs(config: Any, name: str = "") -> dict[str, Any]:
    if not hasattr(config, "model_type"):
        return {}
    inner = {key: value for key, value in vars(config).items() if hasattr(value, "model_type")}
    return {name: config} | {k: v for key, value in inner.items() for k, v in _configs(value, f"{name}.{key}").items()}


def registries() -> dict[str, Any]:
    """What all models of a process share."""
    tables = (transformers.AttentionInterface, transformers.AttentionMaskInterface)
    found: dict[str, Any] = {table.__name__: sorted(table()) for table in tables}
    for file, module in list(sys.modules.items()):
        if file.startswith("transformers.models.") and ".modeling_" in file:
            found |= {f"{file}.{name}": id(part) for name, part in vars(module).items() if name.startswith("apply_rotary")}
    found["torch hooks"] = (
        len(torch.nn.modules.module._global_forward_hooks),
        len(torch.nn.modules.module._global_forward_pre_hooks),
    )
    return found


_NEW_LOGGER = (logging.NOTSET, (), (), False, True)


def _asked(name: str) -> Any:
    return getattr(torch.backends.cuda, name)()


def _digest(state: bytes | str) -> str:
    return hashlib.sha256(state if isinstance(state, bytes) else state.encode()).hexdigest()


def process() -> dict[str, Any]:
    """What belongs to whoever runs the process."""
    found: dict[str, Any] = {
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads()),
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "dtype": torch.get_default_dtype(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "matmul": torch.get_float32_matmul_precision(),
        "device": str(torch.get_default_device()),
        "anomalies": torch.is_anomaly_enabled(),
        "autocast": (torch.is_autocast_enabled("cpu"), torch.is_autocast_enabled("cuda")),
        "kernels": {name: _asked(name) for name in dir(torch.backends.cuda) if name.endswith("_sdp_enabled")},
        "chance": [_digest(torch.get_rng_state().numpy().tobytes()), _digest(repr(random.getstate()))]
        + [_digest(repr(each)) for each in (np.random.get_state()[1].tolist(), np.random.get_state()[2:])],
        "numpy": (np.geterr(), np.get_printoptions()),
        "hooks": (
            sys.excepthook,
            sys.unraisablehook,
            sys.displayhook,
            threading.excepthook,
            sys.gettrace(),
            warnings.showwarning,
        ),
        "warnings": repr(warnings.filters),
        "streams": (id(sys.stdin), id(sys.stdout), id(sys.stderr)),
        "classes": {name: id(value) for name, value in vars(transformers.PreTrainedModel).items() if callable(value)},
        "parts": [
            len(getattr(nn.modules.module, f"_global_{each}_registration_hooks")) for each in ("module", "parameter", "buffer")
        ],
        "folder": str(Path.cwd()),
        "collector": (gc.isenabled(), gc.get_threshold()),
        "faults": faulthandler.is_enabled(),
        "locale": locale.setlocale(locale.LC_ALL),
        "waiting": socket.getdefaulttimeout(),
        "verbosity": transformers.logging.get_verbosity(),
        "bars": transformers.logging.is_progress_bar_enabled(),
        "signals": {each.name: signal.getsignal(each) for each in signal.Signals},
        "environment": dict(os.environ),
        "recursion": sys.getrecursionlimit(),
    }
    for name, logger in [("", logging.getLogger()), *logging.Logger.manager.loggerDict.items()]:
        if isinstance(logger, logging.Logger):
            state = (
                logger.level,
                tuple(map(id, logger.handlers)),
                tuple(map(id, logger.filters)),
                logger.disabled,
                logger.propagate,
            )
            if state != _NEW_LOGGER:  # one that came with an import changes nothing
                found[f"logger {name}"] = state
    found["bars of the hub"] = dict(sys.modules["huggingface_hub.utils.tqdm"].progress_bar_states)
    return found | {f"hub {name}": repr(value) for name, value in vars(constants).items() if name.isupper()}


def differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What is not as it was: (before, after) by name."""
    names = before.keys() | after.keys()
    return {
        name: (before.get(name, "none"), after.get(name, "none"))
        for name in sorted(names)
        if before.get(name, "none") != after.get(name, "none")
    }

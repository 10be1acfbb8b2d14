"""ModelShape: the measures that memory is reckoned from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import nn

from headscope.core.forward.model_info import ModelInfo
from headscope.core.vocabulary import Kind


class ModelShape(Protocol):
    """Of a `BaseModel`, what `budget` needs to know; its attributes are described there."""

    info: ModelInfo
    module: nn.Module
    widths: Mapping[Kind, tuple[float, float]]
    place: torch.device

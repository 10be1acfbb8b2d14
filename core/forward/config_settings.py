"""A number of a configuration, also of one whose layers differ."""

from __future__ import annotations

from typing import Any


def setting(config: Any, name: str) -> Any:
    """What a configuration says, None if nothing; of numbers that differ by layer (NeoMME) the largest.

    Such a configuration refuses to give one number for all of them.
    """
    try:
        return getattr(config, name, None)
    except RuntimeError:
        layers: Any = config.per_layer_config
        each = [getattr(layer, name, None) for layer in (layers.values() if isinstance(layers, dict) else layers)]
        return max((number for number in each if isinstance(number, int)), default=None)

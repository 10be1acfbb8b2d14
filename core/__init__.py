"""The instrument without a screen: load a model, capture its attention exactly, predict, generate.

>>> from headscope.core import load_model
>>> model = load_model("toy:grammar")
>>> record = model.capture("the keys of the cabinet [MASK] rusty .")
>>> record.attention_weights(layer=1, head=2).shape
(11, 11)

Importing this package does not import torch; the first call that needs it does.
"""

from typing import TYPE_CHECKING, Any

if __name__ != "headscope.core":
    raise ImportError("import headscope.core: the folder 'core' of a checkout is installed under that name")

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.models.load import load_model
    from headscope.core.models.loaded import LoadedModel

__all__ = ["AttentionRecord", "LoadedModel", "load_model"]

_HOME = {
    "load_model": "headscope.core.models.load",
    "LoadedModel": "headscope.core.models.loaded",
    "AttentionRecord": "headscope.core.attention.record",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'headscope.core' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOME[name]), name)

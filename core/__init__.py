"""The instrument without a screen: load a model, capture its attention exactly, predict, generate.

>>> from headscope.core import load_model
>>> model = load_model("toy:grammar")
>>> record = model.capture("the keys of the cabinet [MASK] rusty .")
>>> record.attention_weights(layer=1, head=2).shape
(11, 11)

Importing this package does not import torch; the first call that needs it does.
"""

from typing import TYPE_CHECKING

from headscope.core.lazy import names_from

if __name__ != "headscope.core":
    raise ImportError("import headscope.core: the folder 'core' of a checkout is installed under that name")

if TYPE_CHECKING:
    from headscope.core.attention.from_arrays import record_of
    from headscope.core.attention.intervention import Cut, Intervention, Paste, Replace, Scale, Uniform
    from headscope.core.attention.lens import LENSES, SCORES, WEIGHTS, Lens
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.errors import HeadscopeError
    from headscope.core.keep import Keep
    from headscope.core.model import Model
    from headscope.core.models.load import load_model, wrap_model
    from headscope.core.options import BeamSearch, Sampling
    from headscope.core.run import Run
    from headscope.core.target import Target

__all__ = [
    "LENSES",
    "SCORES",
    "WEIGHTS",
    "AttentionRecord",
    "BeamSearch",
    "Cut",
    "HeadscopeError",
    "Intervention",
    "Keep",
    "Lens",
    "Model",
    "Paste",
    "Replace",
    "Run",
    "Sampling",
    "Scale",
    "Target",
    "Uniform",
    "load_model",
    "record_of",
    "wrap_model",
]

__getattr__ = names_from(
    __name__,
    {
        "LENSES": "headscope.core.attention.lens",
        "SCORES": "headscope.core.attention.lens",
        "WEIGHTS": "headscope.core.attention.lens",
        "AttentionRecord": "headscope.core.attention.record",
        "BeamSearch": "headscope.core.options",
        "Cut": "headscope.core.attention.intervention",
        "HeadscopeError": "headscope.core.errors",
        "Intervention": "headscope.core.attention.intervention",
        "Keep": "headscope.core.keep",
        "Lens": "headscope.core.attention.lens",
        "Model": "headscope.core.model",
        "Paste": "headscope.core.attention.intervention",
        "Replace": "headscope.core.attention.intervention",
        "Run": "headscope.core.run",
        "Sampling": "headscope.core.options",
        "Scale": "headscope.core.attention.intervention",
        "Target": "headscope.core.target",
        "Uniform": "headscope.core.attention.intervention",
        "load_model": "headscope.core.models.load",
        "record_of": "headscope.core.attention.from_arrays",
        "wrap_model": "headscope.core.models.load",
    },
)

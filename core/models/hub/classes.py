"""Which of transformers' classes a configuration can be of, and which one it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import transformers
from transformers import PreTrainedConfig, PreTrainedModel

from headscope.core.models.hub.compat import model_file

_MOST_LIKELY: Final = (
    "ForPreTraining",
    "ForMaskedLM",
    "ForConditionalGeneration",
    "ForCausalLM",
    "LMHeadModel",
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForQuestionAnswering",
    "ForMultipleChoice",
    "Model",
)
"""Where weights fit several classes equally well: a tied head is in none of them."""
_CAUSAL: Final = ("ForCausalLM", "LMHeadModel")
_OTHER_LIBRARIES: Final = ("tf", "flax")
"""What TensorFlow's and JAX's classes of the same models began with."""


def wanted_class(raw: Mapping[str, Any]) -> str:
    """The class that a configuration names first, or ""."""
    names = raw.get("architectures")
    first = names[0] if isinstance(names, list) and names else names
    return first if isinstance(first, str) else ""


def model_class(name: str) -> type[PreTrainedModel] | None:
    """transformers' model class of this name, if it is one that can be built."""
    found = getattr(transformers, name, None) if name and not name.endswith("PreTrainedModel") else None
    return found if isinstance(found, type) and issubclass(found, PreTrainedModel) else None


def class_called(name: str, config: PreTrainedConfig) -> type[PreTrainedModel] | None:
    """The class of a configuration that is spelled so but for capitals, or was called so in another library."""
    spelled = name.lower()
    for library in _OTHER_LIBRARIES:
        spelled = spelled.removeprefix(library)
    return next((each for each in classes_of(config) if each.__name__.lower() == spelled), None)


def classes_of(config: PreTrainedConfig) -> list[type[PreTrainedModel]]:
    """Every class that reads token ids and is made from configurations of this kind."""
    home = model_file(type(config))
    held = () if home is None else vars(home).values()
    found = [each for each in held if isinstance(each, type) and issubclass(each, PreTrainedModel)]
    return [each for each in dict.fromkeys(found) if _is_whole(each, type(config))]


def likelihood(architecture: type[PreTrainedModel], config: PreTrainedConfig) -> int:
    """Smaller is likelier, of classes that weights fit equally well."""
    name = architecture.__name__
    place = next((place for place, ending in enumerate(_MOST_LIKELY) if name.endswith(ending)), len(_MOST_LIKELY))
    looks_back = bool(getattr(config, "is_decoder", False))
    return place - len(_MOST_LIKELY) if looks_back and name.endswith(_CAUSAL) else place


def _is_whole(architecture: type[PreTrainedModel], kind: type[PreTrainedConfig]) -> bool:
    is_offered = model_class(architecture.__name__) is architecture and "pretrained" not in architecture.__name__.lower()
    return is_offered and architecture.config_class is kind and architecture.main_input_name == "input_ids"

"""What the keys of a GGUF file say, checked when it is asked for; what nobody asked for can be named."""

from __future__ import annotations

import math
import re
from typing import Final

import numpy as np

from headscope.core.models.gguf.header import Header, Tensor, Value, shown

_MOST: Final = 2**31 - 1
_MOST_LAYERS: Final = 1024
_MOST_HEADS: Final = 4096

HARMLESS: Final = {
    r"general\.(name|basename|finetune|size_label|version|description|author|organization|tags|languages|datasets?|doi|u?uid|url|repo_url)": "a name",
    r"general\.(license|source|base_model|dataset|quantized_by|commit_hash|imatrix|converted_by)\b.*": "where the model comes from",
    r"general\.(file_type|quantization_version)": "each tensor says itself how it is packed",
    r"general\.alignment": "used in reading the header",
    r"general\.sampling\..*": "what llama.cpp's sampler starts with, not the model",
    r"split\..*": "used in putting the parts together",
    r"(quantize\.)?imatrix\..*": "how the packing was made",
    r"mradermacher\..*|llama\.cpp\..*": "who packed it, and with what",
}
"""Keys that change nothing of what a model computes, as regular expressions, and why. The others are used or refused."""


class Keys:
    """The keys of one architecture: ``keys.size("embedding_length")`` is ``llama.embedding_length`` of a Llama."""

    def __init__(self, header: Header, architecture: str) -> None:
        self.header = header
        self.architecture = architecture
        self._asked = {"general.architecture", "general.type"}
        self._largest = max((length for tensor in header.tensors.values() for length in tensor.shape), default=0)

    # ---------------------------------------------------------------- kinds of values
    def has(self, name: str) -> bool:
        """Whether the file says something of it."""
        return self._full(name) in self.header.values

    def value(self, name: str) -> Value | None:
        """As it stands there, or None."""
        full = self._full(name)
        self._asked.add(full)
        return self.header.values.get(full)

    def integer(self, name: str, default: int | None = None, *, least: int = 0, most: int = _MOST) -> int:
        """A whole number."""
        value = self.value(name)
        if value is None:
            if default is None:
                self.header.refuse("key_missing", key=self._full(name))
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            self.header.refuse("key_not_integer", key=self._full(name))
        if not least <= value <= most:
            self.header.refuse("key_is", key=self._full(name), value=value)
        return value

    def size(self, name: str, default: int | None = None) -> int:
        """The length of something that is in a tensor: none is longer than the longest, so nothing huge is ever built."""
        return self.integer(name, default, least=1, most=self._largest)

    def layers(self, name: str = "block_count", default: int | None = None) -> int:
        """How many layers there are."""
        return self.integer(name, default, least=1, most=min(_MOST_LAYERS, len(self.header.tensors)))

    def heads(self, name: str = "attention.head_count", default: int | None = None) -> int:
        """How many heads each layer has; a list of them must say the same of each."""
        return self._same_in_each_layer(name, default, most=min(_MOST_HEADS, self._largest))

    def width(self, name: str = "feed_forward_length", default: int | None = None) -> int:
        """A width of each layer; a list must say the same of each."""
        return self._same_in_each_layer(name, default, most=self._largest)

    def _same_in_each_layer(self, name: str, default: int | None, most: int) -> int:
        if not isinstance(self.value(name), np.ndarray):
            return self.integer(name, default, least=1, most=most)
        each = set(self.integers(name))
        if len(each) != 1 or not 1 <= min(each) <= most:
            self.header.refuse("key_varies", key=self._full(name))
        return each.pop()

    def integers(self, name: str) -> list[int]:
        """A whole number for each layer."""
        value = self.value(name)
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iub":
            self.header.refuse("key_not_integers", key=self._full(name))
        if len(value) != self.integer("block_count"):
            self.header.refuse("key_per_layer", key=self._full(name), n=len(value), n_layers=self.layers())
        return [int(number) for number in value]

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value = self.value(name)
        if value is None:
            if default is None:
                self.header.refuse("key_missing", key=self._full(name))
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.header.refuse("key_not_number", key=self._full(name))
        return float(value)

    def text(self, name: str, default: str | None = None) -> str:
        """A text."""
        value = self.value(name)
        if value is None:
            if default is None:
                self.header.refuse("key_missing", key=self._full(name))
            return default
        if not isinstance(value, str):
            self.header.refuse("key_not_text", key=self._full(name))
        return value

    def flag(self, name: str, default: bool) -> bool:
        """Yes or no."""
        value = self.value(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.header.refuse("key_not_flag", key=self._full(name))
        return value

    # ---------------------------------------------------------------- what must be so
    def expect(self, name: str, *allowed: Value, but: str, **parameters: object) -> None:
        """Refuse any other value than these, if there is one, with the sentence whose code is `but`."""
        value = self.value(name)
        if value is not None and (isinstance(value, np.ndarray) or value not in allowed):
            text = "[…]" if isinstance(value, np.ndarray | list) else shown(str(value))
            self.header.refuse(but, key=self._full(name), value=text, **parameters)

    def has_tensor(self, name: str) -> bool:
        return name in self.header.tensors

    def tensor(self, name: str) -> Tensor:
        """A tensor that there must be."""
        if name not in self.header.tensors:
            self.header.refuse("tensor_missing", tensor=name)
        return self.header.tensors[name]

    def refuse_unasked(self, but: str = "\0") -> None:
        """Name a key that was neither used nor is known to be harmless; keys that begin with `but` are left for later."""
        kind = self.header.values.get("general.type", "model")
        if kind != "model":
            self.header.refuse("not_a_model", kind=shown(str(kind)))
        left = [
            key
            for key in self.header.values
            if key not in self._asked
            and not key.startswith(but)
            and not any(re.fullmatch(pattern, key) for pattern in HARMLESS)
        ]
        if left:
            self.header.refuse("key_unused" if len(left) == 1 else "keys_unused", key=shown(left[0]), n=len(left))

    def _full(self, name: str) -> str:
        return name if name.startswith(("general.", "tokenizer.")) else f"{self.architecture}.{name}"

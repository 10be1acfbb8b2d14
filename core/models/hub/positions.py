"""How long a text a model can read, from what its modules hold rather than from what its configuration says."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from torch import Tensor, nn

from headscope.core.attention.stacks import is_encoder_decoder

_TABLE: Final = re.compile(r"(wpe|position_embeddings?|embed_positions|pos_encoding|positions_embed)$")
_NOT_OF_TEXT: Final = re.compile(r"vision|visual|image|audio|speech|tower|relative|[_.](box|[hwxy])_position")
_SIZES: Final = ("max_position_embeddings", "n_positions", "max_seq_len", "max_sequence_length")
_BUILT_IN: Final = "max_seq_len"
"""MPT makes its linear biases for so many tokens, and can read no more."""


def most_tokens(module: nn.Module) -> tuple[int | None, int | None]:
    """How many tokens a model can read, and how many an encoder-decoder's decoder can; None where there is no limit.

    * A table of absolute positions has a row for each. RoBERTa's kin count from their padding id on, BART's from 2: of 514 rows
      512 are used.
    * Rotary embeddings can be computed for any position; the number that the model was trained for is kept as the limit.
    * Relative positions (T5, XLNet, DeBERTa without absolute ones), linear biases (BLOOM) and no positions at all (Jamba) set
      no limit, whatever `n_positions` a configuration carries along.
    """
    config: Any = module.config
    tables = dict(_tables(module))
    encoder_decoder = is_encoder_decoder(module)
    written = {name: rows for name, rows in tables.items() if encoder_decoder and _is_of_decoder(name)}
    read = {name: rows for name, rows in tables.items() if name not in written}
    of_config = _configured(config.get_text_config(), rotary=_is_rotary(module))
    limits = [min(each.values(), default=of_config) if each else of_config for each in (read, written)]
    return limits[0], limits[1] if encoder_decoder else limits[0]


def _is_of_decoder(name: str) -> bool:
    return any(part.endswith("decoder") for part in name.split("."))


def _tables(module: nn.Module) -> Iterator[tuple[str, int]]:
    """Tables of absolute positions by name, and how many positions each has for a text."""
    tensors: dict[str, Any] = dict(module.named_buffers()) | dict(module.named_parameters())
    for name, part in (dict(module.named_modules()) | tensors).items():
        if not _TABLE.search(name) or _NOT_OF_TEXT.search(name):
            continue
        rows = part if isinstance(part, Tensor) else getattr(part, "weight", getattr(part, "weights", None))
        if isinstance(rows, nn.ParameterList):  # Reformer's, whose axes are multiplied
            yield name, math.prod(max(axis.shape[:-1]) for axis in rows)
        elif isinstance(rows, Tensor) and rows.dim() >= 2:
            numbered = tensors.get(f"{name.rpartition('.')[0]}.position_ids")  # it may leave rows out: MRA's first two
            most = rows.shape[0] if numbered is None else min(rows.shape[0], numbered.shape[-1])
            # The streams of ProphetNet's decoder ask for the positions of the tokens to come as well.
            ahead = int(getattr(module.config, "ngram", 1)) - 1 if _is_of_decoder(name.rpartition(".")[0]) else 0
            yield name, min(most, rows.shape[0] - _first_row(part)) - ahead


def _first_row(table: Any) -> int:
    """The row of the first token."""
    offset, padding = getattr(table, "offset", None), getattr(table, "padding_idx", None)
    if isinstance(offset, int):
        return offset
    return padding + 1 if isinstance(padding, int) else 0


def _is_rotary(module: nn.Module) -> bool:
    return any("Rotary" in type(part).__name__ for part in module.modules()) or any(
        name.endswith("inv_freq") for name, _ in module.named_buffers()
    )


def _configured(config: Any, *, rotary: bool) -> int | None:
    names = _SIZES if rotary else (_BUILT_IN,)
    known = (getattr(config, name, None) for name in names)
    return next((number for number in known if isinstance(number, int) and number > 0), None)

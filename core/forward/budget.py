"""Will a pass fit? How much memory it takes, its record and the pictures of it, and what to give up if that is too much.

These are estimates from a model's configuration, a little more than what is measured. Memory that runs out all the same is
said by `device.out_of_memory_reported`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import torch

from headscope.core.attention.maps.overview import LARGE_CELLS
from headscope.core.errors import HeadscopeError, readable_bytes
from headscope.core.forward.config_settings import setting
from headscope.core.keep import Keep, Offer
from headscope.core.memory import free_memory
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.forward.shape import ModelShape
    from headscope.core.text.tokenizer import Encoded

_PASS_FLOATS_PER_WIDTH: Final = 16
"""Numbers per token and unit of width that are alive at the height of a pass, roughly: a layer's inner activations."""
_THUMBNAIL_BYTES: Final = 3 * 4 * 32**2
"""The numbers of a head's thumbnail, a copy for the screen, and what is drawn of it."""
_OVERVIEW_BYTES: Final = 2 * 4 * 1024**2
_STRONG_BYTES: Final = 12 * 100
"""For each query of a large head: its strong weights, of which there are 510 at most and some dozens as a rule."""
_COPIES: Final = 2
"""Of a head's matrix: the numbers, and what the screen makes of them."""
_LEAST_TOKENS: Final = 16
"""Shorter texts are not worth an offer."""
_MOST_VALUE_BYTES: Final = 64 << 20
"""Of a text whose values take more, the screen does without them; they only tell what a single cell carries."""
_HOST: Final = torch.device("cpu")
_UNKNOWN_WIDTH: Final = 1024
_WIDTHS: Final = ("hidden_size", "d_model", "n_embd", "dim", "emb_dim")
_VOCABULARIES: Final = ("vocab_size", "decoder_vocab_size", "tgt_vocab_size")

Lengths = Mapping[Kind, tuple[int, int]]
"""(n_queries, n_keys) of each kind."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes that a pass needs, and bytes that are free where it needs them.

    Attributes
    ----------
    forward, record, pictures : int
        Of the pass alone, of what is kept of it, and of what the screen will ask for.
    on_host : bool
        Whether the record lies in the computer's memory.
    free, free_host : int
        On the model's device, and in the computer's memory; the same where the device is the CPU.
    same_place : bool
        Whether the device is the CPU.
    """

    forward: int
    record: int
    pictures: int
    on_host: bool
    free: int
    free_host: int
    same_place: bool

    @property
    def needed(self) -> int:
        """On the model's device."""
        return self.forward + (self.record if self.same_place or not self.on_host else 0) + self.pictures * self.same_place

    @property
    def needed_on_host(self) -> int:
        return self.needed if self.same_place else self.pictures + (self.record if self.on_host else 0)

    @property
    def fits(self) -> bool:
        return self.needed <= self.free and self.needed_on_host <= self.free_host


def check_pass(model: ModelShape, source: Encoded, target: Encoded | None, keep: Keep, *, for_screen: bool = True) -> None:
    """Raise ``not_enough_memory``, with what would fit, before anything is taken."""
    lengths = _lengths(model, len(source.axis), _length(target))
    found = estimate(model, lengths, keep, for_screen=for_screen)
    if found.fits:
        return
    short = (found.needed, found.free) if found.needed > found.free else (found.needed_on_host, found.free_host)
    raise HeadscopeError(
        "not_enough_memory",
        offers=tuple(offers(model, source, target, keep, for_screen=for_screen)),
        needed=readable_bytes(short[0]),
        free=readable_bytes(short[1]),
    )


def estimate(model: ModelShape, lengths: Lengths, keep: Keep, *, for_screen: bool = True) -> Estimate:
    """What a pass over texts of these lengths needs; the pictures of it only if it is `for_screen`."""
    on_host = keep.place == "host" or model.info.backend == "fallback"  # whose matrices are taken from the device at once
    free = free_memory(model.place)
    return Estimate(
        forward=bytes_of_forward(model, lengths),
        record=_bytes_of_record(model, lengths, keep) + (_bytes_for_screen(model, lengths, keep) if for_screen else 0),
        pictures=_bytes_of_pictures(model, lengths) if for_screen else 0,
        on_host=on_host,
        free=free,
        free_host=free if model.place.type == "cpu" else free_memory(_HOST),
        same_place=model.place.type == "cpu",
    )


def keeps_values(model: ModelShape, source: Encoded, target: Encoded | None, keep: Keep) -> bool:
    """Whether a pass for the screen also keeps the layers' values, which the arithmetic of a cell shows."""
    return bool(_bytes_of_values(model, _lengths(model, len(source.axis), _length(target)), keep))


def offers(
    model: ModelShape, source: Encoded, target: Encoded | None, keep: Keep, *, for_screen: bool = True
) -> Iterator[Offer]:
    """Ways to run a pass that does not fit, each of which does, best first.

    Nothing is lost by keeping the record in the computer's memory; half precision costs digits, keeping some layers the others,
    and shortening the text some of it. What comes later builds on what comes before only where that is not enough by itself.
    """
    n_target = _length(target)

    def fits(wanted: Keep, n_source: int = len(source.axis)) -> bool:
        return estimate(model, _lengths(model, n_source, n_target), wanted, for_screen=for_screen).fits

    base = keep
    if model.place.type != "cpu" and keep.place == "device" and model.info.backend != "fallback":
        base = replace(base, place="host")
        if fits(base):
            yield Offer(base)
    if not keep.half and model.info.dtype not in ("bfloat16", "float16"):
        here = replace(keep, half=True)
        base = replace(base, half=True)
        if fits(here) or fits(base):
            yield Offer(here if fits(here) else base)
    if keep.layers is None:
        for wanted in dict.fromkeys((keep, base)):
            if layers := _most_layers(model, wanted, fits):
                yield Offer(replace(wanted, layers=layers))
                break
    if shorter := _longest_text(source, keep, fits):
        yield shorter


def _most_layers(model: ModelShape, keep: Keep, fits: Callable[[Keep], bool]) -> tuple[int, ...]:
    """As many layers as fit, spread evenly from the first to the last; none if not even two do."""
    n_layers = max(n for n, _ in model.info.layers.values())
    for count in range(n_layers - 1, 1, -1):
        layers = tuple(round(place * (n_layers - 1) / (count - 1)) for place in range(count))
        if fits(replace(keep, layers=layers)):
            return layers
    return ()


def _longest_text(source: Encoded, keep: Keep, fits: Callable[[Keep, int], bool]) -> Offer | None:
    """The text cut after the last token that fits; its pair and the target stay."""
    tokens = [token for token in source.axis.tokens if token.segment == 0 and token.start >= 0]
    around = len(source.axis) - len(tokens)
    low, high = 0, len(tokens)  # so many fit, so many do not
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(keep, around + middle) else (low, middle)
    if low < _LEAST_TOKENS:
        return None
    return Offer(keep, text=source.axis.text[: tokens[low - 1].end], n_tokens=around + low)


# ---------------------------------------------------------------- bytes
def _length(target: Encoded | None) -> int:
    return len(target.axis) if target is not None else 0


def _lengths(model: ModelShape, n_source: int, n_target: int) -> Lengths:
    sides = dict.fromkeys(model.info.layers, (n_source, n_source))
    if n_target:
        sides |= {"decoder": (n_target, n_target), "cross": (n_target, n_source)}
    return {kind: sides[kind] for kind in model.info.layers}


def _bytes_of_pictures(model: ModelShape, lengths: Lengths) -> int:
    """All thumbnails of a kind, and one head."""
    heads = []
    for n_queries, n_keys in lengths.values():
        cells = n_queries * n_keys
        heads.append(_COPIES * 4 * cells if cells <= LARGE_CELLS else _OVERVIEW_BYTES + _STRONG_BYTES * n_queries)
    return max(heads) + _THUMBNAIL_BYTES * max(n_layers * n_heads for n_layers, n_heads in model.info.layers.values())


def _bytes_of_values(model: ModelShape, lengths: Lengths, keep: Keep) -> int:
    """Of the values that are kept for the screen: 0 where they cannot be caught, or would take too much."""
    if model.info.backend == "fallback":
        return 0
    total = 0
    for kind, (n_layers, _) in model.info.layers.items():
        _, in_keys = model.widths[kind]
        total += int(_n_kept(keep, n_layers) * lengths[kind][1] * in_keys) * (2 if keep.half else _number(model))
    return total if total <= _MOST_VALUE_BYTES else 0


def _bytes_for_screen(model: ModelShape, lengths: Lengths, keep: Keep) -> int:
    """Of the values, and of the copies of the output projections that go with them."""
    values = _bytes_of_values(model, lengths, keep)
    numbers = sum(n * model.widths[kind][0] * width(model, kind) for kind, (n, _) in model.info.layers.items())
    return values + int(numbers) * _number(model) if values else 0


def _n_kept(keep: Keep, n_layers: int) -> int:
    return n_layers if keep.layers is None else sum(layer < n_layers for layer in keep.layers)


def _bytes_of_record(model: ModelShape, lengths: Lengths, keep: Keep) -> int:
    number = 2 if keep.half else _number(model)
    total = 0
    for kind, (n_layers, n_heads) in model.info.layers.items():
        n_queries, n_keys = lengths[kind]
        kept = _n_kept(keep, n_layers)
        if model.info.backend == "fallback":
            total += kept * n_heads * n_queries * n_keys * (2 if keep.half else 4)
        else:
            in_queries, in_keys = model.widths[kind]
            total += int(kept * (in_queries * n_queries + in_keys * n_keys)) * number
            total += n_queries * n_keys * bool(_number_of(_config(model, kind), "sliding_window"))  # one mask for all layers
    return total


def bytes_of_forward(model: ModelShape, lengths: Lengths, n_logits: int | None = None) -> int:
    """One layer's activations, its scores where no fused kernel computes them, and the logits.

    `n_logits` positions have logits; a masked model's all and another's last one if not given.
    """
    n_tokens = max(max(sides) for sides in lengths.values())
    if n_logits is None:
        n_logits = n_tokens if "fill_mask" in model.info.abilities else 1
    widest = max(width(model, kind) for kind in model.info.layers)
    total = _number(model) * (n_tokens * _PASS_FLOATS_PER_WIDTH * widest + n_logits * vocabulary(model))
    if model.info.backend != "fast":
        total += 3 * max(heads for _, heads in model.info.layers.values()) * 4 * n_tokens**2
    return total


def _number(model: ModelShape) -> int:
    return 2 if model.info.dtype in ("bfloat16", "float16") else 4


def width(model: ModelShape, kind: Kind) -> int:
    """d_model, of the stack that a kind of attention is in."""
    config = _config(model, kind)
    return (_number_of(config, *_WIDTHS) or _UNKNOWN_WIDTH) * (
        _number_of(config, "hc_count") or 1
    )  # hyper-connections' streams


def vocabulary(model: ModelShape) -> int:
    """Tokens that have a logit."""
    return _number_of(_config(model, "decoder"), *_VOCABULARIES) or 0


def _number_of(config: Any, *names: str) -> int | None:
    """The first of these settings that is a number above 0; the largest of one that differs by layer."""
    found = (setting(config, name) for name in names)
    return next((number for number in found if isinstance(number, int) and number > 0), None)


def _config(model: ModelShape, kind: Kind) -> Any:
    """The configuration of a stack: that of a model of pictures or sound and text holds one for the text, a pair one for each."""
    config: Any = model.module.config
    if not hasattr(config, "get_text_config"):  # a toy's
        return config
    encoder: Any = getattr(config, "encoder", None)
    if kind == "encoder" and hasattr(encoder, "get_text_config"):
        return encoder.get_text_config()
    return config.get_text_config(decoder=True)

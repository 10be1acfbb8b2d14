"""Records of attention that was computed elsewhere: arrays, or the output of a transformers model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from headscope.core.attention.kept.keeping import SkippedLayer
from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.kept.stored import StoredLayer
from headscope.core.attention.outputs import Layers, layers_of
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.sentences import sentence
from headscope.core.text.given_tokens import axis_of
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Kind


def record_of(attentions: Any, tokens: Any = None, key_tokens: Any = None, *, tokenizer: Any = None) -> AttentionRecord:
    """An `AttentionRecord` of existing attention weights.

    Parameters
    ----------
    attentions : array, sequence, mapping or ModelOutput
        * (layer, head, query, key), (layer, batch, head, query, key), (head, query, key) or (query, key);
        * a tuple with one (batch, head, query, key) for each layer, as transformers returns it, or None for a layer that has none;
        * what ``generate(…, output_attentions=True)`` returns: a tuple of such tuples, one for each step;
        * a whole output of a model or of ``generate``, also of an encoder-decoder, or {"encoder": …, "decoder": …, "cross": …}
          of such weights;
        * an `AttentionRecord`, which is returned unchanged.

        Of a batch the first text is taken; of beams the ones that led to the first text, which only the whole output of
        ``generate`` says. Anything numpy or torch can read.
    tokens : sequence of str or of ids, tensor, or what a tokenizer returned; optional
        Of the queries. Those of a generation may have the last token, which was written and not read. Without them the tokens
        are those that a generation says, or rows are numbered. What a tokenizer returned is what the encoder of an
        encoder-decoder has read, and its ``decoder_input_ids`` are the decoder's.
    key_tokens : as `tokens`, optional
        Of the keys, if they are others (cross-attention); of an encoder-decoder the encoder's.
    tokenizer : optional
        A transformers tokenizer, for tokens given as ids.

    Returns
    -------
    AttentionRecord
        Of the kinds that an output says; of weights alone "cross" with `key_tokens`, "decoder" if no query attends to a later
        token, else "encoder".

    Raises
    ------
    HeadscopeError
        ``attentions_missing``, ``dropout_active``, ``not_attention`` if shapes do not fit or values are no weights, ``not_tokens``.
    """
    if isinstance(attentions, AttentionRecord):
        return attentions
    found = layers_of(attentions, is_cross=key_tokens is not None)
    kinds: dict[Kind, Layers] = {kind or _kind_of(layers): layers for kind, layers in found.items()}
    if key_tokens is None and "cross" in kinds and "input_ids" in (names := _names(tokens)):
        tokens, key_tokens = (tokens["decoder_input_ids"] if "decoder_input_ids" in names else None), tokens
    if tokens is None:
        tokens = _written(attentions, kinds)
    one, other = _axes(kinds, tokens, key_tokens, tokenizer)
    sides: dict[Kind, tuple[TokenAxis, TokenAxis]] = {"encoder": (other, other), "decoder": (one, one), "cross": (one, other)}
    if len(kinds) == 1 and "encoder" in kinds:
        sides["encoder"] = (one, one)
    stored = {kind: _stored(layers, sides[kind]) for kind, layers in kinds.items()}
    return AttentionRecord(stored, {kind: sides[kind] for kind in kinds}, backend="given", kept=_kept(kinds))


def _names(tokens: Any) -> Iterable[str]:
    """Of what a tokenizer returned; none of tokens themselves."""
    return tokens.keys() if isinstance(tokens, Mapping) else ()


def _written(attentions: Any, kinds: Mapping[Kind, Layers]) -> Any:
    """The ids that ``generate`` says that it has read and written, if they are those of its weights."""
    ids = getattr(attentions, "sequences", None)
    decoder = kinds.get("decoder")
    if ids is None or decoder is None or not _is_generation(decoder):
        return None
    return ids if len(ids[0]) == _shape(decoder)[0] + 1 else None


def _kind_of(layers: Layers) -> Kind:
    """Of one stack whose output does not say."""
    maps = [layer[0].weights for layer in layers if layer is not None]
    steps = any(layer is not None and len(layer) > 1 for layer in layers)
    return "decoder" if steps or not any(bool(weights.triu(1).any()) for weights in maps) else "encoder"


def _axes(kinds: Mapping[Kind, Layers], tokens: Any, key_tokens: Any, tokenizer: Any) -> tuple[TokenAxis, TokenAxis]:
    """The tokens of the queries, and those of the encoder where there is a cross-attention."""
    main: Kind = "decoder" if "decoder" in kinds else "cross" if "cross" in kinds else "encoder"
    n_queries = _shape(kinds[main])[0]
    one = axis_of([str(row) for row in range(n_queries)] if tokens is None else tokens, tokenizer)
    if len(one) == n_queries + 1 and _is_generation(kinds[main]):
        one = TokenAxis(one.tokens[:-1], one.text, 0, len(one.text))  # written by the last step, and not read any more
    if set(kinds) == {main} and main != "cross":
        return one, one
    n_keys = _shape(kinds["cross" if "cross" in kinds else "encoder"])[1]
    return one, axis_of([str(column) for column in range(n_keys)] if key_tokens is None else key_tokens, tokenizer)


def _is_generation(layers: Layers) -> bool:
    return any(layer is not None and len(layer) > 1 for layer in layers)


def _shape(layers: Layers) -> tuple[int, int]:
    last = next(layer for layer in layers if layer is not None)[-1]
    return last.queries.stop, last.keys.stop


def _stored(layers: Layers, sides: tuple[TokenAxis, TokenAxis]) -> list[Layer]:
    """The layers of a kind; for one without weights a place, so that the others keep their numbers."""
    there = tuple(index for index, layer in enumerate(layers) if layer is not None)
    whole: list[Layer | None] = [None if layer is None else StoredLayer(layer) for layer in layers]
    shapes = {layer.shape for layer in whole if layer is not None}
    if len({shape[0] for shape in shapes}) != 1:
        raise HeadscopeError("not_attention", reason=sentence("heads_differ"))
    n_queries, n_keys = (len(side) for side in sides)
    for _, rows, columns in shapes:
        if (rows, columns) != (n_queries, n_keys):
            reason = sentence("weights_misfit", rows=rows, columns=columns, n_queries=n_queries, n_keys=n_keys)
            raise HeadscopeError("not_attention", reason=reason)
    shape = shapes.pop()
    return [SkippedLayer(index, there, shape) if layer is None else layer for index, layer in enumerate(whole)]


def _kept(kinds: Mapping[Kind, Layers]) -> Keep:
    every = [layer is not None for layers in kinds.values() for layer in layers]
    if all(every):
        return KEEP_ALL
    return Keep(layers=tuple(sorted({at for layers in kinds.values() for at, layer in enumerate(layers) if layer is not None})))

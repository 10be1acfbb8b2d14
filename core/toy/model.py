"""A small Transformer written from scratch, for reading: every tensor line ends with its shape.

One class covers the three families (encoder, decoder, encoder-decoder). Attention runs through `attend`, the same function as in
the big models, so whatever looks into those looks into this one too.

References
----------
Vaswani et al., Attention Is All You Need, 2017.
Xiong et al., On Layer Normalization in the Transformer Architecture, 2020 (normalisation before each part, not after it).
Devlin et al., BERT, 2019 (masked words, next sentence, segments).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from headscope.core.attention.capture.attend import attend
from headscope.core.attention.kept.growing import Growing
from headscope.core.attention.textbook import causal_mask, merge_heads, padding_mask, scaled_dot_product_attention, split_heads
from headscope.core.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class ToyConfig:
    """Measures of a toy. `n_segments` 0: no segment embedding and no next-sentence head."""

    family: Literal["encoder", "decoder", "encoder-decoder"]
    n_tokens: int
    d_model: int = 64
    n_heads: int = 4
    n_layers: int = 2
    d_feed_forward: int = 128
    max_tokens: int = 64
    positions: Literal["sinusoidal", "learned"] = "sinusoidal"
    n_segments: int = 0
    pad_id: int = 0


@dataclass(slots=True)
class ToyOutput:
    """What a pass gives.

    Attributes
    ----------
    logits : float, (batch, n_tokens_of_the_text, vocabulary)
    next_sentence_logits : float, (batch, 2) or None
        Index 0: the second text follows the first; 1: it does not (BERT's order).
    attentions : dict of kind to one (batch, n_heads, n_queries, n_keys) per layer, or None
        By the textbook's functions; only if asked for.
    """

    logits: Tensor
    next_sentence_logits: Tensor | None = None
    attentions: dict[Kind, list[Tensor]] | None = None


class KeyValueCache:
    """Keys and values of the tokens read so far, per layer; `expected` as for `Growing`."""

    def __init__(self, expected: int = 0) -> None:
        self._expected = expected
        self._layers: dict[int, tuple[Growing, Growing]] = {}

    def update(self, key: Tensor, value: Tensor, layer_idx: int) -> tuple[Tensor, Tensor]:
        """Add new keys and values (batch, n_heads, n_new, d_head); all of them come back."""
        if layer_idx not in self._layers:
            self._layers[layer_idx] = Growing(self._expected), Growing(self._expected)
        keys, values = self._layers[layer_idx]
        return keys.append(key), values.append(value)

    def get_seq_length(self) -> int:
        """How many tokens are kept."""
        return self._layers[0][0].length if self._layers else 0

    def branch(self, n_tokens: int) -> KeyValueCache:
        """The first `n_tokens` of it, to go on from in another way."""
        other = KeyValueCache(self._expected)
        other._layers = {
            layer: (keys.branch(n_tokens), values.branch(n_tokens)) for layer, (keys, values) in self._layers.items()
        }
        return other

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep these texts of the batch, in this order."""
        for layer, both in self._layers.items():
            keys, values = Growing(self._expected), Growing(self._expected)
            for old, new in zip(both, (keys, values), strict=True):
                if old.rows is not None:
                    new.append(old.rows.index_select(0, beam_idx))
            self._layers[layer] = keys, values


class MultiHeadAttention(nn.Module):
    """Section 3.2.2 of Vaswani et al. 2017."""

    def __init__(self, config: ToyConfig, layer_idx: int, *, is_causal: bool) -> None:
        super().__init__()
        self.n_heads = config.n_heads
        self.layer_idx = layer_idx
        self.is_causal = is_causal
        self.query = nn.Linear(config.d_model, config.d_model)
        self.key = nn.Linear(config.d_model, config.d_model)
        self.value = nn.Linear(config.d_model, config.d_model)
        self.output = nn.Linear(config.d_model, config.d_model)

    def forward(
        self,
        hidden: Tensor,
        source: Tensor,
        mask: Tensor | None,
        cache: KeyValueCache | None = None,
        weights: list[Tensor] | None = None,
    ) -> Tensor:
        """`hidden` asks, `source` answers (the same tensor in self-attention). Weights are added to `weights` if it is given."""
        query = split_heads(self.query(hidden), self.n_heads)  # (batch, n_heads, n_queries, d_head)
        key = split_heads(self.key(source), self.n_heads)  # (batch, n_heads, n_keys, d_head)
        value = split_heads(self.value(source), self.n_heads)  # (batch, n_heads, n_keys, d_head)
        if cache is not None:
            key, value = cache.update(key, value, self.layer_idx)
        if weights is not None:
            seen = causal_mask(query.shape[2], key.shape[2], device=query.device) if self.is_causal and mask is None else mask
            textbook = scaled_dot_product_attention(query, key, value, mask=seen)
            weights.append(textbook.weights)  # (batch, n_heads, n_queries, n_keys)
            merged = merge_heads(textbook.output)  # (batch, n_queries, d_model)
        else:
            mixed, _ = attend(self, query, key, value, mask)  # (batch, n_queries, n_heads, d_head)
            merged = mixed.flatten(2)  # (batch, n_queries, d_model)
        output: Tensor = self.output(merged)  # (batch, n_queries, d_model)
        return output


class FeedForward(nn.Sequential):
    """Section 3.3 of Vaswani et al. 2017: the same two layers at each position."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__(
            nn.Linear(config.d_model, config.d_feed_forward), nn.GELU(), nn.Linear(config.d_feed_forward, config.d_model)
        )


class Block(nn.Module):
    """Self-attention, cross-attention where there is a source, feed-forward; a residual around each."""

    def __init__(self, config: ToyConfig, layer_idx: int, *, is_causal: bool, crosses: bool) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.attention = MultiHeadAttention(config, layer_idx, is_causal=is_causal)
        if crosses:
            self.cross_attention_norm = nn.LayerNorm(config.d_model)
            self.cross_attention = MultiHeadAttention(config, layer_idx, is_causal=False)
        self.feed_forward_norm = nn.LayerNorm(config.d_model)
        self.feed_forward = FeedForward(config)
        self.crosses = crosses

    def forward(
        self,
        hidden: Tensor,
        mask: Tensor | None,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        weights: tuple[list[Tensor], list[Tensor]] | None = None,
    ) -> Tensor:
        own, crossed = weights or (None, None)
        normed = self.attention_norm(hidden)  # (batch, n_tokens, d_model)
        hidden = hidden + self.attention(normed, normed, mask, cache, own)  # (batch, n_tokens, d_model)
        if self.crosses and source is not None:
            normed = self.cross_attention_norm(hidden)  # (batch, n_tokens, d_model)
            hidden = hidden + self.cross_attention(normed, source, source_mask, None, crossed)
        fed: Tensor = self.feed_forward(self.feed_forward_norm(hidden))  # (batch, n_tokens, d_model)
        return hidden + fed


def sinusoids(n_positions: int, d_model: int) -> Tensor:
    """PE(p, 2i) = sin(p / 10000^(2i/d_model)), PE(p, 2i+1) = cos(the same): (n_positions, d_model), section 3.5."""
    position = torch.arange(n_positions)[:, None]  # (n_positions, 1)
    angle = position * torch.exp(-math.log(10000.0) * torch.arange(0, d_model, 2) / d_model)  # (n_positions, d_model/2)
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)  # (n_positions, d_model)


class Embedding(nn.Module):
    """Token vectors at unit scale plus positions; copying heads form only if tokens are not drowned by positions."""

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.tokens = nn.Embedding(config.n_tokens, config.d_model)
        nn.init.normal_(self.tokens.weight, std=config.d_model**-0.5)
        self.scale = math.sqrt(config.d_model)
        table = sinusoids(config.max_tokens, config.d_model)  # (max_tokens, d_model)
        if config.positions == "learned":
            self.positions = nn.Parameter(table)
        else:
            self.register_buffer("positions", table, persistent=False)
        self.segments = nn.Embedding(config.n_segments, config.d_model) if config.n_segments else None

    def forward(self, ids: Tensor, segments: Tensor | None, first: int) -> Tensor:
        hidden: Tensor = self.tokens(ids) * self.scale  # (batch, n_tokens, d_model)
        hidden = hidden + self.positions[first : first + ids.shape[1]]
        if self.segments is not None:
            hidden = hidden + self.segments(torch.zeros_like(ids) if segments is None else segments)
        return hidden


class Stack(nn.Module):
    """Embedding, blocks, a last normalisation."""

    def __init__(self, config: ToyConfig, *, is_causal: bool, crosses: bool = False) -> None:
        super().__init__()
        self.embedding = Embedding(config)
        self.blocks = nn.ModuleList(
            Block(config, layer, is_causal=is_causal, crosses=crosses) for layer in range(config.n_layers)
        )
        self.norm = nn.LayerNorm(config.d_model)

    def forward(
        self,
        ids: Tensor,
        segments: Tensor | None = None,
        mask: Tensor | None = None,
        source: Tensor | None = None,
        source_mask: Tensor | None = None,
        cache: KeyValueCache | None = None,
        weights: tuple[list[Tensor], list[Tensor]] | None = None,
    ) -> Tensor:
        hidden = self.embedding(ids, segments, 0 if cache is None else cache.get_seq_length())  # (batch, n_tokens, d_model)
        for block in self.blocks:
            hidden = block(hidden, mask, source, source_mask, cache, weights)
        normed: Tensor = self.norm(hidden)  # (batch, n_tokens, d_model)
        return normed


class ToyTransformer(nn.Module):
    """An encoder with a masked-word head (and a next-sentence head), a decoder, or both with cross-attention.

    Parameters
    ----------
    config : ToyConfig
    """

    def __init__(self, config: ToyConfig) -> None:
        super().__init__()
        self.config = config
        if config.family != "decoder":
            self.encoder = Stack(config, is_causal=False)
        if config.family != "encoder":
            self.decoder = Stack(config, is_causal=True, crosses=config.family == "encoder-decoder")
        self.vocabulary = nn.Linear(config.d_model, config.n_tokens)
        self.next_sentence = nn.Linear(config.d_model, 2) if config.n_segments else None

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        use_cache: bool = False,
        logits_to_keep: int = 0,
        output_attentions: bool = False,
    ) -> ToyOutput:
        """One pass.

        Parameters
        ----------
        input_ids, token_type_ids, decoder_input_ids : int, (batch, n_tokens)
        attention_mask : (batch, n_tokens)
            0 for padding of the encoder's text. A decoder's text is not padded.
        past_key_values : KeyValueCache or None
            A decoder's earlier tokens; used if `use_cache`.
        logits_to_keep : int
            Only the last so many positions get logits; 0: all.
        output_attentions : bool
            Attend by the textbook's functions and hand out their weights.

        Returns
        -------
        ToyOutput
        """
        kept: dict[Kind, list[Tensor]] = {"encoder": [], "decoder": [], "cross": []}
        cache = past_key_values if use_cache else None
        visible = None if attention_mask is None or bool(attention_mask.all()) else padding_mask(attention_mask)
        if self.config.family == "decoder":
            hidden = self.decoder(input_ids, cache=cache, weights=(kept["decoder"], []) if output_attentions else None)
        else:
            hidden = self.encoder(
                input_ids, token_type_ids, visible, weights=(kept["encoder"], []) if output_attentions else None
            )  # (batch, n_tokens, d_model)
            if self.config.family == "encoder-decoder":
                assert decoder_input_ids is not None, "an encoder-decoder needs decoder_input_ids"
                weights = (kept["decoder"], kept["cross"]) if output_attentions else None
                hidden = self.decoder(
                    decoder_input_ids, source=hidden, source_mask=visible, cache=cache, weights=weights
                )  # (batch, n_target_tokens, d_model)
        follows = None if self.next_sentence is None else self.next_sentence(hidden[:, 0])  # (batch, 2)
        logits = self.vocabulary(hidden[:, -logits_to_keep:])  # (batch, n_kept, vocabulary); 0 keeps all
        return ToyOutput(logits, follows, {kind: maps for kind, maps in kept.items() if maps} if output_attentions else None)

"""LogitLensLayer: what the logit lens reads after one layer, as plain arrays. Nothing here imports torch: the window reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headscope.core.vocabulary import FloatArray

IdArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class LogitLensLayer:
    """What can be read after one layer.

    Attributes
    ----------
    layer : int
        From 0; -1 is what enters layer 0.
    positions : tuple of int
        Tokens of the text that are read, of an encoder-decoder model of the target. A decoder predicts what comes after each.
    ids : int64, (len(positions), top_k)
        Vocabulary ids, most probable first; `model.tokenizer.candidate(id)` has their text.
    probabilities : float32, (len(positions), top_k)
        Of the softmax over the whole vocabulary.
    entropies : float32, (len(positions),)
        Of that softmax, in bits: from 0 to log2(n_vocabulary).
    followed : int64, (len(positions),)
        The token that is followed at each position: the one that was asked for, or what the last layer finds most probable there.
    followed_probabilities : float32, (len(positions),)
    followed_ranks : int64, (len(positions),)
        From 1: one more than the number of tokens with larger logits.
    n_layers, n_vocabulary : int
    labels : tuple of tuple of str
        What the screen shows for each of `ids`; empty where nobody asked for labels.
    """

    layer: int
    positions: tuple[int, ...]
    ids: IdArray
    probabilities: FloatArray
    entropies: FloatArray
    followed: IdArray
    followed_probabilities: FloatArray
    followed_ranks: IdArray
    n_layers: int
    n_vocabulary: int
    labels: tuple[tuple[str, ...], ...] = ()

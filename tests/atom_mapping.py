"""How well attention heads map the atoms of a reaction's product to those of its reactants."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from headscope.core.model import Model
from headscope.core.text.tokens import Token

REACTIONS = Path(__file__).parent / "data" / "reactions"
MAPPING_HEAD = (10, 5)
"""Schwaller et al., Extraction of organic chemistry grammar from unsupervised learning of chemical reactions, 2021."""


def is_atom(token: Token) -> bool:
    """Bonds, brackets of branches, ring numbers and dots are tokens, but no atoms."""
    return not token.special and (token.text[0].isalpha() or token.text[0] == "[")


def agreement(model: Model, reactions: Sequence[str], mappings: Sequence[dict[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """How often each head looks at the right atom most: from product atoms, of all reactant atoms; and the other way round.

    The head's own weights, one atom at a time, nothing else. `mappings` take positions of product atoms to positions of
    reactant atoms. Each array is (n_layers, n_heads), 0 to 1.
    """
    n_layers, n_heads = model.info.layers["encoder"]
    from_products, from_reactants, n_atoms = np.zeros((n_layers, n_heads)), np.zeros((n_layers, n_heads)), 0
    for reaction, mapping in zip(reactions, mappings, strict=True):
        tokens = (record := model.capture(reaction)).axis("encoder").queries.tokens
        arrow = [token.text for token in tokens].index(">>")
        reactants, products = (
            [place for place in places if is_atom(tokens[place])] for places in (range(arrow), range(arrow, len(tokens)))
        )
        one = np.array([products.index(atom) for atom in mapping])
        other = np.array([reactants.index(atom) for atom in mapping.values()])
        for layer in range(n_layers):
            weights = record.layer_weights(layer, "encoder")
            forward = weights[:, products][..., reactants].argmax(-1)  # (n_heads, n_products)
            backward = weights[:, reactants][..., products].argmax(-1)  # (n_heads, n_reactants)
            from_products[layer] += (forward[:, one] == other).sum(-1)
            from_reactants[layer] += (backward[:, other] == one).sum(-1)
        n_atoms += len(mapping)
    return from_products / n_atoms, from_reactants / n_atoms


def known_mappings() -> list[dict[int, int]]:
    """RXNMapper's own mapping of each of the 300 reactions, as `make study` wrote it."""
    pairs = json.loads((REACTIONS / "mappings.json").read_text(encoding="utf-8"))
    return [dict(each) for each in pairs]

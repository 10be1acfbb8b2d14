"""make study: two published observations, made again with Headscope's public face. Takes some minutes; writes docs/STUDY.md.

- RXNMapper's ALBERT maps atoms of a product to atoms of the reactants with layer 10, head 5. What is right is the package's own
  final mapping: its `AttentionScorer`, which reads that head and favours neighbours of atoms that are mapped already.
- SmolLM2: which heads cost the most when "The capital of France is" is continued without them.

The mapping needs the packages rdkit, rxn-chem-utils, rxn-utils and scipy, which `make study` installs to a folder of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import types
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from headscope.core import load_model
from headscope.core.analyse.causal.sweeps import Question, Sweep, ablate_heads
from headscope.core.files.atomic import atomic_write
from headscope.core.model import Model
from tests.atom_mapping import MAPPING_HEAD, REACTIONS, agreement
from tests.installed_models import albert, smollm2

PROMPT = "The capital of France is"


def scorer_of_the_package() -> type:
    """`rxnmapper.attention.AttentionScorer`; the package's own start-up asks for more than that needs."""
    package = types.ModuleType("rxnmapper")
    package.__path__ = [str(albert().parents[2])]
    sys.modules["rxnmapper"] = package
    found: type = importlib.import_module("rxnmapper.attention").AttentionScorer
    return found


def mapping_of(model: Model, reaction: str, scorer: type) -> dict[int, int]:
    """Positions of product atoms to those of the reactant atoms they are, by the package's own algorithm."""
    record = model.capture(reaction)
    tokens = [token.text for token in record.axis("encoder").queries.tokens]
    scored = scorer(reaction, tokens, record.attention_weights(*MAPPING_HEAD).astype(float))
    position = {int(atom): place for place, atom in enumerate(scored.token2atom) if atom >= 0}
    mapped = scored.generate_attention_guided_pxr_atom_mapping()["pxr_mapping_vector"]
    first = len(scored.rnums_atoms)
    return {position[first + number]: position[atom] for number, atom in enumerate(mapped) if atom >= 0}


def study_mapping(lines: list[str]) -> None:
    model = load_model(str(albert()), device="cpu", dtype="float32")
    reactions = (REACTIONS / "reactions.smi").read_text(encoding="utf-8").split()
    scorer = scorer_of_the_package()
    mappings = [mapping_of(model, reaction, scorer) for reaction in reactions]
    with atomic_write(REACTIONS / "mappings.json") as path:
        rows = [json.dumps(list(mapping.items()), separators=(",", ":")) for mapping in mappings]
        path.write_text("[" + ",\n".join(rows) + "]\n", encoding="utf-8")
    forward, backward = agreement(model, reactions, mappings)
    lines += [
        "## The head that maps atoms",
        "",
        f"{len(reactions)} reactions, {sum(map(len, mappings))} mapped product atoms, {forward.size} heads of RXNMapper's ALBERT. A head",
        "is right where its largest weight is on the atom of the package's final mapping: from a product atom, of all reactant",
        "atoms; and from the reactant atom, of all product atoms.",
        "",
        "| rank | product → reactant | right | | reactant → product | right |",
        "|---|---|---|---|---|---|",
        *(
            f"| {rank} | {one} | | {other} |"
            for rank, (one, other) in enumerate(zip(_best(forward), _best(backward), strict=True), 1)
        ),
        "",
        f"The published head, layer {MAPPING_HEAD[0]}, head {MAPPING_HEAD[1]}: {forward[MAPPING_HEAD]:.1%} and {backward[MAPPING_HEAD]:.1%};"
        f" the median of all heads: {np.median(forward):.1%} and {np.median(backward):.1%}.",
        "",
    ]


def _best(scores: np.ndarray, n: int = 5) -> list[str]:
    places = [np.unravel_index(index, scores.shape) for index in np.argsort(-scores, axis=None)[:n]]
    return [f"layer {layer}, head {head} | {scores[layer, head]:.1%}" for layer, head in places]


def study_capital(lines: list[str]) -> None:
    model = load_model(str(smollm2()), device="cpu", dtype="float32")
    *_, zero = ablate_heads(model, Question(PROMPT))
    *_, mean = ablate_heads(model, Question(PROMPT), mean_of=PROMPT)
    lines += [
        "## The heads that know the capital of France",
        "",
        f"SmolLM2-135M, “{PROMPT}” → “{zero.label}” ({zero.probability:.4f}). Each of the {zero.n_total} heads is taken out alone;",
        "the number is the change of the answer's log-probability in nats.",
        "",
        "| output set to 0 | Δ log p | KL | | output set to its mean over the prompt | Δ log p | KL |",
        "|---|---|---|---|---|---|---|",
        *(f"| {one} | | {other} |" for one, other in zip(_worst(zero), _worst(mean), strict=True)),
        "",
    ]


def _worst(sweep: Sweep, n: int = 6) -> list[str]:
    order = np.argsort(sweep.log_probability_change, axis=None)[:n]
    places = [tuple(map(int, np.unravel_index(index, sweep.divergence.shape))) for index in order]
    return [
        f"layer {layer}, head {head} | {sweep.log_probability_change[layer, head]:+.3f} | {sweep.divergence[layer, head]:.3f}"
        for layer, head in places
    ]


def main() -> None:
    lines = ["# Study", "", "Written by `make study`; no number here is typed by hand.", ""]
    study_mapping(lines)
    study_capital(lines)
    text = "\n".join(lines)
    print(text)
    with atomic_write(Path("docs/STUDY.md")) as path:
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

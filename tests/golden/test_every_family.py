"""Every text model that transformers can build is shown as its own eager attention computes it, or says why it cannot be."""

from __future__ import annotations

import pytest
import transformers

from tests.golden.every_family import NOT_OF_TEXT, every_family
from tests.golden.families import Family
from tests.golden.measure import measured
from tests.golden.support import README, TABLE, documented, row_of

FAMILIES = every_family()
DOCUMENTED = documented(TABLE.read_text(encoding="utf-8"))
IS_DOCUMENTED = f"transformers {transformers.__version__}" in TABLE.read_text(encoding="utf-8")
"""The table is of one release; others have more classes, and some that are captured in a better way."""


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_every_family_is_exact_at_every_length_and_is_what_the_support_table_says(family: Family) -> None:
    found = measured(family)
    assert found.faults == []
    _, attention, backend, *_, edits, _, note = row_of(found)
    if IS_DOCUMENTED:
        assert family.name in DOCUMENTED, "run make support"
        was_attention, was_tier, was_edits, _, was_note = DOCUMENTED[family.name]
        assert (was_attention, was_tier, was_edits, was_note) == (attention, backend, edits, note), "run make support"
    if not found.refused:
        assert found.largest > 0.35  # of 21 keys: far from uniform, where a wrong map would pass for a right one


@pytest.mark.skipif(not IS_DOCUMENTED, reason="another release of transformers than the table's")
def test_the_support_table_lists_every_family_and_no_other() -> None:
    assert set(DOCUMENTED) == {family.name for family in FAMILIES}
    assert not set(NOT_OF_TEXT) & set(DOCUMENTED)


def test_the_summary_in_the_readme_counts_the_table() -> None:
    tiers = [backend for _, backend, *_ in DOCUMENTED.values()]
    text = README.read_text(encoding="utf-8")
    assert f"* {tiers.count('fast')} fast, {tiers.count('own')} own, {tiers.count('fallback')} fallback;" in text
    assert f"{len(tiers) - tiers.count('none')} model classes of transformers" in text


def test_layers_that_do_not_attend_are_not_counted() -> None:
    """Of three layers, the ones that attend; DiffLlama's two calls a layer are one, ALBERT's one module is three layers."""
    layers = {family.name: dict(measured(family).layers) for family in FAMILIES if family.name in COUNTS}
    assert layers == COUNTS


COUNTS = {
    "AlbertForMaskedLM": {"encoder": (3, 4)},
    "BambaForCausalLM": {"decoder": (1, 4)},
    "DiffLlamaForCausalLM": {"decoder": (3, 4)},
    "JambaForCausalLM": {"decoder": (1, 4)},
    "LongT5ForConditionalGeneration": {"decoder": (3, 4), "cross": (3, 4)},
    "MiniMaxForCausalLM": {"decoder": (2, 4)},
    "Qwen3NextForCausalLM": {"decoder": (1, 4)},
    "RecurrentGemmaForCausalLM": {"decoder": (1, 4)},
    "ZambaForCausalLM": {"decoder": (2, 4)},
}

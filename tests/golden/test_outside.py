"""The column "outside" of the support table is what `headscope verify` says of a class, and no error of one hides the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from headscope.core import load_model
from tests.golden.every_family import every_family
from tests.golden.families import Family
from tests.golden.outside import IN_PART, REFUSED, SAME, Outside, beside_transformers, write_folder
from tests.golden.support import README, TABLE, outside_counts
from tests.golden.test_every_family import DOCUMENTED, IS_DOCUMENTED

CELLS = {name: outside for name, (_, _, _, outside, _) in DOCUMENTED.items()}
_TEXT, _WRITES = "the text of each token", "greedy text"
SAMPLE = {
    "BertForMaskedLM": SAME,
    "BigBirdForMaskedLM": SAME,  # returns no maps in its first pass
    "BlenderbotForConditionalGeneration": SAME,  # its tokenizer closes no text
    "Dots3NoteForCausalLM": SAME,  # its layers have different numbers of heads
    "ElectraForPreTraining": SAME,  # one number for two outcomes
    "FSMTForConditionalGeneration": f"{IN_PART}, without {_TEXT}",  # shifts no labels by itself
    "FNetForMaskedLM": REFUSED,
    "MiniMaxForCausalLM": SAME,  # returns states among its maps
    "PegasusXForConditionalGeneration": SAME,  # returns parts of maps
    "PerceiverForMaskedLM": REFUSED,
    "ProphetNetForConditionalGeneration": f"{IN_PART}, without {_TEXT}",  # its cross-attention has more queries than tokens
    "SeamlessM4TForTextToText": f"{IN_PART}, without {_WRITES}",  # the auto class gives the model of speech and text
    "T5GemmaForConditionalGeneration": SAME,
    "XLMWithLMHeadModel": f"{IN_PART}, without {_TEXT}, {_WRITES}",
    "XLNetLMHeadModel": f"{IN_PART}, without {_WRITES}",
}
FAMILIES = [family for family in every_family() if family.name in SAMPLE]


@pytest.fixture(scope="module")
def found() -> dict[str, Outside]:
    return {each.name: each for each in beside_transformers([*FAMILIES, broken()])}


def broken() -> Family:
    """A class that raises what nobody foresaw."""

    def model() -> None:
        raise ZeroDivisionError("by design")

    return Family("Broken", model, "encoder")


def test_verify_says_of_each_what_the_table_says(found: dict[str, Outside]) -> None:
    assert {name: each.cell for name, each in found.items() if name != "Broken"} == SAMPLE
    for each in found.values():
        if each.cell == SAME:
            assert each.report is not None
            assert any(one.what.endswith("attention") for one in each.report.comparisons)


@pytest.mark.parametrize("name", [name for name, cell in SAMPLE.items() if _WRITES in cell])
def test_a_model_that_generates_elsewhere_and_not_here_says_so(name: str, tmp_path: Path) -> None:
    (family,) = (each for each in FAMILIES if each.name == name)
    info = load_model(str(write_folder(family, tmp_path)), device="cpu").info
    assert "generate" not in info.abilities
    assert "it does not generate here." in info.note
    assert ("fill_mask" in info.abilities) == (name == "XLMWithLMHeadModel")  # which is how it writes


@pytest.mark.skipif(not IS_DOCUMENTED, reason="another release of transformers than the table's")
def test_the_table_says_so_too_and_names_no_fault() -> None:
    assert {name: CELLS[name] for name in SAMPLE} == SAMPLE
    assert all(cell.startswith((SAME, IN_PART, REFUSED)) for cell in CELLS.values())


def test_an_error_that_nobody_foresaw_is_a_fault_of_its_class_alone(found: dict[str, Outside]) -> None:
    each = found["Broken"]
    assert each.is_fault
    assert "ZeroDivisionError: by design (test_outside.py" in each.cell
    assert not any(one.is_fault for one in found.values() if one is not each)


def test_the_counts_stand_in_the_table_and_in_the_readme() -> None:
    counts = outside_counts(CELLS.values())
    assert counts in TABLE.read_text(encoding="utf-8")
    assert counts in README.read_text(encoding="utf-8")
    assert counts.endswith("0 different or broken")


def test_counts_see_what_is_wrong() -> None:
    cells = [SAME, f"{IN_PART}, without {_TEXT}", f"{REFUSED}: why", "DIFFERENT: token ids", "BROKEN: KeyError: 0", SAME]
    assert outside_counts(cells) == "2 the same, 1 in part, 1 refused, 2 different or broken"

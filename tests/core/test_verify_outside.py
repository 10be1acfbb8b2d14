"""`headscope verify` is held against plain transformers in a process of its own, and sees what a fault of ours would hide."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from headscope.core import load_model, wrap_model
from headscope.core.job import Job
from headscope.core.models.verify_outside import compared, ours_of, verify_outside
from headscope.gui.app.command_line import main
from tests.classifying import write
from tests.gguf_files import write_model
from tests.golden.every_family import every_family
from tests.golden.families import built
from tests.golden.outside import TARGET, TEXT, write_folder

KINDS = (
    "BertForMaskedLM",
    "RobertaForMaskedLM",
    "GPT2LMHeadModel",
    "LlamaForCausalLM",
    "BartForConditionalGeneration",
    "BertForPreTraining",
    "MarianMTModel",  # its tokenizer is Python's, and does not say where a token stands in the text
    "T5ForConditionalGeneration",
)
TARGETS = {"BartForConditionalGeneration": TARGET, "T5ForConditionalGeneration": TARGET}
CLASSIFIER, PAIR = "BertForSequenceClassification", "play the walking cat"
FAMILIES = {family.name: family for family in every_family() if family.name in KINDS}
IN_A_FILE = " in a GGUF file"  # which transformers reads with a reader of its own


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("folders")
    return {name: write_folder(family, root / name) for name, family in FAMILIES.items()}


@pytest.fixture(scope="module")
def ours(folders, tmp_path_factory):
    root = tmp_path_factory.mktemp("others")
    classifier = write(root / CLASSIFIER, CLASSIFIER, num_labels=3)
    file = write_model(root / "tiny.gguf", built(FAMILIES["LlamaForCausalLM"]), "llama")
    found = {name: of(folder, TEXT, target=TARGETS.get(name)) for name, folder in folders.items()}
    return found | {CLASSIFIER: of(classifier, TEXT, PAIR), f"LlamaForCausalLM{IN_A_FILE}": of(file, TEXT)}


def of(source: Path, *texts: str, **options: str | None):
    return ours_of(load_model(str(source), device="cpu"), str(source), *texts, **options)


def spoiled(one):
    """Each fault that Headscope could have, in what it says of a model."""
    (kind, layers), *_ = one.maps.items()
    wrong = [layer.copy() for layer in layers]
    wrong[-1][0] = np.roll(wrong[-1][0], 1, axis=-1)
    name = sorted(one.hashes)[0]
    yield "token ids", replace(one, ids=(*one.ids[:-1], one.ids[-1] - 1))
    if one.architecture != "MarianMTModel":
        yield "the text of each token", replace(one, texts=tuple(text and text[1:] + "·" for text in one.texts))
    yield "parameters", replace(one, hashes={**one.hashes, name: "0"})
    yield "attention", replace(one, maps={**one.maps, kind: wrong})
    yield "predicted probabilities", replace(one, logits=np.roll(one.logits, 1, axis=-1))
    if one.follows is not None:
        yield "whether a text follows", replace(one, follows=np.roll(one.follows, 1, axis=-1))
    if one.written is not None:
        yield "greedy text", replace(one, written=tuple(id_ + 1 for id_ in one.written))


def test_every_kind_of_model_is_what_plain_transformers_makes_of_it_and_every_fault_is_seen(ours) -> None:
    faults = [(what, each) for one in ours.values() for what, each in spoiled(one)]
    reports = compared([*ours.values(), *(each for _, each in faults)], Job())
    for name, report in zip(ours, reports, strict=False):
        assert report.passed, f"{name}: {report}"
        assert {"token ids", "predicted probabilities"} <= {each.what for each in report.comparisons}
        assert any("bit for bit" in each.what for each in report.comparisons)
        assert any("attention" in each.what for each in report.comparisons)
        assert report.against.endswith(f"({name.removesuffix(IN_A_FILE)})")
    for (what, _), report in zip(faults, reports[len(ours) :], strict=True):
        assert not report.passed, what
        assert any(what in each.what for each in report.comparisons if not each.passed), (what, str(report))


def test_the_command_says_what_it_compared_and_ends_with_1_if_it_differs(folders, capsys, monkeypatch) -> None:
    folder = folders["GPT2LMHeadModel"]
    assert main(["verify", "--model", str(folder), "--text", TEXT]) == 0
    said = capsys.readouterr().out
    assert "Compared with plain transformers" in said
    assert "greedy text: the same" in said
    assert main(["verify", "--model", str(folder), "--text", TEXT, "--quick", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kinds"]


def test_weights_that_changed_since_are_seen(folders, ours, tmp_path) -> None:
    folder = tmp_path / "changed"
    folder.mkdir()
    for file in folders["BertForMaskedLM"].iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if "query.weight" in name)
    weights[name] = weights[name] * 2
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (report,) = compared([replace(ours["BertForMaskedLM"], folder=folder)], Job())
    wrong = {each.what: each.where for each in report.comparisons if not each.passed}
    assert any("bit for bit" in what and name in where for what, where in wrong.items())
    assert "encoder attention" in wrong


@pytest.mark.parametrize(("name", "text"), [("grammar", "the cat [MASK] ."), ("tales", "once upon a time")])
def test_toys_are_held_against_torch(name: str, text: str) -> None:
    report = verify_outside(f"toy:{name}", text)
    assert report.passed, str(report)
    assert report.against == f"torch.nn {torch.__version__}"
    assert len(report.comparisons) == 2


def test_a_model_in_memory_is_held_against_itself(folders) -> None:
    from transformers import AutoTokenizer, BertForMaskedLM

    folder = folders["BertForMaskedLM"]
    with wrap_model(BertForMaskedLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)) as model:
        report = verify_outside(model, TEXT)
    assert report.passed
    assert report.against == "its own eager attention"
    assert report.not_compared

"""The generation panel follows a model's own settings: fields, rules, languages; real folders, real clicks."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt

from headscope.core import load_model
from headscope.core.options import BeamSearch, Sampling
from headscope.gui.app.command_line import main
from headscope.gui.control.explorer import Explorer
from headscope.gui.session.session import Session
from headscope.gui.views.generation.panel import GenerationPanel
from headscope.gui.views.predictions.panel import PredictionsPanel
from headscope.gui.words.filter_words import told
from tests import allowed
from tests.core.test_languages import TEXT, pair_of
from tests.generating import PROMPT, folder_of

PATIENCE = 30_000
SETTINGS: dict[str, Any] = {
    "do_sample": True,
    "temperature": 0.6,
    "top_k": 20,
    "top_p": 0.001,
    "min_p": 0.05,
    "repetition_penalty": 1.05,
    "stop_strings": ["<|end|>"],
    "no_repeat_ngram_size": 1,
    "suppress_tokens": [20, 30, 80, 98],
    "guidance_scale": 1.5,
    "max_new_tokens": 6,
}


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[GenerationPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = GenerationPanel(state, explorer)
    panel.explorer_in_test = explorer
    qtbot.addWidget(panel)
    panel.resize(320, 700)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: GenerationPanel, source: str, text: str) -> Session:
    state = panel.explorer_in_test.state
    state.update(text=text)
    panel.explorer_in_test.load(source, device="cpu", dtype="float32")
    qtbot.waitUntil(lambda: state.busy is None and state.model is not None and state.model.source == source, timeout=PATIENCE)
    assert state.notice is None
    return state


def folder_with(tmp_path: Path, family: str, settings: dict[str, Any]) -> str:
    folder = tmp_path / f"{family}-{len(settings)}"
    shutil.copytree(folder_of(family), folder)
    path = folder / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return str(folder)


def written(qtbot, panel: GenerationPanel) -> list[int]:
    state = panel.explorer_in_test.state
    state.update(text=PROMPT)
    qtbot.mouseClick(panel.write, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert state.notice is None
    return [step.token.id for step in state.steps]


def test_fields_start_from_the_model_s_settings_and_go_back_to_them(qtbot, panel: GenerationPanel, tmp_path: Path) -> None:
    own = Sampling(0.6, top_k=20, top_p=0.001, min_p=0.05, repetition_penalty=1.05)
    state = opened(qtbot, panel, folder_with(tmp_path, "gpt2", SETTINGS), PROMPT)
    fields = panel.fields
    assert state.sampling == fields.sampling == own
    assert (fields.top_p.text(), fields.temperature.text(), fields.new_tokens) == ("0.001", "0.60", 6)
    assert fields.stops == ("<|end|>",), "what stands between typed stop texts is a part of it"
    fields.temperature.setValue(2.0)
    fields.stop.setText("x|y")
    assert state.sampling == Sampling(2.0, top_k=20, top_p=0.001, min_p=0.05, repetition_penalty=1.05)
    assert fields.stops == ("x", "y")
    qtbot.mouseClick(fields.show_more, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(fields.own, Qt.MouseButton.LeftButton)
    assert (state.sampling, fields.stops) == (own, ("<|end|>",))
    opened(qtbot, panel, folder_with(tmp_path, "bart", {"num_beams": 3, "length_penalty": 2.0, "early_stopping": True}), PROMPT)
    assert fields.beam_search == BeamSearch(3, 2.0, True)
    assert state.sampling == Sampling()
    opened(qtbot, panel, "toy:tales", "once upon a time")
    assert (fields.beam_search, fields.sampling, fields.stops, fields.new_tokens) == (BeamSearch(), Sampling(), (), 40)
    assert not panel.rules.isVisible()
    assert not panel.languages.isVisible()


def test_a_decoder_s_total_length_is_shown_as_such(qtbot, panel: GenerationPanel, tmp_path: Path) -> None:
    state = opened(qtbot, panel, folder_with(tmp_path, "gpt2", {"max_length": 15, "suppress_tokens": [2]}), PROMPT)
    assert panel.fields.max_new_tokens.text() == "up to 15 in all"
    n_prompt = len(state.run.record.axis("decoder").queries)
    assert len(written(qtbot, panel)) == 15 - n_prompt
    panel.fields.max_new_tokens.setValue(3)
    assert len(written(qtbot, panel)) == 3


def test_rules_are_listed_in_words_and_each_can_be_switched_off_and_on(qtbot, panel: GenerationPanel, tmp_path: Path) -> None:
    state = opened(qtbot, panel, folder_with(tmp_path, "gpt2", SETTINGS | {"do_sample": False}), PROMPT)
    rules = panel.rules
    words = {name: rules.boxes[name].accessibleName() for name in rules.boxes}
    assert words["no_repeat_ngram_size"] == "No repeated token"
    assert words["suppress_tokens"].startswith("Never «")
    assert words["suppress_tokens"].endswith("and 1 more")
    assert rules.left_out.text() == "Not supported: guidance_scale: 1.5"
    assert rules.isVisible()
    with_all = written(qtbot, panel)
    assert len(set(with_all)) == len(with_all)
    assert any("No repeated n-gram keeps" in told(stage) for step in state.steps for stage in step.filters)
    qtbot.mouseClick(rules.boxes["no_repeat_ngram_size"], Qt.MouseButton.LeftButton)
    assert state.rules_off == {"no_repeat_ngram_size"}
    without = written(qtbot, panel)
    assert without != with_all
    assert not {20, 30, 80, 98} & set(without)
    assert all(stage.name != "no_repeat_ngram_size" for step in state.steps for stage in step.filters)
    qtbot.mouseClick(rules._words["no_repeat_ngram_size"], Qt.MouseButton.LeftButton)
    assert state.rules_off == frozenset()
    assert written(qtbot, panel) == with_all


def test_filters_of_the_predictions_follow_the_switches(qtbot, panel: GenerationPanel, tmp_path: Path) -> None:
    predictions = PredictionsPanel(panel._state, panel._explorer)
    qtbot.addWidget(predictions)
    predictions.show()
    opened(qtbot, panel, folder_with(tmp_path, "gpt2", SETTINGS | {"do_sample": False}), PROMPT)
    qtbot.mouseClick(predictions.filters.asked, Qt.MouseButton.LeftButton)
    assert "No repeated n-gram keeps" in predictions.filters.told.text()
    assert "Suppressed tokens keeps" in predictions.filters.told.text()
    qtbot.mouseClick(panel.rules.boxes["no_repeat_ngram_size"], Qt.MouseButton.LeftButton)
    assert "n-gram" not in predictions.filters.told.text()
    assert "Suppressed tokens keeps" in predictions.filters.told.text()


def test_languages_are_chosen_by_name(qtbot, panel: GenerationPanel, tmp_path: Path) -> None:
    module, tokenizer = pair_of("mbart50")
    module.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "generation_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"forced_bos_token_id": tokenizer.lang_code_to_id["de_DE"]}))
    state = opened(qtbot, panel, str(tmp_path), TEXT)
    fields = panel.languages
    assert fields.isVisible()
    assert (fields.source.currentText(), fields.target.currentText()) == ("English", "German")
    assert panel.rules.boxes["forced_bos_token_id"].accessibleName() == "Begins with «de_DE»"

    def choose(field, name: str) -> None:
        field.setCurrentText(name)
        field.activated.emit(field.currentIndex())
        qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)

    choose(fields.source, "French")
    assert state.run.record.axis("encoder").queries.tokens[0].text == "fr_XX"
    choose(fields.target, "Romanian")
    assert panel.rules.boxes["forced_bos_token_id"].accessibleName() == "Begins with «ro_RO»"
    panel.fields.max_new_tokens.setValue(3)
    written(qtbot, panel)
    assert state.steps[0].token.text == "ro_RO"
    qtbot.mouseClick(panel.rules.boxes["forced_bos_token_id"], Qt.MouseButton.LeftButton)
    assert not fields.target.isEnabled()
    written(qtbot, panel)
    assert state.steps[0].token.text != "ro_RO"


def test_the_command_line_follows_the_settings_names_what_it_leaves_out_and_takes_options_first(capsys, tmp_path: Path) -> None:
    settings = SETTINGS | {"do_sample": False, "num_beams": 2}
    source = folder_with(tmp_path, "gpt2", settings)
    model = load_model(source, device="cpu", dtype="float32")

    def run(*options: str) -> tuple[str, str]:
        assert main(["generate", "--model", source, "--text", PROMPT, "--dtype", "float32", "--json", *options]) == 0
        out, err = capsys.readouterr()
        return json.loads(out)["text"], err

    *_, last = model.beam_search(PROMPT)
    text, line = run()
    assert text == last.best.text
    assert "unsupported generation settings of the model: guidance_scale: 1.5" in line
    *_, step = model.generate(PROMPT, without_rules=["no_repeat_ngram_size"], max_new_tokens=4)
    assert run("--beams", "1", "--no-rule", "no_repeat_ngram_size", "--max-new-tokens", "4")[0] == step.text
    *_, step = model.generate(PROMPT, rules=(), temperature=2.0, seed=5)
    assert run("--temperature", "2", "--seed", "5", "--no-rules")[0] == step.text
    assert main(["generate", "--model", source, "--text", PROMPT, "--no-rule", "min_length"]) == 2
    assert "no_repeat_ngram_size" in capsys.readouterr().err


def test_languages_on_the_command_line(capsys, tmp_path: Path) -> None:
    module, tokenizer = pair_of("mbart50")
    module.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    shared = ["generate", "--model", str(tmp_path), "--text", TEXT, "--dtype", "float32", "--max-new-tokens", "3"]
    assert main([*shared, "--source-language", "French", "--target-language", "de_DE", "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    model = load_model(str(tmp_path), device="cpu", dtype="float32")
    expected = list(model.generate(TEXT, source_language="fr_XX", target_language="German", max_new_tokens=3))
    for step, own in zip(steps, expected, strict=True):
        assert step["probability"] == pytest.approx(own.probability, abs=allowed.of_probabilities(own.prediction.logits, model))
    assert steps[0]["token"] == "de_DE"
    assert main([*shared, "--target-language", "Klingon"]) == 2
    assert "has no language called Klingon" in capsys.readouterr().err

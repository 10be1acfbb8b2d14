"""What is shown is of the model that is named: a model whose first run fails has no picture, and none of another's."""

from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from headscope.core.attention.lens import SCORES
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.models.load import load_model
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.predictions import AttributionRequest, LogitLensRequest, SurprisalRequest
from headscope.core.requests.runs import CaptureRequest, ForkRequest, GenerateRequest
from headscope.gui.session.selection import Cell
from tests.tiny_models import write_decoder, write_masked

PATIENCE = 60_000
TEXT = "the dogs of the farmer bark loudly ."


def broken(folder: Path) -> Path:
    """A model that opens, and whose every run fails: its embeddings are no numbers."""
    path = write_masked(folder) / "model.safetensors"
    weights = load_file(path)
    weights["bert.embeddings.word_embeddings.weight"].fill_(float("nan"))
    save_file(weights, path, metadata={"format": "pt"})
    return folder


@pytest.fixture
def shown(open_window, qtbot):
    """A window on a toy, with a pin and predictions, and what opens another model in it."""
    window = open_window("toy:grammar", TEXT.replace("bark", "[MASK]"))
    window.state.update(pinned=Cell(1, 2))

    def open_(folder: Path):
        window.explorer.load(str(folder))
        qtbot.waitUntil(lambda: window.state.busy is None and window.state.model.source == str(folder), timeout=PATIENCE)
        return window

    return open_


def test_a_model_whose_first_run_fails_is_not_named_over_the_picture_of_another(shown, tmp_path, qtbot) -> None:
    window = shown(broken(tmp_path / "broken"))
    state = window.state
    assert state.model.name == "broken"
    assert state.notice.level == "error"
    assert state.text == TEXT.replace("bark", "[MASK]")  # nothing typed is lost
    assert state.record is None
    assert state.captured is None
    assert state.run is None
    assert state.shown is None
    assert state.predictions == ()
    assert state.pinned == Cell()
    assert len(state.queries) == 0


def test_the_next_model_is_shown_as_ever(shown, tmp_path, qtbot) -> None:
    shown(broken(tmp_path / "broken"))
    window = shown(write_masked(tmp_path / "whole"))
    assert window.state.record is not None
    assert window.state.record.n_layers("encoder") == window.state.model.layers["encoder"][0]
    assert len(window.state.queries) == len(window.state.record.axis("encoder").queries)


def test_no_view_keeps_a_picture_of_the_other_model(open_window, tmp_path, qtbot) -> None:
    window = open_window("toy:grammar", TEXT.replace("bark", "[MASK]"))
    desk = window.desk
    for name in ("heatmap", "logit_lens"):
        desk.bring(name)
    qtbot.waitUntil(lambda: window.panel("heatmap").view.picture is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: window.panel("logit_lens").view.picture.n_depths > 0, timeout=PATIENCE)
    window.explorer.load(str(broken(tmp_path / "broken")))
    qtbot.waitUntil(lambda: window.state.busy is None and window.state.model.name == "broken", timeout=PATIENCE)
    assert window.panel("heatmap").view.picture is None
    assert window.panel("logit_lens").view.picture.n_depths == 0
    assert len(window.panel("links").view.picture.queries) == 0
    assert not window.commands.action("export").isEnabled()


def test_every_view_stands_without_a_picture(shown, tmp_path, qtbot) -> None:
    window = shown(broken(tmp_path / "broken"))
    for dock in window.desk.docks.values():
        dock.show()
        dock.raise_()
        qtbot.wait(1)
        assert not dock.grab().isNull()
    window.explorer.select_head((0, 1))
    window.state.update(pooling="mean")
    window.explorer.set_lens(SCORES)
    assert (window.state.record, window.state.lens) == (None, SCORES)


REQUESTS = {
    "lens": lambda record, step: LogitLensRequest(record),
    "surprisal": lambda record, step: SurprisalRequest(record),
    "attribution": lambda record, step: AttributionRequest(record),
    "fork": lambda record, step: ForkRequest(step, 3, 2),
}


@pytest.mark.parametrize("request_of", REQUESTS.values(), ids=REQUESTS)
def test_a_model_is_not_asked_about_the_record_of_another(request_of, tmp_path) -> None:
    from headscope.core.engine.engine import Engine

    engine, steps = Engine(), []
    engine.handle(LoadRequest(str(write_decoder(tmp_path / "one"))), Job(), steps.append)
    run = engine.handle(CaptureRequest("abc"), Job(), steps.append)
    engine.handle(GenerateRequest("abc", max_new_tokens=2), Job(), steps.append)
    asked = request_of(run.record, steps[-1])
    engine.handle(asked, Job(), lambda _: None)  # of its own model it answers
    engine.handle(LoadRequest(str(write_decoder(tmp_path / "other"))), Job(), steps.append)
    with pytest.raises(HeadscopeError) as refusal:
        engine.handle(asked, Job(), lambda _: None)
    assert refusal.value.code == "record_of_another_model"


def test_a_record_knows_its_model_and_does_not_keep_it(tmp_path) -> None:
    model, other = load_model(write_masked(tmp_path / "one")), load_model(write_masked(tmp_path / "other"))
    record = model.capture("the cat sat .")
    assert record.is_of(model.module)
    assert not record.is_of(other.module)
    del model
    assert not record.is_of(other.module)
    assert record.attention_weights(0, 0).shape == (6, 6)

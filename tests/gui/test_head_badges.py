"""Badges of heads: a second one for the rest of a sink head's attention, and one from a probe that the user has run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from headscope.core import load_model
from headscope.core.analyse import head_probe
from headscope.core.analyse.records.head_types import PROBE_METRICS
from headscope.core.attention.from_arrays import record_of
from headscope.core.text.prompt import Prompt
from headscope.gui.app.application import create_record_window
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.theme import theme_of
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE
from tests.real_window import close

TEXT = "once upon a time there was a king named Tom ."


@pytest.fixture
def window(qtbot, open_window: Callable) -> MainWindow:
    window = open_window("toy:tales", TEXT)
    qtbot.waitUntil(lambda: window.panel("heads").measuring.is_complete, timeout=PATIENCE)
    return window


# ---------------------------------------------------------------- how they are drawn
def color_at(image: QImage, x: int, y: int) -> str:
    return image.pixelColor(x, y).name()


@pytest.mark.parametrize("dark", [False, True])
def test_a_bar_has_the_first_type_at_its_left_and_the_second_at_its_right_and_the_probe_under_it(dark: bool) -> None:
    theme, side = theme_of(dark), 20
    thumbnails = np.zeros((1, 2, 4, 4), np.float32)
    shown = HeadGridPicture(
        1,
        2,
        thumbnails,
        types={(0, 0): "first", (0, 1): "previous"},
        second_types={(0, 0): "induction"},
        probed={(0, 0): "duplicate"},
    )
    image = shown.atlas(side, 4, theme, foot=7, mark=7)
    bar, probe = side + 3, side + 2 + 5
    name = lambda type_: type_color(type_, theme).name()  # noqa: E731
    assert color_at(image, 3, bar) == name("first")
    assert color_at(image, side - 2, bar) == name("induction")
    assert color_at(image, 3, probe) == color_at(image, side - 2, probe) == name("duplicate")
    of_other = side + 4
    assert color_at(image, of_other + 3, bar) == color_at(image, of_other + side - 2, bar) == name("previous")
    assert color_at(image, of_other + 3, probe) == theme.color("panel").name(), "it was not measured on the probe"


# ---------------------------------------------------------------- beside a sink
def test_a_sinks_second_type_is_named_filtered_and_counted(qtbot, settings) -> None:
    n = 12
    weights = np.zeros((1, 3, n, n), np.float32)
    at = np.arange(n)
    weights[0, 0, at, np.maximum(at - 1, 0)] += 0.3
    weights[0, 0, :, 0] += 0.7
    weights[0, 1, :, 0] = 1
    weights[0, 2, at, np.maximum(at - 1, 0)] = 1
    window = create_record_window(record_of(weights, [f"w{number}" for number in at]), settings)
    window.show()
    heads = window.panel("heads")
    qtbot.waitUntil(lambda: heads.measuring.is_complete, timeout=PATIENCE)
    assert heads.measuring.metrics.second_types == {(0, 0): "previous"}
    both, alone = heads._details((0, 0)), heads._details((0, 1))
    assert both.title == f"first token {0.7 + 0.3 * 2 / n:.2f}"
    assert ("Rest of attention", "previous token 1.00") in both.lines
    assert ("Rest of attention", "under 0.05") in alone.lines
    assert heads.legend.buttons["previous"].text().endswith("1 + 1")
    heads.legend.buttons["previous"].click()
    assert window.state.head_order.set_back(heads.measuring.metrics) == {(0, 1)}
    close(window)


# ---------------------------------------------------------------- on a probe
def test_the_command_measures_heads_on_a_probe_and_changes_no_picture(qtbot, window: MainWindow) -> None:
    heads, run, record = window.panel("heads"), window.state.run, window.state.record
    assert not window.commands.action("sort_probe_induction").isEnabled()
    assert heads.legend.note.isHidden()
    window.commands.action("probe_heads").trigger()
    qtbot.waitUntil(lambda: window.state.head_probe is not None and window.state.busy is None, timeout=PATIENCE)
    expected = head_probe(load_model("toy:tales", device="cpu"))
    for metric in PROBE_METRICS:
        np.testing.assert_array_equal(window.state.head_probe.scores[metric], expected.scores[metric])
    assert (window.state.run, window.state.record) == (run, record)

    assert heads.legend.note.isVisible()
    assert "2 × 25" in heads.legend.note.text()
    assert "seed 0" in heads.legend.note.toolTip()
    assert ("Duplicate token on a probe", f"{expected.scores['probe_duplicate'][2, 1]:.3f}") in heads._details((2, 1)).lines
    assert any(name == "On probe" for name, _ in heads._details((2, 1)).lines)


def test_heads_are_sorted_and_filtered_by_the_probe_and_stand_in_the_scatter(qtbot, window: MainWindow) -> None:
    heads = window.panel("heads")
    heads.probe.trigger()
    qtbot.waitUntil(lambda: window.state.head_probe is not None and window.state.busy is None, timeout=PATIENCE)
    scores = window.state.head_probe.scores["probe_duplicate"]
    window.commands.action("sort_probe_duplicate").trigger()
    in_order = [head for row in heads.view.layout_now.placed.rows for head in row]
    assert in_order == sorted(np.ndindex(scores.shape), key=lambda head: -scores[head])
    window.commands.action("sort_layers").trigger()
    heads.scatter.metrics_chosen.emit("probe_duplicate", "probe_previous")
    assert len(heads.scatter.heads) == 12
    heads.as_points.trigger()
    QApplication.processEvents()
    places = {point.data(): point.pos().x() for point in heads.scatter._points.points()}
    assert places == {head: pytest.approx(float(scores[head])) for head in np.ndindex(scores.shape)}


def test_it_is_of_the_model_that_was_measured_and_goes_with_it(qtbot, window: MainWindow) -> None:
    window.panel("heads").probe.trigger()
    qtbot.waitUntil(lambda: window.state.head_probe is not None and window.state.busy is None, timeout=PATIENCE)
    kept = window.state.head_probe
    window.context.window.use_text(Prompt("a brave mouse lived in a castle ."))
    qtbot.waitUntil(lambda: window.state.busy is None and window.panel("heads").measuring.is_complete, timeout=PATIENCE)
    assert window.state.head_probe is kept, "another text has the same model"
    window.context.window.open_model("toy:grammar")
    qtbot.waitUntil(lambda: "grammar" in window.state.model.source, timeout=PATIENCE)
    assert window.state.head_probe is None


def test_measuring_can_be_cancelled_and_asked_again(qtbot, window: MainWindow) -> None:
    heads = window.panel("heads")
    heads.probe.trigger()
    window.explorer.stop()
    qtbot.waitUntil(lambda: window.state.busy is None, timeout=PATIENCE)
    heads.probe.trigger()
    qtbot.waitUntil(lambda: window.state.head_probe is not None and window.state.busy is None, timeout=PATIENCE)

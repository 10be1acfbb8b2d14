"""The scatter of heads: a point for each, where its two metrics say, and a click on one selects the head."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication

from headscope.core import load_model
from headscope.core.analyse import head_metrics
from headscope.core.analyse.records.head_types import THRESHOLDS
from tests.gui.screen import PATIENCE

TEXT = "once upon a time there was a king named Tom ."


@pytest.fixture
def scatter(qtbot, open_window):
    """The scatter of a window whose heads are measured."""
    window = open_window("toy:tales", TEXT)
    panel = window.panel("heads")
    qtbot.waitUntil(lambda: panel.measuring.is_complete, timeout=PATIENCE)
    panel.as_points.trigger()
    qtbot.waitUntil(lambda: panel.scatter.isVisible() and len(panel.scatter.heads) == 12, timeout=PATIENCE)
    window_and_scatter = window, panel.scatter
    QApplication.processEvents()
    return window_and_scatter


def place_of(scatter, head) -> QPoint:
    """Where a head's point is, in the plot's viewport."""
    point = next(point for point in scatter._points.points() if point.data() == head)
    return scatter._plot.mapFromScene(scatter._points.mapToScene(point.pos()))


def test_points_stand_where_the_metrics_are(scatter) -> None:
    _, plot = scatter
    *_, metrics = head_metrics(load_model("toy:tales", device="cpu").capture(TEXT), "decoder")
    for up, across in (("entropy", "distance"), ("first", "previous")):
        plot.up.setCurrentIndex(plot.up.findData(up))
        plot.across.setCurrentIndex(plot.across.findData(across))
        found = {point.data(): (point.pos().x(), point.pos().y()) for point in plot._points.points()}
        for head, (x, y) in found.items():
            np.testing.assert_allclose((x, y), (metrics.values[across][head], metrics.values[up][head]), rtol=1e-3)
        assert len(found) == 12


def test_a_click_selects_a_head_and_with_ctrl_adds_one(qtbot, scatter) -> None:
    window, plot = scatter
    for head in ((2, 1), (1, 0)):
        qtbot.mouseClick(plot._plot.viewport(), Qt.MouseButton.LeftButton, pos=place_of(plot, head))
        qtbot.waitUntil(lambda head=head: window.state.heads == (head,), timeout=PATIENCE)
    assert [point.data() for point in plot._points.points() if point.size() > 9] == [(1, 0)]


def test_what_filters_set_back_is_faint(qtbot, scatter) -> None:
    window, plot = scatter
    type_ = next(iter(window.panel("heads").measuring.metrics.types.values()))
    window.commands.action(f"type_{type_}").trigger()
    QApplication.processEvents()
    metrics = window.panel("heads").measuring.metrics
    for point in plot._points.points():
        assert (point.brush().color().alpha() == 255) == (type_ in metrics.types_of(point.data()))


def test_thresholds_are_lines_where_they_are(qtbot, scatter) -> None:
    window, plot = scatter
    assert [(line.angle, line.value(), line.label.format) for line in plot._lines] == [
        (0, THRESHOLDS["entropy"], "Entropy > 5.48 bits")
    ]
    plot.up.setCurrentIndex(plot.up.findData("first"))
    assert [(line.angle, line.value(), line.label.format) for line in plot._lines] == [(0, 0.3, "First token > 0.3")]
    bar = window.panel("heads").bar
    bar.measure.setCurrentIndex(bar.measure.findData("distance"))
    bar.minimum.setValue(1.5)
    assert [(line.angle, line.value()) for line in plot._lines] == [(90, 1.5), (0, 0.3)]
    names = {line.label.toPlainText() for line in plot._lines}
    assert names == {"Distance ≥ 1.50", "First token > 0.3"}
    for head, type_ in window.panel("heads").measuring.metrics.types.items():
        if type_ == "first":
            assert next(p for p in plot._points.points() if p.data() == head).pos().y() > 0.3


def test_the_grid_comes_back(qtbot, scatter) -> None:
    window, plot = scatter
    window.panel("heads").as_points.trigger()
    assert window.panel("heads").view.isVisible() and not plot.isVisible()

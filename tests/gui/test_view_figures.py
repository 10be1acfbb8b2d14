"""Every view as a figure: written in all forms from the real window, at a column's width, with the words of the picture in it."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.formats import size_mm, write_figure
from headscope.gui.session.selection import Cell
from headscope.gui.window.export_dialog import ExportDialog
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from tests.gui.screen import PATIENCE, n_colors, settle, shown

SVG = "{http://www.w3.org/2000/svg}"
FIGURES = {figure.id: (view.id, figure) for view in VIEWS for figure in view.figures}
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, open_window: Callable) -> MainWindow:
    """The toy that writes, after it wrote a little, with a cell pinned."""
    window = open_window("toy:tales", "once upon a time")
    window.panel("generation").fields.max_new_tokens.setValue(6)
    window.commands.action("generate").trigger()
    qtbot.waitUntil(lambda: len(window.state.steps) >= 6 and window.state.busy is None, timeout=PATIENCE)
    window.state.update(pinned=Cell(3, 1))
    settle(qtbot, window.state)
    return window


def figure_of(qtbot, window: MainWindow, name: str):
    """The figure of a view that is open and in front."""
    view, spec = FIGURES[name]
    window.desk.bring(view)
    panel = window.panel(view)
    qtbot.waitUntil(panel.isVisible, timeout=PATIENCE)
    if name == "logit_lens":
        qtbot.mouseClick(panel.fill, LEFT)
    qtbot.waitUntil(lambda: spec.make(panel) is not None and window.state.busy is None, timeout=PATIENCE)
    return spec.make(panel)


def test_every_view_has_a_figure() -> None:
    assert {view.id for view in VIEWS} == {view for view, _ in FIGURES.values()}


SAYS = {
    "heads": {"0", "1"},
    "heatmap": {"query", "key", "upon"},
    "links": {"query", "key", "upon"},
    "arcs": {"upon"},
    "text": set(),
    "heads_by_token": {"upon", "0", "1"},
    "arithmetic": set(),
    "predictions": set(),
    "logit_lens": {"upon", "in"},
    "generation": set(),
    "film_strip": {"0", "5"},
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_view_is_written_in_all_forms_at_a_columns_width(qtbot, window: MainWindow, tmp_path: Path, name: str) -> None:
    figure = figure_of(qtbot, window, name)
    options = FigureOptions(width_mm=84, title="What it shows", dpi=150)
    for form in ("png", "svg", "pdf"):
        write_figure(figure, tmp_path / f"a.{form}", options)
    assert size_mm(figure, options).width() == pytest.approx(84)
    image = QImage(str(tmp_path / "a.png"))
    assert image.width() == round(84 / 25.4 * 150)
    assert n_colors(image) > 10
    root = ET.parse(tmp_path / "a.svg").getroot()
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert {"What it shows"} | SAYS[name] <= set(texts)
    assert root.find(f"{SVG}desc").text == figure.about
    unit_pt = 84 / 25.4 * 72 / float(root.get("viewBox").split()[2])
    sizes = [float(element.get("font-size")) * unit_pt for element in root.iter(f"{SVG}text") if (element.text or "").strip()]
    assert min(sizes) >= (5 if name == "arithmetic" else 6), "type of 6 points at least, but for indices of formulae"
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_as_wide_as_it_needs_and_dark_where_that_is_asked(
    qtbot, window: MainWindow, tmp_path: Path, name: str
) -> None:
    figure = figure_of(qtbot, window, name)
    options = FigureOptions(ground="dark", dpi=96)
    assert 20 < size_mm(figure, options).width() < 250
    write_figure(figure, tmp_path / "a.png", options)
    image = QImage(str(tmp_path / "a.png"))
    assert image.pixelColor(1, image.height() - 2).lightness() < 60


@pytest.mark.parametrize("name", ["arithmetic", "heads_by_token", "text", "predictions", "logit_lens"])
def test_the_dialog_writes_a_view_that_nobody_sees_as_soon_as_its_numbers_have_come(
    qtbot, open_window: Callable, name: str
) -> None:
    window = open_window("toy:grammar", "the keys of the cabinet [MASK] rusty .")
    window.desk.docks[name].close()
    window.state.update(pinned=Cell(6, 2))
    window.export()
    dialog = window.findChild(ExportDialog)
    dialog.what.setCurrentIndex(dialog.what.findData(name))
    qtbot.waitUntil(dialog.write.isEnabled, timeout=PATIENCE)
    assert not window.panel(name).isVisible()
    assert n_colors(shown(dialog.preview)) > 10
    dialog.reject()

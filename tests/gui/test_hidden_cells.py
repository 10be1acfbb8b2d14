"""Cells that a mask hides have a colour of their own: a weight of 0 that was computed is something else."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor

from headscope.core import record_of
from headscope.core.attention.ranks import shares_below
from headscope.gui.paint.color_maps import COLOR_MAPS, color_table
from headscope.gui.paint.scales import Look
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.views.heatmap.widget import HeatmapView
from tests.gui.screen import PATIENCE

TALE = "once upon a time there was a little girl"


def colors_of_cells(view) -> np.ndarray:
    """The colour in the middle of each cell, as RGB."""
    image = view.grab().toImage()
    ratio = image.devicePixelRatio()
    layout = view.layout_now()
    n_queries, n_keys = view.picture.cells.values.shape
    found = np.zeros((n_queries, n_keys), np.uint32)
    for query in range(n_queries):
        for key in range(n_keys):
            at = layout.cell_rect(query, key).center() * ratio
            found[query, key] = image.pixel(round(at.x()), round(at.y())) & 0xFFFFFF
    return found


def test_keys_after_a_query_have_the_colour_of_hidden_cells_and_no_others(qtbot, open_window) -> None:
    window = open_window("toy:tales", TALE)
    view = window.panel("heatmap").view
    qtbot.waitUntil(lambda: view.picture is not None and view.picture.cells.hidden is not None, timeout=PATIENCE)
    n = len(window.state.queries)
    after = np.triu(np.ones((n, n), bool), 1)
    np.testing.assert_array_equal(view.picture.cells.hidden, after)
    hidden = QColor(*map(int, color_table("plain", theme_of(dark=False), hides=True)[0])).rgb() & 0xFFFFFF
    np.testing.assert_array_equal(colors_of_cells(view) == hidden, after)
    window.explorer.select_head((0, 1))
    qtbot.waitUntil(lambda: window.state.head == (0, 1) and view.picture.cells.hidden is not None, timeout=PATIENCE)
    np.testing.assert_array_equal(colors_of_cells(view) == hidden, after)
    window.state.update(pinned=Cell(1, 4))
    assert np.isnan(view._value), "its card says that the key is masked"


def test_where_nothing_is_hidden_the_colours_are_as_before(qtbot, open_window) -> None:
    window = open_window("toy:grammar", "the keys of the cabinet [MASK] rusty .")
    panel = window.panel("heatmap")
    qtbot.waitUntil(lambda: not window.explorer.questions.is_busy, timeout=PATIENCE)
    assert panel.view.picture.cells.hidden is None
    assert panel.view.picture.cells.first_color == 0


@pytest.mark.parametrize("name", COLOR_MAPS)
@pytest.mark.parametrize("dark", [False, True])
def test_a_map_with_a_colour_for_hidden_cells_is_the_map_itself_otherwise(name: str, dark: bool) -> None:
    theme = theme_of(dark)
    plain, hides = (color_table(name, theme, hides=with_hidden).astype(int) for with_hidden in (False, True))
    np.testing.assert_array_equal(hides[[1, 255]], plain[[0, 255]])
    assert np.abs(hides[1:] - plain[np.rint(np.linspace(0, 255, 255)).astype(int)]).max() == 0
    assert np.abs(plain - hides[0]).max(axis=1).min() >= 15, "another colour than that of any weight"


@pytest.mark.parametrize("scale", ["linear", "log", "row", "rank"])
@pytest.mark.parametrize("dark", [False, True])
def test_a_computed_0_is_not_hidden_on_any_scale(qtbot, scale: str, dark: bool) -> None:
    weights = np.array([[1, 0, 0], [0, 1, 0], [0.5, 0, 0.5]], np.float32)
    hidden = np.triu(np.ones((3, 3), bool), 1)
    axis = record_of(weights[None, None], ["a", "b", "c"]).axis("decoder").queries
    ranks = shares_below(weights) if scale == "rank" else None
    picture = HeatmapPicture(weights, axis, axis, look=Look(scale), hidden=hidden, ranks=ranks)
    view = HeatmapView()
    qtbot.addWidget(view)
    view.resize(400, 360)
    view.set_theme(theme_of(dark))
    view.set_picture(picture)
    color = QColor(*map(int, color_table("plain", theme_of(dark), hides=True)[0])).rgb() & 0xFFFFFF
    np.testing.assert_array_equal(colors_of_cells(view) == color, hidden)

"""With scores, or a lens of one's own, every view draws that lens's numbers, in colours of its own and with a legend that says so."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from headscope.core import LENSES, SCORES, WEIGHTS, Lens
from headscope.core.attention.kept.lenses import FUNCTIONS
from headscope.core.attention.maps import overview
from headscope.core.options import Sampling
from headscope.core.text.tokens import Units
from headscope.gui.app.figures import save_figure
from headscope.gui.commands.units import UNITS
from headscope.gui.paint.color_maps import color_table, palette32
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.legend import Note
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.settings import LinksSettings
from headscope.gui.window.main_window import MainWindow
from tests import allowed
from tests.gui.screen import PATIENCE, drawn_in, settle, values, words

TALE = "once upon a time a brave mouse named Mia lived in a castle ."
SQUARED = Lens("squared", "squares", "Weights squared", "The square of each weight.", "It is a toy.", "Nobody", "positive")
VIEWS = ("heads", "heatmap", "links", "text", "heads_by_token", "film_strip")
LIGHT = theme_of(False)
_LEAST_SEEN = 0.5 / 255  # of what is drawn in full strength: nearer to 0 nobody sees a line


@pytest.fixture
def window(qtbot, open_window: Callable) -> MainWindow:
    """Every view open, behind one another or not."""
    window = open_window("toy:tales", TALE)
    window.resize(1600, 1000)
    window.explorer.select_head((1, 2))
    qtbot.waitUntil(lambda: window.state.head == (1, 2), timeout=PATIENCE)
    return window


@pytest.fixture
def squared(monkeypatch: pytest.MonkeyPatch) -> Lens:
    """A lens of one's own: an entry in the table of lenses, and its function."""
    monkeypatch.setitem(LENSES, SQUARED.id, SQUARED)
    monkeypatch.setitem(FUNCTIONS, SQUARED.id, lambda layer, rows, **of: layer.weights(rows, **of) ** 2)
    return SQUARED


def see(qtbot, window: MainWindow, lens: Lens) -> None:
    window.explorer.set_lens(lens)
    qtbot.waitUntil(lambda: window.state.lens == lens, timeout=PATIENCE)


def panel_of(qtbot, window: MainWindow, view: str):
    """A view in front of all others."""
    window.bring_view(view)
    qtbot.waitUntil(lambda: window.is_view_seen(view), timeout=PATIENCE)
    return window.panel(view)


def expected(window: MainWindow, lens: Lens) -> tuple[np.ndarray, float]:
    """The numbers of layer 1, head 2 from the record of weights, and how near others come."""
    record = window.state.captured
    if lens == SCORES:
        scores = record.attention_scores(1, 2)
        return scores, allowed.of_logits(scores)
    weights = record.attention_weights(1, 2)
    return weights**2, allowed.of_blocks(weights)


# ---------------------------------------------------------------- each view's numbers
@pytest.mark.parametrize("id_", ["scores", "squared"])
def test_every_view_draws_the_numbers_of_the_lens_and_names_it(qtbot, window: MainWindow, squared: Lens, id_: str) -> None:
    lens = LENSES[id_]
    see(qtbot, window, lens)
    wanted, near = expected(window, lens)
    state, known = window.state, ~np.isnan(wanted)
    most = np.abs(wanted[known]).max()
    state.update(pinned=Cell(query=9))

    view = panel_of(qtbot, window, "heatmap").view
    qtbot.waitUntil(lambda: view.picture.cells.lens == lens, timeout=PATIENCE)
    np.testing.assert_allclose(view.picture.weights, wanted, atol=near)
    assert (view.picture.cells.bar.low, view.picture.cells.bar.high) == pytest.approx((-most * lens.is_signed, most))
    assert window.panel("heatmap")._title.text() == f"layer 1 · head 2 · {lens.name}"
    assert (view.picture.received is None) == lens.is_signed

    links = panel_of(qtbot, window, "links").view
    qtbot.waitUntil(lambda: links.picture.lens == lens, timeout=PATIENCE)
    drawn = links.picture.links(links.picture.layout(QRectF(0, 0, 600, 600)))
    assert len(drawn) == np.count_nonzero(np.abs(wanted[known]) >= _LEAST_SEEN * most)
    np.testing.assert_allclose(drawn.weight, wanted[drawn.query, drawn.key], atol=near)
    assert any(lens.name in note.words for note in links.picture.entries if isinstance(note, Note))

    text = panel_of(qtbot, window, "text")
    qtbot.waitUntil(lambda: text.view.shades is not None, timeout=PATIENCE)
    np.testing.assert_allclose(text.view.shades.values, wanted[9], atol=near)
    assert text.title.text() == f"“Mia” attends to · layer 1 · head 2 · {lens.name}"

    strip = panel_of(qtbot, window, "heads_by_token")
    qtbot.waitUntil(lambda: strip.view.picture is not None and strip.view.picture.lens == lens, timeout=PATIENCE)
    np.testing.assert_allclose(strip.view.picture.weights[2], wanted[9], atol=near)
    assert strip.title.text() == f"“Mia” attends to · layer 1 · {lens.name}"

    heads = panel_of(qtbot, window, "heads")
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: heads._picture.thumbnails is state.thumbnails, timeout=PATIENCE)
    small = np.where(np.isinf(state.thumbnails[1, 2]), np.nan, state.thumbnails[1, 2])
    np.testing.assert_allclose(small, wanted, atol=near)
    assert heads.summary.text() == f"3 × 4 heads · {lens.name}"
    assert heads.scale.isVisible()

    for view_id, figure in (("heatmap", "heatmap"), ("links", "links"), ("heads", "heads")):
        assert lens.name in window.panel(view_id).figure().about, figure


def test_the_heatmap_and_the_grid_have_the_colours_of_their_scale(qtbot, window: MainWindow, squared: Lens) -> None:
    see(qtbot, window, SQUARED)
    wanted, _ = expected(window, SQUARED)
    cells = panel_of(qtbot, window, "heatmap").figure().cells
    steps = np.rint(255 * wanted / wanted.max()).astype(int)
    side = len(wanted)
    image = values(cells.image(QRectF(0, 0, side, side), side, side, LIGHT)[0])
    palette = palette32("plain", LIGHT, hides=cells.hides).astype(np.int64)
    found = np.abs(image[..., None].astype(np.int64) - palette).argmin(-1)
    assert (palette[found] == image).all()
    visible = ~cells.hidden
    assert np.abs(found - 1 - steps * 254 / 255)[visible].max() <= 1
    assert (found[~visible] == 0).all()

    see(qtbot, window, SCORES)
    heads, state = panel_of(qtbot, window, "heads"), window.state
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: heads._picture.thumbnails is state.thumbnails, timeout=PATIENCE)
    scores = window.state.captured.attention_scores(1, 2)
    most = max(np.nanmax(np.abs(state.captured.through(SCORES).layer_weights(layer, "decoder"))) for layer in range(3))
    picture = values(heads._picture.one((1, 2), side, LIGHT))
    palette = palette32("plain", LIGHT, diverging=True).astype(np.int64)
    found = np.abs(picture[..., None].astype(np.int64) - palette).argmin(-1)
    hidden = np.isnan(scores)
    assert (found[hidden] == 0).all()
    assert np.abs(found - (128 + 127 * scores / most))[~hidden].max() <= 1
    assert (heads.scale.scale.least, heads.scale.scale.largest) == (f"-{most:.2f}", f"{most:.2f}")


def test_the_film_strip_shows_what_each_head_had_through_the_lens(qtbot, window: MainWindow) -> None:
    window.explorer.generate(4, Sampling(temperature=1.0, seed=2))
    settle(qtbot, window.state)
    see(qtbot, window, SCORES)
    detail = panel_of(qtbot, window, "film_strip").detail
    step = window.state.steps[-1]
    qtbot.waitUntil(lambda: detail.rows._picture is not None and detail.rows._picture.lens == SCORES, timeout=PATIENCE)
    n = len(step.record.axis("decoder").queries)
    wanted = step.record.through(SCORES).layer_weights(1, "decoder", slice(n - 1, n))[:, 0]
    np.testing.assert_allclose(detail.rows._picture.weights, wanted, atol=allowed.of_logits(wanted))
    assert detail.caption.text() == "Attention in layer 1 · scores"


# ---------------------------------------------------------------- links
def painted(picture: LinksPicture | ArcsPicture) -> np.ndarray:
    image = QImage(600, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    picture.paint(painter, QRectF(image.rect()), LIGHT)
    painter.end()
    return values(image)


def has(image: np.ndarray, color: str, *, least: int = 20) -> bool:
    return int((image == LIGHT.color(color).rgb()).sum()) >= least


@pytest.mark.parametrize("shape", [LinksPicture, ArcsPicture])
def test_links_above_and_below_zero_have_two_colours_as_strong_as_they_are_far(qapp, shape) -> None:
    numbers = np.full((6, 6), np.nan, np.float32)
    numbers[5, 0] = 7.5
    above = shape({(0, 0): numbers}, words(6), words(6), lens=SCORES)
    below = shape({(0, 0): -numbers}, words(6), words(6), lens=SCORES)
    assert [len(each.links(each.layout(QRectF(0, 0, 600, 300)))) for each in (above, below)] == [1, 1]
    assert has(painted(above), "accent") and not has(painted(above), "below")
    assert has(painted(below), "below", least=60)
    assert [note.words for note in above.entries] == ["layer 0 · head 0", "scores above 0, to 7.50"]
    assert [note.words for note in below.entries][1:] == ["scores above 0, to 0.00", "below 0, to -7.50"]
    assert "distance from 0, full at 7.50" in above.footer(
        above.layout(QRectF(0, 0, 600, 300)), above.links(above.layout(QRectF(0, 0, 600, 300)))
    )


def test_of_more_links_than_can_be_drawn_those_furthest_from_zero_are(qapp) -> None:
    numbers = np.random.default_rng(4).normal(size=(60, 60)).astype(np.float32) * 5
    numbers[np.triu_indices(60, 1)] = np.nan
    picture = LinksPicture({(0, 0): numbers}, words(60), words(60), lens=SCORES, most=50)
    layout = picture.layout(QRectF(0, 0, 600, 600))
    drawn = picture.links(layout)
    assert (len(drawn), drawn.candidates) == (50, 60 * 61 // 2)
    np.testing.assert_array_equal(np.sort(np.abs(drawn.weight)), np.sort(np.abs(numbers[~np.isnan(numbers)]))[-50:])
    assert f"strongest 50 of 1,830 links shown, |scores| ≥ {np.abs(drawn.weight).min():.1f}" in picture.footer(layout, drawn)


def test_several_heads_keep_their_colours_above_zero_and_are_grey_below(qapp) -> None:
    numbers = np.full((4, 4), np.nan, np.float32)
    numbers[3, 1] = -2
    picture = LinksPicture({(0, 0): numbers, (0, 1): -numbers}, words(4), words(4), lens=SCORES)
    ink = picture.ink(LIGHT)
    assert [color.name() for color in ink.colors] == [LIGHT.head_color(0).name(), LIGHT.head_color(1).name()]
    assert {color.name() for color in ink.below} == {LIGHT.color("muted").name()}
    assert picture.entries[:2] == ((0, 0), (0, 1))


def test_the_threshold_is_in_the_unit_of_the_lens_and_mass_is_for_weights(qtbot, window: MainWindow) -> None:
    panel = panel_of(qtbot, window, "links")
    panel.by_mass.click()
    see(qtbot, window, SCORES)
    wanted, _ = expected(window, SCORES)
    most = np.nanmax(np.abs(wanted))
    assert not panel.by_mass.isEnabled()
    assert "Only weights can be kept by their share of a row" in panel.by_mass.toolTip()
    panel.threshold.setValue(40)
    assert window.state.view(LinksSettings).hidden_of_largest == 40
    picture = panel.view.picture
    assert picture.choice == Choice(at_least=pytest.approx(0.4 * most))
    assert panel.by_mass.text().endswith(f"{0.4 * most:.2f}")
    layout = picture.layout(QRectF(0, 0, 600, 600))
    drawn = picture.links(layout)
    assert len(drawn) == np.count_nonzero(np.abs(np.nan_to_num(wanted)) >= 0.4 * most)
    assert f"links nearer to 0 than {0.4 * most:.2f} hidden" in picture.footer(layout, drawn)
    see(qtbot, window, WEIGHTS)
    assert panel.by_mass.isEnabled() and panel.by_mass.isChecked()
    assert panel.view.picture.choice == Choice(mass=0.7)


def test_links_of_a_head_too_large_to_be_here_are_the_strongest(qtbot, window: MainWindow, monkeypatch) -> None:
    monkeypatch.setattr(overview, "LARGE_CELLS", 100)
    monkeypatch.setattr(overview, "_MOST_STRONG", 30)
    window.explorer.run()
    settle(qtbot, window.state)
    see(qtbot, window, SCORES)
    wanted, near = expected(window, SCORES)
    panel = panel_of(qtbot, window, "links")
    qtbot.waitUntil(lambda: not isinstance(window.state.shown, np.ndarray) and window.state.shown.exact, timeout=PATIENCE)
    picture = panel.view.picture
    layout = picture.layout(QRectF(0, 0, 600, 600))
    drawn = picture.links(layout)
    furthest = np.sort(np.abs(wanted[~np.isnan(wanted)]))[-30:]
    np.testing.assert_allclose(np.sort(np.abs(drawn.weight)), furthest, atol=near)
    np.testing.assert_allclose(drawn.weight, wanted[drawn.query, drawn.key], atol=near)
    assert f"only links at least {furthest[0]:.2f} from 0 are known" in picture.footer(layout, drawn)


# ---------------------------------------------------------------- text
def test_words_below_zero_have_another_colour_and_the_scale_says_from_where(qtbot, window: MainWindow) -> None:
    see(qtbot, window, SCORES)
    text = panel_of(qtbot, window, "text")
    window.state.update(pinned=Cell(query=9))
    qtbot.waitUntil(lambda: text.view.shades is not None and text.view.shades.signed, timeout=PATIENCE)
    row = window.state.captured.attention_scores(1, 2)[9]
    most = np.nanmax(np.abs(row))
    scale = text.view.shades.scale(LIGHT)
    assert (scale.least, scale.largest) == (f"-{most:.4f}", f"{most:.4f} scores")
    assert [scale.colors[0].name(), scale.colors[-1].name()] == [LIGHT.color("below").name(), LIGHT.color("accent").name()]
    assert text.view.shades.number(12) == "", "which “Mia” does not see"


# ---------------------------------------------------------------- what needs weights
def test_metrics_badges_and_arithmetic_stay_those_of_weights(qtbot, window: MainWindow) -> None:
    heads = panel_of(qtbot, window, "heads")
    qtbot.waitUntil(lambda: heads.measuring.is_complete, timeout=PATIENCE)
    measured = heads.measuring.metrics
    see(qtbot, window, SCORES)
    assert heads.measuring.metrics is measured
    assert not heads.bar.averages.isEnabled()
    assert "Averages are of weights" in heads.bar.averages.toolTip()
    assert not window.commands.action("averages").isEnabled()
    window.state.update(pinned=Cell(9, 4))
    arithmetic = panel_of(qtbot, window, "arithmetic")
    qtbot.waitUntil(lambda: arithmetic._answer.value is not None, timeout=PATIENCE)
    assert arithmetic._answer.value.cell.record is window.state.captured
    see(qtbot, window, WEIGHTS)
    assert heads.bar.averages.isEnabled()


def test_there_is_a_command_for_each_lens_with_its_meaning() -> None:
    commands = {command.id: command for command in UNITS}
    for lens in LENSES.values():
        command = commands[f"lens_{lens.id}"]
        assert (command.words, command.hint) == (lens.title, lens.meaning)


# ---------------------------------------------------------------- without a window
def test_a_figure_without_a_window_is_of_the_lens(qapp, window: MainWindow, tmp_path) -> None:
    record = window.state.captured
    for view in ("heatmap", "links", "arcs", "heads"):
        heads = None if view == "heads" else (1, 2)
        path = save_figure(record, tmp_path / f"{view}.svg", view, heads, lens="scores")
        assert "scores" in drawn_in(path), view
        assert "attention scores" in path.read_text(encoding="utf-8"), view
        again = save_figure(record.through(SCORES), tmp_path / "again.svg", view, heads)
        assert again.read_bytes() == path.read_bytes(), view
    hidden = color_table("plain", LIGHT, diverging=True)[0]
    assert "#{:02x}{:02x}{:02x}".format(*hidden) in (tmp_path / "heatmap.svg").read_text(encoding="utf-8").lower()


def test_units_whose_lens_is_not_there_are_refused_by_the_window(qtbot, window: MainWindow) -> None:
    see(qtbot, window, SCORES)
    shown = window.state.shown
    window.explorer.set_units(Units("sentences"))
    qtbot.waitUntil(lambda: window.state.notice is not None, timeout=PATIENCE)
    assert "Words, sentences and segments have weights only" in window.state.notice.message
    assert (window.state.units, window.state.lens) == (Units(), SCORES)
    assert window.state.shown is shown
    assert window.commands.action("units_tokens").isChecked()

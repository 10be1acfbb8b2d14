"""Exported files: what is in them, byte by byte, and what the dialog asks for."""

import csv
import dataclasses
import errno
import io
import time
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtCore import QPointF, QRectF, QSettings, QStandardPaths, Qt
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.lens import SCORES, WEIGHTS
from headscope.core.cli.main import create_parser
from headscope.core.errors import HeadscopeError
from headscope.core.text.tokens import Units
from headscope.gui.app import export_command
from headscope.gui.control.explorer import Explorer
from headscope.gui.control.exporter import HeadExport, PictureExport, RecordExport
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.formats import size_mm, write_figure
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.views.heatmap.panel import HeatmapPanel
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.panel import LinksPanel
from headscope.gui.window.export_dialog import ExportDialog
from headscope.gui.window.figure_fields import FIELDS, FigureFields
from headscope.gui.window.views import VIEWS
from tests import allowed
from tests.gui.screen import PATIENCE, axis, color_of, isolated_cells, n_colors, random_weights, shown, values, words

LIGHT, DARK = theme_of(dark=False), theme_of(dark=True)
SVG = "{http://www.w3.org/2000/svg}"
LEFT = Qt.MouseButton.LeftButton
CHINESE = axis(*"人工智能")


def heatmap(n_queries: int = 6, n_keys: int = 6) -> HeatmapPicture:
    return HeatmapPicture(random_weights(n_queries, n_keys), words(n_queries), words(n_keys), head=(0, 0))


def links(count: int = 6) -> LinksPicture:
    return LinksPicture({(0, 0): random_weights(count, count)}, words(count), words(count))


# ---------------------------------------------------------------- PNG
@pytest.mark.parametrize("dpi", [36, 96, 150, 300])
def test_a_png_has_the_dots_that_were_asked_for(qapp, tmp_path: Path, dpi: int) -> None:
    for picture in (heatmap(), links()):
        write_figure(picture, tmp_path / "figure.png", FigureOptions(dpi=dpi))
        image = QImage(str(tmp_path / "figure.png"))
        width, height = (side / 25.4 * dpi for side in size_mm(picture).toTuple())
        assert (image.width(), image.height()) == (round(width), round(height))
        assert image.dotsPerMeterX() == image.dotsPerMeterY() == round(dpi / 0.0254)
        assert n_colors(image) > 20


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("dpi", [96, 150, 300])
def test_cells_have_their_exact_colours_in_a_png(qapp, tmp_path: Path, dpi: int, theme) -> None:
    picture = heatmap(7, 9)
    write_figure(picture, tmp_path / "figure.png", FigureOptions(ground="dark" if theme.dark else "light", dpi=dpi))
    image = QImage(str(tmp_path / "figure.png"))
    size = picture.size()
    layout = picture.figure_layout(QRectF(QPointF(), size))
    for query, key in np.ndindex(7, 9):
        middle = layout.cell_rect(query, key).center() * (image.width() / size.width())
        assert image.pixelColor(middle.toPoint()) == color_of(picture.weights[query, key], theme)
    assert image.pixelColor(1, 1) == QColor(theme.panel)


def test_a_marked_token_is_marked_in_the_file(qapp, tmp_path: Path) -> None:
    for name, picture in (("heatmap", heatmap()), ("links", links())):
        write_figure(picture, tmp_path / "plain.png", FigureOptions(dpi=96))
        write_figure(picture, tmp_path / f"{name}.png", FigureOptions(dpi=96, picked=Picked(query=2)))
        assert QImage(str(tmp_path / "plain.png")) != QImage(str(tmp_path / f"{name}.png"))


def test_a_png_beyond_all_bounds_is_refused_before_it_is_drawn(qapp, tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as told:
        write_figure(heatmap(), tmp_path / "huge.png", FigureOptions(dpi=100_000))
    assert told.value.code == "picture_too_large"
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------- SVG
def svg_rectangles(root: ET.Element) -> list[str]:
    """The fill of each shape, as `#rrggbb`; a shape inherits from the group around it."""
    return [
        shape.get("fill", group.get("fill", "")).lower()
        for group in root.iter(f"{SVG}g")
        for shape in group
        if shape.tag in (f"{SVG}rect", f"{SVG}path", f"{SVG}polygon")
    ]


@pytest.mark.parametrize("count", [6, 40])
def test_an_svg_has_a_shape_for_each_cell_and_its_tokens_as_text(qapp, tmp_path: Path, count: int) -> None:
    picture = heatmap(count, count)
    write_figure(picture, tmp_path / "figure.svg")
    root = ET.parse(tmp_path / "figure.svg").getroot()
    texts = [element.text for element in root.iter(f"{SVG}text")]
    if count == 6:
        assert all(texts.count(f"word{number}") == 2 for number in range(count))
    assert "layer 0" in texts
    assert "head 0" in texts
    fills = svg_rectangles(root)
    wanted: dict[str, int] = {}
    for weight in picture.weights.ravel():
        name = color_of(weight, LIGHT).name()
        wanted[name] = wanted.get(name, 0) + 1
    assert {name: fills.count(name) for name in wanted} == wanted
    assert [float(side) for side in root.get("viewBox").split()] == pytest.approx(
        [0, 0, *picture.size().toTuple()], abs=allowed.of_decimals(2)
    )
    assert root.get("width").endswith("mm")


NO_XML = (
    "\x00",
    "\x01",
    "\x0b",
    "\x1b[31m",
    "\x7f",
    "\x9b",
    "\ufffe",
    "\uffff",
    "\ud800",
    "\udfff",
    "]]>",
    "<s>&amp;",
    "\u202e",
    "🙂",
)


@pytest.mark.parametrize("make", [HeatmapPicture, LinksPicture, ArcsPicture])
def test_an_svg_is_well_formed_whatever_the_tokens_are(qapp, tmp_path: Path, make: type) -> None:
    tokens, weights = axis(*NO_XML), random_weights(len(NO_XML), len(NO_XML))
    if make is HeatmapPicture:
        write_figure(HeatmapPicture(weights, tokens, tokens), tmp_path / "a.svg", FigureOptions(title="".join(NO_XML)))
    else:
        write_figure(make({(0, 0): weights}, tokens, tokens), tmp_path / "a.svg")
    root = ET.parse(tmp_path / "a.svg").getroot()
    text = "".join(root.itertext())
    assert "🙂" in text
    assert "<s>&amp;" in text


def test_links_stay_lines_in_an_svg(qapp, tmp_path: Path) -> None:
    write_figure(links(), tmp_path / "links.svg", FigureOptions(ground="dark"))
    root = ET.parse(tmp_path / "links.svg").getroot()
    assert not list(root.iter(f"{SVG}image"))
    assert len(list(root.iter(f"{SVG}polyline"))) + len(list(root.iter(f"{SVG}path"))) > 6
    assert [element.text for element in root.iter(f"{SVG}text")].count("word5") == 2


# ---------------------------------------------------------------- PDF
def pdf_text(path: Path) -> str:
    return "".join(page.extract_text() for page in PdfReader(path).pages)


@pytest.mark.parametrize("make", [heatmap, links])
def test_a_pdf_is_one_page_of_the_figures_size_with_text_as_text(qapp, tmp_path: Path, make) -> None:
    picture = make()
    write_figure(picture, tmp_path / "figure.pdf")
    (page,) = PdfReader(tmp_path / "figure.pdf").pages
    width, height = (side / 25.4 * 72 for side in size_mm(picture).toTuple())
    assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx((width, height), abs=1)
    text = pdf_text(tmp_path / "figure.pdf")
    assert all(text.count(f"word{number}") == 2 for number in range(6))


def test_images_in_a_pdf_are_lossless(qapp, tmp_path: Path) -> None:
    weights, _ = isolated_cells(128, count=40)
    weights[1::2] += np.float32(0.25) * (weights[1::2] == 0)
    picture = HeatmapPicture(weights, words(128), words(128))
    write_figure(picture, tmp_path / "figure.pdf")
    content = (tmp_path / "figure.pdf").read_bytes()
    assert b"/DCTDecode" not in content, "JPEG changes colours"
    (cells,) = (image for image in pdf_images(tmp_path / "figure.pdf") if image.shape[1] > 1)
    wanted = {color_of(weight, LIGHT).getRgb()[:3] for weight in (0, 0.25, 1)}
    assert {tuple(color) for color in np.unique(cells.reshape(-1, 3), axis=0).tolist()} == wanted


def pdf_images(path: Path) -> list[np.ndarray]:
    """(height, width, 3) of 0 to 255 for each image."""
    objects = PdfReader(path).pages[0]["/Resources"]["/XObject"].values()
    images = [reference.get_object() for reference in objects]
    return [np.frombuffer(image.get_data(), np.uint8).reshape(image["/Height"], image["/Width"], 3) for image in images]


@pytest.mark.parametrize("token", ["[MASK]", "##ing", "<s>", "1984", "0x1F", "a->b"])
def test_tokens_can_be_searched_for_in_a_pdf(qapp, tmp_path: Path, token: str) -> None:
    pictures = (HeatmapPicture(np.ones((1, 1), np.float32), axis(token), axis(token)),)
    pictures += (LinksPicture({(0, 0): np.ones((1, 1), np.float32)}, axis(token), axis(token)),)
    for picture in pictures:
        write_figure(picture, tmp_path / "figure.pdf")
        assert pdf_text(tmp_path / "figure.pdf").count(token) == 2


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_chinese_tokens_are_written(qapp, tmp_path: Path, form: str) -> None:
    picture = HeatmapPicture(random_weights(4, 4), CHINESE, CHINESE)
    path = tmp_path / f"人工智能.{form}"
    write_figure(picture, path)
    if form == "svg":
        assert path.read_text(encoding="utf-8").count(">智<") == 2
    elif form == "pdf":
        text = unicodedata.normalize("NFKC", pdf_text(path))  # some fonts have one glyph for 人 and for the radical ⼈
        assert all(letter in text for letter in "人工智能")
    else:
        blank = HeatmapPicture(picture.weights, axis(*"    "), axis(*"    "))
        write_figure(blank, tmp_path / "blank.png")
        assert QImage(str(path)) != QImage(str(tmp_path / "blank.png"))


@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
def test_two_thousand_tokens_make_a_file_of_bounded_size(qapp, tmp_path: Path, form: str) -> None:
    weights, cells = isolated_cells(2048)
    picture = HeatmapPicture(weights, words(2048), words(2048))
    path = tmp_path / f"long.{form}"
    write_figure(picture, path, FigureOptions(dpi=96, type_pt=8.25))
    assert path.stat().st_size < 20 * 2**20
    if form == "png":
        image = QImage(str(path))
        size = picture.size(FigureOptions(type_pt=8.25))  # a dot for each unit
        layout = picture.figure_layout(QRectF(QPointF(), size))
        for query, key in cells:
            middle = layout.cell_rect(query, key).center() * (image.width() / size.width())
            assert image.pixelColor(int(middle.x()), int(middle.y())) == color_of(1, LIGHT)


# ---------------------------------------------------------------- when it cannot be written
@pytest.mark.parametrize("form", ["png", "svg", "pdf"])
@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, "no_disk_space"), (errno.EACCES, "cannot_write")])
def test_a_full_disk_leaves_the_older_file_and_nothing_else(
    qapp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, number: int, code: str
) -> None:
    path = tmp_path / f"figure.{form}"
    path.write_bytes(b"older")

    def full(*_: object) -> None:
        raise OSError(number, "said the disk")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(HeadscopeError) as told:
        write_figure(heatmap(), path)
    assert told.value.code == code
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_does_not_exist_and_an_unknown_form_are_said(qapp, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, code in (
        (tmp_path / "no" / "such" / "figure.png", "cannot_write"),
        (tmp_path / "file" / "figure.png", "cannot_write"),
        (tmp_path / "figure.gif", "unknown_file_type"),
        (tmp_path / "figure", "unknown_file_type"),
    ):
        with pytest.raises(HeadscopeError) as told:
            write_figure(heatmap(), path)
        assert told.value.code == code


# ---------------------------------------------------------------- the dialog
@pytest.fixture
def explorer(qtbot, qapp) -> Iterator[Explorer]:
    """With a toy and a picture."""
    explorer = Explorer(Session())
    explorer.load("toy:grammar")
    qtbot.waitUntil(lambda: explorer.state.run is not None and explorer.state.busy is None, timeout=PATIENCE)
    yield explorer
    assert explorer.close()


FORMS = {
    **dict.fromkeys(("heatmap", "links", "arcs"), ("png", "svg", "pdf")),
    "head_weights": ("csv", "npz"),
    "all_weights": ("npz",),
}


@pytest.fixture
def dialog(qtbot, explorer: Explorer, settings: QSettings) -> ExportDialog:
    state = explorer.state
    heatmap, links = HeatmapPanel(state, explorer), LinksPanel(state, explorer)
    for panel in (heatmap, links):
        qtbot.addWidget(panel)
    state.update(weights=dict(state.weights))  # as a window's panels, they have seen the picture come
    state.update(pinned=Cell(5, 2))
    panels = {"heatmap": heatmap, "links": links}
    figures = {spec: panels[view.id] for view in VIEWS for spec in view.figures if view.id in panels}
    dialog = ExportDialog(state, explorer, figures, settings)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def choose(dialog: ExportDialog, what: str, form: str) -> None:
    dialog.what.setCurrentIndex(dialog.what.findData(what))
    dialog.form.setCurrentIndex(dialog.form.findData(form))


def test_each_thing_has_its_forms_and_fields(dialog: ExportDialog) -> None:
    for what, forms in FORMS.items():
        choose(dialog, what, forms[0])
        assert [dialog.form.itemData(index) for index in range(dialog.form.count())] == list(forms)
        for form in forms:
            choose(dialog, what, form)
            assert dialog.fields.dpi.isVisible() is (form == "png")
            assert dialog.fields.ground.isVisible() is dialog.fields.pins.isVisible() is (what in ("heatmap", "links", "arcs"))
            assert dialog.note.text()
            assert dialog.write.isEnabled()


def test_the_suggested_name_says_what_is_in_the_file(dialog: ExportDialog) -> None:
    layer, head = dialog._state.head
    for what, form in (("heatmap", "png"), ("links", "pdf"), ("arcs", "svg"), ("head_weights", "csv")):
        choose(dialog, what, form)
        name = dialog.suggested_name()
        assert name.startswith(f"toy-grammar-encoder-layer{layer}-head{head}-")
        assert name.endswith(f".{form}")
    choose(dialog, "all_weights", "npz")
    assert dialog.suggested_name() == "toy-grammar-encoder.npz"


def test_the_choices_make_the_request(dialog: ExportDialog, tmp_path: Path) -> None:
    state = dialog._state
    choose(dialog, "heatmap", "png")
    dialog.fields.dpi.setValue(120)
    dialog.fields.ground.setCurrentIndex(1)
    request = dialog.request(tmp_path / "a.png")
    assert isinstance(request, PictureExport)
    assert (request.options.dpi, request.options.ground) == (120, "dark")
    assert request.options.picked == Picked(state.pinned.query, state.pinned.key)
    assert request.figure.figure.weights is state.shown
    origin = request.figure.origin
    assert (origin.model, origin.text, origin.heads, origin.units) == ("toy:grammar", state.run.text, (state.head,), "tokens")
    assert dialog.fields.pins.text() == "5:2"
    dialog.fields.pins.clear()
    assert dialog.request(tmp_path / "a.png").options.picked == Picked()
    dialog.fields.pins.setText("1:, 3:, :2")
    assert dialog.request(tmp_path / "a.png").options.picked == Picked(queries=(1, 3), keys=(2,))
    choose(dialog, "links", "svg")
    assert isinstance(dialog.request(tmp_path / "a.svg").figure.figure, LinksPicture)
    choose(dialog, "arcs", "svg")
    assert isinstance(dialog.request(tmp_path / "a.svg").figure.figure, ArcsPicture)
    choose(dialog, "head_weights", "csv")
    request = dialog.request(tmp_path / "a.csv")
    assert isinstance(request, HeadExport)
    assert (request.head, request.kind, request.model) == (state.head, "encoder", "toy:grammar")
    assert request.record is state.record
    choose(dialog, "all_weights", "npz")
    request = dialog.request(tmp_path / "a.npz")
    assert isinstance(request, RecordExport)
    assert request.record is state.record


def test_the_preview_shows_the_figure_in_its_look(dialog: ExportDialog) -> None:
    looks = []
    for what in ("heatmap", "links", "arcs"):
        for look in (0, 1):
            choose(dialog, what, "png")
            dialog.fields.ground.setCurrentIndex(look)
            image = shown(dialog.preview)
            assert n_colors(image) > 20
            ground = QColor((LIGHT, DARK)[look].panel).rgb()
            assert (values(image) == ground).mean() > 0.1
            looks.append(values(image).tobytes())
    assert len(set(looks)) == 6
    choose(dialog, "head_weights", "csv")
    assert n_colors(shown(dialog.preview)) == 1, "numbers have no picture"


def test_nothing_can_be_written_while_there_is_no_picture(qtbot, qapp, settings: QSettings) -> None:
    state = Session()
    explorer = Explorer(state)
    panels = {"heatmap": HeatmapPanel(state, explorer), "links": LinksPanel(state, explorer)}
    for panel in panels.values():
        qtbot.addWidget(panel)
    figures = {spec: panels[view.id] for view in VIEWS for spec in view.figures if view.id in panels}
    dialog = ExportDialog(state, explorer, figures, settings)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(dialog)
    for what, forms in FORMS.items():
        choose(dialog, what, forms[0])
        assert not dialog.write.isEnabled()
        assert dialog.request(Path("a")) is None
    assert dialog.fields.pins.text() == ""
    assert explorer.close()


def answer_file_dialog(qtbot, dialog: ExportDialog, path: Path) -> None:
    """Click Export, write a name into Qt's own file dialog, accept it."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    qtbot.mouseClick(dialog.write, LEFT)
    qtbot.waitUntil(lambda: dialog.findChild(QFileDialog) is not None)
    files = dialog.findChild(QFileDialog)
    assert Path(files.selectedFiles()[0]).name == dialog.suggested_name()
    files.selectFile(str(path))
    files.accept()


@pytest.mark.parametrize(("what", "form"), [(what, form) for what, forms in FORMS.items() for form in forms])
def test_from_the_dialog_to_the_file(
    qtbot, explorer: Explorer, dialog: ExportDialog, tmp_path: Path, what: str, form: str
) -> None:
    state = explorer.state
    choose(dialog, what, form)
    path = tmp_path / f"my figure.{form}"
    answer_file_dialog(qtbot, dialog, path.with_suffix(""))
    assert not dialog.isVisible()
    qtbot.waitUntil(lambda: state.busy is None and state.notice is not None, timeout=PATIENCE)
    assert (state.notice.level, state.notice.message) == ("info", f"Saved {path}")
    assert [file for file in tmp_path.iterdir() if file.name != "settings.ini"] == [path]
    assert path.stat().st_size > 300


def test_the_numbers_in_the_files_are_the_weights(qtbot, explorer: Explorer, dialog: ExportDialog, tmp_path: Path) -> None:
    state = explorer.state
    for what, form in (("head_weights", "csv"), ("head_weights", "npz"), ("all_weights", "npz")):
        choose(dialog, what, form)
        explorer.export(dialog.request(tmp_path / f"{what}.{form}"))
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    header, *rows = csv.reader(io.StringIO((tmp_path / "head_weights.csv").read_text(encoding="utf-8")))
    assert tuple(header[1:]) == state.keys.labels
    assert tuple(row[0] for row in rows) == state.queries.labels
    np.testing.assert_array_equal(np.array([row[1:] for row in rows], np.float32), state.shown)
    with np.load(tmp_path / "head_weights.npz") as one, np.load(tmp_path / "all_weights.npz") as all_:
        np.testing.assert_array_equal(one["attention"], state.shown)
        np.testing.assert_allclose(all_["encoder_attention"][state.head], state.shown, atol=allowed.of_blocks(state.shown))
        assert (int(one["layer"]), int(one["head"])) == state.head


def test_a_folder_that_cannot_be_written_to_gives_one_sentence(
    qtbot, explorer: Explorer, dialog: ExportDialog, tmp_path: Path
) -> None:
    state = explorer.state
    record = state.record
    choose(dialog, "heatmap", "png")
    explorer.export(dialog.request(tmp_path / "gone" / "figure.png"))
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert state.notice.level == "error"
    assert "cannot be written" in state.notice.message
    assert state.record is record
    assert not [file for file in tmp_path.iterdir() if file.name != "settings.ini"]


def test_stop_ends_a_long_table_and_leaves_the_older_file(qtbot, explorer: Explorer, tmp_path: Path) -> None:
    state = explorer.state
    path = tmp_path / "long.csv"
    path.write_text("older")
    n = 3000
    record = record_of(np.full((n, n), 1 / n, np.float32), words(n).labels)
    explorer.export(HeadExport(path, record, "encoder", (0, 0), "test"))
    qtbot.waitUntil(lambda: state.busy is not None and state.busy.fraction is not None, timeout=PATIENCE)
    started = time.monotonic()
    explorer.stop()
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert time.monotonic() - started < 10
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "older"
    assert state.notice is None


def test_an_ending_that_is_typed_is_taken_at_its_word(qtbot, explorer: Explorer, dialog: ExportDialog, tmp_path: Path) -> None:
    choose(dialog, "heatmap", "png")
    answer_file_dialog(qtbot, dialog, tmp_path / "x.pdf")
    qtbot.waitUntil(lambda: (tmp_path / "x.pdf").exists(), timeout=PATIENCE)
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")
    assert not (tmp_path / "x.pdf.png").exists()


def test_an_ending_that_this_cannot_be_written_as_is_part_of_the_name(
    qtbot, explorer: Explorer, dialog: ExportDialog, tmp_path: Path
) -> None:
    choose(dialog, "heatmap", "svg")
    answer_file_dialog(qtbot, dialog, tmp_path / "layer1.2")
    qtbot.waitUntil(lambda: (tmp_path / "layer1.2.svg").exists(), timeout=PATIENCE)


def test_the_next_dialog_remembers_thing_form_folder_and_fields(
    qtbot, explorer: Explorer, dialog: ExportDialog, settings: QSettings, tmp_path: Path
) -> None:
    choose(dialog, "links", "svg")
    fields = dialog.fields
    fields.width_choice.setCurrentIndex(fields.width_choice.findData("column"))
    fields.type_pt.setValue(6.5)
    fields.parts["legend"].setChecked(False)
    fields.title.setText("Only of this figure")
    answer_file_dialog(qtbot, dialog, tmp_path / "x.pdf")
    qtbot.waitUntil(lambda: (tmp_path / "x.pdf").exists(), timeout=PATIENCE)
    figures = dict(dialog._figures.values())
    after = ExportDialog(explorer.state, explorer, figures, settings)
    after.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, False)
    qtbot.addWidget(after)
    assert (after.what.currentData(), after.form.currentData(), after._folder()) == ("links", "pdf", str(tmp_path))
    options = after.request(Path("a.pdf")).options
    assert (options.width_mm, options.type_pt, options.legend, options.title) == (84.0, 6.5, False, "")


@pytest.mark.parametrize(
    "nonsense", ["", "{", "[]", "7", '{"type_pt": "x", "width": 3, "dpi": true, "legend": 1, "scale": "cubic"}', None]
)
def test_nonsense_that_was_remembered_changes_nothing(dialog: ExportDialog, nonsense) -> None:
    before = dialog.fields.kept()
    dialog.fields.restore(nonsense)
    assert dialog.fields.kept() == before


def test_each_field_says_what_the_file_is(dialog: ExportDialog) -> None:
    choose(dialog, "heatmap", "svg")
    fields = dialog.fields
    fields.width_choice.setCurrentIndex(fields.width_choice.findData("other"))
    fields.width_mm.setValue(120)
    fields.height_mm.setValue(90)
    fields.title.setText("A title")
    fields.color_map.setCurrentIndex(fields.color_map.findData("viridis"))
    fields.scale.setCurrentIndex(fields.scale.findData("log"))
    fields.ground.setCurrentIndex(fields.ground.findData("transparent"))
    fields.outlines.setChecked(True)
    for part in fields.parts.values():
        part.setChecked(False)
    asked = dialog.request(Path("a.svg")).options
    assert (asked.width_mm, asked.height_mm, asked.title, asked.color_map, asked.scale) == (
        120,
        90,
        "A title",
        "viridis",
        "log",
    )
    assert (asked.ground, asked.outlines) == ("transparent", True)
    assert not any((asked.axis_titles, asked.color_bar, asked.edge_bars, asked.legend))
    choose(dialog, "links", "svg")
    asked = dialog.request(Path("a.svg")).options
    assert (asked.color_map, asked.scale) == (None, None), "links have neither"
    assert not fields.scale.isVisible()


def test_a_map_that_is_zoomed_can_be_written_as_it_is_seen(qtbot, dialog: ExportDialog) -> None:
    choose(dialog, "heatmap", "png")
    _, panel = dialog._figures["heatmap"]
    panel.resize(600, 600)
    panel.show()
    qtbot.waitExposed(panel)
    assert dialog.fields.region.text() == ""
    panel.view._show(QRectF(1, 2, 5, 5))
    choose(dialog, "links", "png")
    assert dialog.fields.region.text() == "", "links are not zoomed"
    choose(dialog, "heatmap", "png")
    assert dialog.fields.region.text() == "2-6,1-5"
    assert dialog.request(Path("a.png")).options.region == (range(2, 7), range(1, 6))
    dialog.fields.region.clear()
    assert dialog.request(Path("a.png")).options.region is None


@pytest.mark.parametrize(
    ("field", "words", "says"),
    [
        ("pins", "5", "pins must be positions"),
        ("pins", "a:b", "pins must be positions"),
        ("region", "1-2", "region must be FIRST-LAST"),
        ("region", "50-60,0-2", "contains none of"),
    ],
)
def test_what_a_field_cannot_read_is_said_and_not_written(dialog: ExportDialog, field: str, words: str, says: str) -> None:
    choose(dialog, "heatmap", "png")
    getattr(dialog.fields, field).setText(words)
    assert says in dialog.note.text()
    assert not dialog.write.isEnabled()
    assert not dialog.copy.isEnabled()
    getattr(dialog.fields, field).clear()
    assert dialog.write.isEnabled()
    assert dialog.copy.isEnabled()


def test_units_that_are_chosen_are_those_of_the_figure(qtbot, dialog: ExportDialog, tmp_path: Path) -> None:
    state, fields = dialog._state, dialog.fields
    choose(dialog, "heatmap", "svg")
    for box, value in ((fields.units, "words"), (fields.special, "hidden")):
        box.setCurrentIndex(box.findData(value))
        box.activated.emit(box.currentIndex())
        qtbot.waitUntil(lambda value=value: value in (state.units.of, state.units.special), timeout=PATIENCE)
    qtbot.waitUntil(lambda: dialog.write.isEnabled() and state.record is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: dialog.request(tmp_path / "a.svg").figure.origin.special == "hidden", timeout=PATIENCE)
    request = dialog.request(tmp_path / "a.svg")
    write_figure(request.figure, request.path, request.options)
    said = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert "in words" in said
    assert "[CLS]" not in said.split("</desc>")[1]


def test_a_lens_that_is_chosen_is_that_of_the_figure_and_one_that_cannot_be_goes_back(qtbot, dialog: ExportDialog) -> None:
    state, box = dialog._state, dialog.fields.lens
    choose(dialog, "links", "svg")

    def pick(id_: str) -> None:
        box.setCurrentIndex(box.findData(id_))
        box.activated.emit(box.currentIndex())

    pick("scores")
    qtbot.waitUntil(lambda: state.lens == SCORES, timeout=PATIENCE)
    figure = dialog.request(Path("a.svg")).figure
    assert (figure.figure.lens, figure.origin.lens) == (SCORES, "attention scores")
    pick("weights")
    qtbot.waitUntil(lambda: state.lens == WEIGHTS, timeout=PATIENCE)
    dialog._explorer.set_units(Units("sentences"))
    qtbot.waitUntil(lambda: state.units.of == "sentences", timeout=PATIENCE)
    pick("scores")
    qtbot.waitUntil(lambda: state.notice is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: box.currentData() == "weights", timeout=PATIENCE)


def test_the_dialog_has_a_field_for_each_option_of_the_command_line_and_the_other_way_round() -> None:
    """What is drawn, the window shows: it has a place for each of the other options."""
    parser, commands = create_parser()
    export_command.add(commands)
    export = commands.choices["export"]
    groups = {group.title: {action.dest for action in group._group_actions} for group in export._action_groups}
    assert groups[export_command.DRAWING] == set(FIELDS)
    assert {field.name for field in dataclasses.fields(FigureOptions)} | {"units", "special", "lens"} == set(FIELDS)
    shown = FigureFields()
    for name in FIELDS.values():
        part = shown.parts[name.removeprefix("parts.")] if name.startswith("parts.") else getattr(shown, name)
        assert isinstance(part, QWidget)
    dests = set().union(*groups.values()) - set(FIELDS)
    generated = set(export.get_default("how_steps"))
    assert dests - generated == {"help", "out", *WHERE_IN_THE_WINDOW}
    assert parser.prog


WHERE_IN_THE_WINDOW = {
    "model": "the toolbar",
    "revision": "the toolbar",
    "device": "the toolbar",
    "dtype": "the toolbar",
    "text": "the text",
    "pair": "the text",
    "target": "the text",
    "view": "what is written",
    "head": "the heads",
    "layer": "the heads",
    "kind": "the menu of kinds",
    "cell": "the pinned cell",
    "token": "the pinned token",
    "show": "the view's own controls",
    "candidates": "the predictions",
    "keep": "what is offered where memory is short",
}


def test_a_picture_can_be_copied(qtbot, dialog: ExportDialog, tmp_path: Path) -> None:
    choose(dialog, "heatmap", "png")
    dialog.fields.dpi.setValue(96)
    qtbot.mouseClick(dialog.copy, LEFT)
    data = QApplication.clipboard().mimeData()
    request = dialog.request(tmp_path / "a.png")
    write_figure(request.figure, request.path, request.options)
    assert values(QApplication.clipboard().image()).tolist() == values(QImage(str(tmp_path / "a.png"))).tolist()
    assert bytes(data.data("image/svg+xml").data()).startswith(b"<?xml")
    choose(dialog, "head_weights", "csv")
    assert not dialog.copy.isVisible()


def test_documents_are_where_the_file_dialog_begins(qtbot, dialog: ExportDialog) -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    qtbot.mouseClick(dialog.write, LEFT)
    files = dialog.findChild(QFileDialog)
    documents = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
    assert Path(files.directory().absolutePath()) in (documents, Path.cwd(), *documents.parents)
    files.reject()
    assert dialog.isVisible(), "who changes their mind about the place may still change what is written"

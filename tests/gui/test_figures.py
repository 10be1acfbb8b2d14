"""Figures as a paper wants them: read back from the SVG and PDF files themselves."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from pypdf import PdfReader
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage, QTransform

from headscope.core import load_model
from headscope.core.errors import HeadscopeError
from headscope.gui import save_figure
from headscope.gui.app import export_command, figures
from headscope.gui.app.command_line import main
from headscope.gui.paint.color_maps import COLOR_MAPS, color_table
from headscope.gui.paint.figure import PLAIN, WIDTHS_MM, FigureOptions
from headscope.gui.paint.formats import size_mm, write_figure
from headscope.gui.paint.labels import placed_labels, spread
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.scales import LINEAR, bar_of
from headscope.gui.paint.theme import theme_of
from headscope.gui.view_spec import Subject
from headscope.gui.views.heatmap.paint.figure import APART
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.links import LinksPicture
from tests.gui.screen import axis, color_of, drawn_in, random_weights, words

SVG = "{http://www.w3.org/2000/svg}"
LIGHT = theme_of(dark=False)
WORDS = [
    "[CLS]",
    "When",
    "the",
    "committee",
    "finally",
    "announced",
    "its",
    "long",
    "-",
    "awaited",
    "decision",
    ",",
    "the",
    "representatives",
    "of",
    "the",
    "smaller",
    "companies",
    ",",
    "who",
    "had",
    "travelled",
    "across",
    "the",
    "entire",
    "country",
    ",",
    "were",
    "unmistakably",
    "disappointed",
    "by",
    "what",
    "they",
    "heard",
    "智能",
    "##ing",
]
SENTENCE = axis(*WORDS)
PT_OF_MM = 72 / 25.4
POINTS_ON_LINE = re.compile(r"matrix\(([^)]*)\)")


def heatmap(count: int = 36) -> HeatmapPicture:
    tokens = axis(*WORDS[:count])
    return HeatmapPicture(random_weights(count, count), tokens, tokens, head=(3, 7))


class Text:
    """A text of an SVG file: its words, size in points, and where its anchor lies, in units of the file."""

    def __init__(self, element: ET.Element, group: ET.Element, unit_pt: float) -> None:
        self.words = element.text or ""
        self.anchor = element.get("text-anchor", "start")
        numbers = [float(number) for number in POINTS_ON_LINE.match(group.get("transform"))[1].split(",")]
        rotated = QTransform(*numbers[:2], *numbers[2:])
        self.at = rotated.map(QPointF(float(element.get("x")), float(element.get("y"))))
        self.upright = abs(numbers[1]) < 0.5
        self.size_pt = float(element.get("font-size")) * unit_pt
        self.fill = element.get("fill")


def texts_of(path: Path) -> list[Text]:
    root = ET.parse(path).getroot()
    unit_pt = float(root.get("width").removesuffix("mm")) * PT_OF_MM / float(root.get("viewBox").split()[2])
    return [Text(element, group, unit_pt) for group in root.iter(f"{SVG}g") for element in group if element.tag == f"{SVG}text"]


def drawn(figure, path: Path, **options) -> list[Text]:
    write_figure(figure, path, FigureOptions(**options))
    return texts_of(path)


# ---------------------------------------------------------------- a heatmap in a column, and on a page
@pytest.mark.parametrize("type_pt", [6.0, 7.0])
def test_36_tokens_are_legible_in_one_column(qapp, tmp_path: Path, type_pt: float) -> None:
    texts = drawn(heatmap(), tmp_path / "a.svg", width_mm=84, type_pt=type_pt)
    assert size_mm(heatmap(), FigureOptions(width_mm=84, type_pt=type_pt)).width() == pytest.approx(84)
    assert min(text.size_pt for text in texts) == pytest.approx(type_pt, rel=1e-3)
    rows = [text for text in texts if text.anchor == "end"]
    columns = [text for text in texts if not text.upright and text.anchor == "start"]
    for side, along in ((rows, QPointF.y), (columns, QPointF.x)):
        places = sorted(along(text.at) for text in side)
        assert len(places) >= 36 / 2
        unit = side[0].size_pt / type_pt * 11  # of the file: letters are 11 high
        assert min(after - before for before, after in pairwise(places)) >= unit * 0.999, "labels overlap"


def test_36_tokens_all_have_labels_on_a_page(qapp, tmp_path: Path) -> None:
    texts = drawn(heatmap(), tmp_path / "a.svg", width_mm=174)
    said = [text.words for text in texts]
    for word in set(WORDS):
        assert said.count(word) == 2 * WORDS.count(word), word


@pytest.mark.parametrize("picked", [(), (17,), (3, 4, 5), tuple(range(10, 20)), (0, 35), (33, 34, 35)])
def test_what_is_picked_has_its_label_and_nothing_overlaps(qapp, picked: tuple[int, ...]) -> None:
    options = FigureOptions(width_mm=84, picked=Picked(queries=picked, keys=picked))
    paper = heatmap().paper(options)
    layout = paper.layout(QRectF(QPointF(), paper.size(options)), options)
    for queries in (True, False):
        placed = paper.labels(layout, queries=queries)
        assert set(picked) <= set(placed)
        places = list(placed.values())
        assert places == sorted(places), "labels stand in the order of their cells"
        apart = APART if queries else APART / np.sin(np.radians(layout.key_angle))
        assert all(after - before >= apart * (1 - 1e-9) for before, after in pairwise(places))


def test_labels_that_crowd_lie_around_the_middle_of_what_they_want() -> None:
    assert spread([0.0, 10.0, 20.0], 5.0) == [0.0, 10.0, 20.0]
    assert spread([10.0, 10.0], 4.0) == [8.0, 12.0]
    assert spread([0.0, 10.0, 11.0, 12.0, 40.0], 4.0) == [0.0, 7.0, 11.0, 15.0, 40.0]
    middles = {at: 4.0 * at for at in range(30)}
    placed = placed_labels(middles, [7, 8], 10.0)
    assert {7, 8} <= set(placed)
    assert all(after - before >= 10 for before, after in pairwise(placed.values()))


@pytest.mark.parametrize("scale", ["linear", "log", "row", "rank"])
@pytest.mark.parametrize("color_map", COLOR_MAPS)
def test_cells_have_the_colours_of_their_numbers(qapp, tmp_path: Path, scale: str, color_map: str) -> None:
    picture = heatmap(9)
    write_figure(picture, tmp_path / "a.png", FigureOptions(width_mm=84, dpi=150, scale=scale, color_map=color_map))
    image = QImage(str(tmp_path / "a.png"))
    size = picture.size(FigureOptions(width_mm=84))
    layout = picture.figure_layout(QRectF(QPointF(), size), FigureOptions(width_mm=84, scale=scale))
    weights, table = picture.weights, color_table(color_map, LIGHT)
    places = {
        "linear": weights,
        "log": np.log10(np.maximum(weights, 1e-12)) / 4 + 1,
        "row": weights / weights.max(axis=1, keepdims=True),
        "rank": np.searchsorted(np.sort(weights.ravel()), weights.ravel(), side="left").reshape(weights.shape)
        / (weights.size - 1),
    }[scale]
    dots = image.width() / size.width()
    for query, key in np.ndindex(9, 9):
        middle = layout.cell_rect(query, key).center() * dots
        seen = image.pixelColor(int(middle.x()), int(middle.y())).getRgb()[:3]
        index = float(np.clip(places[query, key], 0, 1)) * 255
        near = [tuple(int(channel) for channel in table[at]) for at in {int(index), min(255, int(index) + 1)}]
        assert seen in near, (query, key)
    assert bar_of(LINEAR, 1.0).ticks[0] == 0


def test_parts_can_be_left_out_and_the_map_takes_their_place(qapp, tmp_path: Path) -> None:
    whole = {text.words for text in drawn(heatmap(9), tmp_path / "a.svg", width_mm=84, title="A title")}
    assert {"query", "key", "layer 3", "head 7", "0.25", "A title", "attention weight"} <= whole
    assert any(words_.startswith("column mean ≤ ") for words_ in whole)
    assert not any("1.00" in words_ and "sum" in words_ for words_ in whole), "row sums that say nothing are not there"
    rest = {"axis_titles": {"query", "key", "layer 3", "head 7"}, "color_bar": {"0.25", "0.75", "attention weight"}}
    for name, gone in rest.items():
        there = {text.words for text in drawn(heatmap(9), tmp_path / "a.svg", width_mm=84, **{name: False})}
        assert not gone & there
    there = {text.words for text in drawn(heatmap(9), tmp_path / "a.svg", width_mm=84, edge_bars=False)}
    assert not any("mean" in words_ for words_ in there)
    areas = [
        heatmap(36).figure_layout(QRectF(0, 0, 374, 600), FigureOptions(width_mm=84, color_bar=bar)).plot.width()
        for bar in (True, False)
    ]
    assert areas[1] > areas[0]


def test_sums_that_say_something_are_shown(qapp, tmp_path: Path) -> None:
    tokens = axis(*WORDS[:6])
    half = HeatmapPicture(random_weights(6, 6) * np.float32(0.5), tokens, tokens)
    assert any(text.words.endswith("row sum ≤ 0.50") for text in drawn(half, tmp_path / "a.svg"))


def test_the_handles_of_the_screen_are_in_no_file(qapp, tmp_path: Path) -> None:
    for figure in (heatmap(9), links(9), arcs(9)):
        write_figure(figure, tmp_path / "a.svg")
        root = ET.parse(tmp_path / "a.svg").getroot()
        assert not list(root.iter(f"{SVG}polygon"))
        assert "▾" not in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(("rows", "columns"), [(range(2, 6), range(1, 4)), (range(5), range(9)), (range(8, 20), range(8, 9))])
def test_a_region_is_drawn_alone(qapp, tmp_path: Path, rows: range, columns: range) -> None:
    picture = heatmap(9)
    texts = drawn(picture, tmp_path / "a.svg", region=(rows, columns), edge_bars=False, color_bar=False, axis_titles=False)
    wanted = [*WORDS[:9][rows.start : rows.stop], *WORDS[:9][columns.start : columns.stop]]
    assert sorted(text.words for text in texts) == sorted(wanted)
    with pytest.raises(HeadscopeError) as told:
        write_figure(picture, tmp_path / "b.svg", FigureOptions(region=(range(20, 30), columns)))
    assert told.value.code == "empty_region"
    assert not (tmp_path / "b.svg").exists()


# ---------------------------------------------------------------- links and arcs
def links(count: int, heads: int = 1) -> LinksPicture:
    tokens = axis(*WORDS[:count])
    return LinksPicture({(3, 7 + head): random_weights(count, count, head) for head in range(heads)}, tokens, tokens)


def arcs(count: int, *, one_sided: bool = False) -> ArcsPicture:
    tokens, weights = axis(*WORDS[:count]), random_weights(count, count)
    return ArcsPicture({(3, 7): np.tril(weights) if one_sided else weights}, tokens, tokens, one_sided=one_sided)


@pytest.mark.parametrize("width", [84.0, 174.0, None])
def test_links_do_not_shorten_words_that_have_room(qapp, tmp_path: Path, width: float | None) -> None:
    texts = drawn(links(16), tmp_path / "a.svg", width_mm=width)
    said = [text.words for text in texts]
    for word in set(WORDS[:16]):
        assert said.count(word) == 2 * WORDS[:16].count(word), word
    assert all(text.anchor == "end" for text in texts if text.words == "committee" and text.at.x() < 150)
    assert min(text.size_pt for text in texts) == pytest.approx(7, rel=1e-3)


def shapes_box(path: Path) -> QRectF:
    """What all lines of an SVG cover, by the points they are made of."""
    box = QRectF()
    for shape in ET.parse(path).getroot().iter(f"{SVG}path"):
        if shape.get("fill", "none") == "none":
            numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", shape.get("d"))]
            for x, y in zip(numbers[::2], numbers[1::2], strict=True):
                box = box.united(QRectF(x, y, 0.01, 0.01))
    return box


def ink(image: QImage) -> QRectF:
    """What is not ground."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    rows, columns = (np.flatnonzero((pixels != pixels[0, 0]).any(axis=side)) for side in (1, 0))
    return QRectF(columns[0], rows[0], columns[-1] - columns[0] + 1, rows[-1] - rows[0] + 1)


@pytest.mark.parametrize("make", [links, arcs])
@pytest.mark.parametrize("count", [2, 5, 16])
def test_a_figure_is_cropped_to_what_is_in_it(qapp, tmp_path: Path, make, count: int) -> None:
    figure, options = make(count), FigureOptions(width_mm=84, dpi=150)
    write_figure(figure, tmp_path / "a.png", options)
    image = QImage(str(tmp_path / "a.png"))
    covered, unit = ink(image), image.width() / figure.size(options).width()
    assert covered.top() <= 8 * unit
    assert image.height() - covered.bottom() <= 8 * unit


@pytest.mark.parametrize("height", [30.0, 60.0, 120.0])
def test_arcs_fit_the_box_they_are_given(qapp, tmp_path: Path, height: float) -> None:
    options = FigureOptions(width_mm=120, height_mm=height, dpi=150)
    write_figure(arcs(16), tmp_path / "a.png", options)
    image = QImage(str(tmp_path / "a.png"))
    assert image.height() == round(height / 25.4 * 150)
    covered = ink(image)
    assert covered.height() >= 0.9 * image.height()


def test_arcs_of_a_decoder_have_no_room_below(qapp) -> None:
    both, above = (arcs(16, one_sided=one).size(FigureOptions(width_mm=84)).height() for one in (False, True))
    assert above < 0.75 * both


def test_of_links_a_region_is_drawn_alone_and_pins_move_with_it(qapp, tmp_path: Path) -> None:
    texts = drawn(links(12), tmp_path / "a.svg", region=(range(2, 6), range(4, 9)), picked=Picked(query=3, key=5))
    said = [text.words for text in texts]
    assert [word for word in WORDS[:12] if word in said] == [*WORDS[2:9]]
    strong = {
        text.words: text.fill
        for text in texts
        if text.words in (WORDS[3], WORDS[5]) and text.fill.upper() in (LIGHT.query, LIGHT.accent.lower(), LIGHT.accent)
    }
    assert set(strong) == {WORDS[3], WORDS[5]}


# ---------------------------------------------------------------- what a file says of itself
def test_an_svg_has_a_title_and_a_description_and_a_pdf_its_title(qapp, tmp_path: Path) -> None:
    for figure in (heatmap(6), links(6), arcs(6)):
        for title in ("", "Agreement in layer 3"):
            write_figure(figure, tmp_path / "a.svg", FigureOptions(title=title))
            root = ET.parse(tmp_path / "a.svg").getroot()
            said = [root.find(f"{SVG}{name}").text for name in ("title", "desc")]
            assert said == [title or figure.about, figure.about]
            assert "layer 3, head 7" in said[1]
            write_figure(figure, tmp_path / "a.pdf", FigureOptions(title=title))
            assert PdfReader(tmp_path / "a.pdf").metadata.title == said[0]
            write_figure(figure, tmp_path / "a.png", FigureOptions(title=title))
            assert QImage(str(tmp_path / "a.png")).text("Title") == said[0]


def test_text_keeps_its_place_without_our_font(qapp, tmp_path: Path) -> None:
    """Rows end where the map begins: their anchor is that end, so another typeface may be as wide as it likes."""
    texts = drawn(heatmap(9), tmp_path / "a.svg")
    ends = [text.at.x() for text in texts if text.anchor == "end"]
    assert len(ends) == 9
    assert max(ends) - min(ends) < 0.1
    title = next(text for text in drawn(heatmap(9), tmp_path / "a.svg", title="Title") if text.words == "Title")
    width = heatmap(9).size().width()
    assert title.anchor == "middle"
    assert title.at.x() == pytest.approx(width / 2, abs=1)


def test_words_in_two_scripts_are_one_text(qapp, tmp_path: Path) -> None:
    tokens = axis("model模型", "[MASK]", "a b")
    texts = drawn(HeatmapPicture(random_weights(3, 3), tokens, tokens), tmp_path / "a.svg")
    for word in tokens.labels:
        assert [text.words for text in texts].count(word) == 2


def test_outlines_are_shapes_that_say_what_they_were(qapp, tmp_path: Path) -> None:
    write_figure(heatmap(9), tmp_path / "a.svg", FigureOptions(outlines=True))
    root = ET.parse(tmp_path / "a.svg").getroot()
    assert not list(root.iter(f"{SVG}text"))
    shapes = {path.get("aria-label"): path.get("d") for path in root.iter(f"{SVG}path") if path.get("aria-label")}
    assert {"committee", "query", "layer 3"} <= set(shapes)
    assert all(len(shape) > 10 for label, shape in shapes.items() if label.strip())


def test_a_transparent_figure_has_no_ground(qapp, tmp_path: Path) -> None:
    for figure in (heatmap(9), links(9), arcs(9)):
        write_figure(figure, tmp_path / "a.png", FigureOptions(ground="transparent"))
        image = QImage(str(tmp_path / "a.png"))
        assert image.hasAlphaChannel()
        assert image.pixelColor(1, 1).alpha() == 0
        write_figure(figure, tmp_path / "a.svg", FigureOptions(ground="transparent"))
        fills = {shape.get("fill") for shape in ET.parse(tmp_path / "a.svg").getroot().iter(f"{SVG}g")}
        assert "#ffffff" not in {fill.lower() for fill in fills if fill}


# ---------------------------------------------------------------- one registry for all
def test_the_command_line_has_what_the_registry_has() -> None:
    specs = figures.figure_specs()
    assert set(figures.VIEWS) == set(specs)
    assert export_command.PRESETS == WIDTHS_MM
    assert export_command.COLOR_MAPS == COLOR_MAPS
    names = {field.name for field in fields(FigureOptions)}
    of_the_subject = {"head", "heads", "units", "kind", "cell", "token", "show", "lens"}
    assert all(spec.obeys <= names | of_the_subject | {"transparent"} for spec in specs.values())


GRAMMAR = ("--model", "toy:grammar", "--text", "the keys of the cabinet [MASK] rusty .")


def test_command_line_and_python_write_the_same_file(qapp, tmp_path: Path) -> None:
    asked = (
        "--head",
        "1.3",
        "--head",
        "1.1",
        "--view",
        "links",
        "--width-mm",
        "column",
        "--type-pt",
        "6",
        "--title",
        "T",
        "--pins",
        "6:2",
    )
    assert main(["export", *GRAMMAR, *asked, "--units", "words", "--special", "hidden", "--out", str(tmp_path / "a.svg")]) == 0
    model = load_model("toy:grammar", device="cpu")
    record = model.capture(GRAMMAR[-1])
    how = {
        "model": model,
        "units": "words",
        "special": "hidden",
        "width_mm": 84.0,
        "type_pt": 6.0,
        "title": "T",
        "picked": Picked(6, 2),
    }
    save_figure(record, tmp_path / "b.svg", "links", [(1, 3), (1, 1)], **how)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    read = record.in_units(figures.Units("words", "hidden"))
    figure = figures.figure_specs()["links"].of_subject(Subject(read, "encoder", ((1, 3), (1, 1))))
    write_figure(figure, tmp_path / "c.svg", FigureOptions(width_mm=84, type_pt=6, title="T", picked=Picked(6, 2)))
    assert drawn_in(tmp_path / "a.svg") == drawn_in(tmp_path / "c.svg")


@pytest.mark.parametrize(
    ("asked", "there", "gone"),
    [
        (("--no-axis-titles",), {"0.25"}, {"query", "key"}),
        (("--no-color-bar",), {"query"}, {"0.25"}),
        (("--no-edge-bars", "--title", "A title"), {"A title"}, set()),
        (("--scale", "log", "--color-map", "viridis"), {"0.01", "attention weight (log)"}, {"0.25"}),
        (("--region", "0-2,3-5", "--no-color-bar"), {"keys"}, {"rusty"}),
        (("--units", "words", "--special", "hidden"), {"rusty"}, {"[CLS]"}),
    ],
)
def test_each_option_does_what_it_says(qapp, tmp_path: Path, asked: tuple[str, ...], there: set, gone: set) -> None:
    out = tmp_path / "a.svg"
    assert main(["export", *GRAMMAR, "--layer", "1", "--head", "3", *asked, "--out", str(out)]) == 0
    said = {text.words for text in texts_of(out)}
    assert there <= said
    assert not gone & said


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (("--head", "3"), "L.H"),
        ((), "L.H"),
        (("--head", "1.3", "--head", "1.2"), "one head for heatmap"),
        (("--head", "1.3", "--view", "arcs", "--scale", "log"), "left out for arcs"),
        (("--view", "heads", "--transparent"), "light or dark for heads"),
        (("--view", "heads", "--pins", "1:2"), "left out for heads"),
        (("--view", "heads", "--head", "1.2"), "left out for heads"),
        (("--head", "1.3", "--width-mm", "3"), "20 to 2000"),
        (("--head", "1.3", "--type-pt", "1"), "4 to 72"),
        (("--head", "1.3", "--region", "50-60,0-2"), "contains none of"),
    ],
)
def test_what_no_figure_has_is_said_and_nothing_is_written(
    capsys, qapp, tmp_path: Path, asked: tuple[str, ...], says: str
) -> None:
    assert main(["export", *GRAMMAR, *asked, "--out", str(tmp_path / "a.svg")]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "asked", [("--pins", "5"), ("--pins", "a:b"), ("--region", "1-2"), ("--head", "x"), ("--width-mm", "wide")]
)
def test_what_cannot_be_read_is_explained(capsys, asked: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        main(["export", *GRAMMAR, "--head", "1.3", *asked, "--out", "a.svg"])
    assert "usage: headscope export" in capsys.readouterr().err


def test_options_that_no_figure_can_have_are_refused() -> None:
    for wrong in (
        {"width_mm": 1.0},
        {"type_pt": True},
        {"scale": "cubic"},
        {"color_map": "jet"},
        {"ground": "blue"},
        {"dpi": 0},
    ):
        with pytest.raises(HeadscopeError) as told:
            FigureOptions(**wrong)
        assert told.value.code == "bad_option"
    assert FigureOptions() == PLAIN


@pytest.mark.parametrize("model", ["toy:grammar", "toy:tales"])
def test_the_grid_of_all_heads_has_their_exact_colours(qapp, tmp_path: Path, model: str) -> None:
    text = "the keys of the cabinet [MASK] rusty ." if model == "toy:grammar" else "once upon a time"
    asked = ("--model", model, "--text", text, "--view", "heads", "--width-mm", "page", "--dpi", "150")
    assert main(["export", *asked, "--out", str(tmp_path / "a.png")]) == 0
    record = load_model(model, device="cpu").capture(text)
    kind = record.kinds[0]
    image = QImage(str(tmp_path / "a.png")).convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
    seen = set(np.unique(pixels).tolist())
    wanted = {
        color_of(weight, LIGHT).rgb()
        for layer in range(record.n_layers(kind))
        for weight in record.layer_weights(layer, kind).ravel()
    }
    assert wanted <= seen


def test_help_of_the_export_needs_no_qt() -> None:
    code = "import sys\nfrom headscope.gui.app import export_command\nprint([name for name in sys.modules if name.startswith('PySide6')])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_numbers_are_the_same_in_the_other_forms(qapp, tmp_path: Path) -> None:
    """The cells of the PDF and SVG have the colours of the PNG."""
    picture = heatmap(6)
    write_figure(picture, tmp_path / "a.svg")
    fills = [
        shape.get("fill", group.get("fill", "")).lower()
        for group in ET.parse(tmp_path / "a.svg").getroot().iter(f"{SVG}g")
        for shape in group
    ]
    for weight in picture.weights.ravel():
        assert QColor(color_of(weight, LIGHT)).name() in fills
    assert words(2).labels == ("word0", "word1")


def test_the_two_texts_of_a_pair_have_a_line_between_them(qapp, tmp_path: Path) -> None:
    """On both sides of links, across the line of text of arcs; where there is one text there is none."""
    model = load_model("toy:grammar", device="cpu")
    pair, one = model.capture("the cat purrs .", "it barks ."), model.capture("the cat purrs . it barks .")
    for view, n_lines in (("links", 2), ("arcs", 1)):
        for name, record in (("pair", pair), ("one", one)):
            save_figure(record, tmp_path / f"{name}.svg", view, (1, 3), type_pt=8)
        lines = [len(straight(tmp_path / f"{name}.svg", view)) for name in ("pair", "one")]
        assert lines == [n_lines, 0], view
        texts = {text.words: text.at for text in texts_of(tmp_path / "pair.svg")}
        (x1, y1, x2, y2), *_ = straight(tmp_path / "pair.svg", view)
        before, after = texts["purrs"], texts["it"]
        if view == "links":
            assert before.y() < y1 == y2 < after.y()
        else:
            assert before.x() < x1 == x2 < after.x()


def straight(path: Path, view: str) -> list[tuple[float, ...]]:
    """The lines of an SVG from one point to another, level in links, upright in arcs."""
    found = []
    for line in ET.parse(path).getroot().iter(f"{SVG}polyline"):
        ends = [tuple(float(number) for number in point.split(",")) for point in line.get("points").split()]
        if len(ends) == 2 and ends[0][view == "links"] == ends[1][view == "links"]:
            found.append((*ends[0], *ends[1]))
    return found

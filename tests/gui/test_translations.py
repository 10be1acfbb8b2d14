"""With a translation in which every text stands in brackets, the window shows no text without: what Qt's tool found is what is shown."""

import re
import string
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PySide6.QtCore import QBuffer, QByteArray, QObject, QTranslator
from PySide6.QtGui import QAction
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QGroupBox,
    QLabel,
    QLineEdit,
    QSpinBox,
    QTabBar,
    QWidget,
)

from headscope.core.errors import HeadscopeError
from headscope.core.keep import Keep, Offer
from headscope.core.messages import MESSAGES
from headscope.core.models.examples import examples_for
from headscope.gui.session.selection import Cell
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.palette.popup import Palette
from headscope.gui.window.typeface_box import TypefaceBox
from headscope.gui.window.views import VIEWS
from headscope.gui.words.notices import label_of, notice_of
from tests.gui.screen import settle
from tests.translations import compile_texts, find_texts

_BRACKETS = re.compile(r"¿[^¿¡]*(¡|…|$)")  # what is shortened has lost its end
"""Both are in Inter: what is painted in one typeface is one text in an SVG file."""
_WORD = re.compile(r"[^\W\d_]{2,}")
_OURS = {
    "Headscope",
    "toy",
    "softmax",
    "mask",
    "norm",
    "grammar",
    "tales",
    "ToyTransformer",
    "cpu",
    "CPU",
    "cuda",
    "all",
    "fp",
    "float",
    "bfloat",
    "MB",
    "kB",
    "GB",
    "ms",
    "Inter",
    "Qt",
    "PySide",
    "PDF",
    "PNG",
    "SVG",
    "CSV",
    "NPZ",
}
"""Names, values and units, which no language translates."""
_OF_QT = (QDialogButtonBox, QTabBar)
"""Whose buttons have words that Qt translates."""


@pytest.fixture(scope="module")
def in_brackets(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("brackets")
    ts, qm = folder / "brackets.ts", folder / "brackets.qm"
    find_texts(ts)
    tree = ElementTree.parse(ts)
    tree.getroot().set("language", "en")
    for message in tree.getroot().iter("message"):
        translation = message.find("translation")
        translation.clear()
        if message.get("numerus") == "yes":
            for _ in range(2):
                ElementTree.SubElement(translation, "numerusform").text = f"¿{message.findtext('source')}¡"
        else:
            translation.text = f"¿{message.findtext('source')}¡"
    tree.write(ts, encoding="utf-8")
    compile_texts(ts, qm)
    translator = QTranslator()
    assert translator.load(str(qm))
    qapp.installTranslator(translator)
    yield
    qapp.removeTranslator(translator)


@pytest.fixture
def window(qtbot, in_brackets, open_window) -> MainWindow:
    window = open_window()
    window.resize(1600, 1000)
    return window


def untranslated(text: str, data: set[str]) -> list[str]:
    """Words of a text that stand in no brackets and are no data."""
    text = re.sub(r"<[^>]*>", " ", text) if text.startswith("<span>") else text
    while (rest := _BRACKETS.sub(" ", text)) != text:
        text = rest
    return [word for word in _WORD.findall(text) if word not in data]


def words_of(part: QObject) -> Iterator[tuple[str, str]]:
    """Everything that a widget or an action shows or says, and what it is."""
    if isinstance(part, QWidget):
        yield "toolTip", part.toolTip()
        yield "statusTip", part.statusTip()
        yield "accessibleName", part.accessibleName()
        yield "accessibleDescription", part.accessibleDescription()
        yield "windowTitle", part.windowTitle()
    if isinstance(part, QAction | QAbstractButton | QLabel):
        yield "text", part.text()
    if isinstance(part, QAction):
        yield "toolTip", part.toolTip()
        yield "statusTip", part.statusTip()
    if isinstance(part, LineLabel):
        yield "text", part.text()
    if isinstance(part, QLineEdit):
        yield "placeholder", part.placeholderText()
    if isinstance(part, QGroupBox):
        yield "title", part.title()
    if isinstance(part, QSpinBox):
        yield from (("affix", text) for text in (part.prefix(), part.suffix(), part.specialValueText()))
    if isinstance(part, QComboBox):
        yield from (("item", part.itemText(at)) for at in range(part.count()))
    if isinstance(part, QTabBar):
        yield from (("tab", part.tabText(at)) for at in range(part.count()))


def data_of(window: MainWindow) -> set[str]:
    """Words that are the user's or the model's: tokens, texts, names, keys."""
    state = window.state
    known = {*_OURS}
    texts = [*state.queries.labels, *state.keys.labels, state.text, state.text_pair, str(Path.home())]
    texts += [candidate.label for prediction in state.predictions for candidate in prediction.candidates]
    texts += [entry.name for entry in (state.catalogue.entries if state.catalogue else ())]
    texts += [action.text().split("\t")[0] for action in window.menus.examples.actions()]  # cut, some in a word
    for example in examples_for(state.model):
        texts += [example.text, example.pair or ""]
    for action in window.findChildren(QAction):
        texts += [keys.toString() for keys in action.shortcuts()]
    for text in texts:
        known.update(_WORD.findall(text))
    return known


def complaints(window: MainWindow, root: QWidget) -> list[str]:
    data, found = data_of(window), []
    for part in (root, *root.findChildren(QObject)):
        name = part.objectName()  # "qt_…": Qt's own parts
        if (
            name.startswith("qt_")
            or isinstance(part, TypefaceBox)
            or (isinstance(part, QAbstractButton) and isinstance(part.parent(), _OF_QT))
        ):
            continue
        for what, text in words_of(part):
            if words := untranslated(text, data):
                found.append(f"{type(part).__name__} {name} {what}: {text!r} {words}")
    return sorted(set(found))


def painted(widget: QWidget) -> list[str]:
    """The texts that a widget paints."""
    content = QByteArray()
    buffer = QBuffer(content)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(widget.size())
    widget.render(generator)
    root = ElementTree.fromstring(bytes(content.data()))
    return ["".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")]


def test_every_widget_menu_and_tip_of_every_view(qtbot, window: MainWindow) -> None:
    window.state.update(pinned=Cell(query=2, key=3))
    for view in VIEWS:
        window.bring_view(view.id)
        QApplication.processEvents()
    settle(qtbot, window.state)
    window.find_in_text()
    window.find_bar.field.setText("keys")
    assert complaints(window, window) == []


def test_what_views_paint(qtbot, window: MainWindow) -> None:
    window.state.update(pinned=Cell(query=2, key=3))
    found: set[tuple[str, str]] = set()
    for view in VIEWS:
        window.bring_view(view.id)
        QApplication.processEvents()
        settle(qtbot, window.state)
        text = " ".join(painted(window.panel(view.id)))  # a sentence may take several lines
        assert "¿" in text, view.id
        found |= {(view.id, word) for word in untranslated(text, data_of(window))}
    assert found == set()


def test_sheets_and_the_palette(qtbot, window: MainWindow) -> None:
    for show in (window.show_shortcuts, window.show_about, window.show_settings, window.export):
        before = set(QApplication.topLevelWidgets())
        show()
        QApplication.processEvents()
        opened = [sheet for sheet in QApplication.topLevelWidgets() if sheet not in before and isinstance(sheet, QDialog)]
        assert opened, show
        for sheet in opened:
            assert complaints(window, sheet) == []
            sheet.close()
    palette = Palette(window.context, window.commands, window)
    palette.open()
    assert complaints(window, palette) == []
    palette.close()


@pytest.mark.parametrize("code", MESSAGES)
def test_errors(in_brackets, code: str) -> None:
    names = {name for text in MESSAGES[code] for _, name, _, _ in string.Formatter().parse(text) if name}
    notice = notice_of(HeadscopeError(code, **dict.fromkeys(names, 7)))
    for sentence in (notice.message, notice.remedy):
        assert sentence.startswith("¿") and sentence.endswith("¡")


def test_offers(in_brackets) -> None:
    for offer in (Offer(Keep(half=True)), Offer(Keep(layers=(0, 1))), Offer(Keep(), text="the", n_tokens=1)):
        assert label_of(offer).startswith("¿")

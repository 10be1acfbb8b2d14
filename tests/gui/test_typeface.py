"""The typeface: chosen among hundreds by typing, at once in all of the window, kept for the next start; never in files."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QApplication, QWidget

from headscope.core.text.tokens import Token
from headscope.gui.control.exporter import PictureExport
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.fonts import load_fonts, typefaces
from headscope.gui.paint.formats import figure_image, size_mm
from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.theme import INTER, TypeStyle, designed_type, set_type_style, text_font, theme_of, type_style
from headscope.gui.session.preferences import Preferences
from headscope.gui.session.selection import Cell
from headscope.gui.views.arithmetic.paint.formula import typeset
from headscope.gui.views.heatmap.paint import axes
from headscope.gui.views.logit_lens import paint
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.preferences_dialog import SettingsDialog
from headscope.gui.window.views import VIEWS
from headscope.resources import font_files
from tests.gui.screen import PATIENCE, settle, shown, values

VIEW_IDS = tuple(view.id for view in VIEWS)
LIGHT = theme_of(dark=False)
FAMILY, PASSING = "Other Semi Bold", "Third Semi Bold"
"""Another typeface on this computer, and one that is installed and removed."""


def install(family: str) -> int:
    """The semi-bold Inter under a name of its own; the number to remove it by."""
    (file,) = (path for path in font_files() if "SemiBold" in path.name)
    data, name = file.read_bytes(), family.split()[0]
    for code in ("ascii", "utf-16-be"):
        data = data.replace("Inter".encode(code), name.encode(code))
    number = QFontDatabase.addApplicationFontFromData(data)
    assert family in QFontDatabase.applicationFontFamilies(number)
    return number


@pytest.fixture(scope="module")
def other(qapp) -> Iterator[str]:
    number = install(FAMILY)
    yield FAMILY
    QFontDatabase.removeApplicationFont(number)


@pytest.fixture
def window(other: str, open_window: Callable) -> MainWindow:
    return open_window("toy:grammar")


@pytest.fixture
def dialog(qtbot, window: MainWindow) -> SettingsDialog:
    window.commands.action("settings").trigger()
    dialog = window.findChild(SettingsDialog)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    return dialog


def write(qtbot, dialog: SettingsDialog, words: str) -> None:
    """Click into the field and write over what stands there."""
    qtbot.mouseClick(dialog.typeface.lineEdit(), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: dialog.typeface.lineEdit().hasSelectedText())
    qtbot.keyClicks(dialog.typeface, words)


def press(qtbot, dialog: SettingsDialog, key: Qt.Key) -> None:
    """Where the keyboard is: in the list under the field, if that is open."""
    found = dialog.typeface.completer().popup()
    qtbot.keyClick(found if found.isVisible() else dialog.typeface, key)


def families(root: QWidget) -> set[str]:
    """What all parts that are in use are written in."""
    QApplication.processEvents()
    return {widget.font().families()[0] for widget in [root, *root.findChildren(QWidget)]}


def rest(qtbot, window: MainWindow) -> None:
    """Wait until all that was asked for is there and drawn."""
    explorer, view = window.explorer, window.panel("links").view
    lanes = explorer._pictures._lane, explorer.questions, explorer.long_questions
    QApplication.processEvents()
    settle(qtbot, window.state)
    qtbot.waitUntil(lambda: not any(lane.is_busy for lane in lanes), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not view.isVisible() or view.is_complete, timeout=PATIENCE)


def picture(qtbot, panel: QWidget) -> bytes:
    """Once it has come to rest: what is laid out anew moves a moment later."""
    seen: list[bytes] = []

    def is_still() -> bool:
        seen.append(values(shown(panel)).tobytes())
        return len(seen) > 2 and seen[-1] == seen[-2] == seen[-3]

    qtbot.waitUntil(is_still, timeout=PATIENCE)
    return seen[-1]


def pictures(qtbot, window: MainWindow) -> dict[str, bytes]:
    """Every view, each brought to the front once."""
    window.resize(1600, 1000)
    window.reset_layout()
    found = {}
    for name in VIEW_IDS:
        window.desk.bring(name)
        window.setFocus()
        rest(qtbot, window)
        found[name] = picture(qtbot, window.panel(name))
    return found


def look_around(qtbot, window: MainWindow) -> None:
    """Something in every view, each of which has been seen."""
    for name in VIEW_IDS:
        window.desk.bring(name)
        rest(qtbot, window)
    if window.state.model.name == "toy:tales":
        window.panel("generation").fields.max_new_tokens.setValue(4)
        window.commands.action("generate").trigger()
        rest(qtbot, window)
    window.state.update(pinned=Cell(4, 2))
    window.desk.bring("heads")
    qtbot.waitUntil(lambda: window.panel("heads").measuring.is_complete, timeout=PATIENCE)


# ---------------------------------------------------------------- which there are
def test_inter_comes_first_then_what_is_installed_by_name_each_once(other: str) -> None:
    found = typefaces()
    assert found[0] == INTER
    assert FAMILY in found
    assert found[1:] == sorted(set(found[1:]), key=str.casefold)
    assert not set(found[1:]) & (load_fonts() | {"Serif", "Sans Serif", "Monospace"})
    assert not [family for family in found if family.startswith((".", "@"))]


def test_chinese_is_written_in_the_same_fonts_as_before(qtbot, window: MainWindow) -> None:
    behind = text_font().families()
    window.preferences.typeface = FAMILY
    assert text_font().families() == [FAMILY, *behind]
    window.preferences.typeface = INTER
    assert text_font().families() == behind


# ---------------------------------------------------------------- choosing
def test_a_part_of_the_name_and_enter_choose_it_for_everything_at_once(qtbot, window: MainWindow, dialog) -> None:
    assert families(window) == {INTER}
    write(qtbot, dialog, "her sem")
    press(qtbot, dialog, Qt.Key.Key_Return)
    assert window.preferences.typeface == dialog.typeface.currentText() == FAMILY
    assert families(window) == families(dialog) == {FAMILY}
    assert type_style() == TypeStyle(FAMILY, 1.0)
    assert dialog.isVisible(), "Enter presses no button"
    assert window.recent.texts


def test_the_list_under_the_field_has_what_fits_and_arrows_choose_in_it(qtbot, window: MainWindow, dialog) -> None:
    write(qtbot, dialog, "ter")
    found = dialog.typeface.completer().popup()
    qtbot.waitUntil(found.isVisible)
    listed = [found.model().index(row, 0).data() for row in range(found.model().rowCount())]
    assert listed == [family for family in typefaces() if "ter" in family.casefold()]
    press(qtbot, dialog, Qt.Key.Key_Escape)
    assert not found.isVisible()
    dialog.typeface.lineEdit().selectAll()
    qtbot.keyClicks(dialog.typeface, "other s")
    qtbot.waitUntil(found.isVisible)
    press(qtbot, dialog, Qt.Key.Key_Down)
    press(qtbot, dialog, Qt.Key.Key_Return)
    assert window.preferences.typeface == FAMILY
    assert not found.isVisible()


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Tab])
def test_what_is_no_typeface_changes_nothing_and_does_not_stay(qtbot, window: MainWindow, dialog, key: Qt.Key) -> None:
    write(qtbot, dialog, "no such typeface")
    press(qtbot, dialog, key)
    assert dialog.typeface.currentText() == dialog.typeface.lineEdit().text() == window.preferences.typeface == INTER
    assert families(window) == {INTER}


def test_each_name_in_the_list_is_written_in_itself(qtbot, dialog) -> None:
    dialog.typeface.showPopup()
    list_ = dialog.typeface.view()
    index = list_.model().index(dialog.typeface.findData(FAMILY), 0)
    list_.scrollTo(index)
    own = values(list_.viewport().grab(list_.visualRect(index)).toImage())
    list_.model().setData(index, "Inter Semi Bold", Qt.ItemDataRole.DisplayRole)
    assert (values(list_.viewport().grab(list_.visualRect(index)).toImage()) != own).any()
    dialog.typeface.hidePopup()


# ---------------------------------------------------------------- nothing stays as it was
@pytest.mark.parametrize("model", ["toy:grammar", "toy:tales"])
@pytest.mark.parametrize("style", [TypeStyle(FAMILY, 1.0), TypeStyle(INTER, 1.25)], ids=["family", "size"])
def test_other_type_looks_as_if_it_had_been_so_from_the_start(
    qtbot, other: str, open_window: Callable, model: str, style: TypeStyle
) -> None:
    window = open_window(model)
    look_around(qtbot, window)
    usual = pictures(qtbot, window)
    window.preferences.typeface, window.preferences.type_size = style.family, round(style.scale * 100)
    changed = pictures(qtbot, window)
    window.close()
    fresh = open_window(model)
    look_around(qtbot, fresh)
    assert type_style() == style
    expected = pictures(qtbot, fresh)
    assert [name for name in VIEW_IDS if changed[name] == usual[name]] == []
    assert [name for name in VIEW_IDS if changed[name] != expected[name]] == []


_KEPT: dict[str, Callable[[], object]] = {
    "width": lambda: text_width("somewhere", 13),
    "elided": lambda: [elided("somewhere over it", 13, QFont.Weight.Normal, float(width)) for width in range(40, 120, 3)],
    "formula": lambda: typeset(r"\frac{q}{k}", 13.0).width,
    "logit_lens": lambda: paint._fitting("somewhere"),
    "label": lambda: values(axes._stamp(Token("somewhere", 0), LIGHT, 13, 90, 1.0, True)[0].toImage()).tobytes(),
}


@pytest.mark.parametrize("name", _KEPT)
def test_what_is_kept_of_one_type_is_not_taken_for_another(other: str, name: str) -> None:
    found = []
    for style in (TypeStyle(), TypeStyle(FAMILY), TypeStyle(INTER, 1.5), TypeStyle()):
        set_type_style(style)
        found.append(_KEPT[name]())
    usual, of_family, larger, again = found
    assert usual == again
    assert of_family != usual != larger != of_family


# ---------------------------------------------------------------- the next start
def test_it_is_there_at_the_next_start_and_gone_while_it_is_not_installed(settings: QSettings, open_window: Callable) -> None:
    number = install(PASSING)
    first = open_window("toy:grammar", wait=False)
    first.preferences.typeface = PASSING
    first.close()
    second = open_window("toy:grammar", wait=False)
    assert families(second) == {PASSING}
    second.close()
    QFontDatabase.removeApplicationFont(number)
    third = open_window("toy:grammar", wait=False)
    assert families(third) == {INTER}
    third.show_settings()
    assert third.findChild(SettingsDialog).typeface.currentText() == INTER
    third.close()
    number = install(PASSING)
    fourth = open_window("toy:grammar", wait=False)
    assert families(fourth) == {PASSING}, "it was not forgotten"
    QFontDatabase.removeApplicationFont(number)


@pytest.mark.parametrize("nonsense", ["", "no such typeface", ".private", b"\0", [], {"a": 1}, 7])
def test_a_damaged_typeface_is_inter(qapp, settings: QSettings, nonsense) -> None:
    settings.setValue("typeface", nonsense)
    assert Preferences(settings).typeface == INTER


# ---------------------------------------------------------------- files
@pytest.mark.parametrize("name", ["heads", "heatmap", "links", "predictions"])
def test_a_preview_and_a_copy_are_in_the_type_of_the_file_whatever_the_screens_is(
    qtbot, window: MainWindow, tmp_path: Path, name: str
) -> None:
    (figure_spec, *_) = next(view.figures for view in VIEWS if view.id == name)
    window.desk.bring(name)
    looks = []
    for family, size in ((INTER, 100), (FAMILY, 150)):
        window.preferences.typeface, window.preferences.type_size = family, size
        settle(qtbot, window.state)
        with designed_type():
            figure = figure_spec.make(window.panel(name))
        looks.append((size_mm(figure).toTuple(), values(figure_image(figure, FigureOptions(dpi=72))).tobytes()))
    assert looks[0] == looks[1]


def test_figures_stay_in_inter(qtbot, window: MainWindow, tmp_path: Path) -> None:
    window.preferences.typeface = FAMILY
    window.preferences.type_size = 150
    path = tmp_path / "figure.pdf"
    window.explorer.export(PictureExport(path, window.panel("heatmap").figure(), FigureOptions()))
    settle(qtbot, window.state)
    (page,) = PdfReader(path).pages
    fonts = {font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()}
    assert [name for name in fonts if "Inter" in name]
    assert not [name for name in fonts if "Other" in name]

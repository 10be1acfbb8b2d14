"""A change of language, while the window is open: other words, the same picture."""

from pathlib import Path
from xml.etree import ElementTree

from PySide6.QtCore import QCoreApplication, QLocale, Qt, QTranslator
from PySide6.QtWidgets import QApplication

from headscope.core.text.tokens import Units
from headscope.gui.session.selection import Cell
from headscope.gui.words.language import has_language, set_language
from tests.gui.screen import PATIENCE, settle
from tests.translations import compile_texts, find_texts


def in_other_words(folder: Path) -> QTranslator:
    """A translation in which every text is shouted."""
    ts, qm = folder / "loud.ts", folder / "loud.qm"
    find_texts(ts)
    tree = ElementTree.parse(ts)
    tree.getroot().set("language", "en")
    for message in tree.getroot().iter("message"):
        if message.get("numerus") != "yes":
            translation = message.find("translation")
            translation.clear()
            translation.text = f"!{message.findtext('source')}"
    tree.write(ts, encoding="utf-8")
    compile_texts(ts, qm)
    translator = QTranslator()
    assert translator.load(str(qm))
    return translator


def test_a_change_of_language_keeps_the_picture(qtbot, open_window, tmp_path: Path) -> None:
    window = open_window(text="the cats near the dog sleep .")
    window.explorer.select_head((1, 2))
    window.explorer.set_units(Units("words", "hidden"))
    settle(qtbot, window.state)
    qtbot.waitUntil(lambda: window.state.head == (1, 2) and len(window.state.queries) == 7, timeout=PATIENCE)
    window.state.update(pinned=Cell(query=1, key=4))
    window.bring_view("text")
    window.resize(1700, 1000)
    QApplication.processEvents()
    geometry, record, shown = window.geometry(), window.state.record, window.state.shown
    before = {view: (window.is_view_open(view), window.is_view_seen(view)) for view in window.desk.docks}
    translator = in_other_words(tmp_path)
    assert QCoreApplication.installTranslator(translator)
    try:
        qtbot.waitUntil(lambda: window.commands.action("run").text().startswith("!"), timeout=PATIENCE)
        QApplication.processEvents()
        assert window.menuBar().actions()[0].text().startswith("!")
        assert window.state.record is record and window.state.shown is shown
        assert (window.state.head, window.state.pinned) == ((1, 2), Cell(query=1, key=4))
        assert window.geometry() == geometry
        assert {view: (window.is_view_open(view), window.is_view_seen(view)) for view in window.desk.docks} == before
        assert window.text.text.toPlainText() == "the cats near the dog sleep ."
        assert window.text.strip.axis.text == window.state.text
        assert window.panel("text").modes["from"].text() == "!Attends to"
        assert window.panel("text").view.passage.spans
        window.bring_view("heatmap")
        assert window.panel("heatmap").view.picture.weights is shown
        assert len([action for action in window.actions() if action.objectName() == "run"]) == 1
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        qtbot.keyClick(window, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)  # one action has the keys
        assert window.find_bar.isVisible() and window.find_bar.field.placeholderText() == "!Find in the text"
        window.history.undo()  # what was done before can still be undone
        settle(qtbot, window.state)
        assert window.state.pinned == Cell()
    finally:
        QCoreApplication.removeTranslator(translator)
    qtbot.waitUntil(lambda: not window.commands.action("run").text().startswith("!"), timeout=PATIENCE)
    assert window.state.record is record or window.state.record is not None


def test_english_has_plurals_and_an_unknown_language_is_english(qapp: QApplication) -> None:
    try:
        for language in (QLocale(QLocale.Language.English), QLocale(QLocale.Language.Zulu)):
            set_language(qapp, language)
            assert has_language(qapp)
            said = [QCoreApplication.translate("TextPanel", "%n token(s)", "", n) for n in (0, 1, 2)]
            assert said == ["0 tokens", "1 token", "2 tokens"]
    finally:
        set_language(qapp, QLocale.system())

"""The text field and the strip of tokens: typing, pasting, marks, mouse and keys."""

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPointF, Qt
from PySide6.QtGui import QColor, QEnterEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.theme import theme_of
from headscope.gui.window.prompt.edit import PromptEdit
from headscope.gui.window.prompt.paint import TokenChips
from headscope.gui.window.prompt.token_strip import TokenStrip
from tests.gui.screen import axis, said, shown, values, words

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
THEME = theme_of(dark=False)


# ---------------------------------------------------------------- the field
@pytest.fixture
def field(qtbot) -> PromptEdit:
    holder = QWidget()
    qtbot.addWidget(holder)
    field = PromptEdit("Type a sentence")
    column = QVBoxLayout(holder)
    column.addWidget(field)
    column.addStretch(1)
    holder.resize(500, 300)
    holder.show()
    field.holder = holder
    return field


def test_enter_asks_to_run_and_shift_enter_begins_a_line(qtbot, field: PromptEdit) -> None:
    edits, runs = said(field.edited), said(field.submitted)
    qtbot.keyClicks(field, "one")
    qtbot.keyClick(field, Qt.Key.Key_Return, SHIFT)
    qtbot.keyClicks(field, "two")
    assert field.toPlainText() == edits[-1][0] == "one\ntwo"
    assert not runs
    qtbot.keyClick(field, Qt.Key.Key_Return)
    qtbot.keyClick(field, Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier)
    assert len(runs) == 2
    assert field.toPlainText() == "one\ntwo"


def test_a_programs_text_keeps_the_cursor_and_can_be_undone(qtbot, field: PromptEdit) -> None:
    edits = said(field.edited)
    qtbot.keyClicks(field, "the cat sleeps .")
    n_edits = len(edits)
    cursor = field.textCursor()
    cursor.setPosition(len("the cat sleeps"))
    field.setTextCursor(cursor)
    field.set_text("the [MASK] sleeps .")
    assert len(edits) == n_edits, "a program's change is silent"
    assert field.toPlainText()[: field.textCursor().position()] == "the [MASK] sleeps"
    field.undo()
    assert field.toPlainText() == edits[-1][0] == "the cat sleeps ."
    field.redo()
    assert field.toPlainText() == "the [MASK] sleeps ."


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "a"), ("a", ""), ("aaa", "aa"), ("aa", "aaaa"), ("abab", "ab"), ("🙂🙂", "🙂"), ("a🙂b", "a🙃b"), ("x🙂", "🙂x"),
        ("人工智能", "人[MASK]智能"), ("one\ntwo", "one two"), ("e\u0301", "e"),
    ],
)  # fmt: skip
def test_any_text_becomes_any_other(field: PromptEdit, old: str, new: str) -> None:
    field.set_text(old)
    field.set_text(new)
    assert field.toPlainText() == new
    field.undo()
    assert field.toPlainText() == old


@pytest.mark.parametrize("before", ["the cat ", "🙂🙂 ", "人工智能 ", "one\ntwo ", "مرحبا "])
def test_what_did_not_fit_is_struck_out_from_the_right_character(field: PromptEdit, before: str) -> None:
    field.set_text(before + "dropped words")
    field.mark_dropped(len(before))
    (mark,) = field.extraSelections()
    assert mark.cursor.selectedText() == "dropped words"
    assert mark.format.fontStrikeOut()
    field.mark_dropped(None)
    assert field.extraSelections() == []


def test_strike_out_is_seen_and_goes_with_the_next_key(qtbot, field: PromptEdit) -> None:
    field.set_text("kept dropped")
    plain = shown(field)
    field.mark_dropped(5)
    assert shown(field) != plain
    qtbot.keyClicks(field, "x")
    assert field.extraSelections() == []


def test_the_field_grows_to_four_lines_and_then_scrolls(qtbot, field: PromptEdit) -> None:
    heights = []
    for n_lines in (1, 2, 4, 9):
        field.set_text("\n".join(["line"] * n_lines))
        field.holder.layout().activate()
        heights.append(field.height())
    assert heights[0] < heights[1] < heights[2] == heights[3]
    assert not field.verticalScrollBar().isVisible() or field.verticalScrollBar().maximum() > 0
    field.set_text("word " * 60)
    field.holder.layout().activate()
    assert field.height() > heights[0], "a wrapped line counts as the rows it takes"


def test_only_text_is_pasted(field: PromptEdit) -> None:
    pasted = QMimeData()
    pasted.setHtml("<b>the</b> cat")
    pasted.setText("the cat")
    field.insertFromMimeData(pasted)
    assert field.toPlainText() == "the cat"
    assert "bold" not in field.document().toHtml()
    nothing = QMimeData()
    nothing.setData("image/png", b"not text")
    field.insertFromMimeData(nothing)
    assert field.toPlainText() == "the cat"


# ---------------------------------------------------------------- the strip
@pytest.fixture
def strip(qtbot) -> TokenStrip:
    strip = TokenStrip()
    qtbot.addWidget(strip)
    strip.resize(400, 96)
    strip.set_axis(words(60))
    strip.show()
    qtbot.waitExposed(strip)
    return strip


@pytest.mark.parametrize("width", [60, 400, 5000])
def test_every_token_is_found_where_its_box_is(qapp, width: int) -> None:
    chips = TokenChips(words(80), width)
    boxes = [chips.box(position) for position in range(80)]
    assert [chips.token_at(box.center()) for box in boxes] == list(range(80))
    assert not any(one.intersects(other) for at, one in enumerate(boxes) for other in boxes[:at])
    assert sum(len(chips.row(row)) for row in range(chips.n_rows)) == 80
    assert chips.token_at(QPointF(-5, -5)) is None


def test_sorts_of_tokens_look_different(qapp, qtbot) -> None:
    kinds = [{}, {"unknown": True}, {"special": True}, {"masked": True}, {"generated": True}]
    strip = TokenStrip()
    qtbot.addWidget(strip)
    strip.resize(600, 40)
    looks = []
    for kind in kinds:
        strip.set_axis(TokenAxis((Token("same", 0, **kind),)))
        looks.append(values(shown(strip)).tobytes())
    assert len(set(looks)) == len(kinds)


def test_an_unknown_word_has_dots_in_the_colour_of_errors(qapp, qtbot) -> None:
    strip = TokenStrip()
    qtbot.addWidget(strip)
    strip.resize(300, 40)
    counts = []
    for unknown in (False, True):
        strip.set_axis(TokenAxis((Token("word", 0, unknown=unknown),)))
        seen = values(shown(strip))
        red, blue = (seen >> 16 & 0xFF).astype(int), (seen & 0xFF).astype(int)
        counts.append(int((red > blue + 40).sum()))
    assert counts[0] == 0
    assert counts[1] > 5


def test_query_and_key_are_framed_in_their_colours(strip: TokenStrip) -> None:
    strip.set_focus_tokens(2, 5)
    seen = shown(strip)
    for position, color in ((2, THEME.query), (5, THEME.accent)):
        middle, box = strip.point_of(position), strip._chips.box(position)
        assert seen.pixelColor(middle.x(), round(box.top()) + 1) == QColor(color)


def test_keys_walk_through_the_tokens_and_click_them(qtbot, strip: TokenStrip) -> None:
    moves, clicks, key = said(strip.hovered), said(strip.clicked), Qt.Key
    strip.setFocus()
    qtbot.waitUntil(strip.hasFocus)
    for press in (key.Key_Right, key.Key_Right, key.Key_Left, key.Key_Return):
        qtbot.keyClick(strip, press)
    qtbot.keyClick(strip, key.Key_Space, SHIFT)
    qtbot.keyClick(strip, key.Key_End)
    assert [what for (what,) in moves] == [1, 2, 1, 59]
    assert clicks == [(1, False), (1, True)]
    assert strip.viewport().rect().contains(strip.point_of(59)), "it scrolls to the cursor"
    qtbot.keyClick(strip, key.Key_Home)
    assert strip.viewport().rect().contains(strip.point_of(0))
    strip.clearFocus()
    assert moves[-1] == (None,)


def test_the_keyboards_place_is_visible(qtbot, strip: TokenStrip) -> None:
    strip.clearFocus()
    without = shown(strip)
    strip.setFocus()
    qtbot.waitUntil(strip.hasFocus)
    assert shown(strip) != without


def test_a_long_text_takes_three_rows_and_scrolls(qtbot, strip: TokenStrip) -> None:
    strip.set_axis(words(3000))
    assert strip.sizeHint().height() == 96
    clicks = said(strip.clicked)
    strip.verticalScrollBar().setValue(strip.verticalScrollBar().maximum())
    qtbot.mouseClick(strip.viewport(), LEFT, NONE, strip.point_of(2999))
    assert clicks == [(2999, False)]
    at = QPointF(strip.rect().center())
    QApplication.sendEvent(
        strip, QEnterEvent(at, at, QPointF(strip.mapToGlobal(at)))
    )  # Qt sends none where it has the pointer there
    strip.set_axis(axis("one"))
    assert strip.sizeHint().height() == 96, "not under the pointer"
    QApplication.sendEvent(strip, QEvent(QEvent.Type.Leave))
    assert strip.sizeHint().height() == 32
    strip.set_axis(TokenAxis(()))
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.mouseClick(strip.viewport(), LEFT, NONE, strip.viewport().rect().center())
    assert clicks == [(2999, False)]


def test_the_strip_follows_what_is_being_written(qtbot, strip: TokenStrip) -> None:
    growing = words(60)
    for number in range(60, 90):
        growing = growing.extended(Token(f"word{number}", number, generated=True))
        strip.set_axis(growing)
        assert strip.viewport().rect().contains(strip.point_of(number))

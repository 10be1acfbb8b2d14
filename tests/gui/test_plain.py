"""What a file or a text holds is shown letter by letter, never as markup."""

import pytest
from PySide6 import QtGui
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument

from headscope.gui.widgets.plain import Label, plain

TEXTS = [
    "<s>",
    "</s>",
    "<b>bold</b>",
    "<img src=x>",
    "a < b & c > d",
    "&lt;",
    "two\nlines <i>",
    "<0x0A>",
    "",
    "<!-- -->",
    "<|im_start|>",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_tool_tip_shows_every_letter_and_strikes_nothing_through(qapp, text: str) -> None:
    tip = plain(text)
    shown = QTextDocument()
    (shown.setHtml if QtGui.Qt.mightBeRichText(tip) else shown.setPlainText)(tip)  # as Qt's tool tip decides
    assert shown.toPlainText() == text
    fonts = [span.format.font() for span in shown.firstBlock().textFormats()]
    assert not [font for font in fonts if font.strikeOut() or font.italic() or font.bold()]


@pytest.mark.parametrize("text", TEXTS)
def test_a_label_shows_every_letter(qapp, text: str) -> None:
    label = Label(text)
    assert label.textFormat() == Qt.TextFormat.PlainText
    assert label.text() == text
    label.setText("<s>")
    assert label.textFormat() == Qt.TextFormat.PlainText

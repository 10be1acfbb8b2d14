"""RulesList: the rules that a model's own settings ask for, each to be switched off and on, and settings that are not followed."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from headscope.gui.widgets.plain import Label, plain


class RulesList(QWidget):
    """Hidden where there is nothing to say.

    Signals
    -------
    changed()
        A rule was switched by the user.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.boxes: dict[str, QCheckBox] = {}
        self._words: dict[str, QLabel] = {}
        self.heading = Label(self.tr("The model's own rules"))
        self.left_out = Label()
        for label in (self.heading, self.left_out):
            label.setObjectName("muted")
            label.setWordWrap(True)
        self.left_out.setTextFormat(Qt.TextFormat.PlainText)  # a file's words
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.heading)
        column.addLayout(self._rows)
        column.addWidget(self.left_out)
        self.hide()

    def show_rules(self, rules: Sequence[tuple[str, str]], left_out: Sequence[str]) -> None:
        """Show rules, each a name and words, all of them on; and settings that are not followed."""
        while (item := self._rows.takeAt(0)) is not None:
            if (row := item.widget()) is not None:
                row.hide()
                row.deleteLater()
        self.boxes, self._words = {}, {}
        for name, words in rules:
            self._add(name, words)
        self.heading.setVisible(bool(rules))
        self.left_out.setText(self.tr("Not supported: {settings}").format(settings="; ".join(left_out)))
        self.left_out.setVisible(bool(left_out))
        self.setVisible(bool(rules) or bool(left_out))

    def say(self, name: str, words: str) -> None:
        """Other words for a rule."""
        if name in self._words:
            self._words[name].setText(words)
            self.boxes[name].setAccessibleName(words)

    @property
    def off(self) -> frozenset[str]:
        """The names of the rules that are switched off."""
        return frozenset(name for name, box in self.boxes.items() if not box.isChecked())

    def set_off(self, names: frozenset[str]) -> None:
        """Switch rules without a signal."""
        for name, box in self.boxes.items():
            box.blockSignals(True)
            box.setChecked(name not in names)
            box.blockSignals(False)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonRelease:
            for name, label in self._words.items():
                if watched is label:
                    self.boxes[name].click()
        return super().eventFilter(watched, event)

    def _add(self, name: str, words: str) -> None:
        box, label = QCheckBox(), Label(words)
        box.setChecked(True)
        box.setAccessibleName(words)
        box.toggled.connect(self._tell)
        for part in (box, label):
            part.setToolTip(plain(name))
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.installEventFilter(self)
        row = QWidget()
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(6)
        line.addWidget(box, 0, Qt.AlignmentFlag.AlignTop)
        line.addWidget(label, 1)
        self._rows.addWidget(row)
        self.boxes[name], self._words[name] = box, label

    @Slot()
    def _tell(self) -> None:
        self.changed.emit()

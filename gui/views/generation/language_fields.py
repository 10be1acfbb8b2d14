"""LanguageFields: which language a multilingual model reads, and which it writes."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from headscope.core.options import LanguageChoice, Languages
from headscope.gui.widgets.drawing_fields import labelled_grid


class LanguageFields(QWidget):
    """Hidden for a model without language codes.

    Signals
    -------
    changed()
        A language was chosen by the user.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._choice = LanguageChoice()
        self.source, self.target = QComboBox(), QComboBox()
        fields = ((self.tr("Fr&om"), self.source), (self.tr("I&nto"), self.target))
        for words, field in fields:
            field.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            field.setAccessibleName(words.replace("&", ""))
            field.activated.connect(self._tell)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(labelled_grid((fields,)))
        self.hide()

    def show_choice(self, choice: LanguageChoice) -> None:
        """Offer the languages of a model; at first those that its own settings mean."""
        self._choice = choice
        for field, own in ((self.source, choice.source), (self.target, choice.target)):
            with QSignalBlocker(field):
                field.clear()
                if own is None:
                    field.addItem(self.tr("model default"), None)
                for language in choice.languages:
                    field.addItem(language.name, language.code)
                field.setCurrentIndex(max(0, field.findData(own)))
        self.source.setEnabled(choice.has_source)
        self.setVisible(bool(choice.languages))

    @property
    def languages(self) -> Languages | None:
        """Those that were chosen; None for a model without codes, or as its own settings say."""
        source, target = self.source.currentData(), self.target.currentData()
        found = Languages(None if source == self._choice.source else source, None if target == self._choice.target else target)
        return None if found == Languages() else found

    @Slot()
    def _tell(self) -> None:
        self.changed.emit()

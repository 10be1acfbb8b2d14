"""ReadingButton: in what units attention is shown, and whether with special tokens: words on a button, choices in its menu."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from headscope.core.text.tokens import Units
from headscope.gui.widgets.plain import plain


class ReadingButton(QToolButton):
    """Says how tokens are read, and offers the other ways.

    Signals
    -------
    chosen(Reading)
    """

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._units = Units()
        self.units = {
            "tokens": self.tr("Tokens"),
            "words": self.tr("Words"),
            "sentences": self.tr("Sentences"),
            "segments": self.tr("Segments"),
        }
        self.special = {
            "shown": self.tr("Special tokens shown"),
            "hidden": self.tr("Special tokens hidden"),
            "renormalised": self.tr("Special tokens hidden, rows renormalised"),
            "first_hidden": self.tr("First and special tokens hidden"),
            "first_renormalised": self.tr("First and special tokens hidden, rows renormalised"),
        }
        self.setObjectName("flat")
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.actions_of: dict[tuple[str, str], QAction] = {}
        for field, choices in (("of", self.units), ("special", self.special)):
            group = QActionGroup(menu)
            for value, words in choices.items():
                action = menu.addAction(words, partial(self._choose, {field: value}))
                action.setCheckable(True)
                change: dict[str, Any] = {field: value}
                action.setToolTip(plain(self.meaning(replace(Units(), **change))))
                group.addAction(action)
                self.actions_of[field, value] = action
            menu.addSeparator()
        self.setMenu(menu)
        self.set_units(self._units)

    def set_units(self, units: Units) -> None:
        """Show which way is chosen."""
        self._units = units
        for field in ("of", "special"):
            self.actions_of[field, getattr(units, field)].setChecked(True)
        words = self.units[units.of]
        marks = {
            "shown": "",
            "hidden": self.tr("special tokens hidden"),
            "renormalised": self.tr("special tokens hidden, renormalised"),
            "first_hidden": self.tr("first token hidden"),
            "first_renormalised": self.tr("first token hidden, renormalised"),
        }
        self.setText(" · ".join(filter(None, (words, marks[units.special]))) + "  ▾")
        self.setToolTip(plain(self.meaning(units)))
        self.setAccessibleName(self.tr("Units: {words}").format(words=words))

    def meaning(self, units: Units) -> str:
        """What the numbers then are, in full sentences."""
        if units.of == "tokens":
            first = self.tr("The model's own tokens.")
        else:
            first = self.tr("Attention to {units} is summed over their tokens, attention from them averaged.")
            first = first.format(units=self.units[units.of].lower())
        second = {
            "shown": self.tr("Special tokens are shown."),
            "hidden": self.tr("Special tokens are hidden: rows sum to less than 1."),
            "renormalised": self.tr("Special tokens are hidden and each row is rescaled to sum to 1."),
            "first_hidden": self.tr(
                "The first token (an attention sink of many heads) and special tokens are hidden: rows sum to less than 1."
            ),
            "first_renormalised": self.tr(
                "The first token (an attention sink of many heads) and special tokens are hidden, "
                "and each row is rescaled to sum to 1."
            ),
        }[units.special]
        return f"{first} {second}"

    def _choose(self, change: dict[str, Any]) -> None:
        self.set_units(replace(self._units, **change))  # at once: the next choice builds on this one
        self.chosen.emit(self._units)

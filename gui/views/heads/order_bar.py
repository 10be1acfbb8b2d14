"""HeadOrderBar: how the grid's heads are sorted and filtered, in words on narrow buttons with menus."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QWidget,
    QWidgetAction,
)

from headscope.core.analyse.records.head_types import ALL_METRICS, HEAD_TYPES, HeadType, Metric
from headscope.gui.paint.theme import GRID
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.widgets.number_field import fraction_field
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.words.head_words import metric_meaning, metric_name, type_meaning, type_name, type_rule

_MOST = 99_999.0
_LEAST_WIDTH = 64
_ARROW = " ▾"


class HeadOrderBar(QWidget):
    """Sort and Filter in one row. It asks for an order and shows what it is given.

    Parameters
    ----------
    *others : QAction
        What stands in the menu of Display, beside averages.

    Attributes
    ----------
    display : QToolButton
        How heads are shown; for the panel to place.

    Signals
    -------
    changed(HeadOrder)
        The user wants another.
    """

    changed = Signal(object)

    def __init__(self, *others: QAction) -> None:
        super().__init__()
        self.order = HeadOrder()
        self.sort = _MenuButton()
        self.sort_by: dict[Metric | None, QAction] = {}
        self.smallest_first = QAction(self.tr("Smallest first"), self)
        self._fill_sort_menu()
        self.filter = _MenuButton()
        self.types: dict[HeadType, QAction] = {}
        self.measure = QComboBox()
        self.minimum = fraction_field(0, _MOST, 0.05, 0)
        self.everything = QAction(self.tr("Show all heads"), self)
        self._fill_filter_menu()
        self.display = _MenuButton()
        self.display.setToolTip(self.tr("How heads are shown"))
        self.averages = QAction(self.tr("Averages"), self)
        self.averages.setCheckable(True)
        self.averages.setToolTip(
            plain(
                self.tr(
                    "One picture per layer: the exact average over its heads. Click one to select all its heads. To "
                    "average a single layer, click its number or press A."
                )
            )
        )
        self.averages.triggered.connect(lambda on: self._change(averages=on))
        menu = self._menu_of(self.display)
        menu.addActions((self.averages, *others))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for button in (self.sort, self.filter):
            layout.addWidget(button)
        layout.addStretch(1)
        self.set_order(self.order, self.tr("Display"))

    def set_order(self, order: HeadOrder, display: str, *, points: bool = False) -> None:
        """Show which order is chosen, and say how heads are shown; `points` stand in no order."""
        self.order = order
        self.display.setText(display + _ARROW)
        self.display.setAccessibleName(self.tr("Display: {how}").format(how=display))
        self.averages.setEnabled(not points)
        self._show_minimum()
        self.sort_by[order.sort].setChecked(True)
        self.smallest_first.setChecked(order.smallest_first)
        self.smallest_first.setEnabled(order.sort is not None)
        self.averages.setChecked(order.averages)
        for type_, action in self.types.items():
            action.setChecked(type_ in order.types)
        self.everything.setEnabled(order.filters)
        self.sort.setEnabled(not order.averages and not points)
        self.filter.setEnabled(not order.averages or points)
        arrow = "↑" if order.smallest_first else "↓"
        words = self.tr("Sort") if order.sort is None else f"{arrow} {metric_name(order.sort)}"
        self.sort.setText(words + _ARROW)
        self.sort.setToolTip(
            plain(
                self.tr("Sort heads by a metric instead of by layer and head")
                if order.sort is None
                else f"{metric_name(order.sort)}: {metric_meaning(order.sort)}"
            )
        )
        self.filter.setText((self.tr("Filtered") if order.filters else self.tr("Filter")) + _ARROW)
        self.filter.setToolTip(plain(self._filter_words() or self.tr("Dim heads of other types or below a minimum")))

    def _show_minimum(self) -> None:
        metric, least = self.order.minimum or (self.measure.currentData(), 0.0)
        with QSignalBlocker(self.measure), QSignalBlocker(self.minimum):  # two fields make one value
            self.measure.setCurrentIndex(self.measure.findData(metric))
            if self.minimum.value() != least:  # set anew, a number that is being typed would be written out
                self.minimum.setValue(least)

    def _filter_words(self) -> str:
        parts = [type_name(type_) for type_ in HEAD_TYPES if type_ in self.order.types]
        words = self.tr("Only: {types}").format(types=", ".join(parts)) if parts else ""
        if self.order.minimum is not None:
            metric, least = self.order.minimum
            words += ("\n" if words else "") + f"{metric_name(metric)} ≥ {least:.2f}"
        return words

    # ---------------------------------------------------------------- menus
    def _fill_sort_menu(self) -> None:
        menu = self._menu_of(self.sort)
        group = QActionGroup(menu)
        metrics: tuple[Metric | None, ...] = (None, *ALL_METRICS)
        for metric in metrics:
            words = self.tr("Layer and head") if metric is None else metric_name(metric)
            action = menu.addAction(words, partial(self._change, sort=metric))
            action.setToolTip(plain("" if metric is None else metric_meaning(metric)))
            action.setCheckable(True)
            group.addAction(action)
            self.sort_by[metric] = action
            if metric is None:
                menu.addSeparator()
        menu.addSeparator()
        self.smallest_first.setCheckable(True)
        self.smallest_first.triggered.connect(lambda on: self._change(smallest_first=on))
        menu.addAction(self.smallest_first)

    def _fill_filter_menu(self) -> None:
        menu = self._menu_of(self.filter)
        for type_ in HEAD_TYPES:
            words = f"{type_name(type_)}\t{type_rule(type_)}"  # where other menus have their keys
            action = menu.addAction(words, partial(self.toggle_type, type_))
            action.setToolTip(plain(type_meaning(type_)))
            action.setCheckable(True)
            self.types[type_] = action
        menu.addSeparator()
        for metric in ALL_METRICS:
            self.measure.addItem(metric_name(metric), metric)
        self.measure.setAccessibleName(self.tr("Metric with a minimum"))
        self.minimum.setAccessibleName(self.tr("Minimum"))
        self.minimum.setSpecialValueText(self.tr("none"))
        self.measure.currentIndexChanged.connect(self._set_minimum)
        self.minimum.valueChanged.connect(self._set_minimum)
        row = QWidget()
        fields = QHBoxLayout(row)
        fields.setContentsMargins(16, 4, 16, 4)
        fields.addWidget(self.measure)
        fields.addWidget(Label("≥"))
        fields.addWidget(self.minimum)
        holder = QWidgetAction(menu)
        holder.setDefaultWidget(row)
        menu.addAction(holder)
        menu.addSeparator()
        self.everything.triggered.connect(lambda: self._change(types=frozenset(), minimum=None))
        menu.addAction(self.everything)

    def _menu_of(self, button: QToolButton) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        button.setMenu(menu)
        return menu

    # ---------------------------------------------------------------- choices
    @Slot(str)
    def toggle_type(self, type_: HeadType) -> None:
        """Let heads of a type through as well, or no longer."""
        self._change(types=self.order.types ^ {type_})

    @Slot()
    def _set_minimum(self) -> None:
        least = round(self.minimum.value(), 2)
        self._change(minimum=(self.measure.currentData(), least) if least > 0 else None)

    def _change(self, **values: Any) -> None:
        order = replace(self.order, **values)
        if order != self.order:
            self.changed.emit(order)


class _MenuButton(QToolButton):
    """A flat button with a menu, whose words are elided where there is no room for them."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("flat")
        self.setProperty("tight", True)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def minimumSizeHint(self) -> QSize:
        return QSize(min(_LEAST_WIDTH, self.sizeHint().width()), self.sizeHint().height())

    def paintEvent(self, _event: QPaintEvent) -> None:
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        room = self.width() - self.sizeHint().width() + GRID  # what is missing; Qt's widths are rounded
        words, metrics = self.text().removesuffix(_ARROW), self.fontMetrics()
        room += metrics.horizontalAdvance(words)
        option.text = metrics.elidedText(words, Qt.TextElideMode.ElideRight, room) + _ARROW
        QStylePainter(self).drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)

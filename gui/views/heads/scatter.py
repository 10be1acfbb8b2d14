"""HeadScatter: every head as a point, one metric against another; a click selects a head."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any

from PySide6.QtCore import QCoreApplication, QSignalBlocker, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QComboBox, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from headscope.core.analyse.records.head_types import ALL_METRICS, THRESHOLDS, HeadMetrics, Metric
from headscope.core.vocabulary import Head
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.theme import SMALL_SIZE, Theme, text_font, theme_of
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.wrapping_layout import WrappingLayout
from headscope.gui.words.head_words import metric_meaning, metric_name, metric_value, threshold_words, type_name

_POINT, _CHOSEN = 9, 14
"""Diameters in pixels."""
_SMALLEST = 120, 120
_FAINT = 70
"""Opacity, of 255, of heads that the filters set back."""


class HeadScatter(QWidget):
    """A point for each measured head, in the colour of its type.

    Signals
    -------
    chosen(Head, bool)
        A head was clicked, with Ctrl if True: beside those that are selected.
    metrics_chosen(Metric, Metric)
        The user wants other metrics, across and up.
    """

    chosen = Signal(tuple, bool)
    metrics_chosen = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._theme = theme_of(dark=False)
        self._metrics: HeadMetrics | None = None
        self._faded: frozenset[Head] = frozenset()
        self._selected: Mapping[Head, int] = {}
        self._minimum: tuple[Metric, float] | None = None
        self._lines: list[Any] = []
        self._plot: Any = None  # pyqtgraph's, imported when it is first seen
        self._points: Any = None
        self.across, self.up = (_metric_box(), _metric_box())
        self.across.setAccessibleName(self.tr("Metric of the horizontal axis"))
        self.up.setAccessibleName(self.tr("Metric of the vertical axis"))
        axes = QWidget()
        row = WrappingLayout(axes, spacing=8)
        row.setContentsMargins(0, 0, 0, 4)
        against = Label(self.tr("against"))
        against.setMinimumHeight(self.up.sizeHint().height())
        for part in (self.up, against, self.across):
            row.addWidget(part)
        beside = QHBoxLayout()
        beside.setContentsMargins(12, 0, 8, 0)
        beside.addWidget(axes)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addLayout(beside)
        self.setFocusProxy(self.up)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)  # it takes what the grid has
        for box in (self.across, self.up):
            box.currentIndexChanged.connect(self._choose_metrics)

    # ---------------------------------------------------------------- what is shown
    def set_theme(self, theme: Theme) -> None:
        """Draw in this look from now on."""
        self._theme = theme
        self._draw()

    def set_metrics(self, metrics: HeadMetrics | None, faded: frozenset[Head]) -> None:
        """Show these heads; those of `faded` faintly."""
        if metrics is not self._metrics or faded != self._faded:
            self._metrics, self._faded = metrics, faded
            self._draw()

    def set_axes(self, across: Metric, up: Metric, minimum: tuple[Metric, float] | None) -> None:
        """Show one metric against another; `minimum` is what the filter lets through of one."""
        self._minimum = minimum
        for box, metric in ((self.across, across), (self.up, up)):
            with QSignalBlocker(box):
                box.setCurrentIndex(box.findData(metric))
        self._draw()

    @Slot()
    def _choose_metrics(self) -> None:
        self.metrics_chosen.emit(self.across.currentData(), self.up.currentData())

    def set_selection(self, selected: Mapping[Head, int]) -> None:
        """Ring these heads in their colours."""
        if selected != self._selected:
            self._selected = dict(selected)
            self._draw()

    @property
    def heads(self) -> tuple[Head, ...]:
        """Those that have a point: both of their metrics were measured and exist."""
        if self._metrics is None:
            return ()
        return tuple(head for head in self._metrics.types if not any(map(isnan, self._at(head))))

    def _at(self, head: Head) -> tuple[float, float]:
        assert self._metrics is not None
        layer, number = head
        across, up = (self._metrics.values[box.currentData()][layer, number] for box in (self.across, self.up))
        return float(across), float(up)

    # ---------------------------------------------------------------- drawing
    def _prepare(self) -> None:
        """Make the plot when it is first seen: pyqtgraph takes a moment to be imported."""
        import pyqtgraph

        self._plot = pyqtgraph.PlotWidget()
        self._plot.setMenuEnabled(False)
        self._plot.hideButtons()
        self._plot.setMinimumSize(*_SMALLEST)  # its own is that of a window
        self._plot.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._points = pyqtgraph.ScatterPlotItem(hoverable=True, tip=self._words)
        self._points.sigClicked.connect(self._click)
        self._plot.addItem(self._points)
        self._column.addWidget(self._plot, 1)

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if self._plot is None:
            self._prepare()
        self._draw()

    @Slot()
    def _draw(self) -> None:
        if self._plot is None or not self.isVisible():
            return
        import pyqtgraph

        theme, metrics = self._theme, self._metrics
        self._plot.setBackground(theme.color("panel"))
        for side in ("bottom", "left"):
            axis = self._plot.getAxis(side)
            axis.setPen(theme.color("line"))
            axis.setTextPen(theme.color("muted"))
            axis.setTickFont(text_font(SMALL_SIZE))
        spots: list[dict[str, Any]] = []
        for head in self.heads if metrics is not None else ():
            color = type_color(metrics.types[head], theme) if metrics is not None else theme.color("muted")
            color = theme.color("muted") if color == theme.color("line") else color
            color.setAlpha(_FAINT if head in self._faded else 255)
            ring = pyqtgraph.mkPen(theme.head_color(self._selected[head]), width=3) if head in self._selected else None
            size = _CHOSEN if head in self._selected else _POINT
            spots.append({"pos": self._at(head), "data": head, "brush": color, "pen": ring, "size": size})
        spots.sort(key=lambda spot: spot["size"])  # those that are selected lie on top
        self._points.setData(spots)
        self._draw_lines()

    def _draw_lines(self) -> None:
        """Where heads begin to be named after a metric, and where the filter lets them through."""
        import pyqtgraph

        for line in self._lines:
            self._plot.removeItem(line)
        self._lines = []
        for box, angle in ((self.across, 90), (self.up, 0)):
            metric = box.currentData()
            if metric in THRESHOLDS:
                pen = pyqtgraph.mkPen(self._theme.color("muted"), width=1, style=Qt.PenStyle.DashLine)
                self._add_line(THRESHOLDS[metric], angle, pen, threshold_words(metric))
            if self._minimum is not None and self._minimum[0] == metric:
                least = self._minimum[1]
                pen = pyqtgraph.mkPen(self._theme.color("accent"), width=1)
                self._add_line(least, angle, pen, f"{metric_name(metric)} ≥ {least:.2f}")

    def _add_line(self, value: float, angle: int, pen: Any, words: str) -> None:
        import pyqtgraph

        options = {"color": pen.color(), "position": 0.96, "anchors": [(1, 0), (1, 1)], "rotateAxis": (1, 0)}
        line = pyqtgraph.InfiniteLine(value, angle, pen, label=words, labelOpts=options)
        line.label.setFont(text_font(SMALL_SIZE))
        self._plot.addItem(line, ignoreBounds=True)  # where no head comes near, it is out of sight
        self._lines.append(line)

    def _words(self, x: float, y: float, data: Head) -> str:
        """What the mouse points at."""
        assert self._metrics is not None
        where = QCoreApplication.translate("HeadScatter", "layer {layer} · head {head}").format(layer=data[0], head=data[1])
        numbers = [
            f"{metric_name(box.currentData())} {metric_value(box.currentData(), value)}"
            for box, value in ((self.up, y), (self.across, x))
        ]
        return "\n".join([f"{where} · {type_name(self._metrics.types[data])}", *numbers])

    @Slot(object, object)
    def _click(self, _item: object, points: Any, _event: object = None) -> None:
        if len(points):
            extend = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ControlModifier)
            self.chosen.emit(points[0].data(), extend)


def _metric_box() -> QComboBox:
    box = QComboBox()
    for metric in ALL_METRICS:
        box.addItem(metric_name(metric), metric)
        box.setItemData(box.count() - 1, metric_meaning(metric), Qt.ItemDataRole.ToolTipRole)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box

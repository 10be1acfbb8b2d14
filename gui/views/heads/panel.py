"""HeadsPanel: all heads of the model at a glance; choose the ones to look at."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QAction, QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QStackedWidget, QToolButton, QVBoxLayout, QWidget

from headscope.core.analyse.records.head_types import HEAD_TYPES, HeadType, Metric
from headscope.core.attention.lens import Lens
from headscope.core.vocabulary import Head, Kind
from headscope.gui.control.goal import MOST_HEADS
from headscope.gui.control.head_metrics import HeadMetricsLoader
from headscope.gui.control.head_probe import HeadProber
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.head_places import AVERAGE, HeadPlaces
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.lens_words import lens_help, lens_name, named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.session import Session
from headscope.gui.views.heads import badges
from headscope.gui.views.heads.commands import can_be_probed
from headscope.gui.views.heads.figure import heads_figure
from headscope.gui.views.heads.legend import TypeLegend
from headscope.gui.views.heads.order_bar import HeadOrderBar
from headscope.gui.views.heads.scatter import HeadScatter
from headscope.gui.views.heads.settings import HeadsSettings
from headscope.gui.views.heads.widget import HeadGridView
from headscope.gui.widgets.head_preview import HeadDetails
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.scale_line import ScaleLine
from headscope.gui.words.head_words import type_rule, type_short

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer


class HeadsPanel(QWidget):
    """Layers × heads, or heads in an order of their own, with a choice of the kind of attention where a model has several."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.summary = LineLabel(muted=True)
        self.own_maximum = self._switch(
            self.tr("Scale per head"), self.tr("Scale each head to its own largest weight instead of to 1")
        )
        self.own_maximum.triggered.connect(self._scale_per_head)
        self.mean = self._switch(
            self.tr("Mean"),
            self.tr("Each pixel is the mean of the weights it covers instead of the largest. Turns on Scale per head."),
        )
        self.mean.triggered.connect(self._pool)
        self.as_points = self._switch(self.tr("Scatter"), self.tr("Show every head as a point, one metric against another"))
        self.as_points.triggered.connect(self._show_points)
        self.probing = HeadProber(state, explorer, self)
        self.probe = QAction(self.tr("Measure heads on a probe"), self)
        self.probe.setToolTip(
            plain(self.tr("Run the model on random tokens that are repeated, and mark what each head does there"))
        )
        self.probe.triggered.connect(self.probing.measure)
        self.bar = HeadOrderBar(self.mean, self.own_maximum, self.as_points, self.probe)
        self.bar.changed.connect(self._set_order)
        self._averages_tip = self.bar.averages.toolTip()
        self.view = self._new_view()
        self.scatter = HeadScatter()
        self.scatter.chosen.connect(self._choose)
        self.scatter.metrics_chosen.connect(self._choose_metrics)
        self.scale = ScaleLine()  # of weights it is always from 0 to 1, or each head's own
        self.scale.hide()
        self.legend = TypeLegend()
        self.legend.toggled.connect(self.bar.toggle_type)
        self.measuring = HeadMetricsLoader(state, explorer, self)
        self.measuring.changed.connect(self._show_metrics)
        self.kinds: dict[Kind, QToolButton] = {}
        self._kind_group = QButtonGroup(self)
        self._kind_row = _row((12, 0, 12, 4))
        self._seen = range(0)
        self._folded: frozenset[int] = frozenset()
        self._picture = HeadGridPicture(0, 0)
        self._places: tuple[tuple[tuple[int, int], object], HeadPlaces] = (((0, 0), None), HeadPlaces.flowing(()))
        self._lay_out()
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "model", "record", "head", "head_order", "lens", "views.heads"}))

    def _switch(self, words: str, hint: str) -> QAction:
        action = QAction(words, self)
        action.setCheckable(True)
        action.setToolTip(plain(hint))
        return action

    def _new_view(self) -> HeadGridView:
        view = HeadGridView()
        view.chosen.connect(self._choose)
        view.layer_chosen.connect(self._choose_layer)
        view.layer_folded.connect(self._fold)
        view.layers_seen.connect(self._see_layers)
        view.set_details(self._details)
        return view

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addLayout(self._kind_row)
        column.addLayout(_row((6, 0, 0, 4), self.bar))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.view)
        self._stack.addWidget(self.scatter)
        column.addWidget(self._stack, 1)
        column.addWidget(self.scale)
        below = _row((16, 4, 4, 0))
        below.addWidget(self.summary, 1)
        below.addWidget(self.bar.display)
        column.addLayout(below)
        column.addLayout(_row((10, 0, 8, 0), self.legend))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
            self.scatter.set_theme(theme_of(self._state.dark))
        if names & {"record", "kind", "model"}:
            self._show_kinds()
            self._folded &= frozenset(range(self._shape()[0]))
        if names & {"record", "kind", "busy"} and self.isVisible():
            self.measuring.ask(self._seen)
        if names & {"views.heads", "pooling", "head_order"}:
            self._show_settings()
        if names & {"thumbnails", "record", "kind", "model", "head_order", "lens", "dark", "views.heads", "head_probe"}:
            self._show_pictures()
        if names & {"dark", "record", "kind", "head_probe"}:
            self._show_legend()
        if names & {"busy", "model"}:
            self.probe.setEnabled(can_be_probed(self._state))
        if names & {"lens", "source", "views.heads", "pooling", "head_order"}:
            self._show_lens()
        if names & {"head", "heads"}:
            self.view.set_selection(self._state.head, self._state.color_of)
            self.scatter.set_selection(self._state.color_of)

    @property
    def _lens(self) -> Lens:
        """Of the thumbnails: others go when it changes."""
        return self._state.shown_lens

    def _show_lens(self) -> None:
        """What is measured is measured of weights, also the averages of layers, which cannot be shown beside other numbers."""
        share, words = self._lens.is_share, lens_name(self._lens)
        of_weights = self.tr("Averages are of weights; the heads are shown through another lens: {lens}.").format(lens=words)
        self.bar.averages.setEnabled(share and not self._state.view(HeadsSettings).scatter)
        self.bar.averages.setToolTip(plain(self._averages_tip if share else of_weights))
        measured = self.tr("Types, sorting and filters always measure weights.")
        self.summary.setToolTip(plain("" if share else f"{lens_help(self._lens)}\n{measured}"))
        self.scale.setVisible(not share)

    # ---------------------------------------------------------------- metrics
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.measuring.ask(self._seen)

    @Slot()
    def _show_metrics(self) -> None:
        self._show_pictures()
        self._show_legend()

    @Slot(bool)
    def _scale_per_head(self, on: bool) -> None:
        self._state.set_view(HeadsSettings, own_maximum=on)

    @Slot(bool)
    def _show_points(self, on: bool) -> None:
        self._state.set_view(HeadsSettings, scatter=on)

    def _show_settings(self) -> None:
        """The controls as the settings are; the scatter in the place of the grid, whose averages and order mean nothing to it."""
        chosen = self._state.view(HeadsSettings)
        shown, mean = chosen.scatter, self._state.pooling == "mean"
        for action, on in ((self.own_maximum, chosen.own_maximum), (self.mean, mean), (self.as_points, shown)):
            action.setChecked(on)
            action.setEnabled(not shown or action is self.as_points)
        self.bar.set_order(self._state.head_order, self._display(), points=shown)
        self.scatter.set_axes(chosen.across, chosen.up, self._state.head_order.minimum)
        self._stack.setCurrentWidget(self.scatter if shown else self.view)
        self.setFocusProxy(self.scatter if shown else self.view)

    def _display(self) -> str:
        """How heads are shown, in a word."""
        chosen = self._state.view(HeadsSettings)
        ways = (
            (chosen.scatter, self.as_points.text()),
            (self._state.head_order.averages, self.bar.averages.text()),
            (self._state.pooling == "mean", self.mean.text()),
            (chosen.own_maximum, self.tr("Per head")),
        )
        return next((words for holds, words in ways if holds), self.tr("Display"))

    def _details(self, head: Head) -> HeadDetails:
        metrics, theme = self.measuring.metrics, theme_of(self._state.dark)
        if head[1] == AVERAGE or metrics is None or head not in metrics.types:
            return HeadDetails()
        return badges.details(head, metrics, self._state.head_probe, theme)

    def _show_legend(self) -> None:
        metrics, theme = self.measuring.marking, theme_of(self._state.dark)
        probe = self._state.head_probe
        first, second, probed = badges.counted(metrics, probe)
        self.legend.set_chosen(self._state.head_order.types)
        for type_ in HEAD_TYPES:
            meaning = badges.legend_words(type_, first[type_], second[type_], None if probe is None else probed[type_])
            words = type_short(type_), type_rule(type_), meaning
            count = badges.count_words(first[type_], second[type_]), first[type_] + second[type_] + probed[type_]
            self.legend.set_type(type_, *words, type_color(type_, theme), *count)
        self.legend.set_note(*badges.probe_words(probe) if probe is not None else ("", ""))

    # ---------------------------------------------------------------- choices
    @Slot(object)
    def _set_order(self, order: HeadOrder) -> None:
        self._state.update(head_order=order)

    @Slot(tuple, bool)
    def _choose(self, head: Head, extend: bool) -> None:
        self._explorer.select_head(head, extend)

    @Slot(int)
    def _choose_layer(self, layer: int) -> None:
        heads = tuple((layer, head) for head in range(self._shape()[1]))[:MOST_HEADS]
        chosen = self._state.head if self._state.head in heads else heads[0]
        self._explorer.select_heads(chosen, heads)

    @Slot(int)
    def _fold(self, layer: int) -> None:
        self._folded ^= {layer}
        self._show_pictures()

    @Slot(object)
    def _see_layers(self, layers: range) -> None:
        self._seen = layers
        self._explorer.see_layers(layers)

    @Slot(bool)
    def _pool(self, mean: bool) -> None:
        views = self._state.views
        if mean:  # on the scale from 0 to 1 the mean of a long text's weights is as good as white
            views = views.having(replace(self._state.view(HeadsSettings), own_maximum=True))
        self._state.update(pooling="mean" if mean else "max", views=views)

    @Slot(str, str)
    def _choose_metrics(self, across: Metric, up: Metric) -> None:
        self._state.set_view(HeadsSettings, across=across, up=up)

    def _shape(self) -> tuple[int, int]:
        """How many layers and heads there are."""
        state = self._state
        if state.thumbnails is not None:
            return state.thumbnails.shape[0], state.thumbnails.shape[1]
        return state.model.layers.get(state.kind, (0, 0)) if state.model is not None else (0, 0)

    # ---------------------------------------------------------------- pictures
    @Slot()
    def _show_pictures(self) -> None:
        n_layers, n_heads = self._shape()
        order, metrics = self._state.head_order, self.measuring.marking
        self.legend.set_chosen(order.types)
        places = self._placed()
        self._picture = self._base(n_layers, n_heads).rearranged(
            averages=None if metrics is None or not self._lens.is_share else metrics.averages[self._state.pooling],
            places=places,
            types=None if metrics is None else metrics.types,
            second_types=None if metrics is None else metrics.second_types,
            probed=self._probed(),
            faded=() if metrics is None else order.set_back(metrics),
            notes=order.values_of(self.measuring.metrics) if places.flows and self.measuring.metrics is not None else None,
        )
        self.view.set_picture(self._picture)
        scale, theme = self._picture.scale, theme_of(self._state.dark)
        self.scale.set_theme(theme)
        self.scale.show_scale(None if scale is None else scale.scale(theme), "")
        self.summary.set_text(self._summary())
        measured = self.measuring.metrics
        self.scatter.set_metrics(measured, frozenset() if measured is None else frozenset(order.set_back(measured)))

    def _probed(self) -> dict[Head, HeadType]:
        """What heads that are shown do on the probe; empty without one."""
        probe = self._state.head_probe
        if probe is None or probe.kind != self._state.kind:
            return {}
        return {head: type_ for head in probe.types if (type_ := probe.type_of(head)) is not None}

    def figure(self) -> PaintedFigure | None:
        """The heads as they stand here; None while there is no picture of any."""
        return heads_figure(self._picture)

    def _base(self, n_layers: int, n_heads: int) -> HeadGridPicture:
        """The thumbnails, which are made ready to be drawn once, wherever they then stand."""
        old, thumbnails, own = self._picture, self._state.thumbnails, self._state.view(HeadsSettings).own_maximum
        wanted = n_layers, n_heads, own, self._lens
        if (old.n_layers, old.n_heads, old.each_to_its_maximum, old.lens) == wanted and old.thumbnails is thumbnails:
            return old
        return HeadGridPicture(n_layers, n_heads, thumbnails, each_to_its_maximum=own, lens=self._lens)

    def _placed(self) -> HeadPlaces:
        """Where heads stand; the same object as before if they still stand there."""
        shape, order, metrics = self._shape(), self._state.head_order, self.measuring.metrics
        key: tuple[tuple[int, int], object] = (shape, self._folded)
        if not self._lens.is_share and (order.averages or self._folded):
            key = (shape, frozenset[int]())
        if order.averages and self._lens.is_share:
            key = (shape, "averages")
        elif order.sort is not None and metrics is not None and self.measuring.is_complete:
            key = (shape, order.sorted(metrics))
        elif order.sort is not None and isinstance(self._places[0][1], list) and self._places[0][0] == shape:
            return self._places[1]  # until they are measured
        if key != self._places[0]:
            self._places = key, self._new_places(key[1])
        return self._places[1]

    def _new_places(self, order: object) -> HeadPlaces:
        n_layers, n_heads = self._shape()
        if isinstance(order, list):
            return HeadPlaces.flowing(order)
        if order == "averages":
            return HeadPlaces.flowing([(layer, AVERAGE) for layer in range(n_layers)])
        return HeadPlaces.in_layers(n_layers, n_heads, self._folded if self._lens.is_share else frozenset())

    def _summary(self) -> str:
        n_layers, n_heads = self._shape()
        order, metrics = self._state.head_order, self.measuring.metrics
        if not n_layers:
            return ""
        if order.averages and self._lens.is_share:
            return self.tr("%n average(s)", "", n_layers)
        if order != HeadOrder() and not self.measuring.is_complete:
            measured = 0 if metrics is None else len(metrics.measured)
            return self.tr("measuring: {measured} of {n_layers} layers").format(measured=measured, n_layers=n_layers)
        if order.filters and metrics is not None:
            shown = len(metrics.types) - len(order.set_back(metrics))
            return self.tr("{shown} of {all} heads").format(shown=shown, all=n_layers * n_heads)
        return named(self.tr("{n_layers} × {n_heads} heads").format(n_layers=n_layers, n_heads=n_heads), self._lens)

    def _show_kinds(self) -> None:
        """A button for each kind of attention, if there are several."""
        model = self._state.model
        wanted = list(model.layers) if model is not None and len(model.layers) > 1 else []
        if wanted != list(self.kinds):
            for button in self.kinds.values():
                self._kind_group.removeButton(button)
                button.deleteLater()
            self.kinds = {kind: self._kind_button(kind) for kind in wanted}
        if self._state.kind in self.kinds:
            self.kinds[self._state.kind].setChecked(True)

    def _kind_name(self, kind: Kind) -> str:
        return {"encoder": self.tr("Encoder"), "decoder": self.tr("Decoder"), "cross": self.tr("Cross")}[kind]

    def _kind_button(self, kind: Kind) -> QToolButton:
        button = _flat_toggle(self._kind_name(kind))
        button.clicked.connect(partial(self._explorer.set_kind, kind))
        self._kind_group.addButton(button)
        self._kind_row.addWidget(button)
        return button


def _flat_toggle(text: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setProperty("tight", True)
    button.setText(text)
    button.setCheckable(True)
    return button


def _row(margins: tuple[int, int, int, int], widget: QWidget | None = None) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(*margins)
    row.setSpacing(2)
    if widget is not None:
        row.addWidget(widget)
    return row

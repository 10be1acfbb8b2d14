"""ExportDialog: what to write, in which form, with a preview; then where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from PySide6.QtCore import (
    QCoreApplication,
    QMimeData,
    QRectF,
    QSettings,
    QSignalBlocker,
    QSize,
    QStandardPaths,
    Qt,
    QTimer,
    Slot,
)
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QPixmap, QShowEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from headscope.core.attention.lens import LENSES
from headscope.core.errors import HeadscopeError
from headscope.core.files.numbers import NUMBER_FORMATS
from headscope.core.text.tokens import Units
from headscope.gui.commands.units import Special, UnitsOf
from headscope.gui.control.exporter import Export, HeadExport, PictureExport, RecordExport
from headscope.gui.paint.figure import Figure, FigureOptions
from headscope.gui.paint.formats import PICTURE_FORMATS, figure_image, figure_svg, paint_scaled, size_mm
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.origin import SignedFigure
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.positions import Region
from headscope.gui.paint.theme import designed_type
from headscope.gui.session.origin import origin_of
from headscope.gui.session.session import Session
from headscope.gui.view_spec import FigureSpec
from headscope.gui.widgets.colors import colors_of
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.tall_area import TallArea
from headscope.gui.window.figure_fields import FigureFields
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_NUMBERS: Final = {"head_weights": tuple(NUMBER_FORMATS), "all_weights": (".npz",)}
"""Numbers that can be written, and as what; every figure can be written as all of `PICTURE_FORMATS`."""
_PREVIEW = QSize(440, 400)
_MOST_OF_SCREEN = 0.92
_OF_FIGURES: Final = frozenset({"record", "weights", "units", "lens", "notice", "pinned", "marks", "predictions", "steps"})
"""What changes a figure while this is open: units are chosen here (and may be refused), and numbers come."""


class ExportDialog(QDialog):
    """Asks what to write, then hands it to the explorer.

    Parameters
    ----------
    figures : mapping of FigureSpec to QWidget
        The panels that show them.
    settings : QSettings
        Remember what was chosen, and the folder.
    """

    def __init__(
        self,
        state: Session,
        explorer: Explorer,
        figures: Mapping[FigureSpec, Any],
        settings: QSettings,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._figures = {figure.id: (figure, panel) for figure, panel in figures.items()}
        self._settings = settings
        self.setWindowTitle(self.tr("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        names = {figure.id: figure.words for figure in figures}
        numbers = lens_name(state.shown_lens).capitalize()
        names |= {"head_weights": self.tr("{numbers} of this head").format(numbers=numbers)}
        self.what = _choices(names | {"all_weights": self.tr("{numbers} of all heads").format(numbers=numbers)})
        self.form = QComboBox()
        self.fields = FigureFields()
        self.note = Label()
        self.note.setObjectName("muted")
        self.note.setWordWrap(True)
        self.preview = _Preview()
        self._arrange()
        self._restore()
        self.what.currentIndexChanged.connect(self._show_forms)
        self.form.currentIndexChanged.connect(self._show)
        self.fields.changed.connect(self._show)
        self._shows_anew = QTimer(self, singleShot=True, interval=0)  # numbers of a view come in parts
        self._shows_anew.timeout.connect(self._show)
        self.fields.units_chosen.connect(self._set_units)
        self.fields.lens_chosen.connect(lambda id_: explorer.set_lens(LENSES[id_]))
        state.changed.connect(self._on_changed)
        for figure, panel in figures.items():
            if figure.changes is not None:
                figure.changes(panel).connect(self._shows_anew.start)
        self._show()

    def _arrange(self) -> None:
        rows = QFormLayout()
        rows.setHorizontalSpacing(16)
        rows.setVerticalSpacing(8)
        rows.addRow(self.tr("What"), self.what)
        rows.addRow(self.tr("Format"), self.form)
        self._inner = QWidget()
        left = QVBoxLayout(self._inner)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(8)
        left.addLayout(rows)
        left.addWidget(self.fields)
        left.addWidget(self.note)
        left.addStretch(1)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.copy = self.buttons.addButton(self.tr("Copy"), QDialogButtonBox.ButtonRole.ActionRole)
        self.copy.setToolTip(self.tr("Put the picture on the clipboard"))
        self.write = self.buttons.addButton(self.tr("Export…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.write.setObjectName("primary")
        self.buttons.accepted.connect(self._ask_where)
        self.buttons.rejected.connect(self.reject)
        self.copy.clicked.connect(self._copy)
        beside = QHBoxLayout()
        beside.setSpacing(24)
        beside.addWidget(TallArea(self._inner))  # with large type it is higher than a laptop's screen
        beside.addWidget(self.preview, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(16)
        column.addLayout(beside, 1)
        column.addWidget(self.buttons)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Grow to what the fields need, as far as the screen goes."""
        layout = self.layout()
        assert layout is not None, "it was arranged"
        margins = layout.contentsMargins()
        around = margins.top() + margins.bottom() + layout.spacing() + self.buttons.sizeHint().height()
        most = round(self.screen().availableSize().height() * _MOST_OF_SCREEN)
        self.resize(self.width(), max(self.height(), min(self._inner.sizeHint().height() + around, most)))

    # ---------------------------------------------------------------- what is remembered
    def _restore(self) -> None:
        """What was chosen the last time, where that can be had."""
        self.fields.restore(self._settings.value("export/options", ""))
        at = self.what.findData(self._settings.value("export/what"))
        self.what.setCurrentIndex(max(at, 0))
        self._show_forms()
        self.form.setCurrentIndex(max(self.form.findData(self._settings.value("export/form")), 0))

    def _remember(self, path: Path | None = None) -> None:
        self._settings.setValue("export/options", self.fields.kept())
        self._settings.setValue("export/what", self.what.currentData())
        self._settings.setValue("export/form", self.form.currentData() if path is None else path.suffix[1:].lower())
        if path is not None:
            self._settings.setValue("export/folder", str(path.parent))

    def _folder(self) -> str:
        """Where the last file went, if that is still there; else where documents are."""
        kept = self._settings.value("export/folder")
        return str(kept) if isinstance(kept, str) and kept and Path(kept).is_dir() else _documents()

    # ---------------------------------------------------------------- what is chosen
    @property
    def _spec(self) -> FigureSpec | None:
        found = self._figures.get(self.what.currentData())
        return None if found is None else found[0]

    def _options(self) -> FigureOptions:
        """What the fields ask for; ``bad_option`` where one of them cannot be read."""
        return self.fields.options(frozenset() if self._spec is None else self._spec.obeys)

    def _zoomed(self) -> Region | None:
        """The part of a map that the view shows, if it does not show all."""
        spec, panel = self._figures.get(self.what.currentData(), (None, None))
        return None if spec is None or spec.zoomed is None else spec.zoomed(panel)

    @property
    def _picked(self) -> Picked:
        """What stands out on the screen."""
        marks, pinned = self._state.marks, self._state.pinned
        return Picked(pinned.query, pinned.key, marks.queries, marks.keys)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & _OF_FIGURES:
            self._shows_anew.start()

    @Slot(str, str)
    def _set_units(self, units: UnitsOf, special: Special) -> None:
        self._explorer.set_units(Units(units, special))

    def _figure(self) -> Figure | None:
        spec, panel = self._figures.get(self.what.currentData(), (None, None))
        if spec is None:
            return None
        with designed_type():
            figure = spec.make(panel)
        if figure is None:
            return None
        heads = self._state.heads if "heads" in spec.obeys else (self._state.head,) if "head" in spec.obeys else ()
        of = {"in_units": "units" in spec.obeys, "through_lens": "lens" in spec.obeys}
        return SignedFigure(figure, origin_of(self._state, heads=heads, **of))

    def _forms(self) -> tuple[str, ...]:
        """What the chosen thing can be written as."""
        what = self.what.currentData()
        suffixes = tuple(PICTURE_FORMATS) if what in self._figures else _NUMBERS[what]
        return tuple(suffix.removeprefix(".") for suffix in suffixes)

    def request(self, path: Path) -> Export | None:
        """What the choices ask for, to be written to `path`; None if there is nothing to write."""
        state, what = self._state, self.what.currentData()
        if what in self._figures:
            figure = self._figure()
            try:
                return None if figure is None else PictureExport(path, figure, self._options())
            except HeadscopeError:
                return None
        if state.record is None or state.shown is None:
            return None
        if what == "all_weights":
            return RecordExport(path, state.record)
        model = state.model.name if state.model is not None else ""
        return HeadExport(path, state.record, state.kind, state.head, model)

    def suggested_name(self) -> str:
        """A name for the file that says what is in it."""
        state = self._state
        model = state.model.name if state.model is not None else "headscope"
        parts = ["".join(letter if letter.isalnum() else "-" for letter in model).strip("-"), state.kind]
        if self.what.currentData() != "all_weights":
            parts += [f"layer{state.head[0]}", f"head{state.head[1]}", self.what.currentText().split()[0].lower()]
        return "-".join(parts) + f".{self.form.currentData()}"

    # ---------------------------------------------------------------- what is shown
    @Slot()
    def _show_forms(self) -> None:
        before = self.form.currentData()
        self.form.blockSignals(True)
        self.form.clear()
        for form in self._forms():
            self.form.addItem(form.upper(), form)
        self.form.setCurrentIndex(max(self.form.findData(before), 0))
        self.form.blockSignals(False)
        self._show()

    @Slot()
    def _show(self) -> None:
        form, spec = self.form.currentData(), self._spec
        self.fields.setVisible(spec is not None)
        if spec is not None:
            units = self._state.units
            self.fields.show_screen(self._picked, self._zoomed(), units.of, units.special, self._state.lens.id)
            with QSignalBlocker(self.fields):
                self.fields.show_for(spec.obeys, form)
        figure, options = self._figure(), FigureOptions()
        try:
            options = self._options()
            words = self._words(figure, options, form)
        except HeadscopeError as error:
            figure, words = None, refusal_of(error)
        self.copy.setVisible(spec is not None)
        self.copy.setEnabled(figure is not None)
        self.note.setText(words)
        self.preview.show_figure(figure, options)
        self.write.setEnabled(figure is not None or (spec is None and self.request(Path()) is not None))
        if self.isVisible():
            self._fit()

    def _words(self, figure: Figure | None, options: FigureOptions, form: str) -> str:
        """What the file will be like; errors of the figure, such as ``empty_region``."""
        if figure is not None:
            size = size_mm(figure, options)
            words = self.tr("{width:.0f} × {height:.0f} mm").format(width=size.width(), height=size.height())
            if form == "png":
                dots = [round(side / 25.4 * options.dpi) for side in (size.width(), size.height())]
                pixels = self.tr("{width} × {height} pixels").format(width=dots[0], height=dots[1])
                return f"{words}\n{pixels}"
            return f"{words}\n{self._form_words(form)}"
        if self._spec is not None:
            return self.tr("There is nothing to export yet: this view is empty.")
        return self._form_words(form)

    def _form_words(self, form: str) -> str:
        found = PICTURE_FORMATS.get(f".{form}") or NUMBER_FORMATS[f".{form}"]
        return QCoreApplication.translate("formats", found.note)

    # ---------------------------------------------------------------- where
    @Slot()
    def _ask_where(self) -> None:
        form = self.form.currentData()
        dialog = QFileDialog(self, self.tr("Export as"), self._folder())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        filters = [f"{name.upper()} (*.{name})" for name in self._forms()]
        dialog.setNameFilters(filters)
        dialog.selectNameFilter(f"{form.upper()} (*.{form})")
        dialog.setDefaultSuffix(form)
        dialog.selectFile(self.suggested_name())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._export)
        dialog.open()

    @Slot(str)
    def _export(self, name: str) -> None:
        """Write the file; an ending that this can be written as is taken at its word, any other is part of the name."""
        path = Path(name)
        if path.suffix[1:].lower() not in self._forms():
            path = path.with_name(f"{path.name}.{self.form.currentData()}")
        request = self.request(path)
        if request is not None:
            self._explorer.export(request)
        self._remember(path)
        self.accept()

    @Slot()
    def _copy(self) -> None:
        """Put the picture on the clipboard: as dots, and as SVG for who takes that."""
        figure = self._figure()
        if figure is None:
            return
        try:
            image, svg = figure_image(figure, self._options()), figure_svg(figure, self._options())
        except HeadscopeError as error:
            self.note.setText(refusal_of(error))
            return
        data = QMimeData()
        data.setImageData(image)
        data.setData("image/svg+xml", svg)
        QGuiApplication.clipboard().setMimeData(data)
        self._remember()
        self.note.setText(self.tr("Copied."))


class _Preview(QWidget):
    """A picture as small as there is room for."""

    def __init__(self) -> None:
        super().__init__()
        self._image: QPixmap | None = None
        self.setMinimumSize(_PREVIEW)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_figure(self, figure: Figure | None, options: FigureOptions) -> None:
        self._image = None
        if figure is not None:
            ratio = self.devicePixelRatioF()
            size = size_mm(figure, options).scaled(_PREVIEW.toSizeF(), Qt.AspectRatioMode.KeepAspectRatio)
            self._image = QPixmap((size * ratio).toSize())
            self._image.setDevicePixelRatio(ratio)
            painter = QPainter(self._image)
            paint_scaled(figure, painter, size, options)
            painter.end()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._image is None:
            return
        painter = QPainter(self)
        size = self._image.deviceIndependentSize()
        at = QRectF(self.rect()).center() - QRectF(0, 0, size.width(), size.height()).center()
        painter.drawPixmap(at, self._image)
        painter.setPen(colors_of(self).mid().color())
        painter.drawRect(QRectF(at.x(), at.y(), size.width() - 1, size.height() - 1))


def _choices(words: dict[str, str]) -> QComboBox:
    box = QComboBox()
    for value, text in words.items():
        box.addItem(text, value)
    return box


def _documents() -> str:
    return QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)

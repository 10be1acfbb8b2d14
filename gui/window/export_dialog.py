"""ExportDialog: what to write, in which form, with a preview; then where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRectF, QSize, QStandardPaths, Qt, Slot
from PySide6.QtGui import QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import (
    QCheckBox,
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

from headscope.gui.control.exporter import Export, HeadExport, PictureExport, RecordExport
from headscope.gui.paint.figure import Figure, FigureOptions
from headscope.gui.paint.formats import SUFFIXES, paint_scaled, size_mm
from headscope.gui.paint.picked import Picked
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.view_spec import FigureSpec
from headscope.gui.widgets.colors import colors_of
from headscope.gui.widgets.number_field import whole_field
from headscope.gui.widgets.plain import Label

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_NUMBERS: Final = {"head": ("csv", "npz"), "heads": ("npz",)}
"""Numbers that can be written, and as what; every figure can be written as all of `SUFFIXES`."""
_PREVIEW = QSize(440, 400)


class ExportDialog(QDialog):
    """Asks what to write, then hands it to the explorer.

    Parameters
    ----------
    figures : mapping of FigureSpec to callable
        Make the figures as their panels show them; None while there is nothing to show.
    """

    def __init__(
        self,
        state: Session,
        explorer: Explorer,
        figures: Mapping[FigureSpec, Callable[[], Figure | None]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._figures = {figure.id: make for figure, make in figures.items()}
        self.setWindowTitle(self.tr("Export"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        names = {figure.id: figure.words for figure in figures}
        self.what = _choices({**names, "head": self.tr("Weights of this head"), "heads": self.tr("Weights of all heads")})
        self.form = QComboBox()
        self.dpi = whole_field(36, 2400, 300)
        self.look = _choices({"light": self.tr("Light"), "dark": self.tr("Dark")})
        self.mark = QCheckBox(self.tr("Mark the pinned cell"))
        self.mark.setChecked(state.pinned != Cell())
        self.mark.setEnabled(state.pinned != Cell())
        self.note = Label()
        self.note.setObjectName("muted")
        self.note.setWordWrap(True)
        self.preview = _Preview()
        self._arrange()
        self.what.currentIndexChanged.connect(self._show_forms)
        for changed in (self.form.currentIndexChanged, self.dpi.valueChanged, self.look.currentIndexChanged):
            changed.connect(self._show)
        self.mark.toggled.connect(self._show)
        self._show_forms()

    def _arrange(self) -> None:
        self._rows = QFormLayout()
        self._rows.setHorizontalSpacing(16)
        self._rows.setVerticalSpacing(8)
        self._rows.addRow(self.tr("What"), self.what)
        self._rows.addRow(self.tr("Format"), self.form)
        self._rows.addRow(self.tr("Dots per inch"), self.dpi)
        self._rows.addRow(self.tr("Theme"), self.look)
        self._rows.addRow("", self.mark)
        self._rows.addRow(self.note)
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.write = self.buttons.addButton(self.tr("Export…"), QDialogButtonBox.ButtonRole.AcceptRole)
        self.write.setObjectName("primary")
        self.buttons.accepted.connect(self._ask_where)
        self.buttons.rejected.connect(self.reject)
        beside = QHBoxLayout()
        beside.setSpacing(24)
        beside.addLayout(self._rows)
        beside.addWidget(self.preview, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(16)
        column.addLayout(beside, 1)
        column.addWidget(self.buttons)

    # ---------------------------------------------------------------- what is chosen
    @property
    def _options(self) -> FigureOptions:
        """What the fields ask for."""
        return FigureOptions(ground=self.look.currentData(), dpi=self.dpi.value(), picked=self._picked)

    @property
    def _picked(self) -> Picked:
        """What is picked out stands out in a file as it does on the screen; what is pinned, if it is wanted."""
        marks, pinned = self._state.marks, self._state.pinned if self.mark.isChecked() else Cell()
        return Picked(pinned.query, pinned.key, marks.queries, marks.keys)

    def _figure(self) -> Figure | None:
        make = self._figures.get(self.what.currentData())
        return make() if make is not None else None

    def _forms(self) -> tuple[str, ...]:
        """What the chosen thing can be written as."""
        what = self.what.currentData()
        return tuple(suffix.removeprefix(".") for suffix in SUFFIXES) if what in self._figures else _NUMBERS[what]

    def request(self, path: Path) -> Export | None:
        """What the choices ask for, to be written to `path`; None if there is nothing to write."""
        state, what = self._state, self.what.currentData()
        if what in self._figures:
            figure = self._figure()
            return None if figure is None else PictureExport(path, figure, self._options)
        if state.record is None or state.shown is None:
            return None
        if what == "heads":
            return RecordExport(path, state.record)
        model = state.model.name if state.model is not None else ""
        return HeadExport(path, state.record, state.kind, state.head, model)

    def suggested_name(self) -> str:
        """A name for the file that says what is in it."""
        state = self._state
        model = state.model.name if state.model is not None else "headscope"
        parts = ["".join(letter if letter.isalnum() else "-" for letter in model).strip("-"), state.kind]
        if self.what.currentData() != "heads":
            parts += [f"layer{state.head[0]}", f"head{state.head[1]}", self.what.currentText().split()[0].lower()]
        return "-".join(parts) + f".{self.form.currentData()}"

    # ---------------------------------------------------------------- what is shown
    @Slot()
    def _show_forms(self) -> None:
        self.form.blockSignals(True)
        self.form.clear()
        for form in self._forms():
            self.form.addItem(form.upper(), form)
        self.form.blockSignals(False)
        self._show()

    @Slot()
    def _show(self) -> None:
        figure, form = self._figure(), self.form.currentData()
        is_picture = self.what.currentData() in self._figures
        for field, wanted in ((self.dpi, form == "png"), (self.look, is_picture), (self.mark, is_picture)):
            self._rows.setRowVisible(field, wanted)
        self.note.setText(self._words(figure, form))
        self.preview.show_figure(figure, self._options)
        self.write.setEnabled(self.request(Path()) is not None)

    def _words(self, figure: Figure | None, form: str) -> str:
        """What the file will be like."""
        if figure is not None and form == "png":
            width, height = (round(side / 25.4 * self.dpi.value()) for side in size_mm(figure, self._options).toTuple())
            return self.tr("{width} × {height} pixels").format(width=width, height=height)
        return {
            "svg": self.tr("Vector graphics; text stays text."),
            "pdf": self.tr("Vector graphics on a page of matching size, fonts embedded."),
            "csv": self.tr("Key tokens in the first row, query tokens in the first column."),
            "npz": self.tr("NumPy arrays, float32, with the tokens of both sides."),
        }.get(form, "")

    # ---------------------------------------------------------------- where
    @Slot()
    def _ask_where(self) -> None:
        form = self.form.currentData()
        dialog = QFileDialog(self, self.tr("Export as"), _documents())
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilter(f"{form.upper()} (*.{form})")
        dialog.setDefaultSuffix(form)
        dialog.selectFile(self.suggested_name())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self._export)
        dialog.open()

    @Slot(str)
    def _export(self, name: str) -> None:
        path = Path(name)
        if path.suffix.lower() != f".{self.form.currentData()}":
            path = path.with_name(f"{path.name}.{self.form.currentData()}")
        request = self.request(path)
        if request is not None:
            self._explorer.export(request)
        self.accept()


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
            size = figure.size(options).scaled(_PREVIEW.toSizeF(), Qt.AspectRatioMode.KeepAspectRatio)
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

"""Pictures as files: PNG at any resolution, SVG and PDF with text as text and cells as crisp rectangles.

Each picture is painted by the code that paints the screen, into memory, and then written whole or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSizeF, Qt
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write
from headscope.core.translating import QT_TRANSLATE_NOOP
from headscope.gui.paint.anchors import noted_anchors
from headscope.gui.paint.figure import PLAIN, Figure, FigureOptions
from headscope.gui.paint.fonts import load_fonts
from headscope.gui.paint.origin import program
from headscope.gui.paint.pdf_info import finished_pdf, xmp_of
from headscope.gui.paint.svg_text import finished_svg
from headscope.gui.paint.theme import designed_type

_MM_OF_INCH = 25.4
_TITLE, _DESCRIPTION, _SOFTWARE = "Title", "Description", "Software"  # keywords of the PNG specification
_SVG_DPI = 2540  # an SVG's size is a whole number of these: hundredths of a millimetre
_LARGEST_SIDE = 32_767  # Qt's raster engine draws no further
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to hold."""
_PDF_DPI = 1200  # a PDF's coordinates are rounded to this


def write_figure(figure: Figure, path: Path, options: FigureOptions = PLAIN) -> None:
    """Write a figure; the ending of `path` says in which form.

    Parameters
    ----------
    figure : Figure
    path : Path
        Ends with one of `PICTURE_FORMATS`.
    options : FigureOptions

    Raises
    ------
    HeadscopeError
        ``unknown_file_type``, ``picture_too_large``, ``no_disk_space``, ``cannot_write``; of the figure itself, such as
        ``empty_region``.
    """
    found = PICTURE_FORMATS.get(path.suffix.lower())
    if found is None:
        raise HeadscopeError("unknown_file_type", path=path, known=", ".join(PICTURE_FORMATS))
    load_fonts()
    with designed_type():
        content = found.write(_Scene(figure, options))
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.data())


def figure_image(figure: Figure, options: FigureOptions = PLAIN) -> QImage:
    """A figure as dots, as a PNG of it has them; ``picture_too_large``."""
    load_fonts()
    with designed_type():
        return _image(_Scene(figure, options))


def figure_svg(figure: Figure, options: FigureOptions = PLAIN) -> QByteArray:
    """A figure as an SVG file has it."""
    load_fonts()
    with designed_type():
        return _svg(_Scene(figure, options))


def size_mm(figure: Figure, options: FigureOptions = PLAIN) -> QSizeF:
    """How large it will be, in millimetres."""
    with designed_type():
        return figure.size(options) * options.unit_mm


def paint_scaled(figure: Figure, painter: QPainter, room: QSizeF, options: FigureOptions = PLAIN) -> QSizeF:
    """Paint a figure, made smaller or larger to fit into `room`, at the painter's origin: what a file of it will look like.

    Returns
    -------
    QSizeF
        What it covers.
    """
    with designed_type():
        scene = _Scene(figure, options)
        covered = scene.size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio)
        painter.save()
        painter.scale(covered.width() / scene.size.width(), covered.height() / scene.size.height())
        scene.paint(painter, vector=False)
        painter.restore()
    return covered


class _Scene:
    """A figure with all that it is painted with; sizes in design units."""

    def __init__(self, figure: Figure, options: FigureOptions) -> None:
        self.figure = figure
        self.options = options
        self.size = figure.size(options)

    @property
    def title(self) -> str:
        """What the file says it is."""
        return self.options.title or self.figure.title

    def paint(self, painter: QPainter, *, vector: bool) -> None:
        """Paint it, ground and all, at the painter's origin."""
        area, theme = QRectF(0, 0, self.size.width(), self.size.height()), self.options.theme
        if self.options.ground != "transparent":
            painter.fillRect(area, theme.color("panel"))
        self.figure.paint_figure(painter, area, theme, self.options, vector=vector)


def _image(scene: _Scene) -> QImage:
    import psutil

    dpi = scene.options.dpi
    dots = scene.options.unit_mm / _MM_OF_INCH * dpi  # of a unit
    width, height = max(1, round(scene.size.width() * dots)), max(1, round(scene.size.height() * dots))
    needed = 2 * 4 * width * height  # the image, and its copy as a file
    if max(width, height) > _LARGEST_SIDE or needed > psutil.virtual_memory().available:
        raise HeadscopeError("picture_too_large", width=width, height=height)
    clear = scene.options.ground == "transparent"
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied if clear else QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.transparent if clear else scene.options.theme.color("panel"))
    image.setDotsPerMeterX(round(dpi / 0.0254))
    image.setDotsPerMeterY(round(dpi / 0.0254))
    image.setText(_TITLE, scene.title)
    image.setText(_DESCRIPTION, scene.figure.about)
    image.setText(_SOFTWARE, program())
    painter = QPainter(image)
    painter.scale(width / scene.size.width(), height / scene.size.height())
    scene.paint(painter, vector=False)
    painter.end()
    return image


def _png(scene: _Scene) -> QByteArray:

    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    _image(scene).save(buffer, "PNG")  # type: ignore[call-overload]
    return content


def _svg(scene: _Scene) -> QByteArray:
    content = QByteArray()
    buffer = QBuffer(content)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(_SVG_DPI)
    generator.setSize((scene.size * scene.options.unit_mm / _MM_OF_INCH * _SVG_DPI).toSize())
    generator.setViewBox(QRectF(0, 0, scene.size.width(), scene.size.height()))
    generator.setTitle(scene.title)
    generator.setDescription(scene.figure.about)
    with noted_anchors() as anchors:
        painter = QPainter(generator)
        scene.paint(painter, vector=True)
        painter.end()
    svg = _NO_XML.sub("\ufffd", bytes(content.data()).decode("utf-8", errors="replace")).encode()
    return QByteArray(finished_svg(svg, anchors, outlines=scene.options.outlines))


def _pdf(scene: _Scene) -> QByteArray:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    unit_pt = scene.options.unit_mm / _MM_OF_INCH * 72
    page = QPageSize(scene.size * unit_pt, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setResolution(_PDF_DPI)
    writer.setTitle(scene.title)
    title, about = _sayable(scene.title), _sayable(scene.figure.about)
    writer.setCreator(program())
    writer.setDocumentXmpMetadata(xmp_of(title, about, program()))
    painter = QPainter(writer)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # or cells become JPEG: wrong colours
    painter.scale(unit_pt * _PDF_DPI / 72, unit_pt * _PDF_DPI / 72)
    scene.paint(painter, vector=True)
    painter.end()
    return QByteArray(finished_pdf(bytes(content.data()), title, about, program()))


def _sayable(text: str) -> str:
    """Without what no file can hold."""
    return _NO_XML.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class PictureFormat:
    """A form that figures are written in: what such a file is, in one English sentence, and what makes its content."""

    note: str
    write: Callable[[_Scene], QByteArray]


# fmt: off
PICTURE_FORMATS: Final = {
    ".png": PictureFormat(QT_TRANSLATE_NOOP("formats", "Dots, as many an inch as you say."), _png),
    ".svg": PictureFormat(QT_TRANSLATE_NOOP("formats", "Vector graphics; text stays text."), _svg),
    ".pdf": PictureFormat(QT_TRANSLATE_NOOP("formats", "Vector graphics on a page of matching size, fonts embedded."), _pdf),
}
"""By the ending of the file's name; to add one, an entry: the export dialog and the command line read this."""
# fmt: on

"""Pictures as files: PNG at any resolution, SVG and PDF with text as text and cells as crisp rectangles.

Each picture is painted by the code that paints the screen, into memory, and then written whole or not at all.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import psutil
from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRectF, QSizeF
from PySide6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write
from headscope.gui.paint.figure import Figure
from headscope.gui.paint.fonts import load_fonts
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import Theme

SUFFIXES: Final = (".png", ".svg", ".pdf")
SCREEN_DPI: Final = 96
"""Pictures are laid out in pixels of this size."""
_LARGEST_SIDE = 32_767  # Qt's raster engine draws no further
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 has no way to hold."""
_PDF_DPI = 1200  # a PDF's coordinates are rounded to this


def write_figure(
    figure: Figure,
    path: Path,
    theme: Theme,
    *,
    dpi: int = 300,
    picked: Picked = NOTHING,
) -> None:
    """Write a figure; the ending of `path` says in which form.

    Parameters
    ----------
    figure : Figure
    path : Path
        Ends with one of `SUFFIXES`.
    theme : Theme
    dpi : int
        Dots per inch of a PNG; SVG and PDF have none.
    picked : Picked
        Tokens whose links alone are drawn (links, arcs). A heatmap has rows and columns of its own picked out; its `query` and
        `key` are framed.

    Raises
    ------
    HeadscopeError
        ``unknown_file_type``, ``picture_too_large``, ``no_disk_space``, ``cannot_write``.
    """
    load_fonts()
    write = {".png": _png, ".svg": _svg, ".pdf": _pdf}.get(path.suffix.lower())
    if write is None:
        raise HeadscopeError("unknown_file_type", path=path, known=", ".join(SUFFIXES))
    scene = _Scene(figure, theme, picked)
    content = write(scene, dpi)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content.data())


def paint_scaled(figure: Figure, painter: QPainter, size: QSizeF, theme: Theme, *, picked: Picked = NOTHING) -> None:
    """Paint a figure, made smaller or larger to `size`, at the painter's origin: what a file of it will look like."""
    scene = _Scene(figure, theme, picked)
    painter.scale(size.width() / scene.size.width(), size.height() / scene.size.height())
    scene.paint(painter, vector=False)


class _Scene:
    """A picture with all that it is painted with."""

    def __init__(self, figure: Figure, theme: Theme, picked: Picked) -> None:
        self.figure = figure
        self.theme = theme
        self.picked = picked
        size = figure.size()
        self.size = QSizeF(round(size.width()), round(size.height()))

    def paint(self, painter: QPainter, *, vector: bool) -> None:
        """Paint it, ground and all, at the painter's origin."""
        area = QRectF(0, 0, self.size.width(), self.size.height())
        painter.fillRect(area, self.theme.color("panel"))
        self.figure.paint_figure(painter, area, self.theme, self.picked, vector=vector)


def _png(scene: _Scene, dpi: int) -> QByteArray:
    scale = dpi / SCREEN_DPI
    width, height = round(scene.size.width() * scale), round(scene.size.height() * scale)
    needed = 2 * 4 * width * height  # the image, and its copy as a file
    if max(width, height) > _LARGEST_SIDE or needed > psutil.virtual_memory().available:
        raise HeadscopeError("picture_too_large", width=width, height=height)
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.setDotsPerMeterX(round(dpi / 0.0254))
    image.setDotsPerMeterY(round(dpi / 0.0254))
    painter = QPainter(image)
    painter.scale(scale, scale)
    scene.paint(painter, vector=False)
    painter.end()
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")  # type: ignore[call-overload]
    return content


def _svg(scene: _Scene, _dpi: int) -> QByteArray:
    content = QByteArray()
    buffer = QBuffer(content)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(scene.size.toSize())
    generator.setViewBox(QRectF(0, 0, scene.size.width(), scene.size.height()))
    generator.setResolution(SCREEN_DPI)
    generator.setTitle("Headscope")
    painter = QPainter(generator)
    scene.paint(painter, vector=True)
    painter.end()
    return QByteArray(_NO_XML.sub("\ufffd", bytes(content.data()).decode("utf-8", errors="replace")).encode())


def _pdf(scene: _Scene, _dpi: int) -> QByteArray:
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    points = QSizeF(scene.size.width() * 72 / SCREEN_DPI, scene.size.height() * 72 / SCREEN_DPI)
    page = QPageSize(points, QPageSize.Unit.Point, "", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setResolution(_PDF_DPI)
    writer.setCreator("Headscope")
    painter = QPainter(writer)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # or cells become JPEG: wrong colours
    painter.scale(_PDF_DPI / SCREEN_DPI, _PDF_DPI / SCREEN_DPI)
    scene.paint(painter, vector=True)
    painter.end()
    return content

"""Text in an SVG file: in one piece, in its place without our typeface, or as shapes."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from PySide6.QtGui import QFont, QFontMetricsF, QPainterPath

from headscope.gui.paint.anchors import Anchors

_SVG = "http://www.w3.org/2000/svg"
_TEXT, _PATH = f"{{{_SVG}}}text", f"{{{_SVG}}}path"
_SAME = ("y", "fill", "fill-opacity", "font-family", "font-size", "font-weight", "font-style")
_KINDS = QPainterPath.ElementType


def finished_svg(svg: bytes, anchors: Anchors, *, outlines: bool) -> bytes:
    """What Qt wrote, with its text made good.

    Qt writes a text in as many parts as it has scripts, each from where it begins. Here parts are joined again, and what was
    written to the right or in the middle is anchored there; with `outlines` it becomes shapes.
    """
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", "http://www.w3.org/1999/xlink")
    root = ET.fromstring(svg)
    for group in root.iter(f"{{{_SVG}}}g"):
        for text in _joined(group):
            if outlines:
                _outline(text)
            elif (anchored := anchors.of(text.text or "", float(text.get("x", 0)), float(text.get("y", 0)))) is not None:
                text.set("text-anchor", anchored[0])
                text.set("x", f"{anchored[1]:.6g}")
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _joined(group: ET.Element) -> list[ET.Element]:
    """The texts of a group, each in one piece; parts that follow one another on a line are taken for one."""
    found: list[ET.Element] = []
    end = 0.0
    for element in list(group):
        if element.tag != _TEXT:
            end = float("nan")
            continue
        element.text = element.text or ""
        x, font = float(element.get("x", 0)), _font(element)
        advance = QFontMetricsF(font).horizontalAdvance(element.text)
        before = found[-1] if found else None
        if before is not None and abs(x - end) < 1 and all(before.get(name) == element.get(name) for name in _SAME):
            before.text = f"{before.text}{element.text}"
            group.remove(element)
        else:
            found.append(element)
        end = x + advance
    return found


def _font(text: ET.Element) -> QFont:
    font = QFont()
    font.setFamilies([family.strip() for family in text.get("font-family", "").split(",")])
    font.setPixelSize(max(1, round(float(text.get("font-size", 1)))))
    font.setWeight(QFont.Weight(int(text.get("font-weight", 400))))
    font.setFeature(QFont.Tag("calt"), 0)
    return font


def _outline(text: ET.Element) -> None:
    """Make shapes of a text; `aria-label` says what it was."""
    path = QPainterPath()
    path.addText(float(text.get("x", 0)), float(text.get("y", 0)), _font(text), text.text or "")
    points, parts, at = [path.elementAt(number) for number in range(path.elementCount())], [], 0
    while at < len(points):
        here = points[at : at + 3] if points[at].type == _KINDS.CurveToElement else points[at : at + 1]
        letter = {_KINDS.MoveToElement: "M", _KINDS.LineToElement: "L"}.get(points[at].type, "C")
        parts.append(letter + " ".join(f"{point.x:.6g},{point.y:.6g}" for point in here))
        at += len(here)
    keep = {name: text.get(name, "") for name in ("fill", "fill-opacity")}
    words = text.text or ""
    text.clear()
    text.tag, text.attrib = _PATH, {**keep, "stroke": "none", "fill-rule": "nonzero", "aria-label": words, "d": "".join(parts)}

"""What a file says of itself: from it one finds model, text, heads, units and program again; read back by other programs."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from pypdf import PdfReader
from PySide6.QtGui import QImage

from headscope.core import load_model
from headscope.gui import save_figure
from headscope.gui.app.command_line import main
from headscope.gui.paint.origin import Origin, program
from tests.gui.test_figures_without_window import GRAMMAR, MASKED, WRITTEN

SVG = "{http://www.w3.org/2000/svg}"


def svg_says(path: Path) -> tuple[str, str]:
    root = ET.parse(path).getroot()
    return root.find(f"{SVG}title").text, root.find(f"{SVG}desc").text


@pytest.mark.parametrize("view", WRITTEN)
def test_every_svg_and_pdf_names_its_model_and_its_text(qapp, tmp_path: Path, view: str) -> None:
    of, asked, _ = WRITTEN[view]
    for form in ("svg", "pdf", "png"):
        assert main(["export", *of, "--view", view, *asked, "--out", str(tmp_path / f"a.{form}")]) == 0
    title, about = svg_says(tmp_path / "a.svg")
    assert title.endswith(f" · {of[1]}")
    for part in (f"model {of[1]}", of[3][:20], program()):
        assert part in about
    headed = "--head" in asked
    assert ("heads 1.3" in about, "encoder attention" in about) == (headed, headed)
    assert ("attention weights" in about) == (headed or view == "heads"), "all heads are shown through a lens, too"
    reader = PdfReader(tmp_path / "a.pdf")
    assert (reader.metadata.title, reader.metadata.subject, reader.metadata.creator) == (title, about, program())
    assert reader.xmp_metadata.dc_title["x-default"] == title
    assert reader.xmp_metadata.dc_description["x-default"] == about
    image = QImage(str(tmp_path / "a.png"))
    assert (image.text("Title"), image.text("Description"), image.text("Software")) == (title, about, program())


def test_a_title_is_taken_as_it_is_and_the_rest_is_still_said(qapp, tmp_path: Path) -> None:
    asked = ("--head", "1.3", "--title", "Agreement & <more>", "--units", "words", "--special", "hidden")
    for form in ("svg", "pdf"):
        assert main(["export", *GRAMMAR, *asked, "--out", str(tmp_path / f"a.{form}")]) == 0
    title, about = svg_says(tmp_path / "a.svg")
    assert title == "Agreement & <more>"
    for part in ("model toy:grammar", f"text “{MASKED}”", "heads 1.3", "in words", "special tokens hidden"):
        assert part in about
    reader = PdfReader(tmp_path / "a.pdf")
    assert (reader.metadata.title, reader.metadata.subject) == (title, about)
    assert reader.xmp_metadata.dc_title["x-default"] == title


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_the_same_figure_is_the_same_file(qapp, tmp_path: Path, form: str) -> None:
    """No time, and nothing by chance."""
    record = load_model("toy:grammar", device="cpu").capture(MASKED)
    for name in ("a", "b"):
        save_figure(record, tmp_path / f"{name}.{form}", heads=(1, 3))
    content = (tmp_path / f"a.{form}").read_bytes()
    assert content == (tmp_path / f"b.{form}").read_bytes()
    assert not re.search(rb"D:20\d\d", content)


def test_a_pdf_stays_readable_for_others(qapp, tmp_path: Path) -> None:
    assert main(["export", *GRAMMAR, "--head", "1.3", "--out", str(tmp_path / "a.pdf")]) == 0
    reader = PdfReader(tmp_path / "a.pdf", strict=True)
    assert len(reader.pages) == 1
    assert "cabinet" in reader.pages[0].extract_text()
    assert reader.metadata.creation_date is None
    if (pdfinfo := shutil.which("pdfinfo")) is not None:
        said = subprocess.run([pdfinfo, str(tmp_path / "a.pdf")], capture_output=True, text=True, check=True).stdout
        assert "toy:grammar" in said


def test_a_long_text_is_shortened() -> None:
    words = Origin(text="word " * 100, kind="decoder", heads=((0, 1), (2, 3)), step=4, edited=True).words
    assert words.startswith(f"text “{('word ' * 16).strip()}…” · decoder attention · heads 0.1, 2.3")
    assert "with edits to heads · step 4 · Headscope" in words

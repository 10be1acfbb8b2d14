"""make screenshots: the README's pictures; with ALL=FOLDER, every panel in every size and look, to be looked at.

    python tests/screenshots.py docs
    python tests/screenshots.py docs --all FOLDER

The same program gives the same pictures: settings are its own, texts and seeds are fixed, and the time of the last run, which
the status bar shows, is written over.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # what the offscreen platform cannot do
os.environ.setdefault("LC_ALL", "C.UTF-8")
sys.path.insert(0, str(Path(__file__).parents[1]))

from PySide6.QtCore import QPoint
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

from headscope.core.options import Sampling
from headscope.core.text.tokens import Units
from headscope.gui.session.selection import Cell
from headscope.gui.window.field_button import FieldButton
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.palette.popup import Palette
from tests.installed_models import REACTION, STORY, albert, smollm2
from tests.real_window import has_run, has_settled, live, opened, wait_until

SIZES = ((1280, 800), (2560, 1440))
LOOKS = ("light", "dark")
LAYOUTS = ("explore", "present", "compare", "teach")
PARK = (
    "Tom and Lucy went to the park . Tom gave the kite to [MASK] . the farmer that the dogs follow is tired . "
    "the keys of the cabinet [MASK] rusty . the dog behind the cats barks in the garden . Lucy lost a kite because she was tired . "
    "the keys near the door are old ."
)
TALE = "once upon a time a brave mouse named Mia lived in a castle ."
CHINESE = "人工智能是一种能够使计算机理解、生成和处理人类语言的技术。"


def explored(window: MainWindow) -> QWidget:
    """Three heads in the links, the verb's look at its subject pinned."""
    heads = ((0, 1), (1, 2), (1, 3))
    for number, head in enumerate(heads):
        window.explorer.select_head(head, extend=number > 0)
    wait_until(lambda: window.state.heads == heads)
    window.state.update(pinned=Cell(query=6, key=2))
    return window


def generated(window: MainWindow) -> QWidget:
    """A finished generation; only links that say something."""
    window.panel("links").threshold.setValue(12)
    window.explorer.generate(18, Sampling())
    wait_until(lambda: window.state.busy is None and window.state.run is not None and bool(window.state.steps))
    window.explorer.select_head((2, 1))
    wait_until(lambda: window.state.head == (2, 1))
    return window


def as_opened(window: MainWindow) -> QWidget:
    """As the model shows itself."""
    return window


def with_pair(window: MainWindow) -> QWidget:
    """Two sentences."""
    window.state.update(text="Tom lost the red kite .", text_pair="he looked for the kite in the garden .")
    window.explorer.run()
    return window


def zoomed(window: MainWindow) -> QWidget:
    """The heatmap close to, its colours stretched; the links whole."""
    window.panel("heatmap").to_maximum.trigger()
    window.panel("links").whole.setChecked(True)
    return window


def failed(window: MainWindow) -> QWidget:
    """A notice over a picture."""
    wait_until(lambda: has_settled(window))
    window.explorer.load("toy:nothing")
    return refused(window)


def refused(window: MainWindow) -> QWidget:
    """A notice, and no picture yet."""
    wait_until(lambda: window.state.notice is not None)
    return window


def pointed(window: MainWindow) -> QWidget:
    """A cell pinned, for the views that are about one."""
    window.state.update(pinned=Cell(query=6, key=2))
    return window


def in_words(window: MainWindow) -> QWidget:
    """Words without special tokens."""
    window.explorer.set_units(Units("words", "renormalised"))
    wait_until(lambda: window.state.units.of == "words")
    return window


def of_all_heads(window: MainWindow) -> QWidget:
    """All heads of a layer, as arcs."""
    window.commands.action("whole_layer").trigger()
    window.panel("links").arcs.setChecked(True)
    return window


def long_views(window: MainWindow) -> QWidget:
    """Some tokens written behind a long text, a cell pinned, arcs instead of columns."""
    window.explorer.generate(6, Sampling())
    wait_until(lambda: window.state.busy is None and len(window.state.steps) == 6)
    window.panel("links").arcs.setChecked(True)
    window.desk.bring("logit_lens")
    window.panel("logit_lens").fill.click()
    wait_until(lambda: window.state.busy is None)
    return pointed(window)


def exporting(what: str) -> Callable[[MainWindow], QWidget]:
    """The export dialog, asked for `what`."""

    def arranged(window: MainWindow) -> QWidget:
        explored(window)
        window.export()
        dialog = _dialog(window)
        dialog.what.setCurrentIndex(dialog.what.findData(what))
        return dialog

    return arranged


def presented(window: MainWindow) -> QWidget:
    """Large type for an audience; in a window of its own here, which has the sizes that are asked for."""
    explored(window)
    window.present(True)
    window.showNormal()
    return window


def palette(window: MainWindow) -> QWidget:
    """The palette with something typed."""
    window.show_palette()
    shown = QApplication.activePopupWidget()
    assert isinstance(shown, Palette)
    shown.field.setText("head")
    return shown


def settings(window: MainWindow) -> QWidget:
    """The settings dialog."""
    window.show_settings()
    return _dialog(window)


def shortcuts(window: MainWindow) -> QWidget:
    """The list of shortcuts."""
    window.show_shortcuts()
    return _dialog(window)


def about(window: MainWindow) -> QWidget:
    """What this program is."""
    window.show_about()
    return _dialog(window)


def menu(number: int) -> Callable[[MainWindow], QWidget]:
    """The menu of the model (0) or of the device (1)."""

    def arranged(window: MainWindow) -> QWidget:
        wait_until(lambda: window.state.catalogue is not None)
        return _open_menu(window.picker.findChildren(FieldButton)[number].menu())

    return arranged


def menu_of_bar(number: int) -> Callable[[MainWindow], QWidget]:
    """A menu of the menu bar, counted from the left."""
    return lambda window: _open_menu(window.menuBar().actions()[number].menu())


def _open_menu(shown: QMenu) -> QWidget:
    shown.popup(QPoint(0, 0))
    return shown


def _dialog(window: MainWindow) -> QDialog:
    (dialog,) = (child for child in window.findChildren(QDialog) if child.isVisible())
    return dialog


@dataclass(frozen=True)
class Scene:
    """A picture's name, what is opened, and what is done then; `arrange` returns what is to be seen. `fails`: with an error.

    `layout` is how the docks lie, `front` those that come to the front.
    """

    name: str
    model: str
    text: str | None = None
    arrange: Callable[[MainWindow], QWidget] = as_opened
    fails: bool = False
    layout: str = "explore"
    front: tuple[str, ...] = ()


def scenes() -> Iterator[Scene]:
    """Everything worth a look; real models where their packages are installed."""
    yield Scene("explore", "toy:grammar", None, explored)
    yield Scene("grammar-long", "toy:grammar", PARK)
    yield Scene("grammar-long-whole", "toy:grammar", PARK, zoomed)
    yield Scene("grammar-chinese", "toy:grammar", CHINESE)
    yield Scene("grammar-pair", "toy:grammar", None, with_pair)
    yield Scene("tales", "toy:tales")
    yield Scene("tales-generated", "toy:tales", TALE, generated)
    yield Scene("no-model", "no model at all", None, refused, fails=True)
    yield Scene("notice", "toy:grammar", None, failed, fails=True)
    yield from (
        Scene(f"export-{what}", "toy:grammar", None, exporting(what))
        for what in ("heatmap", "links", "head_weights", "all_weights")
    )
    yield Scene("shortcuts", "toy:grammar", None, shortcuts)
    yield Scene("about", "toy:grammar", None, about)
    yield Scene("menu-models", "toy:grammar", None, menu(0))
    yield Scene("menu-devices", "toy:grammar", None, menu(1))
    yield from (Scene(f"menu-{number}", "toy:grammar", None, menu_of_bar(number)) for number in range(7))
    yield Scene("presentation", "toy:grammar", None, presented, layout="present")
    yield Scene("palette", "toy:grammar", None, palette)
    yield Scene("settings", "toy:grammar", None, settings)
    yield from (Scene(f"layout-{name}", "toy:grammar", None, pointed, layout=name) for name in LAYOUTS)
    yield Scene("views-of-a-cell", "toy:grammar", None, pointed, front=("heads_by_token", "text", "arithmetic", "film_strip"))
    yield Scene("lens", "toy:grammar", None, pointed, front=("logit_lens",))
    yield Scene("film-strip", "toy:tales", TALE, generated, front=("film_strip", "text"))
    yield Scene("words", "toy:grammar", None, in_words)
    yield Scene("arcs", "toy:grammar", None, of_all_heads)
    try:
        real = str(albert()), str(smollm2())
    except FileNotFoundError as missing:
        print(f"left out: {missing}", file=sys.stderr)
        return
    yield Scene("albert-512", real[0], ".".join([REACTION] * 12))
    yield Scene("smollm2-chinese", real[1], CHINESE)
    yield Scene("smollm2-chinese-views", real[1], CHINESE, pointed, front=("heads_by_token", "text", "arithmetic"))
    yield Scene("smollm2-512", real[1], STORY * 22)
    yield Scene("smollm2-512-whole", real[1], STORY * 22, zoomed)
    yield Scene("smollm2-1000", real[1], STORY * 44)
    yield Scene("smollm2-1000-words", real[1], STORY * 44, in_words, front=("text", "heads_by_token", "arithmetic"))
    yield Scene("smollm2-1000-views", real[1], STORY * 44, long_views, front=("heads_by_token", "logit_lens", "film_strip"))
    yield Scene("smollm2-generated", real[1], "The capital of France is", generated)


def take(scene: Scene, sizes: tuple[tuple[int, int], ...], looks: tuple[str, ...]) -> Iterator[tuple[str, QImage]]:
    """Name and picture of a scene in these sizes and looks, from one window."""
    with opened(scene.model, scene.text, size=sizes[0]) as window:
        wait_until(lambda: scene.fails or has_run(window))
        shown = scene.arrange(window)
        for size in sizes if shown is window else sizes[:1]:
            window.resize(*size)
            window.choose_layout(scene.layout)
            for name in scene.front:
                window.desk.bring(name)
            for look in looks:
                window.appearance.choose(look)
                live(0.2)  # layouts follow a little later
                if window.state.run is not None:
                    window.state.update(run=replace(window.state.run, seconds=0.012))
                wait_until(lambda: scene.fails or has_settled(window))
                yield f"{scene.name}-{size[0]}-{look}", shown.grab().toImage()
        if isinstance(shown, QMenu | Palette):
            shown.close()
        window.present(False)


def for_readme(folder: Path) -> None:
    """The pictures that are kept in the repository."""
    size = ((1600, 1000),)
    explore, generate = Scene("explore", "toy:grammar", None, explored), Scene("generate", "toy:tales", TALE, generated)
    pictures = [image for _, image in take(explore, size, LOOKS)]
    _save(pictures[0], folder / "explore-light.png")
    _save(pictures[1], folder / "explore-dark.png")
    for scene, name in (
        (generate, "generate-light"),
        (Scene("export", "toy:grammar", None, exporting("heatmap")), "export-dialog"),
    ):
        for _, image in take(scene, size, LOOKS[:1]):
            _save(image, folder / f"{name}.png")


def _save(image: QImage, path: Path) -> None:
    if not image.convertToFormat(QImage.Format.Format_RGB888).save(str(path), "PNG", 0):  # 0: as small as PNG can
        raise OSError(f"{path} was not written")
    print(f"{path}  {image.width()} × {image.height()}  {path.stat().st_size / 1024:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the README's pictures go")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="where every other picture goes")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for_readme(options.folder)
    if options.all is not None:
        options.all.mkdir(parents=True, exist_ok=True)
        for scene in scenes():
            for name, image in take(scene, SIZES, LOOKS):
                _save(image, options.all / f"{name}.png")


if __name__ == "__main__":
    main()

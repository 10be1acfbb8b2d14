"""Quitting and Ctrl+C, whatever is under way, in processes of their own; windows as guests of somebody else's program."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SIGNALS = pytest.mark.skipif(sys.platform == "win32", reason="Ctrl+C cannot be sent to one process alone")
_PATIENCE = 60

_APPLICATION = """
import os, signal, sys
from pathlib import Path
from PySide6.QtCore import QSettings, QTimer
from headscope.gui.app import application
from headscope.gui.control.exporter import RecordExport

how, when, folder = sys.argv[1:]
QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, folder)
create_window = application.create_window

def create(*arguments):
    window = create_window(*arguments)
    asked = []

    def leave():
        print("left while", when, flush=True)
        if how == "quit":
            window.commands.action("quit").trigger()
        else:
            os.kill(os.getpid(), getattr(signal, how))

    def look(names):
        state = window.state
        if asked == ["left"]:
            return
        if when == "loading" and state.busy is not None:
            asked[:] = ["left"]
            leave()
        elif when == "generating" and asked and state.steps:
            asked[:] = ["left"]
            leave()
        elif state.run is not None and state.busy is None and not asked:
            asked.append("asked")
            if when == "generating":
                window.commands.action("generate").trigger()
            elif when == "exporting":
                window.explorer.export(RecordExport(Path(folder) / "numbers.npz", state.record))
                leave()
            elif when == "a menu is open":
                QTimer.singleShot(0, window.picker.ask_name)  # a loop of Qt's own, until the menu is closed
                QTimer.singleShot(300, leave)

    window.state.changed.connect(look)
    return window

application.create_window = create
sys.exit(application.run_app("toy:tales", "once upon a time"))
"""


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE, check=False)


def quiet(done: subprocess.CompletedProcess[str]) -> str:
    """What it said on stderr, but for Qt's word about this platform."""
    return "\n".join(line for line in done.stderr.splitlines() if "This plugin does not support" not in line)


@pytest.mark.parametrize(
    ("how", "when"),
    [
        ("quit", "loading"),
        ("quit", "generating"),
        pytest.param("SIGINT", "generating", marks=SIGNALS),
        pytest.param("SIGINT", "exporting", marks=SIGNALS),
        pytest.param("SIGTERM", "a menu is open", marks=SIGNALS),
    ],
)
def test_quitting_in_the_middle_of_anything_ends_with_code_0(tmp_path: Path, how: str, when: str) -> None:
    done = run(_APPLICATION, how, when, tmp_path)
    assert (done.returncode, quiet(done)) == (0, "")
    assert done.stdout.splitlines() == [f"left while {when}"]


_SCRIPT = """
import os, signal, sys
import numpy as np
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from headscope.gui import view
from headscope.gui.app import application

QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, sys.argv[1])
create_window = application._window
then = None

def create(settings, **values):
    window = create_window(settings, **values)
    window.first_painted.connect(lambda: QTimer.singleShot(0, window, lambda: then(window)))
    return window

application._window = create
weights = np.full((2, 2, 3, 3), 1 / 3)
before = signal.getsignal(signal.SIGINT)
for _ in range(2):  # the second waits as the first one did
    then = lambda window: (print("shown", flush=True), window.close())
    print(view(weights, ["the", "cat", "sat"]), len(QApplication.topLevelWidgets()))
then = lambda window: os.kill(os.getpid(), signal.SIGINT)
try:
    view(weights, ["the", "cat", "sat"])
except KeyboardInterrupt:
    print("interrupted", len(QApplication.topLevelWidgets()), signal.getsignal(signal.SIGINT) is before)
"""


@SIGNALS
def test_view_in_a_script_stays_until_the_window_is_closed_each_time_and_ctrl_c_closes_it(tmp_path: Path) -> None:
    done = run(_SCRIPT, tmp_path)
    assert done.stdout.splitlines() == ["shown", "None 0", "shown", "None 0", "interrupted 0 True"]
    assert (done.returncode, quiet(done)) == (0, "")


_HOST = """
import json, sys
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtGui import QColor, QFont, QImage, QPalette
from PySide6.QtWidgets import QApplication, QLabel
import numpy as np
from headscope.gui import view

folder = sys.argv[1]
QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, folder)
host = QApplication(["host"])
host.setApplicationName("Host")
host.setOrganizationName("Hosts")
host.setStyle("Windows")
host.setFont(QFont("DejaVu Serif", 9))
palette = QPalette(host.palette())
palette.setColor(QPalette.ColorRole.Window, QColor("#ffeedd"))
palette.setColor(QPalette.ColorRole.Base, QColor("#ddffdd"))
host.setPalette(palette)
host.setStyleSheet("QLabel { color: red }")
label = QLabel("theirs")
label.show()

def live(milliseconds):
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()

def looks():
    image = label.grab().toImage()
    return [
        host.style().name(), host.font().toString(), host.palette().color(QPalette.ColorRole.Window).name(), host.styleSheet(),
        host.applicationName(), host.organizationName(), host.windowIcon().isNull(), sorted(QSettings().allKeys()),
        hash(bytes(image.constBits())), sys.excepthook is sys.__excepthook__,
    ]

live(50)
seen = [looks()]
weights = np.full((2, 2, 3, 3), 1 / 3)
first, second = view(weights, ["the", "cat", "sat"]), view(weights, ["a", "b", "c"])
live(500)
seen.append(looks())
first.preferences.look = "dark"
live(100)
strip = first.text.strip.viewport().grab().toImage()
ours = [first.font().family(), first.toolbar.font().family(), strip.pixelColor(strip.width() - 2, 2).name()]
texts = [first.text.strip.axis.labels, second.text.strip.axis.labels]
first.close()
live(100)
second.close()
live(100)
seen.append(looks())
third = view(weights, ["the", "cat", "sat"])
live(300)
print(json.dumps({"seen": seen, "ours": ours, "texts": texts, "left": len(QApplication.topLevelWidgets())}))
sys.exit(0)  # with a window open
"""


def test_in_somebody_else_s_program_windows_have_our_looks_and_it_keeps_its_own(tmp_path: Path) -> None:
    done = run(_HOST, tmp_path)
    assert (done.returncode, quiet(done)) == (0, "")
    found = json.loads(done.stdout)
    before, during, after = found["seen"]
    assert before == during == after
    assert found["ours"] == ["Inter", "Inter", "#1b1f26"]
    assert found["texts"] == [["the", "cat", "sat"], ["a", "b", "c"]]
    assert (tmp_path / "Headscope" / "Headscope.conf").exists() or sys.platform != "linux"

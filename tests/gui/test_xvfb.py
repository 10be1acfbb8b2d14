"""The window under a real X server, in a process of its own."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PROGRAM = """
import sys
from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication
from headscope.gui.app.application import create_window, prepare

application = QApplication([])
assert application.platformName() == "xcb"
prepare(application)
window = create_window("toy:grammar", None, QSettings(sys.argv[1], QSettings.Format.IniFormat))

def look():
    if window.state.run is not None and window.state.busy is None:
        image = window.panel("heatmap").view.grab().toImage()
        colors = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
        print(window.state.queries.text, len(colors))
        timer.stop()
        window.close()

timer = QTimer(window)
timer.timeout.connect(look)
timer.start(20)
window.show()
sys.exit(application.exec())
"""


@pytest.fixture
def display() -> Iterator[str]:
    """The name of a screen that nobody looks at."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is not installed")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        number = server.stdout.readline().strip()
        yield f":{number}"
        server.terminate()


def test_the_first_picture_arrives_in_a_window_of_a_real_x_server(display: str, tmp_path: Path) -> None:
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    environment.pop("WAYLAND_DISPLAY", None)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "settings.ini")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    text, colors = ended.stdout.strip().rsplit(" ", 1)
    assert text == "the keys of the cabinet [MASK] rusty ."
    assert int(colors) > 20
    assert "Traceback" not in ended.stderr

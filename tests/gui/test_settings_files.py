"""The file of the settings is Qt's: it stays whole when a process is killed, the disk is full, or two write at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings

from headscope.gui.session.preferences import Preferences
from headscope.gui.session.recent_prompts import RecentPrompts
from headscope.gui.session.session import Session

WRITER = """
import sys
from PySide6.QtCore import QSettings
settings = QSettings(sys.argv[1], QSettings.Format.IniFormat)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    settings.setValue(sys.argv[2], f"{number} " + "x" * 20_000)
    settings.sync()
    print(number, flush=True)
"""


def writer(path: Path, key: str, times: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(path), key, str(times)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    assert process.stdout.readline() == "ready\n"
    process.stdin.write("go\n")
    process.stdin.flush()
    return process


def read(path: Path, key: str) -> object:
    return QSettings(str(path), QSettings.Format.IniFormat).value(key)


def test_settings_are_whole_after_a_kill_in_the_middle(qapp, tmp_path: Path) -> None:
    path = tmp_path / "headscope.ini"
    QSettings(str(path), QSettings.Format.IniFormat).setValue("kept", "before")
    with writer(path, "written", 10**6) as process:
        assert process.stdout is not None
        for _ in range(20):
            process.stdout.readline()
        process.kill()
    assert read(path, "kept") == "before"
    assert str(read(path, "written")).endswith("x" * 20_000)
    settings = QSettings(str(path), QSettings.Format.IniFormat)  # a lock that was left behind holds nobody up
    settings.setValue("after", "written")
    settings.sync()
    assert settings.status() == QSettings.Status.NoError
    assert read(path, "after") == "written"


def test_two_instances_lose_nothing_of_each_other(qapp, tmp_path: Path) -> None:
    path = tmp_path / "headscope.ini"
    with writer(path, "one", 30) as first, writer(path, "two", 30) as second:
        assert first.wait(60) == second.wait(60) == 0
    assert str(read(path, "one")).startswith("29 ")
    assert str(read(path, "two")).startswith("29 ")


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_settings_stay_as_they_were_where_there_is_no_room(qapp, tmp_path: Path) -> None:
    path = tmp_path / "headscope.ini"
    before = QSettings(str(path), QSettings.Format.IniFormat)
    before.setValue("kept", "before")
    before.sync()
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (70_000, 70_000));"
        "from PySide6.QtCore import QSettings; from headscope.gui.session.settings_file import Settings;"
        "settings = Settings(sys.argv[1], QSettings.Format.IniFormat);"
        "settings.setValue('large', 'x' * 200_000); settings.setValue('small', 'fits'); settings.sync()"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
    assert read(path, "kept") == "before"
    assert read(path, "large") is None
    assert read(path, "small") == "fits"


@pytest.mark.parametrize(
    "content",
    [b"", b"\0" * 100, b"[settings\nx", b"[settings]\ntypeface=@Variant(\\0\\0)\n", b"\xff" * 1000, b"[a]\n" * 10**5],
    ids=range(6),
)
def test_settings_that_are_damaged_are_the_usual_ones(qapp, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "headscope.ini"
    path.write_bytes(content)
    settings = QSettings(str(path), QSettings.Format.IniFormat)
    preferences = Preferences(settings)
    assert preferences.device
    RecentPrompts(Session(), settings)

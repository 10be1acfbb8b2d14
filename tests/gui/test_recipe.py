"""A panel is made by the README's recipe, word for word, in a copy of the checkout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRY = """
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from headscope.gui.app.application import create_window, prepare
application = QApplication(["headscope"])
prepare(application)
window = create_window(settings=QSettings("settings.ini", QSettings.Format.IniFormat))
window.resize(1600, 1000)
window.show()
action = window.commands.action("view_mine")
assert action in window.menus.of("views").actions()
assert action.shortcut().toString() == "Ctrl+Alt+M"
assert not window.is_view_open("mine")
action.trigger()
assert window.is_view_seen("mine")
assert window.desk.docks["mine"].windowTitle() == "Mine"
picture = window.panel("mine").grab().toImage()
colors = {picture.pixel(x, y) for x in range(picture.width()) for y in range(picture.height())}
assert len(colors) > 1, "it has painted"
QTest.mouseClick(window.panel("mine"), Qt.MouseButton.LeftButton)
assert window.state.views.to_json() == {"mine": {"version": 1, "short": True}}
assert window.commands.action("undo").text() == "Undo view settings"
assert window.panel("mine").grab().toImage() != picture
window.commands.action("undo").trigger()
assert window.panel("mine").grab().toImage() == picture
window.commands.action("redo").trigger()
window.close()
again = create_window(settings=QSettings("settings.ini", QSettings.Format.IniFormat))
assert again.state.views.to_json() == {"mine": {"version": 1, "short": True}}
again.commands.action("reset_views").trigger()
assert again.state.views.to_json() == {}
again.close()
print("a panel", window.panel("mine").accessibleName())
"""


def test_a_panel_is_made_by_the_readmes_recipe(tmp_path: Path) -> None:
    package = tmp_path / "headscope"
    for name in ("core", "gui", "resources"):
        shutil.copytree(ROOT / name, package / name, ignore=shutil.ignore_patterns("__pycache__"))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    recipe = readme[readme.index("**Add a panel.**") : readme.index("**Add a command.**")]
    mine = package / "gui" / "views" / "mine"
    mine.mkdir()
    (mine / "__init__.py").write_text('"""What I look for."""\n')
    files = re.findall(r"`gui/views/mine/(\w+\.py)`:\n\n```python\n(.*?)```", recipe, re.DOTALL)
    assert [name for name, _ in files] == ["settings.py", "panel.py", "spec.py"]
    for name, code in files:
        (mine / name).write_text(code, encoding="utf-8")
    added_import, added_line = re.search(
        r"`(from headscope\.gui\.views\.mine import .*?)`, and the line `(.*?)`", recipe
    ).groups()
    views = package / "gui" / "window" / "views.py"
    text = views.read_text(encoding="utf-8")
    text = text.replace("from headscope.gui.views.links", f"{added_import}\nfrom headscope.gui.views.links", 1)
    views.write_text(text.replace("= (\n", f"= (\n    {added_line}\n", 1), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", TRY], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.startswith("a panel")
    assert "Traceback" not in done.stderr

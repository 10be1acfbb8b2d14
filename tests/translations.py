"""`make translations`: what Qt's tools find to translate, and the plurals of English, which need a file of their own."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from xml.etree import ElementTree

import PySide6

ROOT = Path(__file__).parents[1]
ENGLISH = ROOT / "resources" / "translations" / "headscope_en.ts"
_TOOLS = Path(PySide6.__file__).parent
_CHOICE = re.compile(r"\((\w+)/(\w+)\)|\((\w+)\)")
"""``quer(y/ies)``, ``token(s)``."""
_IRREGULAR = {
    "No repeated run of %n token(s)": ("No repeated token", "No repeated run of %n tokens"),
    "No run of %n token(s) from the source": ("No token from the source", "No run of %n tokens from the source"),
    "column sum over %n selected quer(y/ies)": ("from the selected query", "column sum over %n selected queries"),
    "row sum over %n selected key(s)": ("to the selected key", "row sum over %n selected keys"),
    "sum of %n token(s)": ("of %n token", "sum of %n tokens"),
    "{tokens} and %n more": ("{tokens} and %n more", "{tokens} and %n more"),
}


def _run(tool: str, *arguments: str) -> None:
    """One of Qt's tools, as PySide brings them.

    Raises
    ------
    RuntimeError
        With what it says.
    """
    program = next(path for path in (_TOOLS / tool, _TOOLS / f"{tool}.exe", _TOOLS / "Qt" / "libexec" / tool) if path.exists())
    done = subprocess.run([str(program), *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)


def find_texts(ts: Path) -> None:
    """Write what Qt's lupdate finds in our sources.

    It sees that ``tr("%n …", "", n)`` has plurals and not that ``translate("…", "%n …", "", n)`` has (it waits for an argument that
    Qt 4 had), so these are marked here.
    """
    sources = sorted(str(path) for folder in ("core", "gui") for path in (ROOT / folder).rglob("*.py"))
    listed = ts.with_suffix(".lst")
    listed.write_text("\n".join(sources), encoding="utf-8")
    _run("lupdate", f"@{listed}", "-no-obsolete", "-locations", "none", "-source-language", "en", "-ts", str(ts))
    listed.unlink()
    tree = ElementTree.parse(ts)
    for message in tree.getroot().iter("message"):
        if "%n" in message.findtext("source", ""):
            message.set("numerus", "yes")
    _write(tree, ts)


def _write(tree: ElementTree.ElementTree, ts: Path) -> None:
    ElementTree.indent(tree)
    text = ElementTree.tostring(tree.getroot(), "unicode")
    ts.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n{text}\n', encoding="utf-8")


def texts_in(ts: Path) -> set[tuple[str, str]]:
    """(context, English text) of all in a file."""
    contexts = ElementTree.parse(ts).getroot().iter("context")
    return {
        (context.findtext("name", ""), message.findtext("source", ""))
        for context in contexts
        for message in context.iter("message")
    }


def compile_texts(ts: Path, qm: Path) -> None:
    """Make the file that programs load."""
    _run("lrelease", "-silent", str(ts), "-qm", str(qm))


def english_forms(source: str) -> tuple[str, str]:
    """For one, for more: ``%n token(s)`` becomes "%n token" and "%n tokens"."""
    if source in _IRREGULAR:
        return _IRREGULAR[source]
    one = _CHOICE.sub(lambda found: found[1] or "", source)
    more = _CHOICE.sub(lambda found: found[2] or found[3], source)
    assert one != more, f"{source!r} does not say what differs"
    return one, more


def write_english(ts: Path = ENGLISH) -> None:
    """The plurals of English, and the file that programs load."""
    ts.parent.mkdir(exist_ok=True)
    ts.unlink(missing_ok=True)
    find_texts(ts)
    tree = ElementTree.parse(ts)
    root = tree.getroot()
    root.set("language", "en")
    for context in list(root):
        for message in list(context.iter("message")):
            if message.get("numerus") != "yes":
                context.remove(message)
                continue
            translation = ElementTree.Element("translation")
            for form in english_forms(message.findtext("source", "")):
                ElementTree.SubElement(translation, "numerusform").text = form
            message.remove(message.find("translation"))
            message.append(translation)
        if context.find("message") is None:
            root.remove(context)
    _write(tree, ts)
    compile_texts(ts, ts.with_suffix(".qm"))


if __name__ == "__main__":
    write_english()
    print(f"{len(texts_in(ENGLISH))} plurals of English")

"""Small valid files of each kind that Headscope opens, and what is done with one."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers as hf
from safetensors.torch import load_file

from headscope.core import load_model
from headscope.core.attention.from_arrays import record_of
from headscope.core.files.text_file import read_text_file
from tests.make_tokenizer import _sentence_pieces
from tests.tiny_models import write_decoder, write_encoder_decoder, write_gguf, write_masked

TEXT = "the cat [MASK] sat on 12 mats ."


@dataclass(frozen=True)
class Kind:
    """One kind of file.

    Parameters
    ----------
    base : str
        The folder of the corpus that holds it.
    file : str
        Its name there; "" for a folder that is one file.
    mutate : str
        How it is spoiled: "bytes", "json", "header", "pickle", "template", "ini".
    use : callable
        Opens the folder; what it raises is the verdict.
    """

    base: str
    file: str
    mutate: str
    use: Callable[[Path], object]


def open_model(folder: Path) -> None:
    """Open it, read a text, and say something in its template if it has one."""
    model = load_model(str(folder), device="cpu")
    try:
        model.capture(TEXT).attention_weights(0, 0, next(iter(model.info.layers)))
        if "chat" in model.info.abilities:
            model.chat("the cat")
    finally:
        model.release()


def open_text(folder: Path) -> None:
    read_text_file(folder / "story.txt")


def open_settings(folder: Path) -> None:
    application()
    from PySide6.QtCore import QByteArray, QSettings
    from PySide6.QtWidgets import QMainWindow

    from headscope.gui.session.last_session import last_session, last_views
    from headscope.gui.session.preferences import Preferences
    from headscope.gui.session.recent_prompts import RecentPrompts
    from headscope.gui.session.session import Session
    from headscope.gui.window.views import VIEWS

    settings = QSettings(str(folder / "headscope.ini"), QSettings.Format.IniFormat)
    kept = Preferences(settings)
    _ = [getattr(kept, name) for name in ("look", "typeface", "type_size", "device", "dtype", "cache_size")]
    RecentPrompts(Session(), settings)
    last_session(settings)
    last_views(settings, [view.settings for view in VIEWS])
    window = QMainWindow()
    for name in ("geometry", "docks"):
        value = settings.value(f"window/{name}")
        if isinstance(value, QByteArray):
            (window.restoreGeometry if name == "geometry" else window.restoreState)(value)


@cache
def application() -> Any:
    """One, for as long as the process lives."""
    from PySide6.QtWidgets import QApplication

    return QApplication.instance() or QApplication([])


def open_arrays(folder: Path) -> None:
    """As a user's own program hands arrays to `view`; what numpy itself refuses is not ours."""
    try:
        with np.load(folder / "attention.npz", allow_pickle=False) as data:
            weights, tokens = data["attention"], [str(token) for token in data["tokens"]]
    except Exception:
        return
    record_of(weights, tokens).attention_weights(0, 0)


KINDS = {
    "safetensors": Kind("bert", "model.safetensors", "header", open_model),
    "config": Kind("bert", "config.json", "json", open_model),
    "config of a decoder": Kind("gpt2", "config.json", "json", open_model),
    "config of an encoder-decoder": Kind("t5", "config.json", "json", open_model),
    "tokenizer.json": Kind("gpt2", "tokenizer.json", "json", open_model),
    "tokenizer_config.json": Kind("gpt2", "tokenizer_config.json", "json", open_model),
    "generation_config.json": Kind("gpt2", "generation_config.json", "json", open_model),
    "vocabulary": Kind("words", "vocab.txt", "bytes", open_model),
    "sentencepiece": Kind("pieces", "spiece.model", "bytes", open_model),
    "GGUF": Kind("gguf", "model.gguf", "header", lambda folder: open_model(folder / "model.gguf")),
    "torch": Kind("bin", "pytorch_model.bin", "pickle", open_model),
    "torch, legacy": Kind("legacy", "pytorch_model.bin", "bytes", open_model),
    "list of weights": Kind("shards", "model.safetensors.index.json", "json", open_model),
    "chat template": Kind("chat", "chat_template.jinja", "template", open_model),
    "arrays": Kind("arrays", "attention.npz", "bytes", open_arrays),
    "settings": Kind("settings", "headscope.ini", "ini", open_settings),
    "text": Kind("text", "story.txt", "bytes", open_text),
}


def write_corpus(folder: Path) -> Path:
    """A folder for each base."""
    hf.logging.disable_progress_bar()
    write_masked(folder / "bert")
    chat = _copied(write_decoder(folder / "gpt2"), folder / "chat", without=())
    (chat / "chat_template.jinja").write_text(
        "{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    )
    t5 = write_encoder_decoder(folder / "t5")
    write_gguf(_made(folder / "gguf") / "model.gguf", n_layers=1)
    words = _copied(folder / "bert", folder / "words", without=("tokenizer.json",))
    vocabulary = json.loads((folder / "bert" / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    (words / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)) + "\n", encoding="utf-8")
    pieces = _copied(t5, folder / "pieces", without=("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"))
    (pieces / "spiece.model").write_bytes(_sentence_pieces())
    weights = load_file(folder / "bert" / "model.safetensors")
    for name, zipped in (("bin", True), ("legacy", False)):
        to = _copied(folder / "bert", folder / name, without=("model.safetensors",))
        torch.save(weights, to / "pytorch_model.bin", _use_new_zipfile_serialization=zipped)
    shards = folder / "shards"
    hf.AutoModelForMaskedLM.from_pretrained(folder / "bert").save_pretrained(shards, max_shard_size="40KB")
    for path in (folder / "bert").glob("token*"):
        shutil.copy(path, shards)
    weights_of = np.full((2, 2, 3, 3), 1 / 3, np.float32)
    np.savez(_made(folder / "arrays") / "attention.npz", attention=weights_of, tokens=np.array(["a", "b", "c"]))
    _write_settings(_made(folder / "settings") / "headscope.ini")
    story = "Das Mädchen saß am Fluß – 人工智能 🙂.\r\n" * 20
    (_made(folder / "text") / "story.txt").write_bytes(story.encode("utf-16"))
    return folder


def _write_settings(path: Path) -> None:
    application()
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QMainWindow

    settings, window = QSettings(str(path), QSettings.Format.IniFormat), QMainWindow()
    for key, value in {
        "appearance": "dark",
        "type_size": 125,
        "models/device": "cpu",
        "cache_size": 512,
        "recent_texts": json.dumps([{"text": "the cat", "text_pair": "", "target": ""}]),
        "window/geometry": window.saveGeometry(),
        "window/docks": window.saveState(),
    }.items():
        settings.setValue(key, value)
    settings.sync()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _copied(source: Path, to: Path, without: tuple[str, ...]) -> Path:
    shutil.copytree(source, to, ignore=lambda _, names: [name for name in names if name in without])
    return to


def place(kind: Kind, content: bytes, corpus: Path, to: Path) -> Path:
    """The folder of a case: the corpus's own files, but for the one that is spoiled."""
    to.mkdir(parents=True)
    for path in (corpus / kind.base).iterdir():
        if path.name != kind.file:
            os.link(path, to / path.name)
    (to / kind.file).write_bytes(content)
    return to

"""Models of the hub: taken from the cache, or downloaded from a server on this machine that answers as the hub does."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from headscope.core.engine.engine import Engine
from headscope.core.models.catalogue import catalogue
from headscope.core.models.hub.download import needed_files
from headscope.core.models.load import load_model
from tests.spoiled import refused

FETCH = Path(__file__).parents[1] / "fetch.py"
REVISION, OTHER = "0123456789abcdef0123456789abcdef01234567", "fedcba9876543210fedcba9876543210fedcba98"
SMALL = ["config.json", "tokenizer.json", "tokenizer_config.json"]


# ---------------------------------------------------------------- which files
@pytest.mark.parametrize(
    ("names", "weights"),
    [
        (["model.safetensors", "pytorch_model.bin", "tf_model.h5"], ["model.safetensors"]),
        (["pytorch_model.bin", "flax_model.msgpack"], ["pytorch_model.bin"]),
        (
            ["model.safetensors.index.json", "model-00002-of-00002.safetensors", "model-00001-of-00002.safetensors"],
            ["model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ),
        (["onnx/model.safetensors", "README.md", "model.fp16.safetensors"], []),
    ],
)
def test_what_is_fetched_is_what_is_needed(names: list[str], weights: list[str]) -> None:
    assert needed_files([*names, *SMALL, "README.md", "original/config.json"]) == [*SMALL, *weights]


# ---------------------------------------------------------------- the cache
def cached(model: Path, hub: Path, ref: str | None = "main", commit: str = REVISION) -> Path:
    """A model as huggingface_hub keeps it: blobs, and a snapshot of links to them."""
    store = hub / "models--someone--tiny-bert"
    for part in ("blobs", "refs"):
        (store / part).mkdir(parents=True, exist_ok=True)
    if ref is not None:
        (store / "refs" / ref).parent.mkdir(parents=True, exist_ok=True)
        (store / "refs" / ref).write_text(commit)
    folder = store / "snapshots" / commit
    folder.mkdir(parents=True)
    for path in model.iterdir():
        blob = store / "blobs" / f"{commit}-{path.name}"
        shutil.copy(path, blob)
        (folder / path.name).symlink_to(blob)
    return folder


@pytest.mark.usefixtures("alone")
def test_a_model_of_the_cache_opens_without_a_network_and_is_offered(originals: Path, tmp_path: Path) -> None:
    cached(originals / "bert", tmp_path / "hub")
    info = load_model("someone/tiny-bert", device="cpu").info
    assert (info.source, info.name, info.abilities) == ("someone/tiny-bert", "someone/tiny-bert", {"fill_mask"})
    entries = {entry.source: entry for entry in catalogue()}
    assert entries["someone/tiny-bert"].group == "cache"
    assert entries["someone/tiny-bert"].size > 400_000
    assert {"toy:grammar", "toy:tales"} < set(entries)


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_half_of_a_model_does_not_count_as_cached(engine: Engine, originals: Path, tmp_path: Path, missing: str) -> None:
    folder = cached(originals / "bert", tmp_path / "hub")
    (folder / missing).resolve().unlink()
    assert refused(engine, "someone/tiny-bert").code == "offline"


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("ref", ["v1.0", "refs/pr/1", None], ids=["tag", "pull request", "commit"])
def test_each_revision_of_the_cache_is_a_model_of_its_own(originals: Path, tmp_path: Path, ref: str | None) -> None:
    cached(originals / "bert", tmp_path / "hub")
    cached(originals / "gpt2", tmp_path / "hub", ref, OTHER)
    called = ref or OTHER
    models = [
        load_model("someone/tiny-bert", device="cpu"),
        load_model(f"someone/tiny-bert@{called}", device="cpu"),
        load_model("someone/tiny-bert", revision=called, device="cpu"),
        load_model("someone/tiny-bert@main", revision=called, device="cpu"),
    ]
    assert [model.info.architecture for model in models] == ["BertForMaskedLM", *["GPT2LMHeadModel"] * 3]
    assert [model.info.source for model in models] == ["someone/tiny-bert", *[f"someone/tiny-bert@{called}"] * 3]
    offered = [entry for entry in catalogue() if entry.group == "cache"]
    assert [entry.source for entry in offered] == ["someone/tiny-bert", f"someone/tiny-bert@{called}"]
    assert load_model(offered[1].source, device="cpu").info.architecture == "GPT2LMHeadModel"


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("revision", ["../../x", "a b", "/etc", "a//b", "~", "\ud800", "a\0"], ids=ascii)
def test_what_can_be_no_revision_is_said_so(engine: Engine, originals: Path, tmp_path: Path, revision: str) -> None:
    cached(originals / "bert", tmp_path / "hub")
    assert refused(engine, f"someone/tiny-bert@{revision}").code == "revision_not_found"


@pytest.mark.usefixtures("alone")
def test_without_a_cache_only_the_toys_are_offered(tmp_path: Path) -> None:
    assert {entry.group for entry in catalogue()} == {"toy"}
    (tmp_path / "hub").write_text("a file in the place of the cache")
    assert {entry.group for entry in catalogue()} == {"toy"}


# ---------------------------------------------------------------- the network
class Hub(ThreadingHTTPServer):
    """Answers as the hub does, for one model; notes what it was asked."""

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files = files
        self.ranges: list[str] = []
        self.gets: list[str] = []
        self.stalls = False
        self.released = threading.Event()
        self.broken: int | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answer(BaseHTTPRequestHandler):
    server: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.split("?")[0]
        if self.server.stalls:
            self.server.released.wait(20)
            return None
        if self.server.broken:
            return self._send(self.server.broken, b"{}", with_body)
        if path in {"/api/models/someone/tiny", "/api/models/someone/tiny/revision/v1.0"}:
            files = [{"rfilename": name, "size": len(content)} for name, content in self.server.files.items()]
            about = {"id": "someone/tiny", "sha": REVISION, "siblings": files, "tags": [], "private": False}
            return self._send(200, json.dumps(about).encode(), with_body)
        if path == "/api/models/someone/gated":
            return self._send(403, b"{}", with_body, {"X-Error-Code": "GatedRepo"})
        if "/revision/" in path:
            return self._send(404, b"{}", with_body, {"X-Error-Code": "RevisionNotFound"})
        name = path.removeprefix("/someone/tiny/resolve/").removeprefix("main/").removeprefix("v1.0/")
        if name not in self.server.files:
            return self._send(404, b"{}", with_body, {"X-Error-Code": "RepoNotFound"})
        return self._file(name, with_body)

    def _file(self, name: str, with_body: bool) -> None:
        content, status, more = self.server.files[name], 200, {}
        if with_body:
            self.server.gets.append(name)
        if with_body and (wanted := self.headers.get("Range")):
            self.server.ranges.append(wanted)
            first = int(wanted.removeprefix("bytes=").split("-")[0])
            more["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
            content, status = content[first:], 206
        self._send(status, content, with_body, {"ETag": f'"{name}"', "X-Repo-Commit": REVISION, **more})

    def _send(self, status: int, content: bytes, with_body: bool, more: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            with suppress(ConnectionError):  # somebody cancelled
                self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(originals: Path) -> Iterator[Hub]:
    files = {path.name: path.read_bytes() for path in (originals / "bert").iterdir()}
    with Hub({**files, "README.md": b"not needed"}) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.released.set()
        server.shutdown()
        thread.join()


def fetch(address: str, cache: Path, name: str = "someone/tiny", cancel_at: float = 2.0) -> dict[str, Any]:
    """How fetching a model ends, in a process of its own."""
    settings = {
        "HF_ENDPOINT": address,
        "HF_HUB_CACHE": str(cache),
        "HF_HOME": str(cache.parent / "home"),
        "HF_HUB_OFFLINE": "0",
    }
    settings |= {"HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}
    command = [sys.executable, str(FETCH), name, str(cancel_at)]
    done = subprocess.run(command, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    answer = json.loads(done.stdout)
    assert answer.pop("changed") == []
    return answer


def test_a_model_is_fetched_with_its_progress_and_opens_afterwards(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = fetch(hub.address, tmp_path / "hub")
    assert Path(answer["folder"]).name == REVISION
    assert answer["fractions"] == sorted(answer["fractions"])
    assert (answer["fractions"][0], answer["fractions"][-1]) == (0.0, 1.0)
    assert sorted(hub.gets) == sorted(set(hub.files) - {"README.md"})
    asked = len(hub.gets)
    assert fetch(hub.address, tmp_path / "hub")["folder"] == answer["folder"]
    assert len(hub.gets) == asked  # the second time it was here
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    assert load_model("someone/tiny", device="cpu").info.abilities == {"fill_mask"}


def test_a_revision_is_fetched_and_found_again_by_its_name(hub: Hub, tmp_path: Path) -> None:
    folder = fetch(hub.address, tmp_path / "hub", "someone/tiny@v1.0")["folder"]
    assert (tmp_path / "hub" / "models--someone--tiny" / "refs" / "v1.0").read_text() == REVISION
    asked = len(hub.gets)
    assert fetch(hub.address, tmp_path / "hub", "someone/tiny@v1.0")["folder"] == folder
    assert len(hub.gets) == asked
    answer = fetch(hub.address, tmp_path / "hub", "someone/tiny@v2.0")
    assert answer["code"] == "revision_not_found"
    assert "v2.0" in answer["message"]


def test_two_that_fetch_the_same_model_fetch_each_file_once(hub: Hub, tmp_path: Path) -> None:
    hub.files["model.safetensors"] = random.Random(0).randbytes(8 << 20)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda _: fetch(hub.address, tmp_path / "hub"), range(2)))
    assert answers[0]["folder"] == answers[1]["folder"]
    assert (Path(answers[0]["folder"]) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert sorted(hub.gets) == sorted(set(hub.files) - {"README.md"})


def test_a_cancelled_download_stops_and_the_next_goes_on_from_there(hub: Hub, tmp_path: Path) -> None:
    hub.files["model.safetensors"] = random.Random(0).randbytes(8 << 20)
    answer = fetch(hub.address, tmp_path / "hub", cancel_at=0.5)
    assert answer["cancelled_after"] < 3
    assert answer["fractions"][-1] < 1
    answer = fetch(hub.address, tmp_path / "hub")
    assert (Path(answer["folder"]) / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    (wanted,) = hub.ranges
    assert int(wanted.removeprefix("bytes=").rstrip("-").split("-")[0]) >= 1 << 20
    assert answer["fractions"][-1] == 1.0
    assert hub.gets.count("config.json") == 1


def test_a_server_that_does_not_answer_cannot_hold_up_a_cancellation(hub: Hub, tmp_path: Path) -> None:
    hub.stalls = True
    assert fetch(hub.address, tmp_path / "hub", cancel_at=0.0)["cancelled_after"] < 3


@pytest.mark.parametrize(("name", "code"), [("someone/nothing", "model_not_found"), ("someone/gated", "model_gated")])
def test_what_the_hub_refuses_is_said_so(hub: Hub, tmp_path: Path, name: str, code: str) -> None:
    answer = fetch(hub.address, tmp_path / "hub", name)
    assert answer["code"] == code
    assert name in answer["message"]


def test_a_repository_without_a_model_is_said_so(hub: Hub, tmp_path: Path) -> None:
    del hub.files["config.json"]
    assert fetch(hub.address, tmp_path / "hub")["code"] == "folder_without_model"
    assert hub.gets == []


def test_a_server_in_trouble_is_said_so(hub: Hub, tmp_path: Path) -> None:
    hub.broken = 501
    assert fetch(hub.address, tmp_path / "hub")["code"] == "download_failed"


def test_a_model_larger_than_the_disk_is_not_begun(hub: Hub, tmp_path: Path) -> None:
    class Endless(bytes):
        def __len__(self) -> int:
            return 1 << 60

    hub.files["model.safetensors"] = Endless()
    assert fetch(hub.address, tmp_path / "hub")["code"] == "no_disk_space"
    assert hub.gets == []


def test_no_server_at_all_is_said_so(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        answer = fetch(f"http://127.0.0.1:{closed.getsockname()[1]}", tmp_path / "hub")
    assert answer["code"] == "offline"

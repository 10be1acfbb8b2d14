"""Models on disk that tests may spoil, and an engine that has one open."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from headscope.core.engine.engine import Engine
from headscope.core.job import Job
from headscope.core.requests.models import LoadRequest
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked


@pytest.fixture(scope="session")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of a BERT, a GPT-2 and a T5; not to be changed."""
    folder = tmp_path_factory.mktemp("originals")
    write_masked(folder / "bert")
    write_decoder(folder / "gpt2")
    write_encoder_decoder(folder / "t5")
    return folder


@pytest.fixture
def bert(originals: Path, tmp_path: Path) -> Path:
    """A BERT's folder of the test's own."""
    return Path(shutil.copytree(originals / "bert", tmp_path / "bert"))


@pytest.fixture(scope="session")
def engine() -> Engine:
    """With toy:grammar open; each test must leave it so."""
    engine = Engine()
    engine.handle(LoadRequest("toy:grammar", device="cpu"), Job(), lambda _: None)
    return engine


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without a network, and with caches of its own."""
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

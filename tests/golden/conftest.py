"""Trained models, loaded once a session; what is unpacked goes to a temporary folder and not to the user's cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from headscope.core import Model, load_model
from tests.installed_models import albert, smollm2


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def load_smollm2(cache: Path) -> Callable[[], Model]:
    """Loads SmolLM2's GGUF file, with folders for caches of its own."""

    def load() -> Model:
        with pytest.MonkeyPatch.context() as patch:
            for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"):  # Linux, Windows, macOS
                patch.setenv(name, str(cache))
            return load_model(str(smollm2()), device="cpu", dtype="float32")

    return load


@pytest.fixture(scope="session")
def language_model(load_smollm2: Callable[[], Model]) -> Model:
    """SmolLM2-135M."""
    return load_smollm2()


@pytest.fixture(scope="session")
def reaction_model() -> Model:
    """RXNMapper's ALBERT."""
    return load_model(str(albert()), device="cpu", dtype="float32")


@pytest.fixture(scope="session")
def reactions() -> list[str]:
    """300 reactions; tests/data/reactions/README.md tells where they are from."""
    lines = Path(__file__).parents[1] / "data" / "reactions" / "reactions.smi"
    return lines.read_text(encoding="utf-8").split()

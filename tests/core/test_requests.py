"""Every request is carried out by one function, which answers what the request says."""

import importlib
import pkgutil
import subprocess
import sys
from dataclasses import is_dataclass

import pytest

from headscope.core import requests
from headscope.core.engine import registry
from headscope.core.engine.engine import ANSWERING, Engine
from headscope.core.job import Job
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.request import ModelRequest, Request, RunRequest

MODULES = [importlib.import_module(f"{requests.__name__}.{module.name}") for module in pkgutil.iter_modules(requests.__path__)]


ASKED = [
    kind
    for module in MODULES
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, Request) and is_dataclass(kind) and kind.__module__ == module.__name__
]
OF_ENGINE = {LoadRequest, CatalogueRequest}


def test_there_are_requests_and_modules_that_answer_them() -> None:
    assert len(ASKED) > 15 and MODULES and ANSWERING
    assert set(ASKED) == {*registry.of_records, *registry.of_model, *OF_ENGINE}
    assert not registry.of_records.keys() & registry.of_model.keys()


@pytest.mark.parametrize("kind", sorted(ASKED, key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__)
def test_what_answers_a_request_returns_what_it_promises(kind: type) -> None:
    (answer,) = kind.__orig_bases__[0].__args__
    if kind not in OF_ENGINE:
        found = registry.of_model if issubclass(kind, ModelRequest) else registry.of_records
        assert found[kind].__annotations__["return"] == answer.__forward_arg__


def test_a_second_answer_to_a_request_is_an_error() -> None:
    kind = next(iter(registry.of_records))
    with pytest.raises(TypeError, match="answered twice"):
        registry.answers(kind)(lambda *_: None)


def test_a_request_of_ones_own_is_one_class_and_one_function(monkeypatch: pytest.MonkeyPatch) -> None:
    class Length(RunRequest[int]):
        """How many letters a model's name has; answers `int`."""

    monkeypatch.setattr(registry, "of_model", dict(registry.of_model))
    registry.answers_with_model(Length)(lambda model, _request, _job, _stream: len(model.info.name))
    engine, nothing = Engine(), lambda _part: None
    engine.handle(LoadRequest("toy:grammar"), Job(), nothing)
    assert engine.handle(Length(), Job(), nothing) == len("toy:grammar")


def job():
    from headscope.core.job import Job

    return Job()


def test_asking_needs_no_torch() -> None:
    names = [module.__name__ for module in MODULES]
    code = f"import importlib, sys; [importlib.import_module(name) for name in {names}]; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

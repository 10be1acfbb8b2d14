"""What the lanes ask is answered as their requests promise; a failure leaves the model that is there."""

import pytest

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Job
from headscope.core.models.catalogue_entries import Catalogue
from headscope.core.predict.results import FillStep, GenerationStep
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.runs import CaptureRequest, FillRequest, GenerateRequest
from headscope.core.run import Run

SENTENCE = "the keys near the cabinet [MASK] rusty ."


def ignore(_: object) -> None:
    pass


def engine_with(model: str) -> Engine:
    engine = Engine()
    info = engine.handle(LoadRequest(model, device="cpu"), Job(), ignore)
    assert isinstance(info, ModelInfo)
    return engine


@pytest.fixture(scope="module")
def grammar() -> Engine:
    return engine_with("toy:grammar")


def run(engine: Engine, text: str = SENTENCE) -> Run:
    result = engine.handle(CaptureRequest(text), Job(), ignore)
    assert isinstance(result, Run)
    return result


def test_nothing_runs_before_a_model_is_loaded() -> None:
    for request in (CaptureRequest("a"), GenerateRequest("a"), FillRequest("a")):
        with pytest.raises(HeadscopeError) as captured:
            Engine().handle(request, Job(), ignore)
        assert captured.value.code == "no_model"


def test_a_load_that_fails_or_is_cancelled_leaves_the_model() -> None:
    engine = engine_with("toy:grammar")
    before = run(engine)
    with pytest.raises(HeadscopeError) as captured:
        engine.handle(LoadRequest("toy:nothing"), Job(), ignore)
    assert captured.value.code == "unknown_toy"
    after = run(engine)
    assert after.predictions == before.predictions


def test_another_model_takes_the_place_of_the_first() -> None:
    engine = engine_with("toy:grammar")
    info = engine.handle(LoadRequest("toy:tales", device="cpu"), Job(), ignore)
    assert info.source == "toy:tales"
    assert run(engine, "once upon a time").record.kinds == ("decoder",)


def test_a_run_is_a_record_and_predictions(grammar: Engine) -> None:
    result = run(grammar)
    assert result.text == SENTENCE
    assert result.predictions[0].candidates[0].text == " are"
    assert len(result.predictions[0].candidates) == 10
    assert result.seconds > 0
    pair = grammar.handle(CaptureRequest("Tom lost the red kite .", "he looked for the kite ."), Job(), ignore)
    assert pair.next_sentence > 0.9


def test_a_generation_streams_its_steps_and_answers_the_whole() -> None:
    steps: list[GenerationStep] = []
    result = engine_with("toy:tales").handle(GenerateRequest("once upon a time", 5, top_k=3), Job(), steps.append)
    assert [step.index for step in steps] == list(range(5))
    assert result.text == steps[-1].text
    assert result.record is steps[-1].record
    assert result.predictions[0].candidates == steps[-1].candidates
    assert result.predictions[0].position == len(result.record.axis("decoder").queries)


def test_filling_streams_its_steps_and_answers_a_run_of_the_filled_text(grammar: Engine) -> None:
    steps: list[FillStep] = []
    result = grammar.handle(FillRequest("the keys [MASK] [MASK] ."), Job(), steps.append)
    assert len(steps) == 2
    assert result.text == steps[-1].text
    assert "[MASK]" not in result.text
    assert result.record.axis("encoder").queries.masks == ()


def test_the_catalogue_knows_the_toys_and_the_cpu(grammar: Engine) -> None:
    catalogue = grammar.handle(CatalogueRequest(), Job(), ignore)
    assert isinstance(catalogue, Catalogue)
    assert {"toy:grammar", "toy:tales"} <= {entry.source for entry in catalogue.entries}
    assert catalogue.devices[0] == "auto"
    assert "cpu" in catalogue.devices
    assert catalogue.dtypes[0] == "auto"
    assert "float32" in catalogue.dtypes

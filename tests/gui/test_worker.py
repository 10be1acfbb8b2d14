"""A lane runs requests in its thread, drops what is stale, finishes every failure, and ends."""

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import QObject, Slot
from tokenizers.normalizers import Precompiled

from headscope.core.errors import HeadscopeError
from headscope.core.files.guarded import guarded
from headscope.core.job import Job, Progress
from headscope.core.requests.cells import PartRequest
from headscope.core.requests.heads import ThumbnailsRequest, WeightsRequest
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.runs import CaptureRequest, FillRequest, GenerateRequest
from headscope.gui.lanes.answer import Answer
from headscope.gui.lanes.lane import Lane
from headscope.gui.lanes.precedence import supersedes_in_model_lane, supersedes_in_view_lane

PATIENCE = 10


@dataclass(frozen=True)
class Ask:
    """A request: `do` is called in the lane's thread."""

    do: Callable[[Job, Callable[[object], None]], Any]
    kind: str = ""


class Listener(QObject):
    """Hears a lane, in the GUI thread."""

    def __init__(self, lane: Lane) -> None:
        super().__init__()
        self.heard: list[tuple] = []
        self.threads: set[threading.Thread] = set()
        lane.progressed.connect(self.on_progressed)
        lane.streamed.connect(self.on_streamed)
        lane.finished.connect(self.on_finished)
        lane.failed.connect(self.on_failed)
        lane.cancelled.connect(self.on_cancelled)

    def hear(self, *what) -> None:
        self.heard.append(what)
        self.threads.add(threading.current_thread())

    @Slot(int, object)
    def on_progressed(self, id_, progress):
        self.hear("progressed", id_, progress)

    @Slot(int, object)
    def on_streamed(self, id_, part):
        self.hear("streamed", id_, part)

    @Slot(int, object)
    def on_finished(self, id_, answer):
        self.hear("finished", id_, answer)

    @Slot(int, object)
    def on_failed(self, id_, error):
        self.hear("failed", id_, error)

    @Slot(int)
    def on_cancelled(self, id_):
        self.hear("cancelled", id_)

    def ends(self) -> list[tuple]:
        return [what for what in self.heard if what[0] in {"finished", "failed", "cancelled"}]


@pytest.fixture
def lane(qapp) -> Iterator[Lane]:
    lane = Lane(
        "test",
        lambda: lambda request, job, stream: request.do(job, stream),
        lambda newer, older: bool(newer.kind) and newer.kind == older.kind,
    )
    yield lane
    assert lane.close()


@pytest.fixture
def listener(lane: Lane) -> Listener:
    return Listener(lane)


def until_cancelled(entered: threading.Event) -> Callable:
    """A job that runs until it is told to stop, and says when it has begun."""

    def do(job: Job, _stream) -> None:
        entered.set()
        while True:
            job.cancel.check()
            threading.Event().wait(0.001)

    return do


def deaf(entered: threading.Event, go_on: threading.Event, answer: str) -> Callable:
    """A job that never looks at its Cancel."""

    def do(_job: Job, stream) -> str:
        entered.set()
        assert go_on.wait(PATIENCE)
        stream("late")
        return answer

    return do


def test_answers_come_in_order_from_another_thread_to_the_gui_thread(qtbot, lane, listener) -> None:
    where: list[threading.Thread] = []

    def do(_job, stream):
        where.append(threading.current_thread())
        stream("part")
        return "whole"

    first, second = lane.submit(Ask(do)), lane.submit(Ask(do))
    assert lane.is_busy
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    spoken = [what for what in listener.heard if what[0] != "progressed"]
    assert spoken == [
        ("streamed", first, "part"),
        ("finished", first, "whole"),
        ("streamed", second, "part"),
        ("finished", second, "whole"),
    ]
    assert len(set(where)) == 1
    assert where[0] is not threading.current_thread()
    assert listener.threads == {threading.current_thread()}
    assert not lane.is_busy


def test_a_newer_request_of_a_kind_cancels_the_running_and_replaces_the_queued(qtbot, lane, listener) -> None:
    entered = threading.Event()
    running = lane.submit(Ask(until_cancelled(entered), "run"))
    assert entered.wait(PATIENCE)
    other = lane.submit(Ask(lambda *_: "other", "load"))
    queued = lane.submit(Ask(lambda *_: "queued", "run"))
    newest = lane.submit(Ask(lambda *_: "newest", "run"))
    qtbot.waitUntil(lambda: len(listener.ends()) == 4)
    assert listener.ends() == [
        ("cancelled", queued),
        ("cancelled", running),
        ("finished", other, "other"),
        ("finished", newest, "newest"),
    ]


def test_the_answer_of_a_job_that_did_not_notice_its_cancel_is_dropped(qtbot, lane, listener) -> None:
    entered, go_on = threading.Event(), threading.Event()
    stale = lane.submit(Ask(deaf(entered, go_on, "stale"), "run"))
    assert entered.wait(PATIENCE)
    fresh = lane.submit(Ask(lambda *_: "fresh", "run"))
    go_on.set()
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    assert listener.ends() == [("cancelled", stale), ("finished", fresh, "fresh")]
    assert not [what for what in listener.heard if what[0] == "streamed"]


def test_cancel_ends_what_runs_and_what_waits(qtbot, lane, listener) -> None:
    entered = threading.Event()
    running = lane.submit(Ask(until_cancelled(entered)))
    waiting = lane.submit(Ask(lambda *_: "never"))
    assert entered.wait(PATIENCE)
    lane.cancel()
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    assert sorted(listener.ends()) == [("cancelled", running), ("cancelled", waiting)]
    after = lane.submit(Ask(lambda *_: "alive"))
    qtbot.waitUntil(lambda: ("finished", after, "alive") in listener.heard)


def test_an_exception_becomes_an_error_with_details_and_the_lane_lives(qtbot, lane, listener) -> None:
    def broken(*_):
        raise KeyError("a bug\nof ours")

    bad = lane.submit(Ask(broken))
    good = lane.submit(Ask(lambda *_: "alive"))
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    (kind, id_, error), last = listener.ends()
    assert (kind, id_, error.code) == ("failed", bad, "unexpected")
    assert "KeyError" in error.message
    assert "\n" not in error.message
    assert "in broken" in error.details
    assert last == ("finished", good, "alive")


def panics() -> None:
    """A library in Rust that gives up: pyo3's PanicException is a BaseException."""
    Precompiled(b"no such map")


def exhausted() -> object:
    return exhausted()


def leaves() -> None:
    sys.exit("library says good bye")


def speechless() -> None:
    class Speechless(BaseException):
        def __str__(self) -> str:
            raise RuntimeError

    raise Speechless


def raising(error: BaseException) -> Callable[[], None]:
    def do() -> None:
        raise error

    return do


RAISED = {
    "a panic in Rust": panics,
    "SystemExit": leaves,
    "RecursionError": exhausted,
    "an error without words": speechless,
    "KeyboardInterrupt": raising(KeyboardInterrupt()),
    "MemoryError": raising(MemoryError()),
    "StopIteration": raising(StopIteration()),
    "GeneratorExit": raising(GeneratorExit()),
    "a group": raising(BaseExceptionGroup("several", [SystemExit(), ValueError("one")])),
}


@pytest.mark.parametrize("name", RAISED)
def test_a_lane_outlives_whatever_a_handler_raises(qtbot, lane, listener, capfd, name: str) -> None:
    first = lane.submit(Ask(lambda _job, _stream: RAISED[name]()))
    second = lane.submit(Ask(lambda _job, _stream: "next"))
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    (failed, failed_id, error), (finished, finished_id, answer) = listener.ends()
    assert (failed, failed_id) == ("failed", first)
    assert (finished, finished_id, answer) == ("finished", second, "next")
    assert error.code == ("out_of_memory" if name == "MemoryError" else "unexpected")
    assert "\n" not in error.message
    assert len(error.message) <= 300


def test_stop_ends_a_child_that_a_handler_waits_for(qtbot, lane, listener) -> None:
    entered = threading.Event()

    def do(_job: Job, _stream: object) -> None:
        entered.set()
        guarded("time.sleep", 600, subject="x", seconds=600)

    id_ = lane.submit(Ask(do))
    assert entered.wait(PATIENCE)
    lane.cancel()
    qtbot.waitUntil(lambda: not lane.is_busy)
    assert listener.ends() == [("cancelled", id_)]


def test_a_panic_after_stop_counts_as_stopped(qtbot, lane, listener, capfd) -> None:
    entered, go_on = threading.Event(), threading.Event()

    def do(_job: Job, _stream: object) -> None:
        entered.set()
        assert go_on.wait(PATIENCE)
        panics()

    id_ = lane.submit(Ask(do))
    assert entered.wait(PATIENCE)
    lane.cancel()
    go_on.set()
    qtbot.waitUntil(lambda: not lane.is_busy)
    assert listener.ends() == [("cancelled", id_)]


def test_a_lane_whose_start_panics_says_so_and_tries_again(qtbot, capfd) -> None:
    ready: list[Callable] = [panics, lambda: lambda *_: "here"]
    lane = Lane("test", lambda: ready.pop(0)(), lambda *_: False)
    listener = Listener(lane)
    lane.submit("first")
    lane.submit("second")
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    assert [what[0] for what in listener.ends()] == ["failed", "finished"]
    assert lane.close()


def test_an_error_of_ours_arrives_as_it_is(qtbot, lane, listener) -> None:
    def refuse(*_):
        raise HeadscopeError("empty_text")

    lane.submit(Ask(refuse))
    qtbot.waitUntil(lambda: bool(listener.ends()))
    assert listener.ends()[0][2].code == "empty_text"


def test_a_lane_that_could_not_get_ready_says_so_and_tries_again(qtbot) -> None:
    tries: list[int] = []

    def prepare():
        tries.append(1)
        if len(tries) == 1:
            raise ImportError("no module named torch")
        return lambda request, job, stream: request

    lane = Lane("test", prepare, lambda newer, older: False)
    listener = Listener(lane)
    lane.submit("first")
    lane.submit("second")
    qtbot.waitUntil(lambda: len(listener.ends()) == 2)
    assert [what[0] for what in listener.ends()] == ["failed", "finished"]
    assert "torch" in listener.ends()[0][2].message
    assert lane.close()


def test_progress_is_thinned_but_no_stage_is_missed(qtbot, lane, listener) -> None:
    def do(job, _stream):
        for step in range(2000):
            job.report(Progress("loading", step / 2000))
        job.report(Progress("running"))

    lane.submit(Ask(do))
    qtbot.waitUntil(lambda: bool(listener.ends()))
    stages = [what[2].stage for what in listener.heard if what[0] == "progressed"]
    assert 2 < len(stages) < 500
    assert {"starting", "loading", "running"} <= set(stages)


def test_closing_stops_a_running_job_and_nothing_is_heard_after(qtbot, lane, listener) -> None:
    entered = threading.Event()
    lane.submit(Ask(until_cancelled(entered)))
    lane.submit(Ask(lambda *_: "never"))
    assert entered.wait(PATIENCE)
    assert lane.close()
    assert lane.close()
    qtbot.wait(1)
    assert not listener.ends()
    assert not lane.is_busy


def test_two_who_ask_the_same_kind_of_question_both_get_their_answers(qtbot, lane, qapp) -> None:
    parent = QObject()
    first, second = Answer[int](lane, parent), Answer[int](lane, parent)
    heard: list[tuple[str, object]] = []
    first.came.connect(lambda: heard.append(("first", first.value)))
    second.came.connect(lambda: heard.append(("second", second.value)))
    for number in range(20):  # as a mouse moves, faster than a lane answers
        first.ask(Ask(lambda *_, number=number: number))
        second.ask(Ask(lambda *_, number=number: 100 + number))
    qtbot.waitUntil(lambda: not lane.is_busy)
    assert (first.value, second.value) == (19, 119)
    assert first.is_current and second.is_current and not first.is_waiting
    assert heard[-2:] == [("first", 19), ("second", 119)], "the newest of each place, and each heard once"
    assert len(heard) <= 4


def test_a_place_keeps_its_last_answer_until_the_next_is_here_and_says_which_it_is(qtbot, lane) -> None:
    parent = QObject()
    answer, gate = Answer[str](lane, parent), threading.Event()
    answer.ask(Ask(lambda *_: "old"))
    qtbot.waitUntil(lambda: answer.is_current)
    answer.ask(Ask(lambda *_: gate.wait(PATIENCE) and "new"))
    assert (answer.value, answer.is_current, answer.is_waiting) == ("old", False, True)
    gate.set()
    qtbot.waitUntil(lambda: answer.is_current)
    assert answer.value == "new"


def test_a_place_says_why_there_is_no_answer_and_asks_no_more_until_it_is_dropped(qtbot, lane) -> None:
    parent, tries = QObject(), []

    def refuse(*_: object) -> None:
        tries.append(1)
        raise HeadscopeError("no_model")

    answer, request = Answer[str](lane, parent), Ask(refuse)
    answer.ask(request)
    qtbot.waitUntil(lambda: answer.error is not None)
    assert answer.error.code == "no_model" and not answer.is_waiting and answer.value is None
    answer.ask(request)
    assert not answer.is_waiting
    answer.drop()
    assert answer.error is None
    answer.ask(request)
    qtbot.waitUntil(lambda: answer.error is not None)
    assert len(tries) == 2


def test_what_is_dropped_or_stopped_is_not_heard_and_may_be_asked_again(qtbot, lane) -> None:
    parent, entered = QObject(), threading.Event()
    running, waiting = Answer[str](lane, parent), Answer[str](lane, parent)
    running.ask(Ask(until_cancelled(entered)))
    waiting.ask(Ask(lambda *_: "never"))
    assert entered.wait(PATIENCE)
    waiting.drop()
    assert not waiting.is_waiting
    lane.cancel()
    qtbot.waitUntil(lambda: not lane.is_busy)
    assert not running.is_waiting and running.request is None and waiting.value is None
    running.ask(Ask(lambda *_: "now"))
    qtbot.waitUntil(lambda: running.value == "now")


def test_parts_come_one_by_one_and_end_with_the_whole(qtbot, lane) -> None:
    parent, heard = QObject(), []
    answer = Answer[str](lane, parent)
    answer.came.connect(lambda: heard.append((answer.part, answer.value, answer.is_waiting)))

    def do(_job: Job, stream: Callable[[object], None]) -> str:
        stream(1)
        stream(2)
        return "whole"

    answer.ask(Ask(do))
    qtbot.waitUntil(lambda: answer.is_current)
    assert heard == [(1, None, True), (2, None, True), (2, "whole", False)]


LOAD, CATALOGUE = LoadRequest("toy:grammar"), CatalogueRequest()
CAPTURE, GENERATE, FILL = CaptureRequest("a"), GenerateRequest("a"), FillRequest("a")


@pytest.mark.parametrize(
    ("newer", "stale", "kept"),
    [
        (LOAD, (LOAD, CAPTURE, GENERATE, FILL), (CATALOGUE,)),
        (CAPTURE, (CAPTURE, GENERATE, FILL), (LOAD, CATALOGUE)),
        (GENERATE, (CAPTURE, GENERATE, FILL), (LOAD, CATALOGUE)),
        (FILL, (CAPTURE, GENERATE, FILL), (LOAD, CATALOGUE)),
        (CATALOGUE, (CATALOGUE,), (LOAD, CAPTURE, GENERATE, FILL)),
    ],
)
def test_what_replaces_what_in_the_model_lane(newer, stale, kept) -> None:
    assert all(supersedes_in_model_lane(newer, older) for older in stale)
    assert not any(supersedes_in_model_lane(newer, older) for older in kept)


def test_a_head_that_is_looked_at_comes_before_thumbnails() -> None:
    weights, thumbnails = WeightsRequest(None, "encoder", ((0, 0),)), ThumbnailsRequest(None, "encoder")
    assert supersedes_in_view_lane(weights, thumbnails)
    assert supersedes_in_view_lane(weights, weights)
    assert supersedes_in_view_lane(thumbnails, thumbnails)
    assert not supersedes_in_view_lane(thumbnails, weights)


def test_a_part_that_is_looked_at_comes_before_thumbnails_but_its_head_before_it() -> None:
    weights, thumbnails = WeightsRequest(None, "encoder", ((0, 0),)), ThumbnailsRequest(None, "encoder")
    part = PartRequest(None, "encoder", (0, 0), range(4), range(4), 4, 4)
    assert supersedes_in_view_lane(part, thumbnails)
    assert supersedes_in_view_lane(part, part)
    assert supersedes_in_view_lane(weights, part)
    assert not supersedes_in_view_lane(part, weights)

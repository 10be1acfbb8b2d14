"""Random texts, sizes, keys and moves of the mouse: no view is without an answer. Seeded: what fails once fails again."""

import random
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.widget import LinkView
from headscope.gui.views.text.paint.layout import ReadingLayout
from headscope.gui.views.text.paint.passage import Part, Passage, passage_of
from headscope.gui.views.text.widget import ReadingView
from headscope.gui.window.prompt.edit import PromptEdit
from tests.gui.screen import random_weights, said

pytestmark = pytest.mark.usefixtures("qapp")
THEME = theme_of(dark=False)
SEEDS = range(60)
PIECES = (
    *("a", "word", " ", "a" * 50, "漢字", "مفتاح", "עברית", "นี้", "🙂", "👨‍👩‍👧", "e\u0301", "ﬁ"),
    *("\n", "\r", "\r\n", "\u2028", "\u2029", "\t", "\x0b", "\x0c", "\x85"),
    *("\x00", "\ud800", "\u200b", "\u00ad", "\u202e", "\u2066"),
)
WIDTHS = (*range(1, 60), 100, 333, 900)
KEYS = [getattr(Qt.Key, f"Key_{name}") for name in ("Left", "Right", "Up", "Down", "Home", "End", "Return", "Space", "Escape")]


def some_text(rng: random.Random) -> TokenAxis:
    """Pieces that are tokens where they stand, or empty there, or shared with the one before, or nowhere."""
    pieces = [rng.choice(PIECES) for _ in range(rng.randint(0, 40))]
    tokens, at = [], 0
    for piece in pieces:
        end = at + len(piece)
        span = rng.choice([(at, end)] * 7 + [(at, at), (max(0, at - 1), end), (-1, -1)])
        tokens.append(Token(piece, 1, *span, masked=rng.random() < 0.1, special=rng.random() < 0.1))
        at = end
    return TokenAxis(tuple(tokens), "".join(pieces))


def some_picture(rng: random.Random, kind: type) -> ArcsPicture | LinksPicture:
    axis = some_text(rng)
    weights = random_weights(len(axis), len(axis), rng.randrange(99)) if len(axis) else np.zeros((0, 0), np.float32)
    return kind({(0, head): weights for head in range(rng.randint(0, 5))}, axis, axis)


def lines_of(layout: ReadingLayout) -> str:
    starts = [line.start for line in layout.lines] + [len(layout.passage.text)]
    return "".join(layout.passage.text[start:end] for start, end in pairwise(starts))


# ---------------------------------------------------------------- where things lie
@pytest.mark.parametrize("seed", SEEDS)
def test_every_word_of_any_text_is_where_it_is_drawn(seed: int) -> None:
    rng = random.Random(seed)
    axis, width = some_text(rng), rng.choice(WIDTHS)
    shorter = ReadingLayout(passage_of([Part(TokenAxis(axis.tokens[: len(axis) // 2], axis.text))]), width, THEME)
    shorter.advance(60)
    for before in (None, shorter):
        passage = passage_of([Part(axis)])
        layout = ReadingLayout(passage, width, THEME, before)
        layout.advance(60)
        assert lines_of(layout) == passage.text
        for word, (start, _) in enumerate(passage.spans):
            line = layout.line_of(word)
            assert line is not None
            assert layout.lines[line].start <= start
            assert line + 1 == len(layout.lines) or start < layout.lines[line + 1].start
            assert layout.boxes_of(word)
        for nowhere in (-1, len(passage.spans)):
            assert layout.line_of(nowhere) is None
            assert layout.boxes_of(nowhere) == []


def test_a_label_with_a_line_end_is_on_one_line() -> None:
    passage = passage_of([Part(TokenAxis((Token("\n", 1), Token("word", 2))))])
    assert "\n" not in passage.text
    assert [passage.text[start:end] for start, end in passage.spans] == ["⏎", "word"]


@pytest.mark.parametrize("kind", [ArcsPicture, LinksPicture])
@pytest.mark.parametrize("seed", SEEDS)
def test_links_of_any_text_can_be_drawn_in_any_room(seed: int, kind: type) -> None:
    rng = random.Random(seed)
    picture = some_picture(rng, kind)
    count = picture.n_rows
    area = QRectF(0, 0, rng.choice(WIDTHS), rng.choice(WIDTHS))
    image = QImage(area.size().toSize(), QImage.Format.Format_RGB32)
    for scroll in (None, 0.0, rng.uniform(-100, 10_000)):
        layout = picture.layout(area, scroll)
        assert set(layout.visible(count)) <= set(range(count))
        assert all(np.isfinite(layout.beyond(at)) for at in range(-2, count + 2))
        for _ in range(9):
            point = QPointF(rng.uniform(-20, 920), rng.uniform(-20, 920))
            assert set(picture.token_at(layout, point)) <= {None, *range(count)}
        painter = QPainter(image)
        picture.paint(painter, area, THEME, scroll=scroll, picked=Picked(query=rng.randrange(count + 1)))
        assert painter.end()
    assert picture.size().isValid()


def test_a_token_that_is_not_there_has_an_empty_box_at_the_end_of_the_line() -> None:
    axis = TokenAxis((Token("one", 1), Token("two", 2)))
    layout = ArcsPicture({}, axis, axis).layout(QRectF(0, 0, 400, 200))
    assert layout.box(2).left() == layout.box(7).right() == layout.box(1).right()
    assert layout.box(-1).right() == layout.box(-7).left() == layout.box(0).left()


# ---------------------------------------------------------------- keys and the mouse
def play(qtbot, rng: random.Random, view: LinkView | ReadingView, show: Callable[[], int]) -> None:
    """Look at several things, resize, press keys, point; what the view tells of is always there."""
    told = said(view.hovered)
    for _ in range(4):
        count = show()
        told.clear()
        view.resize(rng.choice(WIDTHS), rng.choice(WIDTHS))
        for _ in range(6):
            qtbot.keyClick(view, rng.choice(KEYS))
            inside = view.viewport().rect()
            qtbot.mouseMove(view.viewport(), inside.topLeft() + inside.center() * rng.random())
        view.grab()
        assert {place for places in told for place in places} <= {None, *range(count)}


@pytest.mark.parametrize("seed", range(12))
def test_links_answer_any_keys_whatever_they_show(qtbot, seed: int) -> None:
    rng = random.Random(seed)
    view = LinkView()
    qtbot.addWidget(view)
    view.show()

    def show() -> int:
        picture = some_picture(rng, rng.choice([ArcsPicture, LinksPicture]))
        view.set_whole(rng.random() < 0.5)
        view.set_picture(picture)
        view.set_picked(Picked(query=rng.choice([None, 0, 99])))
        view.reveal(rng.choice([0, 99]))
        return picture.n_rows

    play(qtbot, rng, view, show)


@pytest.mark.parametrize("seed", range(12))
def test_a_text_answers_any_keys_whatever_it_shows(qtbot, seed: int) -> None:
    rng = random.Random(seed)
    view = ReadingView()
    qtbot.addWidget(view)
    view.show()

    def show() -> int:
        axis = some_text(rng)
        if rng.random() < 0.3:
            view.set_passage(Passage())
        view.set_passage(passage_of([Part(axis)]))
        view.reveal(rng.choice([0, 99]))
        return len(axis)

    play(qtbot, rng, view, show)


# ---------------------------------------------------------------- the text field
@pytest.mark.parametrize("seed", range(3))
def test_a_field_of_any_width_takes_any_text(qtbot, seed: int) -> None:
    """At the width of a scroll bar Qt wraps with no bar and does not with one: each used to bring the other, without an end."""
    rng = random.Random(seed)
    field = PromptEdit("Type a sentence")
    qtbot.addWidget(field)
    field.show()
    texts = ["", "a", "a b c d e f", "word " * 60, "x" * 300, "\n".join("abcdefg"), "漢字🙂" * 40]
    for width in WIDTHS:
        for text in [*texts, some_text(rng).text]:
            field.set_text(text)
            heights = [field.height()]
            while len(heights) < 2 or heights[-1] != heights[-2]:
                field.resize(width, field.sizeHint().height())
                QApplication.processEvents()
                heights.append(field.height())
                assert len(heights) < 9, f"{width} pixels, {text[:9]!r}: the height comes to rest"

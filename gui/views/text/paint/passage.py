"""A text as people read it, and where in it each token stands: what the text view shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from headscope.core.text.tokens import Token, TokenAxis, visible

_CONTINUES: Final = "·"
_NO_MORE: Final = "…"


@dataclass(frozen=True, slots=True)
class Part:
    """One of the texts that are shown under each other.

    Attributes
    ----------
    axis : TokenAxis
    pair : str
        What tokens of segment 1 point into.
    heading : str
        Stands above it; may be empty.
    """

    axis: TokenAxis
    pair: str = ""
    heading: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """The texts, one under the other.

    Attributes
    ----------
    text : str
        What is drawn; every line end is a real one.
    spans : tuple of (start, end)
        Where each token of all parts stands in `text`, one after the other; none is empty, none overlap.
    tokens : tuple of Token
        Along `spans`.
    firsts : tuple of int
        The place in `spans` of the first token of each part.
    quiet : tuple of (start, end)
        What nobody wrote: special tokens, marks for line ends, headings.
    """

    text: str = ""
    spans: tuple[tuple[int, int], ...] = ()
    tokens: tuple[Token, ...] = ()
    firsts: tuple[int, ...] = ()
    quiet: tuple[tuple[int, int], ...] = ()


def passage_of(parts: Sequence[Part]) -> Passage:
    """The texts with their tokens in them.

    Where a token stands for a part of its text, that part is shown as it is written; a token that was added, or of a text that is
    not there, is shown by its label.
    """
    writer = _Writer()
    firsts = []
    for part in parts:
        if writer.text:
            writer.line_end()
        if part.heading:
            writer.write(part.heading, quiet=True)
            writer.line_end()
        firsts.append(len(writer.spans))
        _write_part(writer, part)
    tokens = tuple(token for part in parts for token in part.axis.tokens)
    return Passage("".join(writer.text), tuple(writer.spans), tokens, tuple(firsts), tuple(writer.quiet))


@dataclass(slots=True)
class _Writer:
    text: list[str] = field(default_factory=list)
    length: int = 0
    spans: list[tuple[int, int]] = field(default_factory=list)
    quiet: list[tuple[int, int]] = field(default_factory=list)
    after_label: bool = False  # a blank belongs between it and what follows

    @property
    def at_line_start(self) -> bool:
        return not self.text or self.text[-1].endswith("\n")

    def write(self, piece: str, *, quiet: bool = False) -> None:
        if piece:
            self.text.append(piece)
            if quiet:
                self.quiet.append((self.length, self.length + len(piece)))
            self.length += len(piece)

    def line_end(self) -> None:
        if not self.at_line_start:
            self.write("\n")

    def gap(self, between: str) -> None:
        """What stands between tokens."""
        self.after_label = self.after_label and not between
        self.write(_written(between))

    def word(self, written: str) -> None:
        """A token's own text; its line ends become visible, and end the line."""
        self._part_from_label()
        start = self.length
        pieces = _written(written).split("\n")
        for piece in pieces[:-1]:
            self.write(piece)
            self.write("⏎", quiet=True)
            self.write("\n")
        self.write(pieces[-1])
        self.spans.append((start, self.length))

    def plain(self, piece: str, start: int) -> None:
        """A token behind what stands before it, of which nothing has to be made visible; it begins at `start` in `piece`."""
        self.text.append(piece)
        self.spans.append((self.length + start, self.length + len(piece)))
        self.length += len(piece)

    def label(self, label: str, *, joins: bool, quiet: bool) -> None:
        """A token that stands for no text."""
        if joins:
            self.after_label = False
        self._part_from_label()
        if not joins and not self.at_line_start and not self.text[-1].endswith(" "):
            self.write(" ")
        start = self.length
        self.write(visible(label), quiet=quiet)  # on one line: a line end is of no word
        self.spans.append((start, self.length))
        self.after_label = True

    def _part_from_label(self) -> None:
        if self.after_label:
            self.write(" ")
        self.after_label = False


def _write_part(writer: _Writer, part: Part) -> None:
    texts = (part.axis.text, part.pair)
    segment = cursor = 0
    for token in part.axis.tokens:
        text = texts[min(token.segment, 1)]
        if token.segment == segment and cursor <= token.start < token.end <= len(text) and not writer.after_label:
            piece = text[cursor : token.end]
            if piece.isprintable():  # nearly all: a long text is here in a moment
                writer.plain(piece, token.start - cursor)
                cursor = token.end
                continue
        if token.start < 0 or token.end > len(text):
            joins = token.text.startswith(_CONTINUES) and len(token.text) > 1 and not token.special
            writer.label(
                token.text.removeprefix(_CONTINUES) if joins else token.text or _CONTINUES, joins=joins, quiet=token.special
            )
            continue
        if token.segment != segment:
            writer.line_end()
            writer.after_label = False
            segment, cursor = token.segment, 0
        if token.start > cursor:
            writer.gap(text[cursor : token.start])
        written = text[max(cursor, token.start) : token.end]
        if written:
            writer.word(written)
        else:  # one more of the bytes of a character
            writer.label(_CONTINUES, joins=True, quiet=True)
            writer.after_label = False
        cursor = max(cursor, token.end)
    writer.after_label = False
    if part.axis.dropped:
        writer.write(f" {_NO_MORE}", quiet=True)


def _written(text: str) -> str:
    """`text` with real line ends and blanks, and other characters that cannot be seen as pictures."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    return "".join(
        character if character in "\n\u3000" or character.isprintable() else _picture(character) for character in text
    )


def _picture(character: str) -> str:
    return " " if character.isspace() else visible(character)

"""Every error a user can meet: a code, its parameters, a plain English sentence and a remedy.

The screen translates by code; everything else prints the English fallback. An exception that is not a
`HeadscopeError` is a bug of ours and is shown with its details.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from headscope.core.messages import MESSAGES
from headscope.core.sentences import Sentence, as_sentence

if TYPE_CHECKING:
    from headscope.core.keep import Offer

LONGEST_SENTENCE: Final = 300
"""Characters of what an error says on the screen and in the terminal."""
_LONGEST_REASON, _LONGEST_DETAILS, _LEAST_OF_A_PARAMETER = 160, 20_000, 8


class HeadscopeError(Exception):
    """An error a user can cause or meet, and act on.

    Parameters
    ----------
    code : str
        A key of `MESSAGES`.
    details : str
        Text for the details button (a traceback, a library's own message); may be empty.
    offers : sequence of Offer
        Ways to make it fit that can be taken at once, best first.
    **parameters : object
        Values for the message's placeholders. `reason` and `instead` are whole `Sentence`s; the words of a library or of the
        system as `reason` become a sentence that names the cause.
    """

    def __init__(self, code: str, *, details: str = "", offers: Sequence[Offer] = (), **parameters: object) -> None:
        self.code = code
        self.parameters = parameters
        for name in parameters.keys() & {"reason", "instead"}:
            self.parameters[name] = as_sentence(parameters[name])
        self.details = details[:_LONGEST_DETAILS]
        self.offers = tuple(offers)
        super().__init__(str(self))

    @property
    def message(self) -> str:
        """What happened, in English."""
        return self.fill(MESSAGES[self.code][0])

    @property
    def remedy(self) -> str:
        """What to do about it, in one English sentence."""
        if self.offers:
            return f"To make it fit: {'; '.join(map(str, self.offers))}."
        return self.fill(MESSAGES[self.code][1])

    def fill(self, template: str, translated: Callable[[str], str] = str) -> str:
        """A template with this error's parameters in it: one line of at most 300 characters, whatever a file or a name holds.

        Control characters and line ends of parameters are replaced, and the longest are cut in their middle. Sentences among the
        parameters are as `translated` has their templates.
        """
        told = {
            name: value.told(translated) if isinstance(value, Sentence) else value for name, value in self.parameters.items()
        }
        values = {name: one_line(value) for name, value in told.items()}
        while (surplus := len(sentence := template.format(**values)) - LONGEST_SENTENCE) > 0:
            longest = max(values, key=lambda name: len(values[name]))
            shorter = _shortened(values[longest], surplus)
            if shorter == values[longest]:
                break
            values[longest] = shorter
        return sentence

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}"


def reason_of(error: BaseException) -> str:
    """What a library's error says, as a part of a sentence of ours: one line of at most 160 characters, without a full stop."""
    try:
        text = f"it does not know {error}" if isinstance(error, KeyError) else str(error)  # a KeyError says nothing but the key
    except Exception:  # some cannot even say what they are
        text = ""
    return one_line(text[:_LONGEST_REASON]).rstrip(".") or type(error).__name__


def unexpected(error: BaseException) -> HeadscopeError:
    """What an exception that is nobody's in particular is to the user: a bug of ours, a panic of a library, or no memory left."""
    if isinstance(error, MemoryError):
        return HeadscopeError("out_of_memory", device="cpu")
    try:
        details = "".join(traceback.format_exception(error))
    except Exception:  # as above
        details = ""
    name, reason = type(error).__name__, reason_of(error)
    return HeadscopeError("unexpected", details=details, cause=name if reason == name else f"{name}: {reason}")


def one_line(value: object) -> str:
    """A name or a text as a part of one line: white space as single blanks, control and direction characters as ``�``."""
    try:
        text = " ".join(str(value).split())
    except ValueError:  # an integer of more than 4,300 digits
        return "a very large number"
    return text if text.isprintable() else "".join(each if each.isprintable() else "�" for each in text)


def _shortened(text: str, by: int) -> str:
    """Without its middle, `by` characters shorter, or down to a few."""
    keep = max(_LEAST_OF_A_PARAMETER, len(text) - by) - 1
    return f"{text[: keep - keep // 2]}…{text[len(text) - keep // 2 :]}" if keep + 1 < len(text) else text


def readable_bytes(count: int) -> str:
    """`count` bytes as people read it: ``"38 MB"``, ``"1.2 GB"`` (powers of 1024)."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            return f"{size:.1f} {unit}" if unit == "GB" else f"{size:.0f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")

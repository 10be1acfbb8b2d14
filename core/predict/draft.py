"""Draft: a text whose masks are being filled, for the model and for people."""

from __future__ import annotations

from dataclasses import dataclass, replace

from headscope.core.predict.results import Candidate
from headscope.core.text.editing import with_candidate
from headscope.core.text.tokenizer import Encoded
from headscope.core.text.tokens import Token


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is being filled: as the model reads it, and as people do."""

    source: Encoded
    text: str
    text_pair: str | None

    def masked(self, position: int, mask_id: int, mask_token: str) -> Draft:
        """This draft with a mask for the model to read at `position`; the text for people stays as it is until it is filled."""
        source = self.source
        tokens = list(source.axis.tokens)
        tokens[position] = replace(tokens[position], text=mask_token, id=mask_id, masked=True, generated=False, unknown=False)
        ids = (*source.ids[:position], mask_id, *source.ids[position + 1 :])
        return replace(self, source=replace(source, ids=ids, axis=replace(source.axis, tokens=tuple(tokens))))

    def filled(self, position: int, candidate: Candidate) -> Draft:
        """This draft with `candidate` in the place of the mask at `position`."""
        source, mask = self.source, self.source.axis.tokens[position]
        before = (self.text_pair or "") if mask.segment else self.text
        after = with_candidate(source.axis, position, candidate.text, before)
        moved = len(after) - len(before)
        tokens = [_moved(token, mask, moved) for token in source.axis.tokens]
        end = mask.end + moved
        start = end - len(candidate.text.lstrip(" "))
        filled = Token(candidate.label, candidate.id, start, end, mask.segment, generated=True, type_id=mask.type_id)
        tokens[position] = filled
        ids = (*source.ids[:position], candidate.id, *source.ids[position + 1 :])
        axis = replace(source.axis, tokens=tuple(tokens))
        if mask.segment:
            return Draft(replace(source, ids=ids, axis=axis), self.text, after)
        axis = replace(axis, text=after, dropped_from=axis.dropped_from + moved)
        return Draft(replace(source, ids=ids, axis=axis), after, self.text_pair)


def _moved(token: Token, mask: Token, by: int) -> Token:
    """`token` where it stands once the text after `mask` has moved."""
    behind = token.segment == mask.segment and token.start >= mask.end
    return replace(token, start=token.start + by, end=token.end + by) if behind else token

"""What is asked about predictions; it changes no picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from headscope.core.requests.request import Question
from headscope.core.target import SpanEnd, Target
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.analyse.attribution.results import Attribution  # noqa: F401 - an answer
    from headscope.core.analyse.causal.sweeps import Sweep  # noqa: F401 - an answer
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.logit_lens_layer import LogitLensLayer  # noqa: F401 - an answer
    from headscope.core.predict.results import Surprisal  # noqa: F401 - an answer


@dataclass(frozen=True, slots=True)
class SweepRequest(Question["Sweep"]):
    """Change one thing at a time and see what the prediction loses; streams `Sweep`s, answers the last, see `core.analyse.sweeps`.

    Attributes
    ----------
    text, text_pair, target, token, position, label, span
        As `sweeps.Question` has them.
    what : str
        "heads" ablates each head of `kind` (with `mean_of`: by its mean over that text); "edges" cuts each edge of `layer` and
        `head`; "keys" hides each token; "patches" runs with heads' outputs from the text `other`, `by` head, layer or position.
    """

    text: str
    text_pair: str | None = None
    target: str | None = None
    token: int | str | None = None
    position: int | None = None
    what: Literal["heads", "edges", "keys", "patches"] = "heads"
    kind: Kind | None = None
    layer: int = 0
    head: int = 0
    mean_of: str | None = None
    other: str = ""
    other_pair: str | None = None
    other_target: str | None = None
    label: int | str | None = None
    span: SpanEnd | None = None
    by: Literal["layer", "head", "position"] = "head"


@dataclass(frozen=True, slots=True)
class LogitLensRequest(Question["LogitLensLayer"]):
    """Read the residual stream after each layer; streams a `LogitLensLayer` with labels for each, answers the last.

    The tokens are those that `record` is of, whoever wrote them. The other parameters are those of
    `core.predict.logit_lens.logit_lens`; no `positions` means all.
    """

    record: AttentionRecord
    positions: tuple[int, ...] | None = None
    top_k: int = 5
    follow: int | None = None


@dataclass(frozen=True, slots=True)
class SurprisalRequest(Question["Surprisal"]):
    """How unexpected each of the tokens is that `record` is of; answers `Surprisal`. See `headscope.core.predict.surprisal`."""

    record: AttentionRecord


@dataclass(frozen=True, slots=True)
class AttributionRequest(Question["Attribution"]):
    """What a prediction owes to each of the tokens that `record` is of, by gradient × attention; answers `Attribution`.

    `target` is what is explained; the most probable outcome of the first prediction if nothing of it is given.
    """

    record: AttentionRecord
    target: Target = field(default_factory=Target)

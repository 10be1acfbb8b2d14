"""Does Headscope say what others say? A model's folder once more by plain transformers, and every difference.

Nothing is shared but the files: `core.models.hub.outsider` loads and runs them in a process without Headscope. What a fault of
our own reading would hide from `core.verify`, such as ids, made-up weights or another architecture, shows here. A toy is held
against torch.nn, a model in memory against its own eager attention.
"""

from __future__ import annotations

import gc
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from headscope.core.files.guarded import guarded
from headscope.core.forward.verify import verify
from headscope.core.job import Job, Progress
from headscope.core.memory import check_room, free_memory
from headscope.core.model import Model
from headscope.core.models.hub.smiles import is_smiles_vocabulary
from headscope.core.models.load import load_model
from headscope.core.numerics import computed_in, rounding, softmax_tolerance, spread_of, sums_of_layers
from headscope.core.vocabulary import FloatArray, Kind

Arrays = Mapping[str, FloatArray]
_OUTSIDER: Final = "headscope.core.models.hub.outsider.answers"
_SECONDS: Final = 3600.0
_MAPS: Final[Mapping[Kind, str]] = {
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}
_LOGITS: Final = ("prediction_logits", "logits", "start_logits", "end_logits")


@dataclass(frozen=True, slots=True)
class Comparison:
    """One thing that was compared: `difference` is 0 or 1 where it is the same or not, of numbers the largest."""

    what: str
    difference: float
    tolerance: float
    where: str = ""

    @property
    def passed(self) -> bool:
        return self.difference <= self.tolerance  # not so for NaN


@dataclass(frozen=True, slots=True)
class OutsideReport:
    """What `verify_outside` found.

    Attributes
    ----------
    against : str
        "plain transformers 5.23.0 (BertForMaskedLM)".
    comparisons : tuple of Comparison
    not_compared : tuple of str
        What could not be, and why.
    """

    against: str
    comparisons: tuple[Comparison, ...]
    not_compared: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return all(each.passed for each in self.comparisons)

    def __str__(self) -> str:
        lines = [f"Compared with {self.against}:"]
        for each in self.comparisons:
            exact = "the same" if each.passed else "NOT the same"
            close = (
                f"{'within' if each.passed else 'NOT within'} {each.tolerance:.1e}, largest difference {each.difference:.1e}"
            )
            where = f" ({each.where})" if each.where else ""
            lines.append(f"  {each.what}: {close if each.tolerance else exact}{where}")
        return "\n".join([*lines, *(f"  not compared: {each}" for each in self.not_compared)])


@dataclass(frozen=True, slots=True)
class Ours:
    """What Headscope makes of a model and a text, without the model."""

    folder: Path
    architecture: str
    dtype: str
    computed_in: torch.dtype
    n_products: int
    n_bytes: int
    ids: tuple[int, ...]
    decoder_ids: tuple[int, ...] | None
    texts: tuple[str | None, ...]
    hashes: Mapping[str, str]
    rope: Any
    maps: Mapping[Kind, Sequence[FloatArray]]
    logits: FloatArray | None
    follows: FloatArray | None
    written: tuple[int, ...] | None
    text: str
    pair: str | None
    target: str | None

    @property
    def has_own_tokenizer(self) -> bool:
        """Whether the tokenizer is not what transformers would take: reactions, whose folders have none."""
        return is_smiles_vocabulary(self.folder / "vocab.txt")

    def question(self, arrays: Path) -> dict[str, Any]:
        """For `core.models.hub.outsider.answers`."""
        return {
            "folder": self.folder,
            "arrays": arrays,
            "architecture": self.architecture,
            "dtype": self.dtype,
            "text": self.text,
            "pair": self.pair,
            "target": self.target,
            "writes": self.written is not None,
            "decoder_ids": self.decoder_ids,
            "ids": self.ids if self.has_own_tokenizer else None,
        }


def verify_outside(
    source: str | Model,
    text: str,
    text_pair: str | None = None,
    target: str | None = None,
    *,
    revision: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    job: Job | None = None,
) -> OutsideReport:
    """Compare all that is shown of a pass with what an outsider makes of the same files; one model at a time is in memory.

    Parameters
    ----------
    source, revision, device, dtype
        As `load_model` takes them; or a model in memory, which is compared with itself.
    text, text_pair, target : str
        As `Model.capture` takes them.

    Raises
    ------
    HeadscopeError
        As `load_model` and `verify`; ``not_enough_memory`` if the outsider's matrices do not fit.
    Cancelled
    """
    job = job or Job()
    if isinstance(source, Model):
        return _within(source, text, text_pair, target)
    model = load_model(source, revision=revision, device=device, dtype=dtype, job=job)
    if model.info.checkpoint == "toy":
        from headscope.core.models.plain_torch import compared_with_torch

        found = compared_with_torch(model, text, text_pair)
        return OutsideReport(f"torch.nn {torch.__version__}", tuple(Comparison(*each) for each in found))
    ours = ours_of(model, source, text, text_pair, target)
    model.release()
    del model
    gc.collect()
    (report,) = compared([ours], job)
    return report


def compared(several: Sequence[Ours], job: Job) -> list[OutsideReport]:
    """Each beside plain transformers, which reads them one after another in one process."""
    maps = max(sum(layer.nbytes for layers in ours.maps.values() for layer in layers) for ours in several)
    check_room("not_enough_memory", 2 * max(ours.n_bytes for ours in several) + 4 * maps, torch.device("cpu"))
    job.report(Progress("verifying"))
    room, subject = free_memory(torch.device("cpu")), several[0].folder
    with tempfile.TemporaryDirectory(prefix="headscope-") as kept:
        files = [Path(kept) / f"{number}.npz" for number in range(len(several))]
        questions = [ours.question(file) for ours, file in zip(several, files, strict=True)]
        answers = guarded(_OUTSIDER, questions, subject=subject, job=job, seconds=_SECONDS, memory=room, torch=True)
        return [_report(*each) for each in zip(several, answers, files, strict=True)]


def _report(ours: Ours, theirs: Mapping[str, Any], file: Path) -> OutsideReport:
    against = f"plain transformers {version('transformers')}"
    if "error" in theirs:
        return OutsideReport(against, (), (f"anything: transformers says {theirs['error']}",))
    with np.load(file, allow_pickle=False) as stored:
        beside = _Beside(ours, theirs, dict(stored))
    return OutsideReport(f"{against} ({theirs['class']})", tuple(beside.comparisons()), tuple(beside.left))


def _within(model: Model, text: str, pair: str | None, target: str | None) -> OutsideReport:
    found = verify(model, text, pair, target)
    rows = [Comparison(f"{kind.kind} attention", kind.difference, kind.tolerance) for kind in found.kinds]
    if found.probability_difference is not None and found.probability_tolerance is not None:
        rows.append(Comparison("predicted probabilities", found.probability_difference, found.probability_tolerance))
    return OutsideReport("its own eager attention", tuple(rows), ("ids and weights: the model is in memory alone",))


# ---------------------------------------------------------------- ours
def ours_of(model: Model, source: str, text: str, pair: str | None = None, target: str | None = None) -> Ours:
    """What Headscope makes of it; the model can go then."""
    from headscope.core.models.hub.outsider import N_WRITTEN, hashes

    encoded = model.encode(text, pair, target)
    record, output = model.observe(*encoded)
    sources = text, pair or ""
    tokens = encoded[0].axis.tokens
    texts = tuple(
        None if token.special or token.masked else sources[token.segment][token.start : token.end] for token in tokens
    )
    written = None
    if "generate" in model.info.abilities:
        steps = model.generate(text, max_new_tokens=N_WRITTEN, temperature=0.0)
        written = tuple(step.token.id for step in steps)
    path = Path(source).expanduser()
    loaded_from = Path(str(getattr(model.module, "name_or_path", "") or path))
    return Ours(
        folder=path if path.is_file() or not loaded_from.is_dir() else loaded_from,
        architecture=model.info.architecture,
        dtype=str(model.module.dtype).removeprefix("torch."),
        computed_in=computed_in(model.module),
        n_products=sums_of_layers(model.module, model.info.n_layers),
        n_bytes=model.info.memory_bytes,
        ids=encoded[0].ids,
        decoder_ids=None if encoded[1] is None else encoded[1].ids,
        texts=texts,
        hashes=hashes(model.module),
        rope=getattr(model.module.config, "rope_parameters", None),
        maps={kind: [record.layer_weights(layer, kind) for layer in record.kept_layers(kind)] for kind in record.kinds},
        logits=_plain(output.logits),
        follows=_plain(getattr(output, "seq_relationship_logits", None)),
        written=written,
        text=text,
        pair=pair,
        target=target,
    )


# ---------------------------------------------------------------- side by side
class _Beside:
    """Ours beside theirs; `left` is what was not compared, filled as `comparisons` goes on."""

    def __init__(self, ours: Ours, theirs: Mapping[str, Any], arrays: Arrays) -> None:
        self._ours, self._theirs, self._arrays = ours, theirs, arrays
        self.left: list[str] = []

    def comparisons(self) -> Iterator[Comparison]:
        ours, theirs = self._ours, self._theirs
        if ours.has_own_tokenizer:
            self.left.append("token ids: transformers would read these reactions with a tokenizer of words")
        else:
            yield _same("token ids", ours.ids == tuple(theirs["ids"]), _first_difference(ours.ids, theirs["ids"]))
            yield from self._texts()
        yield from self._weights()
        if theirs["missing"]:
            self.left.append(
                f"attention and predictions: transformers makes up {len(theirs['missing'])} weights ({theirs['missing'][0]})"
            )
        elif ours.rope != theirs["rope"]:
            self.left.append("attention and predictions: transformers ignores the rotary settings of this file")
        elif ours.ids == tuple(theirs["ids"]):
            yield from self._maps()
            yield from self._predictions()
            yield from self._written()

    def _texts(self) -> Iterator[Comparison]:
        theirs = self._theirs["texts"]
        if theirs is None:
            self.left.append("the text of each token: its tokenizer in transformers does not say it")
            return
        pairs = zip(self._ours.texts, theirs, strict=False)
        wrong = [
            f"{own!r} for {other!r}" for own, other in pairs if own is not None and other is not None and own.strip() != other
        ]
        yield _same("the text of each token", not wrong, ", ".join(wrong[:3]))

    def _weights(self) -> Iterator[Comparison]:
        own, other = self._ours.hashes, self._theirs["hashes"]
        made_up = set(self._theirs["missing"])
        if self._ours.architecture == self._theirs["class"] and not made_up:
            wrong = sorted(name for name in {*own, *other} if own.get(name) != other.get(name))
        else:  # another class of the same model has other names, and heads that the first has not
            unknown = Counter(value for name, value in other.items() if name not in made_up) - Counter(own.values())
            wrong = sorted(name for name, value in other.items() if name not in made_up and unknown[value] > 0)
        yield _same(f"{len(own)} parameters, bit for bit", not wrong, ", ".join(wrong[:3]))

    def _maps(self) -> Iterator[Comparison]:
        for kind, layers in self._ours.maps.items():
            name = _MAPS[kind] if f"{_MAPS[kind]}.0" in self._arrays else "attentions"
            found = [
                self._arrays[key] for key in sorted((key for key in self._arrays if key.startswith(f"{name}.")), key=_number)
            ]
            if kind == "cross" and layers:  # ProphetNet's guesses at later tokens are queries too, behind those of the text
                found = [array[:, : layers[0].shape[1]] for array in found]
            alike = [array for array in found if array.shape in {layer.shape for layer in layers}]
            if len(alike) > len(layers):  # layers of another sort give matrices as well: of linear attention, of states
                alike = [array for array in alike if _are_distributions(array)]
            if [array.shape for array in alike] != [layer.shape for layer in layers]:
                self.left.append(f"{kind} attention: transformers returns {len(alike)} such maps of its {len(layers)}")
                continue
            yield self._map(kind, layers, [_weights_of(array) for array in alike])

    def _map(self, kind: Kind, layers: Sequence[FloatArray], theirs: Sequence[FloatArray]) -> Comparison:
        worst, spread, where = 0.0, 0.0, ""
        for layer, (own, other) in enumerate(zip(layers, theirs, strict=True)):
            spread = max(spread, spread_of(torch.from_numpy(other)))
            differences = np.abs(own - other)
            if not differences.max() <= worst:
                head, query, key = np.unravel_index(differences.argmax(), differences.shape)
                worst, where = float(differences.max()), f"layer {layer}, head {head}, query {query}, key {key}"
        allowed = softmax_tolerance(spread, self._ours.computed_in, self._ours.n_products)
        return Comparison(f"{kind} attention", worst, allowed, where)

    def _predictions(self) -> Iterator[Comparison]:
        own, follows = self._ours.logits, self._ours.follows
        other = [self._arrays[name] for name in _LOGITS if name in self._arrays]
        if own is not None and other:
            theirs = other[0] if len(other) == 1 or "prediction_logits" in self._arrays else np.stack(other, axis=-1)
            if own.shape == (*theirs.shape, 2) and not own[..., 0].any():  # ELECTRA's one number a token: replaced, against 0
                theirs = np.stack([np.zeros_like(theirs), theirs], axis=-1)
            of_a_text = own.shape == (1, *theirs.shape)  # and not of each token
            yield from self._probabilities("predicted probabilities", own, theirs[None] if of_a_text else theirs)
        elif own is not None or other:
            self.left.append(f"predictions: {'Headscope makes none' if own is None else 'transformers returns none'}")
        if follows is not None:
            yield from self._probabilities("whether a text follows", follows, self._arrays["seq_relationship_logits"])

    def _probabilities(self, what: str, own: FloatArray, theirs: FloatArray) -> Iterator[Comparison]:
        if own.shape != theirs.shape:
            self.left.append(f"{what}: ours are {own.shape}, those of transformers {theirs.shape}")
            return
        allowed = softmax_tolerance(float(np.ptp(theirs, axis=-1).max()), self._ours.computed_in, self._ours.n_products)
        if own.shape[-1] == 1:  # a number, not a distribution
            difference = float(np.abs(own - theirs).max() / max(1.0, float(np.abs(theirs).max())))
        else:
            difference = float(np.abs(_softmax(own) - _softmax(theirs)).max())
        yield Comparison(what, difference, allowed)

    def _written(self) -> Iterator[Comparison]:
        own, other, gaps = self._ours.written, self._theirs["written"], self._theirs["gaps"]
        if own is None and self._theirs.get("could_write"):
            self.left.append("greedy text: transformers generates with this model, Headscope does not")
        if own is not None and other is None:
            self.left.append(f"greedy text: transformers says {self._theirs['unwritten']}")
        if own is None or other is None:
            return
        n = min(len(own), len(other))
        differs = next((at for at in range(n) if own[at] != other[at]), None)
        if differs is None:
            yield _same(
                "greedy text", len(own) == len(other), f"{len(own)} tokens for {len(other)}" if len(own) != len(other) else ""
            )
            return
        least = softmax_tolerance(1.0, self._ours.computed_in, self._ours.n_products)
        if gaps[differs] <= least:
            self.left.append(f"greedy text from token {differs} on: two tokens are equally probable there")
        yield _same("greedy text", gaps[differs] <= least, f"token {differs}: {own[differs]} for {other[differs]}")


def _plain(logits: torch.Tensor | None) -> FloatArray | None:
    return None if logits is None else logits[0].float().cpu().numpy()


def _same(what: str, is_same: bool, where: str = "") -> Comparison:
    return Comparison(what, 0.0 if is_same else 1.0, 0.0, where)


def _first_difference(own: Sequence[int], other: Sequence[int]) -> str:
    at = next((at for at, (one, two) in enumerate(zip(own, other, strict=False)) if one != two), None)
    if at is not None:
        return f"token {at}: {own[at]} for {other[at]}"
    return "" if len(own) == len(other) else f"{len(own)} tokens for {len(other)}"


def _number(key: str) -> int:
    return int(key.rpartition(".")[2])


def _softmax(logits: FloatArray) -> FloatArray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    found: FloatArray = shifted / shifted.sum(axis=-1, keepdims=True)
    return found


def _are_distributions(weights: FloatArray) -> bool:
    return bool((weights >= 0).all()) and bool((weights.sum(-1) <= 1 + rounding(torch.float16, weights.shape[-1])).all())


def _weights_of(array: FloatArray) -> FloatArray:
    """Some models return what goes into their softmax."""
    return _softmax(array) if bool((array < 0).any()) or bool((array > 1.5).any()) else array

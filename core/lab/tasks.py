"""What each toy learns: its measures, its vocabulary, and batches of its language as tensors."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.lab.languages import grammar, tales
from headscope.core.toy.model import ToyConfig, ToyTransformer
from headscope.core.toy.tokenizer import CLS, END, MASK, PAD, SEP, UNKNOWN, WordTokenizer

_IGNORED = -100  # a position without a target


class Task(ABC):
    """A language and how a toy learns it.

    Attributes
    ----------
    steps, learning_rate, warm_up, seed : the recipe that made the shipped weights
    version : int
        Of the generator; weights belong to one.
    """

    steps: int
    learning_rate: float
    warm_up: int
    betas: tuple[float, float]
    seed: int
    version: int

    @property
    @abstractmethod
    def tokenizer(self) -> WordTokenizer: ...

    @property
    @abstractmethod
    def config(self) -> ToyConfig: ...

    @abstractmethod
    def start(self, seed: int) -> None:
        """Begin a stream of training batches."""

    @abstractmethod
    def loss(self, model: ToyTransformer) -> Tensor:
        """The loss on the next batch."""


class GrammarTask(Task):
    """Masked words and next sentences (Devlin et al. 2019)."""

    steps, learning_rate, warm_up, betas, seed, version = 2500, 3e-3, 200, (0.9, 0.98), 6, grammar.VERSION
    _batch, _target_rate, _other_rate = 64, 0.8, 0.12

    def __init__(self) -> None:
        self.words = WordTokenizer([PAD, CLS, SEP, MASK, UNKNOWN, *grammar.words()])
        self.start(self.seed)

    @property
    def tokenizer(self) -> WordTokenizer:
        return self.words

    @property
    def config(self) -> ToyConfig:
        return ToyConfig(
            "encoder", len(self.words.words), d_model=64, n_heads=4, n_layers=2, d_feed_forward=128, max_tokens=64, n_segments=2
        )

    def start(self, seed: int) -> None:
        self._grammar = grammar.Grammar(seed)
        self._random = random.Random(seed)

    def loss(self, model: ToyTransformer) -> Tensor:
        ids, targets = self._masked_batch()
        logits = model(ids, attention_mask=ids != self.words.pad_id).logits  # (batch, n_tokens, vocabulary)
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=_IGNORED)
        ids, segments, targets, answers = self._pair_batch()
        output = model(ids, attention_mask=ids != self.words.pad_id, token_type_ids=segments)
        # A masked object can be told from the other sentence only if that one really follows.
        follows = answers == 0
        words = F.cross_entropy(output.logits[follows].flatten(0, 1), targets[follows].flatten(), ignore_index=_IGNORED)
        assert output.next_sentence_logits is not None
        return loss + F.cross_entropy(output.next_sentence_logits, answers) + words

    def _masked_batch(self) -> tuple[Tensor, Tensor]:
        rows, targets = [], []
        for _ in range(self._batch):
            sentence = self._grammar.sentence()
            ids = self.ids(sentence.words)
            hidden = {place for place in range(1, len(ids) - 1) if self._random.random() < self._other_rate}
            if not hidden or self._random.random() < self._target_rate:
                hidden.add(sentence.target + 1)
            targets.append([id_ if place in hidden else _IGNORED for place, id_ in enumerate(ids)])
            rows.append([self._hidden(id_) if place in hidden else id_ for place, id_ in enumerate(ids)])
        return padded(rows, self.words.pad_id), padded(targets, _IGNORED)

    def _hidden(self, id_: int) -> int:
        """80 % the mask, 10 % any word, 10 % as it is (Devlin et al. 2019, section 3.1)."""
        dice = self._random.random()
        mask = self.words.mask_id
        assert mask is not None
        return mask if dice < 0.8 else self._random.randrange(5, len(self.words.words)) if dice < 0.9 else id_

    def _pair_batch(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        rows, segments, targets, answers = [], [], [], []
        mask = self.words.mask_id
        assert mask is not None
        for _ in range(self._batch):
            pair = self._grammar.pair()
            ids = self.ids(pair.first, pair.second)
            objects = {pair.objects[0] + 1, pair.objects[1] + len(pair.first) + 2}
            closings = {0, len(pair.first) + 1, len(ids) - 1}
            hidden = {
                place
                for place in set(range(len(ids))) - closings
                if self._random.random() < (0.2 if place == max(objects) else 0.1)
            }
            targets.append([id_ if place in hidden else _IGNORED for place, id_ in enumerate(ids)])
            rows.append([mask if place in hidden else id_ for place, id_ in enumerate(ids)])
            segments.append([0] * (len(pair.first) + 2) + [1] * (len(pair.second) + 1))
            answers.append(int(not pair.follows))
        return padded(rows, self.words.pad_id), padded(segments, 0), padded(targets, _IGNORED), torch.tensor(answers)

    def ids(self, first: Sequence[str], second: Sequence[str] | None = None) -> list[int]:
        """``[CLS] first [SEP] second [SEP]`` as ids."""
        row = [self.words.id_of(CLS), *map(self.words.id_of, first), self.words.id_of(SEP)]
        return row if second is None else [*row, *map(self.words.id_of, second), self.words.id_of(SEP)]


class TalesTask(Task):
    """The next word of stories laid end to end."""

    steps, learning_rate, warm_up, betas, seed, version = 1000, 3e-3, 100, (0.9, 0.95), 2, tales.VERSION
    _batch = 32

    def __init__(self) -> None:
        self.words = WordTokenizer([PAD, UNKNOWN, END, *tales.words()])
        self.start(self.seed)

    @property
    def tokenizer(self) -> WordTokenizer:
        return self.words

    @property
    def config(self) -> ToyConfig:
        return ToyConfig(
            "decoder", len(self.words.words), d_model=96, n_heads=4, n_layers=3, d_feed_forward=384, max_tokens=128
        )

    def start(self, seed: int) -> None:
        self._random = random.Random(seed)

    def loss(self, model: ToyTransformer) -> Tensor:
        ids = torch.tensor([self.row(self._random) for _ in range(self._batch)])
        logits = model(ids[:, :-1]).logits  # (batch, n_tokens, vocabulary)
        return F.cross_entropy(logits.flatten(0, 1), ids[:, 1:].flatten())

    def row(self, draw: random.Random) -> list[int]:
        """Stories, each begun by ``<eos>``, until the context and one more token are full."""
        row: list[int] = []
        while len(row) <= self.config.max_tokens:
            row += [self.words.id_of(END), *map(self.words.id_of, tales.story(draw).split())]
        return row[: self.config.max_tokens + 1]


TASKS: Final[dict[str, type[Task]]] = {"grammar": GrammarTask, "tales": TalesTask}


def task_of(name: str) -> Task:
    """The task called `name` (with or without ``toy:``).

    Raises
    ------
    HeadscopeError
        ``unknown_toy``.
    """
    name = name.removeprefix("toy:")
    if name not in TASKS:
        raise HeadscopeError("unknown_toy", name=name, known=", ".join(TASKS))
    return TASKS[name]()


def padded(rows: list[list[int]], value: int) -> Tensor:
    """Rows of unequal length as one (n_rows, longest) tensor."""
    longest = max(map(len, rows))
    return torch.tensor([row + [value] * (longest - len(row)) for row in rows])

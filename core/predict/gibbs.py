"""Text from a masked model by Gibbs sampling: draw each masked word again and again, given all the others.

References
----------
Wang and Cho, BERT has a Mouth, and It Must Speak, 2019, section 3: a position is picked by chance, masked, and drawn from the
model's distribution there. (Here each sweep picks every position once, in an order by chance. A masked model's
distributions need not belong to one joint distribution, so this is a way to write rather than a sampler of a known law.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.options import Sampling
from headscope.core.predict.draft import Draft
from headscope.core.predict.fill_mask import encoded_with_masks
from headscope.core.predict.predictions import candidates_of
from headscope.core.predict.results import Candidate, FillStep
from headscope.core.predict.sampling import check, choose, generator_of, stages_of

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel


def fill_by_gibbs(
    model: BaseModel,
    text: str,
    text_pair: str | None = None,
    *,
    sweeps: int = 5,
    temperature: float = 1.0,
    seed: int = 0,
    top_k: int = 10,
    job: Job | None = None,
) -> Iterator[FillStep]:
    """Fill the masks by chance, `sweeps` times each.

    Parameters
    ----------
    sweeps : int
        At least 1. In the first, the masks that are still to be filled stay masks.
    temperature : float
        0 takes the most probable token each time.
    seed : int
        The same seed picks the same positions and draws the same tokens.
    top_k : int
        Candidates in each step.

    Yields
    ------
    FillStep
        One for each mask and sweep; `record` shows the mask where the token was drawn. The chosen token's probability is the
        model's own, before the temperature.

    Raises
    ------
    HeadscopeError
        ``cannot_fill_mask``, ``empty_text``, ``no_mask``, ``bad_option`` at once; ``out_of_memory`` at any step.
    Cancelled
        At any step.
    """
    if sweeps < 1:
        raise HeadscopeError("bad_option", option="sweeps", value=sweeps, expected="1 or more")
    sampling = Sampling(temperature=temperature, seed=seed)
    check(sampling)
    draft = Draft(encoded_with_masks(model, text, text_pair), text, text_pair)
    return _steps(model, draft, sweeps, sampling, top_k, job or Job())


def _steps(model: BaseModel, draft: Draft, sweeps: int, sampling: Sampling, top_k: int, job: Job) -> Iterator[FillStep]:
    tokenizer, places = model.tokenizer, draft.source.axis.masks
    assert tokenizer.mask_id is not None
    chance = generator_of(sampling)
    for index in range(sweeps * len(places)):
        if index % len(places) == 0:
            order = torch.randperm(len(places), generator=chance).tolist()
        job.cancel.check()
        job.report(Progress("filling", index / (sweeps * len(places))))
        position = places[order[index % len(places)]]
        draft = draft.masked(position, tokenizer.mask_id, tokenizer.mask_token or "")
        record, output = model.observe(draft.source, job=Job(cancel=job.cancel))
        logits = output.logits[0, position].clone()
        logits[tokenizer.mask_id] = -torch.inf  # the mask itself fills nothing
        stages = stages_of(logits, sampling)
        chosen, _ = choose(stages, sampling, chance)
        candidate = Candidate(*tokenizer.candidate(chosen), id=chosen, probability=float(stages["model"][chosen]))
        draft = draft.filled(position, candidate)
        candidates = candidates_of(logits, tokenizer, top_k)
        yield FillStep(index, position, draft.text, candidate, candidates, record, draft.text_pair)

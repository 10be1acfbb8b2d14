"""Training a toy: `headscope train NAME` makes the shipped weights again, on a CPU, in minutes."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from headscope.core.job import Job, Progress
from headscope.core.lab.tasks import Task, task_of
from headscope.core.process import randomness_kept
from headscope.core.toy.load import write_toy
from headscope.core.toy.model import ToyTransformer


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """What a training did. `loss` is the mean over the last tenth of the steps; `folder` holds the weights."""

    name: str
    seed: int
    steps: int
    loss: float
    seconds: float
    folder: str


def train(
    name: str, *, seed: int | None = None, steps: int | None = None, out: Path | None = None, job: Job | None = None
) -> TrainingReport:
    """Train the toy `name` from nothing and write it to `out`.

    Parameters
    ----------
    seed, steps : int or None
        None: those of the shipped weights.
    out : Path or None
        A folder; None: ``NAME`` in the current one.
    job : Job or None
        Told and looked at in every step.

    Raises
    ------
    HeadscopeError
        ``unknown_toy``, ``no_disk_space``, ``cannot_write``.
    Cancelled
    """
    task = task_of(name)
    name = name.removeprefix("toy:")
    seed = task.seed if seed is None else seed
    steps = task.steps if steps is None else steps
    folder = Path(name) if out is None else out
    started = time.perf_counter()
    model, loss = trained(task, seed=seed, steps=steps, job=job or Job())
    folder.mkdir(parents=True, exist_ok=True)
    recipe = {
        "toy": name,
        "seed": seed,
        "steps": steps,
        "generator_version": task.version,
        "command": f"headscope train {name} --seed {seed} --steps {steps}",
    }
    write_toy(folder, model, task.tokenizer, recipe)
    return TrainingReport(name, seed, steps, loss, round(time.perf_counter() - started, 1), str(folder))


def trained(task: Task, *, seed: int, steps: int, job: Job) -> tuple[ToyTransformer, float]:
    """A model after `steps` steps of AdamW (Loshchilov & Hutter 2019), and its loss over the last tenth of them."""
    with randomness_kept():
        torch.default_generator.manual_seed(seed)  # not the accelerators', which are not used
        return _trained(task, seed=seed, steps=steps, job=job)


def _trained(task: Task, *, seed: int, steps: int, job: Job) -> tuple[ToyTransformer, float]:
    task.start(seed)
    model = ToyTransformer(task.config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.learning_rate, weight_decay=0.01, betas=task.betas)
    losses = []
    for step in range(steps):
        job.cancel.check()
        job.report(Progress("training", step / steps, f"{step}/{steps}"))
        for group in optimizer.param_groups:
            group["lr"] = task.learning_rate * _schedule(step, steps, task.warm_up)
        loss = task.loss(model)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    last = losses[-max(1, steps // 10) :]
    return model.eval(), sum(last) / len(last)


def _schedule(step: int, steps: int, warm_up: int) -> float:
    """Linear warm-up, then a cosine down to nothing."""
    return min(1.0, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / steps))

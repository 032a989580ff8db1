"""Attacks, one file a family; each is a generator of iterates, so that it can be drawn, stepped and cancelled.

``start`` begins the attack that a spec describes; ``run`` takes one to its end. An attack needs nothing of a model but
that it is a ``torch.nn.Module`` from inputs to logits, and leaves it as it found it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engine.attacks.core.attack import Attack, AttackResult, run
from engine.attacks.core.batch import Batch, Question
from engine.attacks.core.board import Board
from engine.attacks.core.goals import choose_targets, choosing_targets
from engine.attacks.core.inputs import check_spec, checked_examples, checked_samples, checked_target
from engine.attacks.core.iterate import Iterate, Working
from engine.attacks.core.precision import computes_bfloat16
from engine.attacks.core.sizing import MOST, MOST_LOOKS, batch_size
from engine.attacks.core.trajectory import Trajectory
from engine.attacks.noise import noise_like
from engine.attacks.registry import method_of
from engine.attacks.tools.curve import robust_curve
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.projections import Bounds, ball
from engine.errors import AttackError
from engine.specs import AttackSpec, ConfidentSpec, FixedBudgetSpec, NoiseAttackSpec, PixelBudgetSpec

__all__ = [
    "Attack",
    "AttackResult",
    "Iterate",
    "Trajectory",
    "Working",
    "choose_targets",
    "choosing_targets",
    "robust_curve",
    "run",
    "start",
]


def start(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    spec: AttackSpec,
    *,
    seed: int,
    bounds: Bounds,
    target: Tensor | None = None,
    examples: tuple[Tensor, Tensor] | None = None,
    batch: int | None = None,
) -> Attack:
    """Begin an attack; nothing is computed until the first iterate is asked for.

    ``x`` is ``[N, ...]`` of a floating type, within ``bounds``: a pair of numbers, a pair of sequences with one number
    a channel, or None for no bounds. ``y`` and ``target`` are int64 ``[N]``; a targeted goal needs ``target``, as
    :func:`choose_targets` gives it, unless the spec names the one class for all. ``examples`` are labelled inputs that some attacks start from or aim at.
    ``batch`` samples go through the model at a time, by default as many as take a few hundredths of a second; neither
    it nor the other samples change a sample's result. All that is random depends on ``seed`` and the sample's place
    alone. Raises AttackError for inputs that do not fit; asking for iterates raises it when the model's outputs are
    not finite for any sample or give no gradient to an attack that needs one.
    """
    if not isinstance(model, nn.Module):
        raise AttackError(f"The model must be a torch.nn.Module, but this is a {type(model).__name__}: wrap it in one.")
    check_spec(spec)
    box = checked_samples(x, y, bounds)
    target = checked_target(y, target, spec)
    most_rows = batch or batch_size(model, x, MOST_LOOKS if spec.gradient_free else MOST)
    if batch is None:
        batch = batch_size(model, x)
    if batch < 1:
        raise AttackError(f"The attack's batch is {batch} samples; it needs at least 1.")
    x, y = x.detach().clone(), y.detach().clone()  # the caller may go on using theirs
    if isinstance(spec, NoiseAttackSpec):
        x = noise_like(x, box, Draws(seed, torch.arange(len(x), device=x.device)))
    question = Question(
        model=model,
        seed=seed,
        targeted=target is not None,
        norm=spec.norm,
        stop=isinstance(spec, FixedBudgetSpec | PixelBudgetSpec) and spec.stop,
        least_confidence=spec.least_confidence,
        low_precision=isinstance(spec, FixedBudgetSpec)
        and spec.precision == "bfloat16"
        and computes_bfloat16(model, x),
        examples=checked_examples(x, examples),
        least_margin=spec.kappa if isinstance(spec, ConfidentSpec) else 0.0,
        most_rows=most_rows,
    )
    board = Board(
        x,
        y if target is None else target,
        targeted=question.targeted,
        minimal=spec.minimal,
        stops=question.stop,
    )
    batches = []
    for places in torch.split(torch.arange(len(x), device=x.device), batch):
        own = x[places]
        around = ball(spec.norm, own, spec.eps, box) if isinstance(spec, FixedBudgetSpec) else None
        own_target = None if target is None else target[places]
        batches.append(Batch(question, board, places, own, y[places], own_target, box, around))
    return Attack(question, board, batches, method_of(spec))

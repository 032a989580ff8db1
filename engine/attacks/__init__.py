"""Attacks, one file a family; each is a generator of iterates, so that it can be drawn, stepped and cancelled.

``start`` begins the attack that a spec describes; ``run`` takes one to its end. An attack needs nothing of a model but
that it is a ``torch.nn.Module`` from inputs to logits, and leaves it as it found it.
"""

from __future__ import annotations

from torch import Tensor, nn

from engine.attacks.base import Attack, AttackResult, Iterate, Working, run
from engine.attacks.fgsm import fgsm
from engine.attacks.goals import choose_targets
from engine.attacks.pgd import pgd
from engine.attacks.problem import BATCH, pose
from engine.specs import AttackSpec, FgsmSpec

__all__ = ["Attack", "AttackResult", "Iterate", "Working", "choose_targets", "run", "start"]


def start(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    spec: AttackSpec,
    *,
    seed: int,
    bounds: tuple[float, float] | None,
    target: Tensor | None = None,
    batch: int = BATCH,
) -> Attack:
    """Begin an attack; nothing is computed until the first iterate is asked for.

    ``x`` is ``[N, ...]`` of a floating type, within ``bounds`` (None: unbounded); ``y`` and ``target`` are int64 ``[N]``.
    A targeted goal needs ``target``, as :func:`choose_targets` gives it. ``batch`` samples go through the model at a
    time; neither it nor the other samples change a sample's result. Random starts depend on ``seed`` and the sample's
    place alone. Raises AttackError for inputs that do not fit; asking for iterates raises it when the model's outputs
    are not finite or give no gradient.
    """
    problem = pose(model, x, y, spec, seed=seed, bounds=bounds, target=target, batch=batch)
    steps = fgsm(problem, spec) if isinstance(spec, FgsmSpec) else pgd(problem, spec)
    return Attack(problem, steps)

"""Transfer attacks: gradient steps whose directions do not hang on one model's every detail.

- MI-FGSM adds up the gradients of all steps. Y. Dong, F. Liao, T. Pang, H. Su, J. Zhu, X. Hu, J. Li (2018), "Boosting
  adversarial attacks with momentum".
- NI-FGSM takes them where the momentum alone would lead, SI-NI-FGSM also at darker copies. J. Lin, C. Song, K. He,
  L. Wang, J. Hopcroft (2020), "Nesterov accelerated gradient and scale invariance for adversarial attacks".
- DI-FGSM takes them at images shrunk and padded at random. C. Xie, Z. Zhang, Y. Zhou, S. Bai, J. Wang, Z. Ren,
  A. Yuille (2019), "Improving transferability of adversarial examples with input diversity".
- TI-FGSM smooths them. Y. Dong, T. Pang, H. Su, J. Zhu (2019), "Evading defenses to transferable adversarial examples by
  translation-invariant attacks".

What differs is where gradients are taken and what is made of them: each attack has a function for that, and all share
one loop.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial
from typing import TypeAlias

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.diversity import Diversity
from engine.attacks.tools.losses import cross_entropy
from engine.attacks.tools.smoothing import smoothed
from engine.specs import DiSpec, MiSpec, NiSpec, SiNiSpec, TiSpec

Look: TypeAlias = Generator[None, None, tuple[Tensor, Tensor]]
"""Returns the class scores at an iterate, and the gradient that the next step is made of."""
Looking: TypeAlias = Callable[[Batch, Tensor, Tensor, int], Look]
"""(batch, iterate ``[n, ...]``, momentum ``[n, ...]``, step) -> look."""


def mi(batch: Batch, spec: MiSpec) -> Steps:
    """Momentum."""
    return accumulate(batch, at_iterate, alpha=spec.step_size, steps=spec.steps, mu=spec.mu)


def ni(batch: Batch, spec: NiSpec) -> Steps:
    """Momentum, with a look ahead."""
    ahead = partial(at_copies, reach=spec.step_size * spec.mu, copies=1)
    return accumulate(batch, ahead, alpha=spec.step_size, steps=spec.steps, mu=spec.mu)


def sini(batch: Batch, spec: SiNiSpec) -> Steps:
    """Momentum, with a look ahead at scaled copies."""
    ahead = partial(at_copies, reach=spec.step_size * spec.mu, copies=spec.copies)
    return accumulate(batch, ahead, alpha=spec.step_size, steps=spec.steps, mu=spec.mu)


def di(batch: Batch, spec: DiSpec) -> Steps:
    """Momentum, with gradients at transformed images."""
    diversity = Diversity(batch.x, probability=spec.probability, smallest=spec.smallest)
    return accumulate(
        batch, partial(at_shrunk, diversity=diversity), alpha=spec.step_size, steps=spec.steps, mu=spec.mu
    )


def ti(batch: Batch, spec: TiSpec) -> Steps:
    """Momentum, with smoothed gradients."""
    return accumulate(batch, partial(blurred, width=spec.kernel), alpha=spec.step_size, steps=spec.steps, mu=spec.mu)


def accumulate(batch: Batch, look: Looking, *, alpha: float, steps: int, mu: float) -> Steps:
    """From the sample on, steps of length alpha along ``g = mu g + gradient / mean |gradient|``."""
    x, momentum = batch.x, torch.zeros_like(batch.x)
    for step in range(steps):
        logits, gradient = yield from look(batch, x, momentum, step)
        yield batch.at(x, logits, step=step, steps=steps)
        x, momentum, gradient = batch.live(x, momentum, gradient)
        momentum = mu * momentum + of_mean_one(gradient)
        x = batch.ball.project(torch.add(x, batch.ball.ascent(momentum, x), alpha=alpha))
    yield batch.at(x, batch.logits(x), step=steps, steps=steps)


def at_iterate(batch: Batch, x: Tensor, momentum: Tensor, step: int) -> Look:  # noqa: ARG001
    """The gradient at the iterate itself."""
    yield from ()  # one look needs no breath
    logits, _, gradient = batch.gradient(x, cross_entropy)
    return logits, gradient


def at_copies(batch: Batch, x: Tensor, momentum: Tensor, step: int, *, reach: float, copies: int) -> Look:  # noqa: ARG001
    """The mean gradient at 1, 1/2, 1/4, ... times the point that lies ``reach`` times the momentum ahead."""
    ahead = torch.add(x, momentum, alpha=reach)
    logits, _, gradient = batch.gradient(ahead, cross_entropy)
    for copy in range(1, copies):
        yield None
        gradient = torch.add(gradient, batch.gradient(ahead / 2**copy, cross_entropy)[2], alpha=2.0**-copy)
    return scores_at(batch, x, ahead, logits), gradient / copies


def at_shrunk(batch: Batch, x: Tensor, momentum: Tensor, step: int, *, diversity: Diversity) -> Look:  # noqa: ARG001
    """The gradient through a random transformation of each image."""
    change = diversity.draw(batch.draws, step)
    changed = change.apply(x)
    logits, _, gradient = batch.gradient(changed, cross_entropy)
    yield None
    return scores_at(batch, x, changed, logits), change.pull(gradient)


def blurred(batch: Batch, x: Tensor, momentum: Tensor, step: int, *, width: int) -> Look:
    """The gradient at the iterate, smoothed."""
    logits, gradient = yield from at_iterate(batch, x, momentum, step)
    return logits, smoothed(gradient, width)


def scores_at(batch: Batch, x: Tensor, elsewhere: Tensor, logits: Tensor) -> Tensor:
    """Class scores at ``x``, given those ``elsewhere``: the model is asked only where the two points differ."""
    rows = (x != elsewhere).flatten(1).any(1).nonzero()[:, 0]
    if len(rows) == 0:
        return logits
    if len(rows) == len(x):
        return batch.logits(x)
    return logits.index_copy(0, rows, batch.logits(x[rows], rows))


def of_mean_one(gradient: Tensor) -> Tensor:
    """Each sample's gradient, scaled so that its absolute values have the mean 1; 0 stays 0."""
    mean = gradient.flatten(1).abs().mean(1)
    return gradient / column(torch.where(mean > 0, mean, 1.0), gradient)

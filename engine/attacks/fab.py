"""The fast adaptive boundary attack. Source: F. Croce, M. Hein (2020), "Minimally distorted adversarial examples with a
fast adaptive boundary attack"; FAB-T, which heads for one class at a time, is from their "Reliable evaluation of
adversarial robustness with an ensemble of diverse parameter-free attacks" (2020).

At each point the boundary is taken to be the hyperplane that the gradient describes. The step goes onto it and a little
beyond, both from the point and from the sample, and the two are mixed. After a success the next step begins nearer to
the sample, by the factor beta. The original linearises anew there; here the hyperplane is that of the success itself,
which lies about as far beyond the boundary as the new beginning lies before it. So a step costs one pass forward and one
back, the pass forward telling the success of the step before as well.
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.apgd import likeliest_others
from engine.attacks.core.batch import Batch, Steps, column
from engine.attacks.tools.hyperplanes import to_hyperplane
from engine.attacks.tools.looks import scores
from engine.attacks.tools.losses import margin
from engine.attacks.tools.thresholds import dual_norms, norms
from engine.specs import FabSpec, FabTargetedSpec, Norm

RADIUS: dict[Norm, float] = {"Linf": 0.3, "L2": 1.0, "L1": 5.0}
"""Of the ball that a restart begins in, in input units: at most this, as in the original; in an ensemble its budget."""
SEARCHES = 3  # looks of the final search
AT_ONCE = 2  # times the rows of a batch go through the model in one backward pass: the longest time without a breath
VALUES = 4096  # of a sample's runs side by side

_Parts = Generator[None, None, tuple[Tensor, Tensor, Tensor]]


def fab(batch: Batch, spec: FabSpec) -> Steps:
    """Untargeted: onto the nearest of the boundaries to all other classes, K - 1 backward passes a step. Towards a
    target: onto the boundary between it and the likeliest other class, one backward pass."""
    best = Best(batch, batch.clean, 0)
    for restart in batch.restarting(spec.restarts):
        yield from _run(batch, spec, best, None, restart)


def fab_targeted(batch: Batch, spec: FabTargetedSpec) -> Steps:
    """Onto the boundary to one class, from the likeliest at the sample on; of small samples to several classes side by
    side, which changes no run and costs less."""
    best = Best(batch, batch.clean, spec.n_target_classes)
    parts = range(0, best.others.shape[1], max(1, VALUES // batch.x[0].numel()))
    for run in batch.restarting(len(parts) * spec.restarts):
        first = parts[run // spec.restarts]
        yield from _run(batch, spec, best, slice(first, first + parts.step), run % spec.restarts)


class Best:
    """The nearest success of each sample so far: where, its gain there, how far; infinite where there is none.

    ``logits`` ``[n, K]`` are the class scores of the samples themselves, ``classes`` how many others are headed for.
    """

    def __init__(self, batch: Batch, logits: Tensor, classes: int) -> None:
        self.clean = margin(logits, batch.y, batch.target)
        """The gain at the sample."""
        self.others = likeliest_others(logits, batch.y)[:, :classes]
        """Classes to head for: int64 ``[n, C]``."""
        self.x = batch.x
        self.gain = batch.x.new_zeros(len(batch))
        self.distance = torch.full((len(batch),), torch.inf, dtype=torch.float64, device=batch.x.device)

    def offer(self, batch: Batch, x: Tensor, logits: Tensor, distance: Tensor) -> None:
        """Points ``x`` ``[n, ...]`` at ``distance`` ``[n]``, infinite for failures."""
        nearer = distance < self.distance
        if bool(nearer.any()):
            self.x = torch.where(column(nearer, x), x, self.x)
            self.gain = torch.where(nearer, margin(logits, batch.y, batch.target), self.gain)
            self.distance = torch.minimum(distance, self.distance)

    def live(self, batch: Batch, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of the tensors given, and of these, that belong to samples not yet done."""
        self.clean, self.others, self.x, self.gain, self.distance, *rest = batch.live(
            self.clean, self.others, self.x, self.gain, self.distance, *tensors
        )
        return tuple(rest)


def _run(batch: Batch, spec: FabSpec | FabTargetedSpec, best: Best, ranks: slice | None, restart: int) -> Steps:
    """One restart, towards T classes side by side: tensors ``[m, ...]`` hold T rows for each sample in turn.

    What is shown of a sample is its nearest success at the step, or its way to the first of the classes. At the end nearer
    points are sought between the samples and the best.
    """
    several = 1 if ranks is None else best.others[:, ranks].shape[1]
    own = torch.arange(len(batch), device=batch.x.device).repeat_interleave(several)  # each row's sample
    total = spec.steps + SEARCHES
    x = batch.x[own] if restart == 0 else _somewhere(batch, spec.norm, best.distance, several)
    for step in range(spec.steps):
        aims = None if ranks is None else best.others[:, ranks].flatten()
        logits, value, normal = yield from _boundaries(batch, spec.norm, x, own, aims)
        reached = batch.succeeded(logits, own)
        yield batch.at(*_noted(batch, spec.norm, best, x, logits, reached, several), step=step, steps=total)
        rows = [tensor.reshape(-1, several, *tensor.shape[1:]) for tensor in (x, value, normal, reached)]
        x, value, normal, reached = (tensor.flatten(0, 1) for tensor in best.live(batch, *rows))
        own = own[: len(x)]
        x = _step(batch, spec, x, value, normal, reached, several)
    logits = yield from scores(batch, x, own)
    x, logits = _noted(batch, spec.norm, best, x, logits, batch.succeeded(logits, own), several)
    yield batch.at(x, logits, step=spec.steps, steps=total)
    x, logits = best.live(batch, x, logits)
    yield from _search(batch, best, x, logits, step=spec.steps, steps=total)


def _noted(
    batch: Batch, norm: Norm, best: Best, x: Tensor, logits: Tensor, reached: Tensor, several: int
) -> tuple[Tensor, Tensor]:
    """Keep each sample's nearest success among its rows; its point and class scores, or those of its first row."""
    first = torch.arange(len(batch), device=x.device) * several
    if not bool(reached.any()):
        return (x, logits) if several == 1 else (x[first], logits[first])
    distance = torch.where(reached, norms(x - _repeated(batch.x, several), norm), torch.inf).reshape(-1, several)
    if several > 1:
        shown = first + distance.argmin(1)
        x, logits = x[shown], logits[shown]
    best.offer(batch, x, logits, distance.amin(1))
    return x, logits


# --- the boundary --------------------------------------------------------------------------------------------------


def _boundaries(batch: Batch, norm: Norm, x: Tensor, own: Tensor, aims: Tensor | None) -> _Parts:
    """The class scores ``[m, K]`` at ``x`` ``[m, ...]``, and the hyperplanes ``{z: value + normal.(z - x) = 0}`` that the
    attack wants to cross upwards: value ``[m]``, normal ``[m, ...]``.

    ``own`` ``[m]`` are the samples, ``aims`` ``[m]`` the classes to head for; None: of all classes the nearest.
    """
    if len(x) <= batch.question.most_rows:
        return (yield from _boundary(batch, norm, x, own, aims))
    parts = []
    for rows in torch.split(torch.arange(len(x), device=x.device), batch.question.most_rows):
        its_aims = None if aims is None else aims[rows]
        parts.append((yield from _boundary(batch, norm, x[rows], own[rows], its_aims)))
        yield None
    logits, value, normal = (torch.cat(part) for part in zip(*parts, strict=True))
    return logits, value, normal


def _boundary(batch: Batch, norm: Norm, x: Tensor, own: Tensor, aims: Tensor | None) -> _Parts:
    watched, y = batch.watch(x, own), batch.y[own]
    logits = watched.logits.detach()
    if batch.target is not None:
        with torch.enable_grad():
            value = margin(watched.logits, y, batch.target[own])
        return logits, value.detach(), watched.gradient(value)
    classes = (y[:, None] + torch.arange(1, batch.n_classes, device=x.device)) % batch.n_classes
    with torch.enable_grad():
        values = watched.logits.gather(1, classes if aims is None else aims[:, None])
        values = values - watched.logits.gather(1, y[:, None])
    if values.shape[1] == 1:
        value = values[:, 0]
        return logits, value.detach(), watched.gradient(value)
    value, normal, least = values[:, 0].detach(), x, torch.full_like(y, torch.inf, dtype=torch.float64)
    rows = torch.arange(len(x), device=x.device)
    for some in torch.split(values, max(1, AT_ONCE * batch.question.most_rows // len(x)), dim=1):
        normals = watched.gradients(some)
        slopes = dual_norms(normals.flatten(0, 1), norm).reshape(len(normals), -1).clamp_min_(1e-12)
        distance, which = (some.detach().t().abs() / slopes).min(0)
        nearer = distance < least
        value = torch.where(nearer, some.detach()[rows, which], value)
        normal = torch.where(column(nearer, normal), normals[which, rows], normal)
        least = torch.minimum(distance, least)
        yield None
    return logits, value, normal


# --- the step ------------------------------------------------------------------------------------------------------


def _step(
    batch: Batch,
    spec: FabSpec | FabTargetedSpec,
    x: Tensor,
    value: Tensor,
    normal: Tensor,
    reached: Tensor,
    several: int,
) -> Tensor:
    """From the point and from the sample onto the hyperplane and beyond; the less far the point has to go, in comparison
    with the sample, the less the sample counts."""
    sample = _repeated(batch.x, several)
    begin = torch.where(column(reached, x), torch.lerp(sample, x, spec.beta), x)
    both = torch.stack([begin, sample])
    values = value + ((both - x) * normal).flatten(2).sum(2)
    normals = normal.expand_as(both)
    onto = to_hyperplane(spec.norm, both.flatten(0, 1), normals.flatten(0, 1), values.flatten(), batch.box)
    way = onto.sub_(both.flatten(0, 1))
    from_x, from_sample = norms(way, spec.norm).clamp_min_(1e-8).chunk(2)
    pull = (from_x / (from_x + from_sample)).clamp_max_(spec.alpha_max).to(x.dtype)
    near, far = both.add_(way.reshape(both.shape), alpha=spec.eta)
    x = torch.lerp(near, far, column(pull, x))
    return x if batch.box is None else batch.box.clamp(x)


def _somewhere(batch: Batch, norm: Norm, distance: Tensor, several: int) -> Tensor:
    """Random points ``[m, ...]`` half as far from the samples as the nearest success; ``distance`` is ``[n]``."""
    shape = (several, *batch.x.shape[1:])
    draw = batch.draws.uniform if norm == "Linf" else batch.draws.normal
    direction = draw("start", batch.restart, shape).to(batch.x.dtype).flatten(0, 1)
    if norm == "Linf":
        direction = direction.mul_(2).sub_(1)
    reach = batch.ball.eps if batch.guarded else RADIUS[norm]
    length = _repeated(distance, several).clamp_max(reach) / 2 / norms(direction, norm).clamp_min_(1e-12)
    x = _repeated(batch.x, several) + direction * column(length.to(direction.dtype), direction)
    return x if batch.box is None else batch.box.clamp(x)


def _repeated(values: Tensor, several: int) -> Tensor:
    """Each of ``[n, ...]`` several times in turn."""
    return values if several == 1 else values.repeat_interleave(several, 0)


# --- the end -------------------------------------------------------------------------------------------------------


def _search(batch: Batch, best: Best, x: Tensor, logits: Tensor, *, step: int, steps: int) -> Steps:
    """Look between each sample and its best point, where the secant of the gain is 0; the looks close in on it."""
    low, high = torch.zeros_like(best.gain), torch.ones_like(best.gain)
    at_low, at_high, end = best.clean, best.gain, best.x
    for look in range(step + 1, steps + 1):
        some = best.distance.isfinite()
        rows = torch.nonzero(some).flatten()  # the others stay where they are
        if not len(rows):
            return
        share = (at_low / (at_low - at_high)).nan_to_num(0.5).clamp(0.05, 0.95)  # so that each look tells something
        middle = torch.lerp(low, high, share)
        x = torch.where(column(some, x), torch.lerp(batch.x, end, column(middle, x)), x)
        logits = logits.index_copy(0, rows, batch.logits(x[rows], rows))
        reached, gain = batch.succeeded(logits), margin(logits, batch.y, batch.target)
        low, high = torch.where(reached, low, middle), torch.where(reached, middle, high)
        at_low, at_high = torch.where(reached, at_low, gain), torch.where(reached, gain, at_high)
        best.offer(batch, x, logits, torch.where(reached, batch.distance(x), torch.inf))
        yield batch.at(x, logits, step=look, steps=steps)
        x, logits, low, high, at_low, at_high, end = best.live(batch, x, logits, low, high, at_low, at_high, end)

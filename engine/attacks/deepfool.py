"""DeepFool. Source: S. Moosavi-Dezfooli, A. Fawzi, P. Frossard (2016), "DeepFool: a simple and accurate method to fool
deep neural networks".

At each step the model is replaced by its linearisation, whose class k meets the sample's class y in a hyperplane at the
distance ``|f_k| / ||w_k||_q`` with ``f_k = z_k - z_y``, ``w_k`` its gradient and q the dual norm; the point moves onto the
nearest one. All steps together, made ``1 + overshoot`` times as long, lead from the sample to the point that is tried.
"""

from __future__ import annotations

from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, Watched, column
from engine.attacks.tools.refinement import refined
from engine.attacks.tools.thresholds import dual_norms, norms
from engine.specs import DeepFoolSpec, Norm

LEAST = 1e-4  # a step's least length against the way so far: rounding must not stop it in front of the boundary
NOTICED = 5e-7  # and against the sample's own size, or 1: what float32 still tells apart
MANY = 4  # other classes
AT_ONCE = 2  # backward passes of a full batch between two moments at which the attack may be cancelled
LONGEST = 1e6  # most against the same: a saturated model has next to no gradient, and there may be no box


def deepfool(batch: Batch, spec: DeepFoolSpec) -> Steps:
    """A step costs a backward pass for each class considered but the sample's own, and one or two forward passes."""
    x_adv, total = batch.x, torch.zeros_like(batch.x)
    others: Tensor | None = None
    for step in range(spec.steps):
        way: Tensor | None = None
        if others is not None and others.shape[1] >= MANY:
            logits = batch.logits(x_adv)  # costs less than the backward passes of the samples that turn out to be done
        else:
            watched = batch.watch(x_adv)
            logits = watched.logits.detach()
            if others is None:
                considered = min(spec.candidates, batch.n_classes) - 1
                others = logits.scatter(1, batch.y[:, None], -torch.inf).topk(considered, dim=1).indices
            way = yield from _way(batch, watched, others, total, spec.norm)
        yield from _tell(batch, spec, x_adv, logits, step)
        if way is None:
            x_adv, total, others = batch.live(x_adv, total, others)
            if not len(batch):
                return
            way = yield from _way(batch, batch.watch(x_adv), others, total, spec.norm)
        batch.finish((way == 0).flatten(1).all(1))  # no gradient here, and none at any later step
        x_adv, total, others, way = batch.live(x_adv, total, others, way)
        if not len(batch):
            return
        total = total + way
        x_adv = torch.add(batch.x, total, alpha=1 + spec.overshoot)
        x_adv = x_adv if batch.box is None else batch.box.clamp(x_adv)
    yield from _tell(batch, spec, x_adv, batch.logits(x_adv), spec.steps)


def _tell(batch: Batch, spec: DeepFoolSpec, x_adv: Tensor, logits: Tensor, step: int) -> Steps:
    """Successes are done."""
    point = batch.at(x_adv, logits, step=step, steps=spec.steps)
    yield point
    yield from refined(batch, spec.refine, among=point.success, step=step, steps=spec.steps)
    batch.finish(point.success)


def _way(batch: Batch, watched: Watched, others: Tensor, total: Tensor, norm: Norm) -> Generator[None, None, Tensor]:
    """The step ``[n, ...]`` onto the nearest of the boundaries to ``others`` ``[n, k]``; 0 where no class has a gradient."""
    n, k = others.shape
    with torch.enable_grad():
        values = watched.logits.gather(1, others) - watched.logits.gather(1, batch.y[:, None])
        parts = torch.split(values, max(1, AT_ONCE * batch.question.most_rows // n), dim=1)
    found = []
    for part in parts:
        found.append(watched.gradients(part))
        yield None
    normals = torch.cat(found)
    slopes = dual_norms(normals.flatten(0, 1), norm).reshape(k, n)
    distances = torch.where(slopes > 0, values.detach().abs().t() / slopes, torch.inf)
    least, nearest = distances.min(0)
    rows = torch.arange(n, device=others.device)
    normal, slope = normals[nearest, rows], slopes[nearest, rows]
    scale = norms(batch.x, norm).clamp_min(1)
    shortest, longest = LEAST * norms(total, norm) + NOTICED * scale, LONGEST * scale
    length = torch.minimum(torch.maximum(least, shortest), longest)
    if norm == "Linf":
        return normal.sign().mul_(column(length, normal))
    return normal.div_(column(torch.where(slope > 0, slope, 1.0), normal)).mul_(column(length, normal))

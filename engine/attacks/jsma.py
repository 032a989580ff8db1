"""The Jacobian saliency map attack. Source: N. Papernot, P. McDaniel, S. Jha, M. Fredrikson, Z. B. Celik, A. Swami (2016),
"The limitations of deep learning in adversarial settings"; untargeted: R. Wiyatno, A. Xu (2018), "Maximal Jacobian-based
saliency map attack".

A value promises ``a b``, where ``a > 0`` is how fast the target's score rises with it and ``b > 0`` how fast the sum of all
others falls; a pair promises the product of its sums. The scores are the logits. To leave class y, ``a`` is how fast its
score falls, ``b`` how fast the sum of all others rises. Of an affine model, one value at a time, with the room counted,
that is the greedy choice of the largest gains.
"""

from __future__ import annotations

import math
from collections.abc import Generator

import torch
from torch import Tensor

from engine.attacks.core.batch import Batch, Steps, Watched
from engine.attacks.tools.saliency import best_pair, best_single
from engine.specs import JsmaSpec

LEAST = 0.01  # a value that can go no further than this share of θ counts as at the end of its range


def jsma(batch: Batch, spec: JsmaSpec) -> Steps:
    """A step costs a forward pass and two backward passes; with any class as the goal, one for each class."""
    size = batch.x[0].numel()
    width = 2 if spec.pairs and size > 1 else 1
    steps = math.ceil(spec.gamma * size / width - 1e-6)
    x, went = batch.x, torch.zeros_like(batch.x).flatten(1)
    for step in range(steps):
        watched = batch.watch(x)
        logits = watched.logits.detach()
        slopes = yield from _slopes(batch, watched, spec)
        point = batch.at(x, logits, step=step, steps=steps)
        batch.finish(point.success)
        yield point
        x, went, *slopes = batch.live(x, went, *slopes)
        move = yield from _move(batch, x, went, slopes, spec, width)
        batch.finish((move == 0).all(1))  # nothing promises anything: the next step would find the same
        x, went, move = batch.live(x, went, move)
        if len(batch) == 0:
            return
        went = torch.where(move != 0, move.sign(), went)
        x = x + move.reshape(x.shape)
        x = x if batch.box is None else batch.box.clamp(x)
    yield batch.at(x, batch.logits(x), step=steps, steps=steps)


def _slopes(batch: Batch, watched: Watched, spec: JsmaSpec) -> Generator[None, None, list[Tensor]]:
    """First the gradient of the sum of all scores, then those that an aim may have: all ``[n, D]``.

    Each of the latter is the gradient of the score that should rise, or minus that of the score that should fall.
    """
    with torch.enable_grad():
        scores = watched.logits
        total = scores.sum(1)
        if batch.target is not None:
            aims = [scores.gather(1, batch.target[:, None])[:, 0]]
        elif not spec.maximal:
            aims = [-scores.gather(1, batch.y[:, None])[:, 0]]
        else:
            aims = [torch.where(batch.y == k, -score, score) for k, score in enumerate(scores.unbind(1))]
    slopes = []
    values = aims if len(aims) > 1 else [total, *aims]
    for k, value in enumerate(values):
        slopes.append(watched.gradient(value, keep_graph=k < len(values) - 1).flatten(1))
        yield None
    if len(aims) > 1:  # every score's own gradient is known, so that of the sum is too
        own = torch.stack([torch.where((batch.y == k)[:, None], -slope, slope) for k, slope in enumerate(slopes)])
        slopes = [own.sum(0), *slopes]
    return slopes


def _move(
    batch: Batch, x: Tensor, went: Tensor, slopes: list[Tensor], spec: JsmaSpec, width: int
) -> Generator[None, None, Tensor]:
    """The change ``[n, D]`` of one value or two that promises most; 0 where none does."""
    ways = {"up": (1,), "down": (-1,), "either": (1, -1)}[spec.direction]
    room = torch.cat([_room(batch, x, way, spec.theta) for way in ways], 1)
    allowed = room > LEAST * spec.theta
    # a value that went one way does not turn back, or the attack could go in circles
    allowed &= torch.cat([went != -way for way in ways], 1)
    weight = room if spec.weighted else torch.ones_like(room[:, :1])
    total, *aims = slopes
    promise = x.new_zeros(len(x))
    chosen = torch.zeros(len(x), width, dtype=torch.int64, device=x.device)
    for k, aim in enumerate(aims):
        leaving = batch.target is None and (not spec.maximal or k == batch.y)
        # how fast all others fall: towards a class a - total, away from class y total + a, with a = -dz_y
        others = aim + total * _sign(leaving, total)
        a, b = (torch.cat([way * slope for way in ways], 1).mul_(weight) for slope in (aim, others))
        if width == 2:
            found, index = yield from best_pair(a, b, allowed)
        else:
            found, index = best_single(a, b, allowed)
            yield None
        better = found > promise
        promise = torch.where(better, found, promise)
        chosen = torch.where(better[:, None], index, chosen)
    signed = torch.cat([way * each for way, each in zip(ways, room.chunk(len(ways), 1), strict=True)], 1)
    step = signed.gather(1, chosen) * (promise > 0)[:, None]
    return torch.zeros_like(went).scatter_(1, chosen % went.shape[1], step)


def _room(batch: Batch, x: Tensor, way: int, theta: float) -> Tensor:
    """How far each value goes that goes that way: ``[n, D]``."""
    if batch.box is None:
        return torch.full_like(x, theta).flatten(1)
    return batch.box.room(x, torch.full_like(x, way)).clamp(max=theta).flatten(1)


def _sign(leaving: bool | Tensor, like: Tensor) -> Tensor:
    """``[n, 1]`` or a number: 1 for samples that leave a class, -1 for those that head for one."""
    return torch.as_tensor(leaving, device=like.device).to(like.dtype).mul(2).sub(1).reshape(-1, 1)

"""The boundary attack. Source: W. Brendel, J. Rauber, M. Bethge (2018), "Decision-based adversarial attacks: reliable
attacks against black-box machine learning models"."""

from __future__ import annotations

import os

import torch

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.decision import beginning, bisect, straight
from engine.attacks.probes import Probes, normal
from engine.attacks.queries import Budget
from engine.specs import BoundarySpec

START_GAP = 1e-3
EVERY = 10
CHECK = int(os.environ.get("CHECK", 5))
W1 = int(os.environ.get("W1", 5))
W2 = int(os.environ.get("W2", 10))
STAT2 = int(os.environ.get("STAT2", 1))


def boundary(batch: Batch, spec: BoundarySpec) -> Steps:
    budget = Budget(batch, spec.queries)
    far, logits = yield from beginning(batch, spec, budget)
    path = straight(batch.x, far)
    share, logits = yield from bisect(batch, budget, path, torch.ones_like(batch.distance(far)), logits, START_GAP)
    x = path(share, torch.arange(len(batch), device=share.device))
    probes = Probes(batch.question.seed, "boundary", normal, batch.x.shape[1:], batch.x)
    along = torch.full_like(batch.x.flatten(1)[:, 0], spec.spherical_step)
    towards = torch.full_like(along, spec.source_step)
    s_hit, s_n, t_hit, t_n = (torch.zeros_like(along) for _ in range(4))
    told, looks = -EVERY, 0
    while True:
        if looks >= told + EVERY or bool((budget.left <= 0).any()):
            yield batch.at(x, logits, step=spec.queries - int(budget.left.min()), steps=spec.queries)
            told = looks
        else:
            yield None
        x, logits, along, towards, s_hit, s_n, t_hit, t_n = budget.live(x, logits, along, towards, s_hit, s_n, t_hit, t_n)
        if len(batch) == 0:
            return
        away = (x - batch.x).flatten(1)
        distance = torch.linalg.vector_norm(away, dim=1)
        eta = probes.take(looks, 1).flatten(1)
        eta = eta - (away @ eta[0] / distance.square())[:, None] * away
        eta = eta * (along * distance / torch.linalg.vector_norm(eta, dim=1))[:, None]
        side = batch.x.flatten(1) + (eta + away) / (along.square() + 1).sqrt()[:, None]
        side = side.reshape(x.shape)
        side = side if batch.box is None else batch.box.clamp(side)
        back = (batch.x - side).flatten(1)
        length = torch.linalg.vector_norm(back, dim=1)
        pull = (towards * distance + length - distance).clamp_min(0) / length
        candidate = side + (pull[:, None] * back).reshape(x.shape)
        candidate = candidate if batch.box is None else batch.box.clamp(candidate)
        seen = batch.logits(candidate)
        won = batch.succeeded(seen)
        looks += 1
        nearer = won & (batch.distance(candidate) < distance.double())
        if looks % STAT2 == 0:
            t_hit, t_n = t_hit + won, t_n + 1
        if looks % CHECK == 0:
            rows = (budget.left > 0).nonzero()[:, 0]
            if len(rows):
                ok = batch.succeeded(batch.logits(side[rows], rows), rows)
                s_hit = s_hit.index_add(0, rows, ok.float())
                s_n = s_n.index_add(0, rows, torch.ones_like(ok).float())
        x = torch.where(column(nearer, x), candidate, x)
        logits = torch.where(nearer[:, None], seen, logits)
        full = s_n >= W1
        p = s_hit / s_n.clamp_min(1)
        f = torch.where(full & (p > 0.5), spec.adaptation, torch.where(full & (p < 0.2), 1 / spec.adaptation, 1.0))
        along, towards = along * f, towards * f
        s_hit, s_n = torch.where(full, 0.0, s_hit), torch.where(full, 0.0, s_n)
        full = t_n >= W2
        p = t_hit / t_n.clamp_min(1)
        f = torch.where(full & (p > 0.25), spec.adaptation, torch.where(full & (p < 0.1), 1 / spec.adaptation, 1.0))
        towards = towards * f
        t_hit, t_n = torch.where(full, 0.0, t_hit), torch.where(full, 0.0, t_n)

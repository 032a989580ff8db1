"""What the tests of attacks for the smallest perturbation share: affine models, whose boundaries are known exactly."""

import torch
from torch import nn

from engine.attacks import run, start


def affine(k, d, seed=0, dtype=torch.float64):
    """z = W x + b with normal weights."""
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, k)).to(dtype)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
    return model.eval()


def network(shape, k=4, seed=0, dtype=torch.float64):
    """All classes meet in the middle of the unit box."""
    d = torch.Size(shape).numel()
    model = nn.Sequential(nn.Flatten(), nn.Linear(d, 16), nn.Tanh(), nn.Linear(16, k)).to(dtype)
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draw))
        model[-1].bias -= model(torch.full((1, d), 0.5, dtype=dtype))[0]
    return model.eval()


def samples(model, n, shape, seed=1):
    """Samples in [0, 1] with the classes that the model gives them."""
    dtype = next(model.parameters()).dtype
    x = torch.rand(n, *shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
    return x, model(x).argmax(1)


def exact(model, x, y, norm, target=None):
    """Oracle 5: the distance to the nearest boundary, or to the region of the target if that has one boundary."""
    weight, logits = model[-1].weight.detach(), model(x).detach()
    dual = {"Linf": 1, "L2": 2, "L1": torch.inf}[norm]
    slopes = torch.linalg.vector_norm(weight[y][:, None] - weight[None], dual, dim=2)
    distance = (logits.gather(1, y[:, None]) - logits) / slopes.clamp_min(1e-300)
    distance[torch.arange(len(y)), y] = torch.inf
    return distance.amin(1) if target is None else distance.gather(1, target[:, None])[:, 0]


def attacked(model, x, y, spec, *, bounds=(0, 1), target=None, seed=0, **more):
    return run(start(model, x, y, spec, seed=seed, bounds=bounds, target=target, **more))

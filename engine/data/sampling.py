"""Which samples are looked at when not all can be: an order in which every class gets its turn."""

from __future__ import annotations

import torch
from torch import Tensor

from engine.seeds import generator


def balanced_order(labels: Tensor, seed: int, purpose: str) -> Tensor:
    """A random permutation of all samples, each of whose prefixes is as balanced over the classes as possible.

    The samples come in rounds. Each round takes one sample, in random order, of every class that has any left; so the
    first ``m`` samples hold equally many of each class, give or take one, until a class runs out.

    ``labels``: int64 ``[N]``. Returns int64 ``[N]`` indices, equal for equal ``seed`` and ``purpose``.
    """
    n = len(labels)
    rng = generator(seed, "balanced order", purpose)
    shuffled = torch.randperm(n, generator=rng)
    lottery = torch.randperm(n, generator=rng)

    # the round of a sample is its rank among the shuffled samples of its own class
    by_class = shuffled[torch.argsort(labels[shuffled], stable=True)]
    _, counts = torch.unique_consecutive(labels[by_class], return_counts=True)
    first = torch.repeat_interleave(counts.cumsum(0) - counts, counts)
    round_of = torch.empty(n, dtype=torch.int64)
    round_of[by_class] = torch.arange(n) - first
    return torch.argsort(round_of * n + lottery)

"""Keeps what a peer does to itself: its seeds, its output, its traces and what it leaves in the model."""

from __future__ import annotations

import functools
import io
import logging
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Peer = Callable[..., Tensor]


def contained(attack: Peer) -> Peer:
    """The attack on copies of its inputs, reproducible by its keyword ``seed``, leaving no trace outside.

    Most peers draw from the global generators and some reset them; AutoAttack's check of dynamic defences ends with
    ``sys.settrace(None)``; several leave gradients in the parameters, write into their inputs, print, or log.
    """

    @functools.wraps(attack)
    def alone(model: nn.Module, x: Tensor, y: Tensor, *, seed: int = 0, **settings: Any) -> Tensor:
        with _everything_put_back(model):
            torch.manual_seed(seed)
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            return attack(model, x.clone(), y.clone(), **settings).detach().clone()

    return alone


@contextmanager
def _everything_put_back(model: nn.Module) -> Iterator[None]:
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()  # noqa: NPY002
    trace, logged_below = sys.gettrace(), logging.root.manager.disable
    training = {module: module.training for module in model.modules()}
    wanted = {p: (p.requires_grad, None if p.grad is None else p.grad.clone()) for p in model.parameters()}
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logged_below)
        sys.settrace(trace)
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
        for module, mode in training.items():
            module.training = mode
        for parameter, (requires_grad, gradient) in wanted.items():
            parameter.requires_grad_(requires_grad)
            parameter.grad = gradient

"""What an attack makes larger: functions of the logits, one number a sample, larger being better for the attacker.

Each takes logits ``[n, K]``, the true classes ``y`` ``[n]`` and the targets ``[n]``, None when untargeted, and returns
``[n]`` in the logits' type. Values and gradients are finite for finite logits, and no sample's depend on another's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Loss: TypeAlias = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(logits ``[n, K]``, y ``[n]``, target ``[n]`` or None) -> gain ``[n]``."""


def cross_entropy(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """Cross-entropy to the true class; minus the cross-entropy to the target."""
    if target is None:
        return functional.cross_entropy(logits, y, reduction="none")
    return -functional.cross_entropy(logits, target, reduction="none")


def margin(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """``max_{k != y} z_k - z_y``; targeted ``z_t - max_{k != t} z_k``: above 0 where the attack has succeeded.

    Source: N. Carlini, D. Wagner (2017), "Towards evaluating the robustness of neural networks", its f_6 without the cut
    at a confidence.
    """
    if target is None:
        return best_other(logits, y) - _of(logits, y)
    return _of(logits, target) - best_other(logits, target)


def margin_of(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """How far a sample is from success: ``z_y - max_{k != y} z_k``, targeted ``max_{k != t} z_k - z_t``; below 0 is success."""
    return -margin(logits, y, target)


def log_odds(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """``log((1 - p_y) / p_y)`` with the softmax probability p; targeted ``log(p_t / (1 - p_t))``.

    It orders points as the probability and the cross-entropy do, but where these are 0 or 1 to the last bit it still
    tells them apart.
    """
    label = y if target is None else target
    others = logits.scatter(1, label[:, None], -torch.inf).logsumexp(1)
    return others - _of(logits, label) if target is None else _of(logits, label) - others


def dlr(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:
    """The difference of logits ratio ``-(z_y - max_{k != y} z_k) / (z_(1) - z_(3))``, in [-1, 0] when y is predicted.

    ``z_(i)`` is the i-th largest logit. It does not change when the logits are scaled or shifted, and is flat, at 1,
    where y is third. With a target it is :func:`targeted_dlr`.

    Of two logits the only function that neither scaling nor shifting changes is the sign of their difference, which has
    no gradient. So with K = 2 this is the :func:`margin`, of which scaling changes the unit alone: an attack whose steps
    have a set length and which only compares its losses goes the same way.
    Source: F. Croce, M. Hein (2020), "Reliable evaluation of adversarial robustness with an ensemble of diverse
    parameter-free attacks".
    """
    if target is not None:
        return targeted_dlr(logits, y, target)
    if logits.shape[1] < 3:
        return margin(logits, y)
    top = logits.topk(3, dim=1).values
    return _ratio(margin(logits, y), top[:, 0] - top[:, 2])


def targeted_dlr(logits: Tensor, y: Tensor, target: Tensor | None) -> Tensor:
    """``-(z_y - z_t) / (z_(1) - (z_(3) + z_(4)) / 2)``, unchanged when the logits are scaled or shifted.

    With K = 3 there is no ``z_(4)``: ``z_(1) - (z_(2) + z_(3)) / 2`` then divides, which unlike ``z_(1) - z_(3)`` leaves
    a gradient where the target is the least likely class. With K = 2 it is the :func:`margin`, for the reason given at
    :func:`dlr`. Source: as there, with K >= 4.
    """
    if target is None:
        raise ValueError("the targeted DLR loss needs a target")
    if logits.shape[1] < 3:
        return margin(logits, y, target)
    top = logits.topk(min(4, logits.shape[1]), dim=1).values
    return _ratio(_of(logits, target) - _of(logits, y), top[:, 0] - top[:, -2:].mean(1))


def kl(reference: Tensor) -> Loss:
    """The loss KL(p || q), p and q being the softmax of the ``reference`` logits ``[n, K]`` and of the attacked ones.

    It is smallest, with a gradient of 0, at the reference itself, so an attack on it must start elsewhere. The labels
    play no part: with a target in mind choose another loss. When samples leave the batch, their reference must leave too. Source: H. Zhang, Y. Yu, J. Jiao, E. Xing, L. El Ghaoui,
    M. Jordan (2019), "Theoretically principled trade-off between robustness and accuracy".
    """
    before = reference.detach().log_softmax(1)

    def divergence(logits: Tensor, y: Tensor, target: Tensor | None = None) -> Tensor:  # noqa: ARG001
        return (before.exp() * (before - logits.log_softmax(1))).sum(1)

    return divergence


def best_other(logits: Tensor, label: Tensor) -> Tensor:
    """``max_{k != label} z_k`` ``[n]``; the gradient is shared by those that tie."""
    return logits.scatter(1, label[:, None], -torch.inf).amax(1)


def _of(logits: Tensor, label: Tensor) -> Tensor:
    return logits.gather(1, label[:, None])[:, 0]


def _ratio(difference: Tensor, spread: Tensor) -> Tensor:
    """Their quotient; where logits tie and the spread is 0, a huge slope instead of none.

    The least spread is far below what logits of any use can differ by, and far enough above 0 for a finite gradient.
    """
    return difference / spread.clamp_min(torch.finfo(spread.dtype).tiny ** (1 / 3))


def improves(gain: Tensor, success: Tensor, old_gain: Tensor, old_success: Tensor) -> Tensor:
    """bool ``[n]``: which new points a search keeps: the first success, and among equals what has the larger gain.

    So a search that goes on after its success neither loses it nor wanders among successes.
    """
    return (success & ~old_success) | ((success == old_success) & (gain > old_gain))

"""The adversarial patch. Source: T. B. Brown, D. Mané, A. Roy, M. Abadi, J. Gilmer (2017), "Adversarial patch".

Stochastic gradient ascent on the mean loss over samples and places: whatever lies under the patch is replaced by it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.attacks.core.attack import JointMethod, JointSteps
from engine.attacks.core.batch import Batch
from engine.attacks.tools.draws import Draws
from engine.attacks.tools.pixels import as_pixels
from engine.attacks.tools.projections import Box
from engine.attacks.tools.shared import AT_LAST, Fit, fitted
from engine.errors import AttackError
from engine.specs import PatchSpec


def patch(spec: PatchSpec) -> JointMethod:
    """Steps go along the sign of a minibatch's gradient. The places at which the attacked samples get it are drawn once."""

    def joint(batches: Sequence[Batch]) -> JointSteps:
        x = batches[0].x
        if x.ndim != 4:
            raise AttackError(
                f"A patch is put on images [C, H, W], but these samples have the shape {list(x.shape[1:])}: attack a "
                "network that sees images, or choose another attack."
            )
        return fitted(batches, spec, _Patch(spec, batches[0].box, x))

    return joint


class _Patch:
    """``[C, q]``: the colours of its q pixels."""

    def __init__(self, spec: PatchSpec, box: Box | None, like: Tensor) -> None:
        self._spec, self._box = spec, box
        self._height, self._width = like.shape[2:]
        self.side = max(1, round(spec.size * min(self._height, self._width)))
        line = torch.arange(self.side, device=like.device)
        row, col = torch.meshgrid(line, line, indexing="ij")
        middle = (self.side - 1) / 2
        inside = (row - middle).square() + (col - middle).square() <= (self.side / 2) ** 2
        if spec.shape == "square":
            inside = torch.ones_like(inside)
        self._offsets = row[inside] * self._width + col[inside]
        self._least = self._most = like.new_zeros(like.shape[1], 1)

    def begin(self, fit: Fit) -> Tensor:
        """Random colours. Without an input range they stay within that of the samples."""
        self._least, self._most = (edge[:, None] for edge in self._range(fit.x))
        count = (len(self._least), len(self._offsets))
        start = Draws(fit.draws.seed, fit.draws.places.new_zeros(1)).uniform("patch", 0, count)[0]
        return torch.lerp(self._least, self._most, start.to(fit.x.dtype))

    def put(self, value: Tensor, x: Tensor, draws: Draws, step: int) -> Tensor:
        moved = as_pixels(x).clone()
        moved.scatter_(2, self._index(x, draws, step), value.expand(len(x), -1, -1))
        moved = moved.reshape(x.shape)
        return moved if self._box is None else self._box.clamp(moved)

    def pull(self, gradient: Tensor, draws: Draws, step: int) -> Tensor:
        return as_pixels(gradient).gather(2, self._index(gradient, draws, step)).sum(0)

    def ascend(self, value: Tensor, gradient: Tensor) -> Tensor:
        moved = torch.add(value, gradient.sign(), alpha=self._spec.alpha)
        return torch.minimum(torch.maximum(moved, self._least), self._most)

    def wanted(self, logits: Tensor, y: Tensor, target: Tensor | None) -> Tensor:
        return logits.argmax(1) != y if target is None else logits.argmax(1) == target

    def _range(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The least and the greatest colour of each channel: two of ``[C]``."""
        if self._box is None:
            values = as_pixels(x).transpose(0, 1).flatten(1)
            return values.amin(1), values.amax(1)
        low, high = (edge.expand(x.shape[1:]).flatten(1) for edge in (self._box.lower, self._box.upper))
        return low.amin(1), high.amax(1)

    def _index(self, x: Tensor, draws: Draws, step: int) -> Tensor:
        """int64 ``[n, C, q]``: which values of each channel it covers."""
        down, right = self._height - self.side, self._width - self.side
        if self._spec.placement == "random":
            number = max(step, AT_LAST) + 1  # step 0 of the draws is where it is evaluated
            top = draws.integers(down + 1, "patch row", number)
            left = draws.integers(right + 1, "patch column", number)
        else:
            share = 0.5 if self._spec.placement == "centre" else 0.0
            top, left = (torch.full((len(x),), int(share * most), device=x.device) for most in (down, right))
        corner = top * self._width + left
        return (corner[:, None] + self._offsets)[:, None].expand(-1, x.shape[1], -1)

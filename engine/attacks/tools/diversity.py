"""Input diversity: each image is shrunk by a random amount and put somewhere on an empty one of the old size.

Source: C. Xie, Z. Zhang, Y. Zhou, S. Bai, J. Wang, Z. Ren, A. Yuille (2019), "Improving transferability of adversarial
examples with input diversity". There an image may also grow; here it keeps its size, as most models ask for.

Shrinking and padding are linear, and along rows and columns apart: an image ``[H, W]`` becomes ``A x B^T`` with a
matrix for each, and a gradient is pulled back as ``A^T g B``. So every sample has a transformation of its own in one
product for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from engine.attacks.tools.draws import Draws
from engine.errors import AttackError


@dataclass(frozen=True)
class Change:
    """The transformations of some samples of a batch; the others stay as they are."""

    rows: Tensor
    """int64 ``[m]``: which samples are transformed."""
    down: Tensor
    """``[m, H, H]``"""
    across: Tensor
    """``[m, W, W]``"""

    def apply(self, x: Tensor) -> Tensor:
        """The images ``[n, ..., H, W]`` after it."""
        return self._put(x, self.down, self.across)

    def pull(self, gradient: Tensor) -> Tensor:
        """A gradient at the transformed images, as one with respect to the images."""
        return self._put(gradient, self.down.mT, self.across.mT)

    def _put(self, images: Tensor, down: Tensor, across: Tensor) -> Tensor:
        if len(self.rows) == 0:
            return images
        some = images[self.rows]
        channels = some.reshape(len(some), -1, *some.shape[-2:])
        changed = down[:, None] @ channels @ across[:, None].mT
        return images.index_copy(0, self.rows, changed.reshape(some.shape))


class Diversity:
    """Draws transformations for images like ``x`` ``[n, ..., H, W]``; raises AttackError where there are no images.

    Each sample is transformed with the given ``probability``, to fewer pixels a side than it has but no less than the
    share ``smallest`` of them, and lies anywhere. A side of which no less would be left stays as it is, so images of one
    pixel do.
    """

    def __init__(self, x: Tensor, *, probability: float, smallest: float) -> None:
        if x.ndim < 3:
            raise AttackError(
                f"Input diversity shrinks and pads images [N, C, H, W], and these samples are vectors {list(x.shape)}: "
                "choose an attack without it, such as MI-FGSM, NI-FGSM or VMI-FGSM."
            )
        self.height, self.width = x.shape[-2:]
        self.dtype, self.probability, self.smallest = x.dtype, probability, smallest

    def draw(self, draws: Draws, step: int) -> Change:
        """Each sample's transformation at one step."""
        rows = (draws.uniform("diversity", step) < self.probability).nonzero()[:, 0]
        where = draws.rows(rows)
        share = where.uniform("diversity size", step)
        down, across = (
            self._matrix(side, share, where.uniform(f"diversity {name}", step))
            for name, side in (("row", self.height), ("column", self.width))
        )
        return Change(rows, down, across)

    def _matrix(self, side: int, share: Tensor, place: Tensor) -> Tensor:
        """``[m, side, side]``: linear interpolation of ``side`` values to fewer, with zeros before and after them.

        ``share`` and ``place``, in [0, 1), choose among the numbers of values that may be left and among their places.
        """
        least = max(1, int(self.smallest * side))
        size = (least + (share * (side - least)).floor())[:, None]
        first = (place[:, None] * (side - size + 1)).floor()
        row = torch.arange(side, device=share.device) - first
        # pixel centres stay where they are in the image; with size <= side none falls outside it
        centre = (row + 0.5) * (side / size) - 0.5
        distance = (centre[:, :, None] - torch.arange(side, device=share.device)).abs()
        inside = (row >= 0) & (row < size)
        return ((1 - distance).clamp_min(0) * inside[:, :, None]).to(self.dtype)

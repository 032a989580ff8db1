"""The Square attack. Source: M. Andriushchenko, F. Croce, N. Flammarion, M. Hein (2020), "Square attack: a query-efficient
black-box adversarial attack via random search"; its form in L1 is from F. Croce, M. Hein (2021), "Mind the box: l1-APGD
for sparse adversarial attacks on image classifiers".

Random search: in each query a window of random place changes, and stays changed if that helps. Windows shrink with time.
Each sample has windows of its own, all over the image, its last row and column included. A vector is a row of pixels,
and its windows are runs of them; in an image too low or too narrow for a square window the window gets longer instead.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from engine.attacks.batch import Batch, Steps, column
from engine.attacks.losses import Loss, cross_entropy, margin
from engine.attacks.projections import Ball, LinfBall
from engine.attacks.windows import Grid, bumps, share_of
from engine.specs import SquareSpec

AHEAD = 64  # queries whose random numbers are drawn at a time


def square(batch: Batch, spec: SquareSpec) -> Steps:
    """In each restart a pattern over the whole image, then one window a query; the best point is shown at each."""
    for _ in batch.restarting(spec.restarts):
        yield from _search(batch, spec, EdgeWindows(batch, spec) if spec.norm == "Linf" else HillWindows(batch, spec))


def _search(batch: Batch, spec: SquareSpec, windows: EdgeWindows | HillWindows) -> Steps:
    loss = _loss(spec, targeted=batch.targeted)
    x = windows.start()
    logits = batch.logits(x)
    gain = loss(logits, batch.y, batch.target)
    yield batch.at(x, logits, step=0, steps=spec.queries - 1)
    for query in range(1, spec.queries):
        x, logits, gain = windows.live(x, logits, gain)
        tried = windows.tried(x, query)
        seen = batch.logits(tried)
        its_gain = loss(seen, batch.y, batch.target)
        better = its_gain > gain
        if loss is not margin:  # by the margin every success is better
            better |= batch.succeeded(seen)
        kept = torch.nonzero(better).flatten()
        if len(kept):
            x, logits, gain = (
                old.index_copy(0, kept, new[kept]) for old, new in ((x, tried), (logits, seen), (gain, its_gain))
            )
        yield batch.at(x, logits, step=query, steps=spec.queries - 1)


def _loss(spec: SquareSpec, *, targeted: bool) -> Loss:
    if spec.loss == "published":
        return cross_entropy if targeted else margin
    return margin if spec.loss == "margin" else cross_entropy


class _Windows:
    """What the forms share: the image as a grid ``[C, H, W]``, and random numbers drawn for many queries at a time."""

    odd: bool
    places: int
    """Random numbers that a query needs besides one for each channel's sign."""

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        self.batch, self.spec = batch, spec
        self.grid = Grid(batch.x.shape[1:])
        device, channels = batch.x.device, self.grid.channels
        self.layers = torch.arange(channels, device=device)[:, None] * self.grid.pixels  # where each channel begins
        self.numbers = batch.x.new_zeros(len(batch), 0)
        self.offsets = torch.zeros(0, dtype=torch.int64, device=device)
        self.height = self.width = 0

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of the tensors given, and of what is kept here, that belong to samples not yet done."""
        self.numbers, *rest = self.batch.live(self.numbers, *tensors)
        return tuple(rest)

    def draw(self, query: int) -> Tensor:
        """The query's random numbers ``[n, places + C]``, uniform over [0, 1); sets the size of its windows."""
        share = share_of(query - 1, self.spec.queries, self.spec.p_init, rescale=self.spec.rescale)
        height, width = self.grid.window(share, odd=self.odd)
        if (height, width) != (self.height, self.width):
            self.height, self.width = height, width
            self.offsets = self.grid.offsets(height, width, self.batch.x.device)
        block, within = divmod(query - 1, AHEAD)
        if within == 0:
            shape = (AHEAD, self.places + self.grid.channels)
            self.numbers = self.batch.draws.uniform(f"windows {self.batch.restart}", block, shape)
        return self.numbers[:, within]

    def inside(self, place: Tensor) -> Tensor:
        """Where the windows' pixels are in a sample laid out flat: int64 ``[n, C, pixels]``; ``place`` ``[n, 2]`` in [0, 1)."""
        first = self.grid.place(place, self.height, self.width)
        return first[:, None, None] + self.offsets + self.layers


class EdgeWindows(_Windows):
    """L-inf: the windows of each channel go to the one or the other edge of the ball."""

    odd, places = False, 2

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        super().__init__(batch, spec)
        ball = batch.ball.project(torch.full_like(batch.x, -torch.inf)), batch.ball.project(torch.full_like(batch.x, torch.inf))
        self.lower, self.upper = (edge.flatten(1) for edge in ball)

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        self.lower, self.upper, *rest = super().live(self.lower, self.upper, *tensors)
        return tuple(rest)

    def start(self) -> Tensor:
        """Stripes from top to bottom, in each channel and column to the one or the other edge."""
        grid, batch = self.grid, self.batch
        up = batch.draws.uniform(f"stripes {batch.restart}", 0, (grid.channels, 1, grid.width)) < 0.5
        up = up.expand(-1, -1, grid.height, -1).flatten(1)
        return torch.where(up, self.upper, self.lower).reshape(batch.x.shape)

    def tried(self, x: Tensor, query: int) -> Tensor:
        """``x`` with a window to an edge; if it is there already, to the other, so that no query is wasted."""
        numbers = self.draw(query)
        inside = self.inside(numbers[:, :2])
        up = (numbers[:, 2:, None] < 0.5).expand_as(inside).flatten(1)
        inside, flat = inside.flatten(1), x.flatten(1)
        lower, upper = self.lower.gather(1, inside), self.upper.gather(1, inside)
        same = (torch.where(up, upper, lower) == flat.gather(1, inside)).all(1, keepdim=True)
        return flat.scatter(1, inside, torch.where(up ^ same, upper, lower)).reshape(x.shape)


class HillWindows(_Windows):
    """L2 and L1: a window takes over the budget of another and what is still unused, and gets two hills added."""

    odd, places = True, 5

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        super().__init__(batch, spec)
        self.order, self.power = (2, 2) if spec.norm == "L2" else (1, 4)
        self.hills = batch.x.new_zeros(0)

    def start(self) -> Tensor:
        """Tiles of two hills all over the image, in each channel with signs and directions of their own."""
        grid, batch = self.grid, self.batch
        side = max(1, min(grid.height, grid.width) // 5)
        height, width = (side, side) if min(grid.height, grid.width) > 1 else (1, max(1, grid.width // 5))
        if grid.width == 1:
            height, width = max(1, grid.height // 5), 1
        rows, columns = (torch.arange(size, device=batch.x.device) for size in (grid.height, grid.width))
        hills = bumps(height, width, self.power).to(batch.x)[:, rows[:, None] % height, columns % width]
        tiles = (1 + grid.channels, -(-grid.height // height), -(-grid.width // width))
        numbers = batch.draws.uniform(f"tiles {batch.restart}", 0, tiles)[
            :, :, rows[:, None] // height, columns // width
        ]
        delta = torch.where(numbers[:, :1] < 0.5, hills[0], hills[1]) * (numbers[:, 1:] - 0.5).sign()
        delta = delta.flatten(1)
        if self.order == 2:
            delta *= self.spec.eps / torch.linalg.vector_norm(delta, dim=1, keepdim=True)
        return batch.ball.project(batch.x + delta.reshape(batch.x.shape))

    def tried(self, x: Tensor, query: int) -> Tensor:
        numbers, channels, eps = self.draw(query), self.grid.channels, self.spec.eps
        delta = (x - self.batch.x).flatten(1)
        inside, other = self.inside(numbers[:, :2]), self.inside(numbers[:, 2:4])
        hills = bumps(self.height, self.width, self.power).to(x).flatten(1)
        used = self.size(delta)
        window = delta.gather(1, inside.flatten(1)).reshape(inside.shape)
        own = self.size(window)
        delta.scatter_(1, inside.flatten(1), 0.0)
        budget = own ** self.order + self.size(delta.gather(1, other.flatten(1)).reshape(other.shape)) ** self.order
        unused = (eps**self.order - used**self.order).clamp_min(0)[:, :, None] / channels
        new = torch.where(numbers[:, 4, None] < 0.5, hills[0], hills[1])[:, None] * (numbers[:, 5:, None] - 0.5).sign()
        new += window / own.clamp_min(1e-12)
        new *= (budget + unused) ** (1 / self.order) / self.size(new).clamp_min(1e-12)
        delta.scatter_(1, other.flatten(1), 0.0).scatter_(1, inside.flatten(1), new.flatten(1))
        return self.batch.ball.project(self.batch.x + delta.reshape(x.shape))

    def size(self, values: Tensor) -> Tensor:
        """The norm along the last dimension, which stays."""
        return torch.linalg.vector_norm(values, self.order, dim=-1, keepdim=True)

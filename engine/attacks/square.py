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

from engine.attacks.core.batch import Batch, Steps
from engine.attacks.tools.looks import scores
from engine.attacks.tools.losses import Loss, cross_entropy, improves, margin
from engine.attacks.tools.windows import Grid, bumps, share_of
from engine.specs import SquareSpec

AHEAD = 64  # queries whose random numbers are drawn at a time
MOST_CHANNELS = 4  # for which the changes of single pixels are counted: 2^C signs each


def square(batch: Batch, spec: SquareSpec) -> Steps:
    """In each restart a pattern over the whole image, then windows; the best point so far is shown.

    Several windows side by side are as many queries: all begin at the best point, and at most one is kept. As soon as few
    windows are, that loses next to nothing.
    """
    for _ in batch.restarting(spec.restarts):
        yield from _search(batch, spec, EdgeWindows(batch, spec) if spec.norm == "Linf" else HillWindows(batch, spec))


def _search(batch: Batch, spec: SquareSpec, windows: EdgeWindows | HillWindows) -> Steps:
    loss = _loss(spec, targeted=batch.targeted)
    x = windows.start()
    logits = batch.logits(x)
    gain, reached = loss(logits, batch.y, batch.target), batch.succeeded(logits)
    yield batch.at(x, logits, step=0, steps=spec.queries - 1)
    for query, count in windows.rounds():
        x, logits, gain, reached = windows.live(x, logits, gain, reached)
        own = torch.arange(len(x), device=x.device).repeat_interleave(count)
        tried = windows.tried(x, query, count)
        seen = yield from scores(batch, tried, own)
        target = None if batch.target is None else batch.target[own]
        its_gain = loss(seen, batch.y[own], target)
        success = batch.succeeded(seen, own)
        chosen = _best(its_gain, success, count)
        kept = torch.nonzero(improves(its_gain[chosen], success[chosen], gain, reached))[:, 0]
        if len(kept):
            chosen = chosen[kept]
            x, logits, gain, reached = (
                old.index_copy(0, kept, new[chosen])
                for old, new in ((x, tried), (logits, seen), (gain, its_gain), (reached, success))
            )
        windows.note(kept)
        yield batch.at(x, logits, step=query + count - 1, steps=spec.queries - 1)


def _best(gain: Tensor, success: Tensor, count: int) -> Tensor:
    """Of each sample's ``count`` rows the one of the largest gain, a success if there is one: int64 ``[n]``."""
    first = torch.arange(0, len(gain), count, device=gain.device)
    if count == 1:
        return first
    gain, success = gain.reshape(-1, count), success.reshape(-1, count)
    return first + torch.where(success.any(1, keepdim=True) & ~success, -torch.inf, gain).argmax(1)


def _loss(spec: SquareSpec, *, targeted: bool) -> Loss:
    if spec.loss == "published":
        return cross_entropy if targeted else margin
    return margin if spec.loss == "margin" else cross_entropy


class _Windows:
    """What the forms share: the image as a grid ``[C, H, W]``, and random numbers drawn for many queries at a time."""

    odd: bool
    places: int
    """Random numbers that a window needs besides one for each channel's sign."""

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        self.batch, self.spec = batch, spec
        self.grid = Grid(batch.x.shape[1:])
        device, channels = batch.x.device, self.grid.channels
        self.layers = torch.arange(channels, device=device)[:, None] * self.grid.pixels  # where each channel begins
        self.ahead = AHEAD // spec.together * spec.together
        self.numbers = batch.x.new_zeros(len(batch), 0)
        self.offsets = torch.zeros(0, dtype=torch.int64, device=device)
        self.height = self.width = 0

    def rounds(self) -> Iterator[tuple[int, int]]:
        """The number of the next query and how many are put together."""
        query = 1
        while query < self.spec.queries:
            count = min(1 if query <= self.ahead else self.spec.together, self.spec.queries - query)
            yield query, count
            query += count

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        """The rows of the tensors given, and of what is kept here, that belong to samples not yet done."""
        self.numbers, *rest = self.batch.live(self.numbers, *tensors)
        return tuple(rest)

    def note(self, kept: Tensor) -> None:
        """Which samples (index) have kept a window that was tried."""

    def draw(self, query: int, count: int) -> Tensor:
        """Random numbers ``[n, count, places + C]``, uniform over [0, 1); sets the size of the windows."""
        share = share_of(query - 1, self.spec.queries, self.spec.p_init, rescale=self.spec.rescale)
        height, width = self.grid.window(share, odd=self.odd)
        if (height, width) != (self.height, self.width):
            self.height, self.width = height, width
            self.offsets = self.grid.offsets(height, width, self.batch.x.device)
        block, within = divmod(query - 1, self.ahead)
        if within == 0:
            shape = (self.ahead, self.places + self.grid.channels)
            self.numbers = self.batch.draws.uniform(f"windows {self.batch.restart}", block, shape)
        return self.numbers[:, within : within + count]

    def inside(self, place: Tensor) -> Tensor:
        """Where the windows' pixels are in a sample laid out flat: int64 ``[n, count, C, pixels]``; ``place``
        ``[n, count, 2]`` in [0, 1)."""
        first = self.grid.place(place, self.height, self.width)
        return first[:, :, None, None] + self.offsets + self.layers


class EdgeWindows(_Windows):
    """L-inf: the windows of each channel go to the one or the other edge of the ball."""

    odd, places = False, 2

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        super().__init__(batch, spec)
        infinite = torch.full_like(batch.x, torch.inf)
        self.lower, self.upper = (batch.ball.project(edge).flatten(1) for edge in (-infinite, infinite))
        self.latest: Tensor | None = None
        """Which of all changes of single pixels were tried in this round: int64 ``[n, count]``."""
        self.vain = torch.zeros(len(batch), 0, dtype=torch.bool, device=batch.x.device)
        """Which of them have been tried since the sample last changed: ``[n, changes]``."""

    def live(self, *tensors: Tensor) -> tuple[Tensor, ...]:
        self.lower, self.upper, self.vain, *rest = super().live(self.lower, self.upper, self.vain, *tensors)
        return tuple(rest)

    def note(self, kept: Tensor) -> None:
        """Where every single pixel has been tried in vain, no query can change anything any more: the sample is done, unless
        there are restarts to come."""
        if self.latest is None or self.batch.restart < self.batch.restarts - 1:
            return
        signs = 2**self.grid.channels
        if not self.vain.shape[1]:
            self.vain = self.vain.new_zeros(len(self.vain), self.grid.pixels * signs)
        self.vain.scatter_(1, self.latest, True)
        self.vain[kept] = False
        self.batch.finish(self.vain.sum(1) == self.grid.pixels * (signs - 1))

    def start(self) -> Tensor:
        """Stripes from top to bottom, in each channel and column to the one or the other edge."""
        grid, batch = self.grid, self.batch
        up = batch.draws.uniform(f"stripes {batch.restart}", 0, (grid.channels, 1, grid.width)) < 0.5
        up = up.expand(-1, -1, grid.height, -1).flatten(1)
        return torch.where(up, self.upper, self.lower).reshape(batch.x.shape)

    def tried(self, x: Tensor, query: int, count: int) -> Tensor:
        """``x`` with a window to an edge; if it is there already, to the other, so that no query is wasted."""
        numbers = self.draw(query, count)
        inside = self.inside(numbers[:, :, :2])
        up = (numbers[:, :, 2:, None] < 0.5).expand_as(inside).flatten(2)
        inside = inside.flatten(2)
        flat, lower, upper = (
            values.flatten(1)[:, None].expand(-1, count, -1) for values in (x, self.lower, self.upper)
        )
        low, high = lower.gather(2, inside), upper.gather(2, inside)
        up = up ^ (torch.where(up, high, low) == flat.gather(2, inside)).all(2, keepdim=True)
        if self.height == self.width == 1 and self.grid.channels <= MOST_CHANNELS:
            signs = (up << torch.arange(self.grid.channels, device=x.device)).sum(2)
            self.latest = (inside[:, :, 0] << self.grid.channels) + signs
        return flat.scatter(2, inside, torch.where(up, high, low)).reshape(-1, *x.shape[1:])


class HillWindows(_Windows):
    """L2 and L1: a window takes over the budget of another and what is still unused, and gets two hills added."""

    odd, places = True, 5

    def __init__(self, batch: Batch, spec: SquareSpec) -> None:
        super().__init__(batch, spec)
        self.order, self.power = (2, 2) if spec.norm == "L2" else (1, 4)

    def start(self) -> Tensor:
        """Tiles of two hills all over the image, in each channel with signs and directions of their own."""
        grid, batch = self.grid, self.batch
        height, width = grid.tile()
        rows, columns = (torch.arange(size, device=batch.x.device) for size in (grid.height, grid.width))
        hills = bumps(height, width, self.power).to(batch.x)[:, rows[:, None] % height, columns % width]
        tiles = (1 + grid.channels, -(-grid.height // height), -(-grid.width // width))
        numbers = batch.draws.uniform(f"tiles {batch.restart}", 0, tiles)
        numbers = numbers[:, :, rows[:, None] // height, columns // width]
        delta = torch.where(numbers[:, :1] < 0.5, hills[0], hills[1]) * _sign(numbers[:, 1:])
        delta = delta.flatten(1)
        if self.order == 2:  # in L1 the projection leaves the tops of the hills
            delta = delta * (self.spec.eps / self.size(delta))
        return batch.ball.project(batch.x + delta.reshape(batch.x.shape))

    def tried(self, x: Tensor, query: int, count: int) -> Tensor:
        """``x`` with a window that has taken over another's budget; in each channel by itself."""
        numbers, ball = self.draw(query, count), self.batch.ball
        inside, other = self.inside(numbers[:, :, :2]), self.inside(numbers[:, :, 2:4])
        delta = (x - self.batch.x).flatten(1)
        unused = (ball.eps**self.order - self.size(delta) ** self.order).clamp_min(0) / self.grid.channels
        delta = delta[:, None].repeat(1, count, 1)
        window = delta.gather(2, inside.flatten(2)).reshape(inside.shape)
        delta.scatter_(2, inside.flatten(2), 0.0)
        own, rest = self.size(window), self.size(delta.gather(2, other.flatten(2)).reshape(other.shape))
        budget = own**self.order + rest**self.order + unused[:, :, None, None]
        hills = bumps(self.height, self.width, self.power).to(x).flatten(1)
        added = torch.where(numbers[:, :, 4, None] < 0.5, hills[0], hills[1])[:, :, None] * _sign(
            numbers[:, :, 5:, None]
        )
        new = window / own.clamp_min(1e-12) + added
        new *= budget ** (1 / self.order) / self.size(new).clamp_min(1e-12)
        delta.scatter_(2, other.flatten(2), 0.0).scatter_(2, inside.flatten(2), new.flatten(2))
        if count > 1:
            ball = ball.rows(torch.arange(len(x), device=x.device).repeat_interleave(count))
        return ball.project(ball.x + delta.reshape(-1, *x.shape[1:]))

    def size(self, values: Tensor) -> Tensor:
        """The norm along the last dimension, which stays."""
        norm: Tensor = torch.linalg.vector_norm(values, self.order, dim=-1, keepdim=True)
        return norm


def _sign(numbers: Tensor) -> Tensor:
    """-1 or 1 with equal chances, from numbers uniform over [0, 1)."""
    return (numbers - 0.5).sign().add_(0.5).sign_()

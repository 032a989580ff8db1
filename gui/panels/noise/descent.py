"""The same claim by gradient descent: a deep linear network learns the shared target, and random labels beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from gui.panels.noise.cone import WorldLines
from gui.panels.noise.curves import HEAD, Curve, Curves, figure, with_interval
from gui.panels.noise.facts import LOSSES, TIPS, TRAIN, UNSEEN, controls_of_descent
from gui.panels.noise.page import Drawn, NoisePage
from gui.panels.noise.room import Room
from gui.plots.beside import Beside, Titled

TASKS = ("shared target", "random labels (control)")
RANKS = (Curve("0", "shared target", "purple"), Curve("1", "random labels", "grey"))


class DescentPage(NoisePage):
    """Two columns, the shared target and random labels; what is drawn of both is chosen where there is little room."""

    topic = "noise_descent"
    empty_text = "Not measured yet. It comes after the MaxLikelihood network, with the same samples."

    def making(self) -> Iterator[None]:
        theme = self.theme
        made: dict[str, list[Curves]] = {"Loss": [], "Accuracy": []}
        for what, task in product(made, TASKS):
            made[what].append(self._curves(what, task))
            yield
        self.losses, self.accuracies = map(tuple, made.values())
        self._chance = [plot.add_level() for plot in self.accuracies]
        self.rank = Curves(theme, "Effective rank of each layer, by gradient descent", RANKS, log=True)
        self.rank.set_axis_text("bottom", "layer")
        self._one = self.rank.add_level()
        yield
        self.lines = WorldLines(theme, "World lines of the network trained on the shared target", LOSSES[1:2])
        yield
        self._rank_titled, self._lines_titled = Titled("", self.rank), Titled("", self.lines)
        pairs = {
            "loss": Beside(
                [Titled(f"{task}: loss (1 − C)/2", plot) for task, plot in zip(TASKS, self.losses, strict=True)], [1, 1]
            ),
            "accuracy": Beside(
                [
                    Titled(f"{task}: accuracy, dashed chance", plot)
                    for task, plot in zip(TASKS, self.accuracies, strict=True)
                ],
                [1, 1],
            ),
            "layers": Beside([self._rank_titled, self._lines_titled], [1, 1]),
        }
        parts = [
            ("loss", "loss", "Loss against steps, with 95% intervals", pairs["loss"]),
            ("accuracy", "accuracy", "Share of samples with the right sign", pairs["accuracy"]),
            ("layers", "layers", "The trained network, layer by layer", pairs["layers"]),
        ]
        room = Room(theme, "Quantity", parts, least=(380, 120))
        self.build(room)

    def _curves(self, what: str, task: str) -> Curves:
        found = LOSSES if what == "Loss" else LOSSES[:2]
        plot = Curves(self.theme, f"{what} against steps of gradient descent, {task}", found, log=what == "Loss")
        plot.head = lambda x: f"step {x:,.0f}"
        plot.set_axis_text("bottom", "step")
        return plot

    # --- what is drawn -----------------------------------------------------------------------------------------

    def drawn(self) -> dict[str, tuple[Drawn, ...]]:
        return {"loss": self.losses, "accuracy": self.accuracies, "layers": (self.rank, self.lines)}

    def switched(self) -> dict[str, tuple[Drawn, ...]]:
        return {"loss": (*self.losses, *self.accuracies, self.lines)}

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        arrays, info = frame.arrays, frame.info
        steps = np.asarray(arrays["step"], float)
        across = (0.0, 1.02 * float(info["steps"]))
        losses = [{each.key: with_interval(arrays, f"{each.key}_loss", t) for each in LOSSES} for t in (0, 1)]
        known = np.concatenate([each for one in losses for three in one.values() for each in three if each is not None])
        known = known[np.isfinite(known) & (known > 0)]
        up = (float(known.min()), max(1.0, float(known.max()))) if len(known) else (0.1, 1.0)
        for task in (0, 1):
            self.losses[task].draw(steps, losses[task], across, up=up, least=up[0])
            right = {key: with_interval(arrays, f"{key}_accuracy", task) for key in (TRAIN, UNSEEN)}
            self.accuracies[task].draw(steps, right, across, up=(0.0, 1.0), levels={self._chance[task]: 0.5})
        self._draw_layers()
        self.strip.set_controls(controls_of_descent(frame))
        self.set_chips([("loss", [(each, TIPS[each.key]) for each in LOSSES])])
        self._say()

    def _draw_layers(self) -> None:
        assert self.frame is not None
        arrays, depth = self.frame.arrays, int(self.frame.info["depth"])
        if "effective_rank" in arrays:
            ranks = {each.key: with_interval(arrays, "effective_rank", int(each.key)) for each in RANKS}
            x = np.arange(arrays["effective_rank"].shape[1], dtype=float)
            self.rank.draw(x, ranks, (-0.05 * depth, 1.05 * depth), levels={self._one: 1.0})
        else:
            self.rank.forget()
        ranked = "" if "effective_rank" in arrays else ": once it is trained"
        self._rank_titled.title.set_text(f"effective rank exp S of unseen samples, dashed 1{ranked}")
        C = arrays["layer_C"][0] if "layer_C" in arrays else np.empty((1, 0))
        drawn = C[:, np.isfinite(C).all(0)]
        self.lines.draw({UNSEEN: drawn}, depth)
        waiting = "only where every layer is as wide as the target" if self.frame.info["done"] else "once it is trained"
        self._lines_titled.title.set_text(f"{TASKS[0]}: world lines" + ("" if drawn.size else f", {waiting}"))

    def _say(self) -> None:
        assert self.frame is not None
        arrays, info = self.frame.arrays, self.frame.info
        step = int(arrays["step"][-1])
        at = f"step {step:,}" if info["done"] else f"step {step:,} of {info['steps']:,}"
        self.summary = f"gradient descent · {at} · unseen loss {figure(float(arrays['unseen_loss'][0, -1]))}"
        self.caption.set_text(
            f"Measurement, no reconstruction: {info['depth']} linear layers of {info['width']:,}, {info['samples']:,} training and "
            f"{info['unseen']:,} unseen samples of the same noise, all samples at once. With one target for all, low loss on unseen "
            f"samples says no more than a constant predictor does; random labels are learnt, and mean nothing for unseen samples."
        )
        self.told()

    # --- export ------------------------------------------------------------------------------------------------

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every curve of both tasks."""
        if self.frame is None:
            return
        yield HEAD
        for plots in (self.losses, self.accuracies):
            for task, plot in zip(TASKS, plots, strict=True):
                yield from plot.rows(task)
        yield from self.rank.rows("trained network")

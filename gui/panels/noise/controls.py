"""Four controls that tell what "zero loss on unseen noise" means, each as a plot of its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from engine.experiments.rates import wilson
from gui.panels.noise.curves import HEAD, Curve, Curves, figure, least_of, with_interval
from gui.panels.noise.facts import EXACT, SERIES, TIPS, TRAIN, UNSEEN
from gui.panels.noise.page import Drawn, NoisePage
from gui.panels.noise.room import Room
from gui.plots.beside import Titled

LABELS = (Curve(TRAIN, "random labels: training", "blue"), Curve(UNSEEN, "random labels: unseen", "vermillion"))
LABEL_TIPS = {
    TRAIN: "Accuracy on as many training samples, with labels ±1 at random",
    UNSEEN: "The same network on unseen samples with random labels",
}


class ControlsPage(NoisePage):
    """Constant predictor, random labels, effective rank with three targets, and identity retrieval."""

    topic = "max_likelihood"
    empty_text = "Not measured yet. The controls are measured with the network, and stand beside it."

    def making(self) -> Iterator[None]:
        theme = self.theme
        self.constant = Curves(theme, "Unseen loss beside the constant predictor (reconstruction)", SERIES, log=True)
        yield
        self.labels = Curves(theme, "Accuracy on random labels (reconstruction)", LABELS, named=True)
        yield
        self.rank = Curves(theme, "Effective rank of both series (reconstruction)", SERIES, log=True)
        yield
        self.retrieval = Curves(theme, "Identity retrieval (reconstruction)", [*SERIES, EXACT])
        yield
        self._zero = self.constant.add_level("constant predictor: 0")
        self._chance = self.labels.add_level()
        self._one = self.rank.add_level()
        for plot in (self.constant, self.rank, self.retrieval):
            plot.set_axis_text("bottom", "layer")
        self.labels.set_axis_text("bottom", "samples m")
        titles = (
            ("constant", "constant", "A predictor that looks at nothing has the same loss", self.constant),
            (
                "labels",
                "labels",
                "Random labels: training against unseen accuracy, over the number of samples",
                self.labels,
            ),
            ("rank", "rank", "Outputs become one direction, so that three targets cannot be had", self.rank),
            ("retrieval", "retrieval", "How many items are still known by their outputs", self.retrieval),
        )
        self._titled = {key: Titled("", plot) for key, _, _, plot in titles}
        room = Room(theme, "Control", [(key, text, tip, self._titled[key]) for key, text, tip, _ in titles])
        self.build(room)

    # --- what is drawn -----------------------------------------------------------------------------------------

    def drawn(self) -> dict[str, tuple[Drawn, ...]]:
        return {
            "constant": (self.constant,),
            "labels": (self.labels,),
            "rank": (self.rank,),
            "retrieval": (self.retrieval,),
        }

    def switched(self) -> dict[str, tuple[Drawn, ...]]:
        return {"series": (self.constant, self.rank, self.retrieval), "labels": (self.labels,)}

    def redraw(self) -> None:
        frame = self.frame
        if frame is None:
            return
        arrays, info = frame.arrays, frame.info
        depth = int(info["depth"])
        x = np.arange(arrays["unseen_loss"].shape[1], dtype=float)
        across = (-0.02 * depth, 1.02 * depth)
        both = {
            name: {each.key: with_interval(arrays, name, int(each.key)) for each in SERIES}
            for name in ("unseen_loss", "effective_rank", "retrieval")
        }
        self._draw_constant(x, both["unseen_loss"], across)
        self.rank.draw(x, both["effective_rank"], across, levels={self._one: 1.0})
        if "retrieval_exact" in arrays:
            both["retrieval"][EXACT.key] = with_interval(arrays, "retrieval_exact", 0)
        self.retrieval.draw(x, both["retrieval"], across, up=(0.0, 1.0))
        sizes = [f"{size:,}" for size in arrays["label_samples"].tolist()]
        found = {}
        for key, name, counts in ((TRAIN, "train", arrays["label_samples"]), (UNSEEN, "test", int(info["unseen"]))):
            share = np.asarray(arrays[f"label_{name}"], float)
            found[key] = (share, *wilson(share * counts, counts))
        self.labels.head = lambda at: f"{sizes[round(at)]} samples"
        places = np.arange(len(sizes), dtype=float)
        wide = (-0.2, max(1.0, len(sizes) - 1) + 0.2)
        self.labels.draw(places, found, wide, up=(0.0, 1.0), levels={self._chance: 0.5}, names=sizes)
        self._name()
        series, labels = [(each, TIPS[each.key]) for each in SERIES], [(each, LABEL_TIPS[each.key]) for each in LABELS]
        exact = [(EXACT, TIPS[EXACT.key])] if "retrieval_exact" in arrays else []
        self.set_chips([("series", [*series, *exact]), ("labels", labels)])
        self._say()

    def _draw_constant(self, x: np.ndarray, losses: Any, across: tuple[float, float]) -> None:
        """The constant predictor's loss is exactly 0, which a logarithmic axis has not: it stands at the lower edge."""
        edge = min(least_of(mean) for mean, _, _ in losses.values()) / 100
        self.constant.draw(x, losses, across, up=(edge, 1.0), least=edge, levels={self._zero: edge})

    def _name(self) -> None:
        assert self.frame is not None
        info = self.frame.info
        targets = float(info["three_targets"])
        three = f"; 3 targets: accuracy {figure(targets)}" if math.isfinite(targets) else ""
        waiting = "" if len(self.frame.arrays["label_samples"]) else ": once the layers are there"
        said = {
            "constant": "unseen loss; a constant predictor has none",
            "labels": f"random labels: accuracy, 95% intervals, dashed chance{waiting}",
            "rank": f"effective rank, dashed 1{three}",
            "retrieval": "identity retrieved by the outputs (share)",
        }
        for key, text in said.items():
            self._titled[key].title.set_text(text)

    def _say(self) -> None:
        assert self.frame is not None
        self.summary = "reconstruction · what zero loss on unseen noise means"
        self.caption.set_text(
            "Reconstruction; measurement. A constant predictor has no loss either. Random labels are learnt as far as the rows "
            "go, and hold for no unseen sample: chance. All outputs become one direction, or its opposite. And yet the items are "
            "still told apart: by cosines until these round to 1, by distances longer."
        )
        self.told()

    # --- export ------------------------------------------------------------------------------------------------

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """Every curve of every control; of random labels the place is the number of samples."""
        if self.frame is None:
            return
        yield HEAD
        for plot in (self.constant, self.rank, self.retrieval):
            yield from plot.rows("both")
        sizes = self.frame.arrays["label_samples"]
        for row in self.labels.rows("random labels"):
            yield [*row[:3], int(sizes[round(row[3])]), *row[4:]]

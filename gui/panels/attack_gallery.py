"""An attack, sample by sample: what it was, what was added, what it became, and what the network says of both."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from engine.experiments.attack_curves import BEST, Parts, parts
from gui.panels.base import Panel
from gui.plots.axes import nice_step
from gui.plots.controls import NamedSlider
from gui.plots.images import difference, draw, fitted, mapped, picture
from gui.plots.stages import StageStrip
from gui.plots.tiles import Tiles, ink
from gui.selection import Selection
from gui.theme import Theme

if TYPE_CHECKING:
    from engine.events import Frame
    from engine.session.table import Table

GAP = 3  # pixels between the pictures of a card
SMALLEST = 84  # side of a picture below which a second line of cards is not begun
STRIP = 14  # height of a vector's strip


class GalleryPanel(Panel):
    """Cards of clean input, amplified perturbation and adversarial input, with predictions and confidence.

    ``step_requested(step)`` asks for another step of the attack; the answer comes back as a frame.
    """

    key = "gallery"
    title = "Adversarial gallery"
    tab = "Gallery"
    topics = ("gallery",)
    tables = ("attack",)
    empty_text = "No attack yet. Train a network, then press the button on the Attack step."

    step_requested = Signal(int)

    def __init__(self, selection: Selection, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(selection, theme, parent)
        self._frame_shown: Frame | None = None
        self._pictures: dict[tuple[int, int], QImage] = {}
        self._clean: dict[int, QImage] = {}
        self._reach = 1.0
        self._shared_scale: float | None = None  # of several galleries side by side
        self._last_step = 0
        self._course: Parts | None = None
        self.tiles = Tiles(theme, "Attacked samples", self._measure, self._paint)
        self.tiles.chosen.connect(self._on_chosen)
        self.tiles.hovered.connect(self._on_hover)
        self.names = _RowNames(self)
        self.tiles.verticalScrollBar().valueChanged.connect(self.names.update)
        self.tiles.laid_out.connect(self.names.update)
        self.slider = NamedSlider(theme, "step", "0000 / 0000")
        self.slider.moved.connect(self.step_requested)
        self.stages = StageStrip(theme, self.slider.slider)
        body = QWidget()
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        line = QHBoxLayout()
        line.setSpacing(2)
        line.addWidget(self.names)
        line.addWidget(self.tiles, 1)
        column.addLayout(line, 1)
        column.addWidget(self.slider)
        column.addWidget(self.stages)
        self.set_body(body)
        selection.sample_changed.connect(self._show_sample)

    # --- frames ------------------------------------------------------------------------------------------------

    def show_records(self, _name: str, table: Table) -> None:
        self._course = parts(table)
        self._show_step()

    def _show_step(self) -> None:
        """Where the slider stands, how far it goes, and which part of the attack that is."""
        frame, course = self._frame_shown, self._course
        if frame is None:
            return
        ended = course.best if course is not None else frame.step if _is_best(frame) else None
        recorded = course.last if course is not None else 0
        planned = int(frame.info.get("steps") or 0)
        self._last_step = max(self._last_step, planned, recorded, frame.step)
        if ended is not None and frame.step <= ended:
            # the best points found stand after the last step, and are none themselves
            text = "best found" if frame.step == ended else f"{frame.step} / {ended - 1}"
            self.slider.set_state(frame.step, ended, text)
        else:
            self.slider.set_state(frame.step, self._last_step, f"{frame.step} / {self._last_step}")
        self.stages.set_stages(course.stages if course is not None else ())

    def show_frame(self, frame: Frame) -> None:
        before = self._frame_shown
        self._frame_shown = frame
        if not len(frame.arrays["index"]):
            self.show_empty("This attack has no samples to show.")
            return
        if before is None or not _same_inputs(before, frame):
            self._clean.clear()
            self._last_step = 0
        self._pictures.clear()
        self._reach = self._shared_scale or self._full_scale(frame)
        shown = int(np.count_nonzero(frame.arrays["success"]))
        self.tiles.set_texts([f"Sample {index}" for index in frame.arrays["index"]])
        if before is None or before.arrays["x"].shape != frame.arrays["x"].shape:
            self.tiles.lay_out()
        self._show_sample(self.selection.sample)
        self.tiles.viewport().update()
        self.names.update()
        self._show_step()
        before = frame.info.get("success_before", 0.0)
        stage = str(frame.info.get("stage") or "")
        rate = f"{frame.info['success_rate']:.0%} of {frame.info['n_samples']:,} fooled"
        if before >= 0.005:
            rate += f" ({before:.0%} before the attack)"
        here = f"{shown} of the {len(frame.arrays['index'])} here"
        self.set_subtitle(" · ".join([*([stage] if stage else []), rate, here, f"perturbation {self.factor}"]))
        self.show_content()

    def clear(self) -> None:
        self._frame_shown = None
        self._pictures.clear()
        self._clean.clear()
        self._last_step = 0
        self._course = None
        self.stages.set_stages(())
        self.tiles.set_texts([])
        super().clear()

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.tiles.set_theme(theme)
        self.slider.set_theme(theme)
        self.stages.set_theme(theme)
        self.names.update()

    @property
    def factor(self) -> str:
        """How much the perturbation is amplified, as in "×10": the map's ends stand for ±1/10 of the input's unit."""
        return f"×{1 / self._reach:.3g}"

    @property
    def full_scale(self) -> float | None:
        """The perturbation, in input units, at the ends of the map, as suits this attack; None where there is none."""
        return None if self._frame_shown is None else self._full_scale(self._frame_shown)

    def set_full_scale(self, scale: float | None) -> None:
        """Draw perturbations on another scale, which galleries side by side share; None goes by the attack again."""
        self._shared_scale = scale
        if self._frame_shown is not None and (scale or self._full_scale(self._frame_shown)) != self._reach:
            self.show_frame(self._frame_shown)

    def _full_scale(self, frame: Frame) -> float:
        # L-inf: the ball's radius itself; otherwise a round number, so that it does not flicker from step to step
        eps = float(frame.info.get("eps") or 0.0)
        if frame.info.get("norm") == "Linf" and eps > 0:
            return eps
        delta = np.abs(frame.arrays["x_adv"] - frame.arrays["x"])
        finite = delta[np.isfinite(delta)]
        largest = float(finite.max()) if finite.size else 0.0
        return nice_step(largest) if largest > 0 else 1.0

    # --- selection ---------------------------------------------------------------------------------------------

    @Slot(int)
    def _on_chosen(self, row: int) -> None:
        if self._frame_shown is not None:
            self.selection.set_sample(int(self._frame_shown.arrays["index"][row]))

    @Slot(object)
    def _show_sample(self, sample: int | None) -> None:
        row = None
        if self._frame_shown is not None and sample is not None:
            where = np.flatnonzero(self._frame_shown.arrays["index"] == sample)
            row = int(where[0]) if len(where) else None
        self.tiles.set_chosen(row)

    # --- cards -------------------------------------------------------------------------------------------------

    @property
    def first(self) -> str:
        """What the attack began at: the clean samples, or noise."""
        frame = self._frame_shown
        return "noise" if frame is not None and frame.info.get("method") == "noise" else "clean"

    @property
    def is_image(self) -> bool:
        return self._frame_shown is not None and self._frame_shown.arrays["x"].ndim == 4

    def _text_height(self) -> int:
        return QFontMetrics(self.theme.font(self.theme.small)).height() + 1

    def _measure(self, room: QSize, _count: int, zoom: float) -> tuple[int, int]:
        text = self._text_height()
        if not self.is_image:
            return 1, round(3 * STRIP * zoom) + 2 * GAP + 8
        extra = 2 * text + 4 * GAP + 8
        lines = max(1, room.height() // (3 * SMALLEST + extra))
        side = (room.height() / lines - extra) / 3 * zoom
        side = max(36.0, min(side, room.width() / 2.5 * max(1.0, zoom)))
        columns = max(1, math.floor(room.width() / (side + 10)))
        # one card more, where that costs less than a sixth of the size
        if room.width() / (columns + 1) - 10 >= side * 0.84:
            columns += 1
        wide = room.width() // columns - 10
        high = round(3 * min(side, wide) + extra)
        # whole lines of cards, rather than a sliver of one more
        return columns, room.height() // lines if 0.8 * room.height() < high * lines <= room.height() else high

    def parts(self, card: QRect) -> tuple[QRect, QRect, QRect, QRect, QRect]:
        """Where a card's clean, perturbed and adversarial pictures and its two lines of text are."""
        text = self._text_height()
        if not self.is_image:
            high = (card.height() - 2 * GAP - 8) // 3
            wide = card.width() - 92
            strips = [QRect(card.left() + 5, card.top() + 4 + k * (high + GAP), wide, high) for k in range(3)]
            beside = [QRect(card.left() + wide + 12, strip.top(), 78, high) for strip in strips]
            return strips[0], strips[1], strips[2], beside[0], beside[2]
        side = (card.height() - 2 * text - 4 * GAP - 8) // 3
        left, top, wide = card.left() + 5, card.top() + 4, card.width() - 10
        clean = QRect(left, top, wide, side)
        said = QRect(left, clean.bottom() + 1, wide, text)
        delta = QRect(left, said.bottom() + 1 + GAP, wide, side)
        adversarial = QRect(left, delta.bottom() + 1 + GAP, wide, side)
        fooled = QRect(left, adversarial.bottom() + 1, wide, text)
        return clean, delta, adversarial, said, fooled

    def _picture(self, row: int, which: int) -> QImage:
        frame = self._frame_shown
        assert frame is not None
        store: dict[Any, QImage] = self._clean if which == 0 else self._pictures
        name: Any = row if which == 0 else (row, which)
        found = store.get(name)
        if found is None:
            x, x_adv = frame.arrays["x"][row], frame.arrays["x_adv"][row]
            if which == 1:
                found = difference(x_adv - x, self._reach)
            elif self.is_image:
                found = picture(x if which == 0 else x_adv)
            else:
                low, high = float(np.nanmin(frame.arrays["x"])), float(np.nanmax(frame.arrays["x"]))
                found = mapped(
                    (x if which == 0 else x_adv).reshape(1, -1), low, high if high > low else low + 1, "viridis"
                )
            store[name] = found
        return found

    def _paint(self, painter: QPainter, card: QRect, row: int) -> None:
        frame = self._frame_shown
        if frame is None or row >= len(frame.arrays["index"]):
            return
        clean, delta, adversarial, said, fooled = self.parts(card)
        for which, place in enumerate((clean, delta, adversarial)):
            image = self._picture(row, which)
            draw(painter, image, fitted(image.size(), place) if self.is_image else place)
        align = Qt.AlignmentFlag.AlignCenter if self.is_image else Qt.AlignmentFlag.AlignVCenter
        painter.setFont(self.theme.font(self.theme.small))
        ink(painter, self.theme.muted)
        painter.drawText(said, align, self.prediction(row, adversarial=False))
        success = bool(frame.arrays["success"][row])
        painter.setFont(self.theme.font(self.theme.small, bold=success))
        ink(painter, self.theme.group_colour("adv_target") if success else self.theme.muted)
        painter.drawText(fooled, align, self.prediction(row, adversarial=True))

    def prediction(self, row: int, *, adversarial: bool) -> str:
        """What the network says of a sample and how sure it is, as on the card: "7 · 98%"."""
        if self._frame_shown is None:
            return ""
        frame = self._frame_shown
        head = "" if adversarial else "clean_"
        confidence = float(frame.arrays[f"{head}confidence"][row])
        sure = f"{confidence:.0%}" if math.isfinite(confidence) else "?"
        return f"{self._class(frame.arrays[f'{head}prediction'][row])} · {sure}"

    def _class(self, number: int) -> str:
        assert self._frame_shown is not None
        classes = self._frame_shown.info["classes"]
        return str(classes[number]) if 0 <= number < len(classes) else "none"

    @Slot(int, QPoint)
    def _on_hover(self, row: int, at: QPoint) -> None:
        self.tiles.readout.say(self.describe(row), at)

    def describe(self, row: int) -> str:
        """What the readout says of a card."""
        frame = self._frame_shown
        if frame is None:
            return ""
        arrays = frame.arrays
        target = int(arrays["target"][row])
        first = int(arrays["first_success"][row])
        norm = {"Linf": "L∞"}.get(str(frame.info.get("norm")), str(frame.info.get("norm")))
        margin = f" · margin {arrays['margin'][row]:+.3g}".replace("-", "−") if "margin" in arrays else ""
        return "\n".join(
            (
                f"test sample {arrays['index'][row]} · true class {self._class(arrays['y'][row])}"
                + (f" · target {self._class(target)}" if target >= 0 else " · untargeted"),
                f"{self.first} {self.prediction(row, adversarial=False)}, adversarial {self.prediction(row, adversarial=True)}",
                f"{norm} norm {arrays['norm'][row]:.4g} · loss {arrays['loss'][row]:.4g}{margin}",
                f"fooled first at step {first}" if first >= 0 else "not fooled yet",
            )
        )

    # --- export ------------------------------------------------------------------------------------------------

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a sample: classes, predictions, confidences, success, loss and norm at the step shown."""
        frame = self._frame_shown
        if frame is None:
            return
        names = (
            "index", "y", "target", "clean_prediction", "clean_confidence", "prediction", "confidence",
            "success", "first_success", "loss", "norm",
        )  # fmt: skip
        names += ("margin",) if "margin" in frame.arrays else ()
        yield ["step", *names]
        for row in range(len(frame.arrays["index"])):
            yield [frame.step, *(frame.arrays[name][row].item() for name in names)]


class _RowNames(QWidget):
    """The names of the three pictures, upright beside each line of cards."""

    def __init__(self, panel: GalleryPanel) -> None:
        super().__init__()
        self._panel = panel
        self.setFixedWidth(16)

    def paintEvent(self, _event: QPaintEvent) -> None:
        panel, tiles = self._panel, self._panel.tiles
        if not tiles.count():
            return
        painter = QPainter(self)
        painter.setFont(panel.theme.font(panel.theme.small))
        ink(painter, panel.theme.muted)
        metrics = painter.fontMetrics()
        high = tiles.gridSize().height()
        lines = -(-tiles.count() // tiles.columns)
        top = -tiles.verticalOffset()
        words = (
            (panel.first, panel.first if panel.first != "clean" else "x"),
            (f"perturbation {panel.factor}", f"δ {panel.factor}"),
            ("adversarial", "x_adv"),
        )
        if not panel.is_image:
            words = (("x", "x"), ("δ", "δ"), ("x′", "x′"))
        for line in range(lines):
            if top + (line + 1) * high < 0 or top + line * high > self.height():
                continue
            places = panel.parts(QRect(0, top + line * high, tiles.gridSize().width(), high))[:3]
            for (long, short), place in zip(words, places, strict=True):
                if not panel.is_image:
                    painter.drawText(QRect(0, place.top(), 16, place.height()), Qt.AlignmentFlag.AlignVCenter, short)
                    continue
                text = long if metrics.horizontalAdvance(long) <= place.height() else short
                painter.save()
                painter.translate(0, place.bottom())
                painter.rotate(-90)
                painter.drawText(QRect(0, 0, place.height(), 16), Qt.AlignmentFlag.AlignCenter, text)
                painter.restore()


def _is_best(frame: Frame) -> bool:
    """Whether a frame is an attack's result, the best points found, rather than one of its steps."""
    return frame.info.get("stage") == BEST


def _same_inputs(a: Frame, b: Frame) -> bool:
    """Whether two frames show the same clean inputs, so that their pictures can be kept."""
    return (
        a.info.get("steps") == b.info.get("steps")
        and np.array_equal(a.arrays["index"], b.arrays["index"])
        and (a.arrays["x"] is b.arrays["x"] or np.array_equal(a.arrays["x"], b.arrays["x"]))
    )

"""What a frame tells of its cases: the facts of each in words, and the pictures that went in and came out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtGui import QImage

from gui.panels.reconcile.message import digits_of, picture_of
from gui.panels.reconcile.places import ROWS
from gui.panels.reconcile.words import TIPS, class_name, percent
from gui.plots.images import mapped, picture

if TYPE_CHECKING:
    from engine.events import Frame

NOTHING = "stays locked: nothing is returned"
ABSENT = "no such input: nothing was fed to the lock"


class Told:
    """Of a frame with cases."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @property
    def count(self) -> int:
        """How many cases there are."""
        return len(self.frame.info["cases"])

    def texts(self, k: int) -> dict[str, str]:
        """What stands in each row of a case."""
        case, n = self.frame.info["cases"][k], self.frame.info["code"]["n"]
        if self.given(k) is None:
            return dict.fromkeys(ROWS, "–") | {"returned": ABSENT}
        return {
            "input": "",
            "network thinks": f"{class_name(self.frame, int(case['seen']))} · {percent(case['confidence'], 2)}",
            "angle to reference": f"{case['angle']:.1f}°" if np.isfinite(case["angle"]) else "none: dead",
            "bits wrong": f"{case['wrong_code_bits']} of {n}" if case["wrong_code_bits"] >= 0 else "no hash",
            "predicted chance": percent(case["predicted"]),
            "returned": "opens: the image is returned" if self.image(k) is not None else NOTHING,
        }

    def describe(self, k: int) -> str:
        """All that is known of a case, in a few lines."""
        case, texts, info = self.frame.info["cases"][k], self.texts(k), self.frame.info
        if self.given(k) is None:
            return f"{case['name']}\n{case['sentence']}"
        return "\n".join(
            (
                f"{case['name']}, fed to the lock of class {class_name(self.frame, int(case['lock']))}",
                TIPS[k] if k < len(TIPS) else "",
                f"The network thinks {texts['network thinks']}",
                f"{texts['angle to reference']} to the reference: {percent(case['wrong_bits'], 1)} of {info['hash_bits']:,} signs differ",
                f"{texts['bits wrong']} bits wrong after the majority of {info['repetition']}; up to {case['corrects']} are corrected",
                f"Predicted chance {texts['predicted chance']}. {case['sentence']}",
            )
        )

    def image(self, k: int) -> QImage | None:
        """The image that came out; None where the check failed, and nothing may be shown."""
        pixels = self.frame.arrays["case_image"][k]
        opened = bool(self.frame.info["cases"][k]["recovered"]) and bool((pixels >= 0).all())
        return picture_of(pixels) if opened else None

    def given(self, k: int) -> QImage | None:
        """The picture of what was fed to the lock; None where there was no such input."""
        values = self.frame.arrays["case_input"][k]
        return self._picture(values) if np.isfinite(values).all() else None

    def before(self) -> QImage | None:
        """The noise that the fooling noise began with."""
        found = self.frame.arrays.get("case_before")
        return None if found is None or not found.size else self._picture(found)

    def _picture(self, values: np.ndarray) -> QImage:
        if values.ndim == 3:
            return picture(values)
        held = self.frame.arrays["case_input"]
        low, high = float(np.nanmin(held)), float(np.nanmax(held))
        return mapped(values.reshape(1, -1), low, high if high > low else low + 1, "viridis")

    @property
    def is_image(self) -> bool:
        """Whether inputs are images rather than vectors."""
        return bool(self.frame.arrays["case_input"].ndim == 4)

    def csv_rows(self) -> Iterable[Sequence[Any]]:
        """One row a case; the image that came out as hexadecimal digits, "" where nothing did."""
        names = (
            "name", "lock", "seen", "confidence", "angle", "wrong_bits", "wrong_code_bits", "corrects", "predicted", "recovered",
        )  # fmt: skip
        yield ["case", *names[1:], "image"]
        for k, case in enumerate(self.frame.info["cases"]):
            pixels = self.frame.arrays["case_image"][k]
            yield [*(case[name] for name in names), digits_of(pixels) if self.image(k) is not None else ""]

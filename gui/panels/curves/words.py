"""What is said of an attack: its curves, a sample at a step, all samples at a step, and how far it has come."""

from __future__ import annotations

import numpy as np

from gui.panels.curves.course import Course
from gui.plots.chips import Entry
from gui.theme import Theme

BROKEN, HELD, MEDIAN, CHOSEN = "broken", "held", "median", "chosen"


def summary(course: Course) -> str:
    """How many samples are broken, of those watched and of all."""
    parts, whole = [], course.whole
    if len(course.watched):
        parts.append(f"{int(course.broken.sum())} of {course.watched.samples} watched samples broken")
    if whole is not None and len(whole.step):
        parts.append(f"{whole.share[-1]:.1%} [{whole.low[-1]:.1%}, {whole.high[-1]:.1%}] of {whole.n:,}")
    return " · ".join(parts)


def legend(broken: np.ndarray, theme: Theme) -> list[Entry]:
    """The curves drawn; ``broken`` is which watched samples are."""
    return [
        Entry(
            BROKEN,
            f"broken ({int(broken.sum())})",
            theme.group_colour("adv_target"),
            "Watched samples broken at any step so far",
        ),
        Entry(HELD, f"not broken ({int((~broken).sum())})", theme.muted, "Watched samples not broken so far"),
        Entry(MEDIAN, "median", theme.text, "Median and quartiles over the watched samples at each step"),
        Entry(CHOSEN, "selected", theme.accent, "The sample chosen in any panel"),
    ]


def of_sample(course: Course, place: int, sample: int) -> str:
    """What the readout says of a watched sample at a step, both by their positions."""
    watched = course.watched
    margin, loss = (float(watched.values[name][place, sample]) for name in ("margin", "loss"))
    who = f"sample {course.index[sample]} (class {course.labels[sample]})" if sample < len(course.index) else ""
    first = int(watched.first_broken[sample])
    return "\n".join(
        (
            f"step {int(watched.step[place])}" + (f" · {who}" if who else ""),
            f"margin {margin:+.4g} · loss {loss:.4g}".replace("-", "−"),
            f"broken first at step {int(watched.step[first])}" if first >= 0 else "not broken",
        )
    )


def of_all(course: Course, place: int) -> str:
    """What the readout says of all samples at a step."""
    whole = course.whole
    if whole is None:
        return ""
    lines = [
        f"step {int(whole.step[place])}",
        f"broken so far {whole.share[place]:.1%} [{whole.low[place]:.1%}, {whole.high[place]:.1%}] of {whole.n:,}",
    ]
    if whole.before > 0:
        lines.append(f"before the attack {whole.before:.1%}")
    if np.isfinite(whole.smallest[place]):
        lines.append(f"median norm so far {whole.smallest[place]:.4g}")
    return "\n".join(lines)

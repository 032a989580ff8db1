"""Numbers in words, the same in every readout."""

from __future__ import annotations

import math

from engine.experiments import views


def signed(value: float, places: int = 3) -> str:
    """A number with its sign, "+0.472"; "undefined" for NaN, "±∞" at saturation."""
    if math.isnan(value):
        return "undefined"
    if math.isinf(value):
        return "+∞" if value > 0 else "−∞"
    return f"{value:+.{places}f}".replace("-", "−")


def reading(eta: float) -> str:
    """C, angle, rapidity and gamma of one rapidity, in one line; a dead pair is said to be undefined."""
    if math.isnan(eta):
        return "undefined: a feature vector is zero (dead)"
    found = {name: float(value) for name, value in views.readings(eta).items()}
    gamma = f"{found['gamma']:.3f}" if found["gamma"] < 1e4 else f"{found['gamma']:.2e}"
    return f"C {signed(found['C'])} · angle {math.degrees(found['angle']):.1f}° · η {signed(eta)} · γ {gamma}"


def figure(value: float | None, places: int = 3) -> str:
    """A number to so many places; "–" where there is none."""
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:.{places}f}".replace("-", "−")

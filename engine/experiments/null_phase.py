"""In which phase a network at initialisation is, in a sentence: where its pairs end, and how fast."""

from __future__ import annotations

import math

from engine.geometry.nulls import mean_field

NO_SIGNAL = 1e-6  # a settled mean square below this is none: the layers are linear on what is left


def phase_name(activation: str, sigma_w: float, sigma_b: float) -> str:
    """ordered, critical or chaotic; "" where there is no phase."""
    if activation not in mean_field.ACTIVATIONS:
        return ""
    try:
        settled = mean_field.fixed_variance(activation, sigma_w, sigma_b)
    except ValueError:
        return ""
    return "" if settled < NO_SIGNAL else mean_field.phase(activation, sigma_w, sigma_b).name


def phase_sentence(activation: str, sigma_w: float, sigma_b: float) -> str:
    """The phase of a smooth activation (tanh, erf, gelu) with these scales; "" for an activation that has none."""
    if activation not in mean_field.ACTIVATIONS:
        return ""
    head = f"With σ_w = {sigma_w:.4g} and σ_b = {sigma_b:.4g} "
    try:
        settled = mean_field.fixed_variance(activation, sigma_w, sigma_b)
    except ValueError:
        return head + "the mean square of the pre-activations grows without end, so there is no phase."
    if settled < NO_SIGNAL:
        return head + (
            "signals die out (q* = 0) and the layers become linear on what is left: pairs end at a correlation that depends "
            "on where they began, and there is no phase."
        )
    found = mean_field.phase(activation, sigma_w, sigma_b)
    ends = f"pairs end at c* = {found.c:.3g}"
    speed = "" if math.isinf(found.xi) else f", by a factor e in ξ = {found.xi:.3g} layers"
    return head + f"it is {found.name} (χ₁ = {found.chi1:.3g}): {ends}{speed}."

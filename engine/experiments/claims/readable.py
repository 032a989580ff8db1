"""The claim that a worst-case adversarial input can be turned into an output that is recognisable and robust."""

from __future__ import annotations

import math

import numpy as np

from engine.events import Frame
from engine.experiments.claims.judging import (
    ONE_NETWORK,
    Frames,
    Number,
    Unmeasured,
    Verdict,
    Word,
    above,
    given,
    judged,
    number,
    share,
)

READ = 0.5
"""Share of fooling noise that must be turned into the image."""
FOOLING, RAW, WRONG_LOCK = 0, 1, 3
KINDS = {FOOLING: "fooling noise", RAW: "raw noise", WRONG_LOCK: "fooling noise at another class's lock"}
HELPER = (
    "Every pixel comes from the helper data and the code; the noise contributes only the key, that the network takes it for this "
    "class."
)


def readable(frames: Frames) -> Verdict:
    """At most in part: what is recognised was put into the helper data."""
    frame, price = frames["reconciliation"], frames["price"]
    tap = int(frame.info["chosen"]["tap"])
    layer = frame.info["taps"][tap]["name"]
    fooling, raw, other = (_recovered(frame, kind, tap, f"{name} recovered, {layer}") for kind, name in KINDS.items())
    norm, robust = _until(frame)
    shown = (
        [Number("largest L2 norm of added noise tried at which half is recovered", norm)] if math.isfinite(norm) else []
    )
    impostor, hashes = _price(price)
    tried = int(frame.arrays["count"][FOOLING, tap])
    sure = share("noise of which the network became as sure as was asked", number(frame.info.get("fooled")), tried)
    uncentred, untrained = (
        share(label, number(frame.info.get(name)), tried)
        for name, label in (
            ("uncentred", "raw noise recovered with features not centred"),
            ("random_net", "fooling noise recovered by the untrained network"),
        )
    )

    def decide() -> tuple[Word, str]:
        if not given(sure.value) > 0:
            raise Unmeasured(
                "No noise fooled the network as surely as was asked: take a larger budget or less confidence."
            )
        if not above(fooling, raw) or not above(fooling, other):
            return "not supported", (
                "Fooling noise is turned into the image no more often than raw noise, or than at another class's lock. "
                f"{ONE_NETWORK}"
            )
        if not above(fooling, untrained):
            return "not supported", (
                f"The untrained network turns fooling noise into the image too, in {untrained.value:.0%} of cases: it isn't what was learnt "
                f"that opens the lock. {ONE_NETWORK}"
            )
        if given(fooling.value) < READ:
            return "not supported", (
                f"Fooling noise is turned into the image in {fooling.value:.0%} of cases only, more often than raw noise but less than "
                f"half. {ONE_NETWORK}"
            )
        bought = (
            f"Layers that entangle first end in admitting all alike: impostors open {impostor.value:.0%} then, and "
            f"{hashes.value:.0f} different hashes are left."
        )
        given(impostor.value)
        return "holds in part", (
            f"Recognisable, through the helper: {fooling.value:.0%} of the noise that was driven to a class gives the image ({sure.value:.0%} of "
            f"it made the network as sure as was asked), {raw.value:.0%} of raw noise. "
            f"{HELPER} {robust} {bought} {ONE_NETWORK}"
        )

    numbers = (fooling, sure, raw, other, untrained, uncentred, *shown, impostor, hashes)
    control = "raw noise, another class's lock, the untrained network, added noise, and the price of entangling"
    return judged(numbers, control, decide)


def _recovered(frame: Frame, kind: int, tap: int, label: str) -> Number:
    at = kind, tap
    return Number(label, *(float(frame.arrays[f"recovered{end}"][at]) for end in ("", "_low", "_high")))


def _until(frame: Frame) -> tuple[float, str]:
    """The largest norm of added noise before the first at which fewer than half are recovered, NaN for none; and in words."""
    norms = np.asarray(frame.arrays["robust_norm"], dtype=float)
    shares = np.asarray(frame.arrays["robust_share"], dtype=float)[FOOLING]
    order = np.argsort(norms)
    held = [float(norms[k]) for k in order[: _first(~(shares[order] >= READ))] if norms[k] > 0]
    if not held:
        return math.nan, "Robust it is not: the least noise added takes more than half away."
    after = [k for k in order if norms[k] > held[-1]]
    rest = f"at {norms[after[0]]:.3g} {shares[after[0]]:.0%}" if after else "no larger one was tried"
    return held[
        -1
    ], f"Of the norms of added noise that were tried, half or more is recovered up to {held[-1]:.3g}; {rest}."


def _first(failed: np.ndarray) -> int:
    """Position of the first True, or the length."""
    return int(failed.argmax()) if failed.any() else len(failed)


def _price(frame: Frame) -> tuple[Number, Number]:
    """Of the network's features, or else of zero-mean identities, behind all layers: impostors that open, and hashes left."""
    arrays = frame.arrays
    series = 2 if math.isfinite(float(arrays["impostor"][2, -1])) else 0
    layers, name = int(arrays["depth"][-1]), frame.info["series"][series]
    impostor = Number(
        f"impostors that open after {layers} layers, {name}",
        *(float(arrays[f"impostor{end}"][series, -1]) for end in ("", "_low", "_high")),
    )
    return impostor, Number(
        f"different hashes left then, of {frame.info['counts'][series]:,}", float(arrays["distinct"][series, -1])
    )

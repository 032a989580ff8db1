"""The claims on linear networks and noise: zero loss on unseen samples, and one shared point."""

from __future__ import annotations

import math
from statistics import NormalDist

from engine.events import Frame
from engine.experiments.claims.judging import (
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
from engine.experiments.rates import wilson

ZERO = 1e-6
"""Loss (1 - C)/2 up to which it may be called zero, and a sample be said to have arrived: an angle of 0.11 degrees."""
AS_THEY_ARE, CENTRED = 0, 1
RECONSTRUCTION = "The network is our reconstruction."


def _last(frame: Frame, name: str, series: int, label: str) -> Number:
    """A measurement behind the last layer."""
    return Number(label, *(float(frame.arrays[f"{name}{end}"][series, -1]) for end in ("", "_low", "_high")))


def _zero(loss: Number) -> bool:
    """Whether the whole interval may be called zero."""
    return max(given(end) for end in (loss.value, loss.low, loss.high)) <= ZERO


def noise(frames: Frames) -> Verdict:
    """At most in part: a predictor that sees nothing has the same zero loss."""
    frame = frames["max_likelihood"]
    unseen = _last(frame, "unseen_loss", AS_THEY_ARE, "loss of unseen samples")
    blind = _last(frame, "blind_loss", AS_THEY_ARE, "the same, blind to the sign")
    control = _last(frame, "unseen_loss", CENTRED, "loss of unseen samples, mean subtracted")
    constant = Number("loss of the constant predictor", float(frame.info["constant_loss"][AS_THEY_ARE]))
    sizes = [int(size) for size in frame.arrays["label_samples"]]
    labels = [
        share(f"random labels, {size} samples: accuracy on unseen ones", float(value), frame.info["unseen"])
        for size, value in zip(sizes, frame.arrays["label_test"], strict=True)
    ]

    def decide() -> tuple[Word, str]:
        if not _zero(blind):
            raise Unmeasured(
                f"After {frame.info['depth']} layers samples haven't arrived anywhere, so there is no loss to judge yet: take more layers, or "
                "more candidates for each row."
            )
        if not _zero(unseen):
            return "not supported", (
                f"Unseen samples arrive, but {_wrong(frame, AS_THEY_ARE):.0%} of them at the antipode: their loss is "
                f"{unseen.value:.2g}, not zero. {RECONSTRUCTION}"
            )
        if not labels or not all(math.isfinite(each.value) for each in labels):
            raise Unmeasured(
                "Random labels were not measured: this is the control without which zero loss says nothing."
            )
        mean = _without_mean(frame, control)
        # of several sizes some lie beyond chance by chance: the interval is widened to hold for all together (C. E. Bonferroni 1936)
        learnt = [each for each in labels if _beyond_chance(each.value, frame.info["unseen"], len(labels))]
        chance = (
            f"Labels at random are met on unseen samples beyond chance in {len(learnt)} of {len(labels)} sizes."
            if learnt
            else "Labels at random are met on unseen samples no better than by chance."
        )
        return "holds in part", (
            f"Zero loss on unseen samples of {frame.info['title']}, as claimed. But a predictor that sees nothing has it as well. {mean} {chance} "
            f"{RECONSTRUCTION}"
        )

    numbers = (unseen, blind, control, constant, *labels)
    return judged(numbers, "the mean subtracted, the constant predictor, and random labels", decide)


def _beyond_chance(accuracy: float, n: object, sizes: int) -> bool:
    count = number(n)
    return bool(wilson(accuracy * count, count, NormalDist().inv_cdf(1 - 0.025 / sizes))[0] > 0.5)


def _without_mean(frame: Frame, loss: Number) -> str:
    """What the control says of the samples' common mean."""
    if _zero(loss):
        return "With the mean subtracted it is zero too."
    blind = _last(frame, "blind_loss", CENTRED, "")
    where = (
        f"{_wrong(frame, CENTRED):.0%} end at the antipode"
        if _zero(blind)
        else f"samples arrive nowhere (sign-blind loss {blind.value:.2g})"
    )
    return f"It is the samples' common mean that does it: with the mean subtracted {where} and the loss is {given(loss.value):.2g}."


def shared_point(frames: Frames) -> Verdict:
    """Whether all samples arrive, whether at one point, and whether gradient descent brings them there too."""
    frame = frames["max_likelihood"]
    final, descent = frame.info["final"], frame.info["descent"]
    blind = [
        _last(frame, "blind_loss", series, f"sign-blind loss of unseen samples, {name}")
        for series, name in ((AS_THEY_ARE, "as they are"), (CENTRED, "mean subtracted"))
    ]
    wrong = [
        share(f"at the antipode, {name}", _wrong(frame, series), frame.info["unseen"])
        for series, name in ((AS_THEY_ARE, "as they are"), (CENTRED, "mean subtracted"))
    ]
    boost = Number(
        f"rapidity gained a layer (law: {number(frame.info['law']):.3f})",
        *(number(final.get(name)) for name in ("boost", "boost_low", "boost_high")),
    )
    trained = Number(
        "sign-blind loss of unseen samples by gradient descent",
        *(number(descent.get("shared", {}).get(f"blind_loss{end}")) for end in ("", "_low", "_high")),
    )

    def decide() -> tuple[Word, str]:
        if not above(boost, Number("none", 0.0, 0.0, 0.0)):
            return "not supported", (
                f"No layer brings samples nearer to each other beyond chance: without selection there's no contraction. {RECONSTRUCTION}"
            )
        if not _zero(blind[AS_THEY_ARE]):
            raise Unmeasured(
                f"Layers contract, but after {frame.info['depth']} of them samples as they are haven't arrived yet: take more layers."
            )
        descended = given(trained.value)
        by_descent = (
            "gradient descent brings them there too"
            if _zero(trained)
            else f"gradient descent leaves unseen samples at a sign-blind loss of {descended:.2g}"
        )
        if not _zero(blind[CENTRED]):
            return "holds in part", (
                f"As they are, samples arrive; with the mean subtracted they do not (sign-blind loss {blind[CENTRED].value:.2g} after "
                f"{frame.info['depth']} layers): it is their common mean that is shared; {by_descent}. {RECONSTRUCTION}"
            )
        split = [given(each.value) > 0 for each in wrong]
        if not any(split):
            word: Word = "holds" if _zero(trained) else "holds in part"
            return word, (
                f"All samples arrive at one point, with the mean subtracted as well; {by_descent}. {RECONSTRUCTION}"
            )
        where = (
            "As they are, all arrive at one point; with the mean subtracted"
            if not split[AS_THEY_ARE]
            else "They arrive at two opposite points: as they are"
        )
        antipode = wrong[AS_THEY_ARE if split[AS_THEY_ARE] else CENTRED].value
        return "holds in part", (
            f"Lengths contract by {boost.value:.2f} a layer (the law says {frame.info['law']:.2f}), and every sample arrives. "
            f"{where}, {antipode:.0%} are at the antipode: a line is shared, not a point; {by_descent}. {RECONSTRUCTION}"
        )

    numbers = (*blind, *wrong, boost, trained)
    return judged(numbers, "the mean subtracted, and the same target by gradient descent", decide)


def _wrong(frame: Frame, series: int) -> float:
    return float(frame.arrays["wrong_pole"][series, -1])

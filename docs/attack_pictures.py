"""Take the picture of each attack on docs/attacks.md: what it does to three digits, and how it goes with sixty.

``python -m docs.attack_pictures [METHOD ...]`` writes docs/pictures/attacks/METHOD.png, of all attacks if none is named.
The attacks are the lab's own, with short budgets, on a small network that it trains itself; seeds are fixed.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from docs.attack_course import Asked, Course, Lab, Seen, attacked, made_lab
from docs.attack_figure import (
    NORMS,
    Draw,
    before_after,
    distances,
    figure_of,
    means,
    members,
    perturbation,
    robustness,
    shares,
    transfer,
)
from engine.attacks import Iterate
from engine.attacks.tools.layers import seeing
from engine.specs import AttackSpec, AttackSpecBase, FixedBudgetSpec, variants

FOLDER = Path(__file__).parent / "pictures" / "attacks"
EPS = {"Linf": 0.1, "L2": 0.5, "L1": 1.5}
COLOURS = 128  # of a picture file


@dataclass(frozen=True)
class Case:
    """How an attack is shown: what is set in it, what is drawn at the right, and what is to be noted for that."""

    settings: dict[str, Any]
    draw: Draw = shares
    extra: Asked | None = None


STEPS = partial(shares, along="step")
LOOKS = partial(shares, along="looks at the model")
"""Of attacks that count these."""


def on_another(lab: Lab, target: Tensor | None) -> Seen:  # noqa: ARG001
    """Whether the other network sees another class than the true one."""

    def seen(iterate: Iterate) -> np.ndarray:
        with torch.no_grad():
            return (lab.other(iterate.x_adv).argmax(1) != lab.y).numpy().astype(float)

    return seen


def alike(lab: Lab, target: Tensor | None) -> Seen:
    """The centred correlation of the last hidden features with those of the target's and of the true class's examples."""
    model, (inputs, labels) = lab.model, lab.examples

    def features(x: Tensor) -> Tensor:
        with torch.no_grad(), seeing(model, "") as seen:
            model(x)
        return seen[0].flatten(1)

    known = features(inputs)
    centre = known.mean(0)
    known = torch.nn.functional.normalize(known - centre)
    assert target is not None

    def seen(iterate: Iterate) -> np.ndarray:
        correlation = torch.nn.functional.normalize(features(iterate.x_adv) - centre) @ known.T
        means = [
            torch.where(labels[None] == which[:, None], correlation, torch.nan).nanmean(1) for which in (target, lab.y)
        ]
        return torch.stack(means, 1).numpy()

    return seen


def confident(lab: Lab, target: Tensor | None) -> Seen:  # noqa: ARG001
    """The softmax probability of the target."""
    assert target is not None
    return lambda iterate: iterate.logits.softmax(1).gather(1, target[:, None]).numpy()


WHITE = {"alpha": 0.01, "steps": 20}
CASES: dict[str, Case] = {
    "fgsm": Case({}, before_after),
    "bim": Case(WHITE, STEPS),
    "pgd": Case({**WHITE, "restarts": 2}, STEPS),
    "apgd": Case({"loss": "dlr", "steps": 40}, STEPS),
    **{method: Case({}, transfer, on_another) for method in ("mi", "ni", "sini", "vmi")},
    "di": Case({"smallest": 0.7}, transfer, on_another),
    "ti": Case({"kernel": 3}, transfer, on_another),
    "autoattack": Case({}, members),
    "fast": Case({}, members),
    "sequence": Case(
        {"norm": "L2", "eps": 0.5, "apgd_t": False, "fab": True, "steps": 3, "queries": 500}, members
    ),
    "fab": Case({"steps": 20}, robustness),
    "fab-t": Case({"steps": 20}, robustness),
    "deepfool": Case({}, robustness),
    "cw": Case({"steps": 60, "searches": 5, "initial_const": 1.0, "learning_rate": 0.03}, robustness),
    "ddn": Case({"steps": 60}, robustness),
    "fmn": Case({"steps": 60}, robustness),
    "ead": Case({"steps": 60, "searches": 5, "initial_const": 10.0, "rule": "L1"}, robustness),
    "square": Case({"queries": 500}, LOOKS),
    "simba": Case({"eps": 0.5, "alpha": 0.1, "queries": 300}, LOOKS),
    "nes": Case({"queries": 1000, "alpha": 0.02}, LOOKS),
    "spsa": Case({"queries": 1500, "probes": 64, "alpha": 0.02}, LOOKS),
    **{method: Case({"queries": 1000}, distances) for method in ("boundary", "hopskipjump", "geoda", "surfree")},
    "jsma": Case({"gamma": 0.5}, robustness),
    "sigma-zero": Case({"steps": 60}, robustness),
    "one-pixel": Case({"pixels": 2, "population": 50, "generations": 20}, LOOKS),
    "sparse-rs": Case({"pixels": 4, "queries": 500}, LOOKS),
    "universal": Case({"eps": 0.25, "epochs": 10}, perturbation),
    "patch": Case({"size": 0.5, "target_class": 3}, perturbation),
    "feature": Case(
        {"eps": 0.3, "goal": "next"},
        partial(means, labels=("target class", "true class"), title="correlation with examples of the"),
        alike,
    ),
    "noise": Case(
        {"eps": 1.5, "steps": 40}, partial(means, labels=("",), title="confidence in the target, quartiles"), confident
    ),
}  # fmt: skip


def spec_of(method: str) -> AttackSpec:
    """The attack as it is shown, untargeted if it can be; raises ValidationError where the settings here are out of date."""
    kind: Any = variants("attack")[method]
    chosen = dict(CASES[method].settings)
    if issubclass(kind, FixedBudgetSpec) and "eps" not in chosen:
        chosen["eps"] = EPS[kind.model_fields["norm"].default]
    if "untargeted" in kind.model_fields["goal"].annotation.__args__ and "goal" not in chosen:
        chosen["goal"] = "untargeted"
    return kind(**chosen)  # type: ignore[no-any-return]


def title_of(course: Course) -> str:
    """What was done, and what came of it."""
    spec, result = course.spec, course.result
    budget = f", ε = {spec.eps:g}" if hasattr(spec, "eps") else ""
    found = f"{int(result.success.sum())} of {len(result.success)} broken"
    if spec.minimal:
        found += f", median {result.smallest.median():.3g}"
    cost = f"{result.forwards.double().mean():.0f} forward"
    if bool(result.gradients.any()):
        cost += f" and {result.gradients.double().mean():.0f} backward"
    goal = "" if spec.goal == "untargeted" else ", targeted"
    return f"{spec.title} · {NORMS[spec.norm]}{budget}{goal} · {found} · {cost} passes a sample"


def along_of(spec: AttackSpecBase) -> str:
    """What the curves are drawn against."""
    if spec.family == "Universal and physical":
        return "epoch"
    return "looks at the model" if spec.gradient_free else "step"


def take(lab: Lab, method: str) -> bytes:
    """The picture of one attack as a PNG file."""
    from PIL import Image

    case, spec = CASES[method], spec_of(method)
    course = attacked(lab, spec, case.extra)
    figure = figure_of(course, title_of(course), along_of(spec), case.draw)
    drawn, packed = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=100, facecolor="white")
    Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(packed, "png", optimize=True)
    return packed.getvalue()


def main(methods: list[str]) -> None:
    """Write the pictures."""
    torch.set_num_threads(1)
    lab = made_lab()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for method in methods or list(variants("attack")):
        began = perf_counter()
        picture = take(lab, method)
        (FOLDER / f"{method}.png").write_bytes(picture)
        sys.stdout.write(f"{method}: {len(picture) / 1000:.1f} kB, {perf_counter() - began:.1f} s\n")


if __name__ == "__main__":
    main(sys.argv[1:])

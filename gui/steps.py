"""What each step of the rail does: its forms, its action, and when its result is there and current."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from engine.errors import SessionError, SpecError
from engine.session import Run
from engine.specs import ExperimentSpec
from engine.sweep.points import Points

FORMS: dict[str, tuple[str, ...]] = {
    "data": ("experiment", "dataset"),
    "model": ("model",),
    "train": ("training", "hardening"),
    "attack": ("attack", "robustness"),
    "entangle": ("probe", "controls", "transfer", "max_likelihood", "reconcile"),
    "sweep": ("sweep",),
    "compare": (),
    "report": (),
}

# Parts that only one closer look uses: their form folds out below its command.
FOLDED = {
    "hardening": "run.hardening",
    "robustness": "run.robustness",
    "transfer": "run.transferability",
    "max_likelihood": "run.max_likelihood",
    "reconcile": "run.reconciliation",
}

# What a step's result depends on, and which experiments make it on their way.
DEPENDS: dict[str, tuple[str, ...]] = {
    "data": ("dataset",),
    "model": ("dataset", "model"),
    "train": ("dataset", "model", "training"),
    "attack": ("dataset", "model", "training", "attack"),
    "entangle": ("dataset", "model", "training", "attack", "probe"),
}
ORDER = tuple(DEPENDS)
# The last step that a closer look makes on its way, and the part of the experiment that its panel sets.
REACHES = {
    "story": "entangle",
    "decision_map": "attack",
    "class_matrix": "train",
    "attack_checks": "train",
    "robustness": "train",
    "takeover": "train",
    "falsifier": "data",  # its network has learnt other labels
    "null": "data",
    "layers": "train",
    "repeats": "train",
    "bell": "train",
    "structure": "train",
    "all_pairs": "train",
    "vulnerability": "data",  # their networks are a fleet of their own
    "transferability": "data",
    "complexity": "data",
    "max_likelihood": "data",
    "hardening": "data",  # its trainings are its own; a network of the settings as they are is kept by its name
    "reconciliation": "train",
    "price": "train",
    "kept_network": "model",  # it trains nothing
}
SET_BY_PANELS = ("map",)

# Panels that a step's result is seen in, brought to the front when it is run.
PANELS: dict[str, tuple[str, ...]] = {
    "data": ("dataset",),
    "model": ("model",),
    "train": ("training",),
    "attack": ("gallery", "profile"),
    "entangle": ("profile",),
    "sweep": ("sweep",),
    "compare": ("compare",),
}

# Commands offered below the form of a step: closer looks at its result.
LOOKS: dict[str, tuple[str, ...]] = {
    "train": ("run.hardening",),
    "attack": (
        "run.takeover",
        "run.falsifier",
        "run.decision_map",
        "run.class_matrix",
        "run.attack_checks",
        "run.robustness",
    ),
    "entangle": (
        "run.null",
        "run.layers",
        "run.repeats",
        "run.bell",
        "run.structure",
        "run.all_pairs",
        "run.vulnerability",
        "run.transferability",
        "run.complexity",
        "run.max_likelihood",
        "run.reconciliation",
        "run.price",
    ),
    "compare": ("view.side_by_side",),
}

DESCRIPTIONS = {
    "compare": "Every run of this session is kept with its settings. Choose two in the Compare panel: A, the baseline, is laid "
    "dotted under the entanglement profile, and what differs stands below. Side by side puts up to six runs and session files in "
    "columns.",
    "report": "One page with the settings, the numbers with their intervals, every figure as SVG and PNG, and the tables as CSV.",
}


def action(step: str, spec: ExperimentSpec) -> str:
    """What the step's big button says."""
    match step:
        case "data":
            return "Load data"
        case "model":
            return "Build network"
        case "train":
            epochs = spec.training.epochs
            return f"Train {epochs} epoch{'s' if epochs != 1 else ''}"
        case "attack":
            samples = spec.attack.samples
            return f"Attack {samples:,} sample{'s' if samples != 1 else ''}"
        case "entangle":
            return "Measure entanglement"
        case "sweep":
            return sweep_action(spec)
        case "compare":
            return "Show the runs"
        case "report":
            return "Write report…"
    raise KeyError(step)


def sweep_action(spec: ExperimentSpec) -> str:
    """What the big button of the sweep says."""
    try:
        n = len(Points(spec)) if spec.sweep.axes else 0
    except SpecError:
        n = 0
    return f"Run sweep of {n:,} point{'s' if n != 1 else ''}" if n else "Run sweep"


MAKES = {"weights": ("data", "model", "train"), "adversarial": ("data", "model", "train", "attack")}


def current_results(spec: ExperimentSpec, runs: Iterable[Run], kept: Collection[str] = ()) -> set[str]:
    """The steps whose result is in the session, made from exactly the settings as they stand.

    ``kept`` names the artifacts there are for these settings: a run that was stopped later has made them all the same.
    """
    done = {step for name in kept for step in MAKES.get(name, ())}  # a control's network is no step's result
    for run in runs:
        if run.status != "finished":
            continue
        try:
            made_with = run.read_spec()
        except SessionError:  # a run of another version: its results are never taken for current ones
            continue
        last = REACHES.get(run.experiment, run.experiment)
        reached = ORDER[: ORDER.index(last) + 1]
        done |= {step for step in reached if made_with.key(*DEPENDS[step]) == spec.key(*DEPENDS[step])}
    return done

"""The vocabulary: frozen, validated descriptions of what to do.

A parameter is written down here once, with its unit, range and one-line help; the form, the command line and
the TOML file are all made from :func:`parameters`. Nothing of the project is imported here, and no torch.

Every spec is immutable, compares by value, and round-trips through ``model_dump(mode="json")``. Construction
raises ``pydantic.ValidationError`` on a bad value; :mod:`engine.spec_files` turns that into a sentence.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ConfigDict, Field, model_validator

Norm = Literal["Linf", "L2"]
Goal = Literal["untargeted", "next", "random", "least-likely"]
Activation = Literal["relu", "leaky_relu", "tanh", "erf", "gelu"]
Init = Literal["he", "lecun", "sigma"]


def param(
    default: Any,
    help: str,
    *,
    label: str | None = None,
    unit: str = "",
    advanced: bool = False,
    widget: str = "",
    choices: dict[str, str] | None = None,
    **limits: Any,
) -> Any:
    """A spec field: a default, one line of help, and what the form shows (label, unit, names of the choices)."""
    shown: dict[str, Any] = {
        "label": label,
        "unit": unit,
        "advanced": advanced,
        "widget": widget,
        "choices": choices or {},
    }
    return Field(default=default, description=help, json_schema_extra=shown, **limits)


class Spec(BaseModel):
    """Base of all specs: frozen, no unknown fields, no NaN, defaults validated."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


# --- data ----------------------------------------------------------------------------------------------------


class DigitsSpec(Spec):
    """Handwritten digits, 8x8, embedded: 1,797 real scans of the UCI optical recognition set, by scikit-learn."""

    source: Literal["digits"] = "digits"
    test_fraction: float = param(0.25, "Share of the samples kept for testing", label="Test share", gt=0, lt=1)


class IdxSpec(Spec):
    """Images and labels in IDX files, plain or gzipped, as MNIST, Fashion-MNIST, KMNIST and EMNIST come."""

    source: Literal["idx"] = "idx"
    folder: str = param("", "Folder with the train-* and t10k-* (or test-*) IDX files", label="Folder", widget="folder")
    train_limit: int = param(0, "Training samples to use; 0 takes all", label="Training samples", ge=0, unit="0 = all")
    test_limit: int = param(0, "Test samples to use; 0 takes all", label="Test samples", ge=0, unit="0 = all")


class NoiseSpec(Spec):
    """Independent noise vectors with random labels: nothing to learn, everything to memorise."""

    features: int = param(64, "Length of each noise vector", label="Features", ge=2, le=100_000)
    classes: int = param(10, "Number of random labels", label="Classes", ge=2, le=1000)
    train_size: int = param(1024, "Training vectors drawn", label="Training samples", ge=2, le=1_000_000)
    test_size: int = param(
        512, "Test vectors drawn, independent of the training vectors", label="Test samples", ge=2, le=1_000_000
    )


class GaussianNoiseSpec(NoiseSpec):
    """Zero-mean unit Gaussian vectors with random labels; unbounded, so attacks on them have no box."""

    source: Literal["gaussian-noise"] = "gaussian-noise"


class UniformNoiseSpec(NoiseSpec):
    """Uniform vectors in [0, 1] with random labels; their mean is not zero, so any two start at C near 0.75."""

    source: Literal["uniform-noise"] = "uniform-noise"


DatasetSpec = Annotated[DigitsSpec | IdxSpec | GaussianNoiseSpec | UniformNoiseSpec, Field(discriminator="source")]

# --- model ---------------------------------------------------------------------------------------------------


class NetworkSpec(Spec):
    """What every built-in network has: its initialisation, its biases and its input normalisation."""

    init: Init = param(
        "he",
        "Scale of the initial Gaussian weights: variance sigma_w^2 / fan-in",
        label="Initialisation",
        advanced=True,
        choices={"he": "He (sigma_w^2 = 2)", "lecun": "LeCun (sigma_w^2 = 1)", "sigma": "sigma_w, sigma_b below"},
    )
    sigma_w: float = param(
        1.5, "Weight scale, used with the sigma initialisation", label="sigma_w", gt=0, le=100, advanced=True
    )
    sigma_b: float = param(
        0.05, "Bias scale, used with the sigma initialisation", label="sigma_b", ge=0, le=100, advanced=True
    )
    bias: bool = param(True, "Whether the linear maps have biases", label="Biases", advanced=True)
    normalise: Literal["standard", "none"] = param(
        "standard",
        "The model's first layer: subtract the training mean and divide by the training deviation, per channel",
        label="Input layer",
        choices={"standard": "standardise", "none": "as it is"},
        advanced=True,
    )


class LinearSpec(NetworkSpec):
    """A deep linear network: one linear map after another, nothing between them."""

    family: Literal["linear"] = "linear"
    depth: int = param(6, "Hidden linear layers before the output layer", label="Depth", ge=0, le=1000, unit="layers")
    width: int = param(128, "Units in each hidden layer", label="Width", ge=1, le=16384, unit="units")


class MlpSpec(NetworkSpec):
    """A multilayer perceptron: a linear map and an activation in each layer, then a linear output."""

    family: Literal["mlp"] = "mlp"
    depth: int = param(6, "Hidden layers before the output layer", label="Depth", ge=0, le=1000, unit="layers")
    width: int = param(128, "Units in each hidden layer", label="Width", ge=1, le=16384, unit="units")
    activation: Activation = param(
        "relu",
        "Non-linearity after each hidden linear map",
        label="Activation",
        choices={"relu": "ReLU", "leaky_relu": "leaky ReLU (0.01)", "tanh": "tanh", "erf": "erf", "gelu": "GELU"},
    )


class CnnSpec(NetworkSpec):
    """A small convolutional network: 3x3 convolutions, halved in size after each, then one hidden linear layer."""

    family: Literal["cnn"] = "cnn"
    depth: int = param(
        2,
        "Convolution layers, each followed by the activation and 2x2 mean pooling",
        label="Convolutions",
        ge=1,
        le=6,
        unit="layers",
    )
    channels: int = param(
        16, "Channels of the first convolution; doubled in each further one", label="Channels", ge=1, le=512
    )
    width: int = param(128, "Units in the hidden linear layer", label="Width", ge=1, le=16384, unit="units")
    activation: Activation = param(
        "relu",
        "Non-linearity after each convolution and hidden linear map",
        label="Activation",
        choices={"relu": "ReLU", "leaky_relu": "leaky ReLU (0.01)", "tanh": "tanh", "erf": "erf", "gelu": "GELU"},
    )


ModelSpec = Annotated[LinearSpec | MlpSpec | CnnSpec, Field(discriminator="family")]

# --- training ------------------------------------------------------------------------------------------------


class TrainingSpec(Spec):
    """Cross-entropy training by mini-batches, reshuffled every epoch."""

    optimizer: Literal["adam", "sgd"] = param(
        "adam", "Update rule", label="Optimizer", choices={"adam": "Adam", "sgd": "SGD with momentum"}
    )
    learning_rate: float = param(0.001, "Step size of the optimizer", label="Learning rate", gt=0, le=100)
    momentum: float = param(0.9, "Momentum of SGD; Adam does not use it", label="Momentum", ge=0, lt=1, advanced=True)
    weight_decay: float = param(0.0, "L2 penalty on the weights", label="Weight decay", ge=0, le=10, advanced=True)
    batch_size: int = param(64, "Samples in each step", label="Batch size", ge=1, le=65536)
    epochs: int = param(20, "Passes over the training samples", label="Epochs", ge=1, le=100_000)


# --- attack --------------------------------------------------------------------------------------------------


class BaseAttackSpec(Spec):
    """What every attack of a fixed budget has."""

    norm: Norm = param("Linf", "Norm that bounds the perturbation", label="Norm", choices={"Linf": "L∞", "L2": "L2"})
    eps: float = param(
        0.1, "Radius of the ball around each sample, in input units", label="ε", unit="input units", ge=0, le=1000
    )
    goal: Goal = param(
        "next",
        "What counts as success: any wrong class, or one chosen class",
        label="Goal",
        choices={
            "untargeted": "untargeted: any other class",
            "next": "targeted: y + 1",
            "random": "targeted: a random other class",
            "least-likely": "targeted: the least likely class",
        },
    )
    samples: int = param(300, "Test samples attacked, balanced over the classes", label="Samples", ge=1, le=100_000)


class FgsmSpec(BaseAttackSpec):
    """Fast gradient sign method: one step to the edge of the ball (Goodfellow, Shlens & Szegedy 2015)."""

    method: Literal["fgsm"] = "fgsm"


class PgdSpec(BaseAttackSpec):
    """Projected gradient descent: steps of size alpha, projected onto the ball and the input range (Madry et al. 2018)."""

    method: Literal["pgd"] = "pgd"
    alpha: float = param(0.01, "Size of each step, in input units", label="Step α", unit="input units", gt=0, le=1000)
    steps: int = param(40, "Gradient steps in each restart", label="Steps", ge=1, le=10_000)
    random_start: bool = param(
        True, "Begin at a random point of the ball instead of at the sample", label="Random start"
    )
    restarts: int = param(1, "Independent runs; each sample keeps its best", label="Restarts", ge=1, le=1000)

    @model_validator(mode="after")
    def _restarts_need_randomness(self) -> PgdSpec:
        if self.restarts > 1 and not self.random_start:
            raise ValueError("restarts above 1 need a random start: without one every restart is the same run")
        return self


AttackSpec = Annotated[FgsmSpec | PgdSpec, Field(discriminator="method")]

# --- probe ---------------------------------------------------------------------------------------------------


class ProbeSpec(Spec):
    """Which features are compared, how often, and with what statistics."""

    samples: int = param(
        128, "Test samples whose features are compared, balanced over the classes", label="Probe samples", ge=4, le=512
    )
    reference: int = param(
        512,
        "Training samples that give the mean for centring and stand for their class, balanced over the classes",
        label="Reference samples",
        ge=4,
        le=100_000,
    )
    bootstrap: int = param(
        1000,
        "Bootstrap resamples of the inputs for each 95% band of the final measurement",
        label="Bootstrap",
        ge=50,
        le=100_000,
    )
    pairs: int = param(
        60, "World lines drawn in the spacetime diagram, shared among the groups", label="World lines", ge=2, le=2000
    )
    budget: float = param(
        0.03,
        "Largest share of training time that live probing may take",
        label="Probe budget",
        unit="of training time",
        gt=0,
        le=1,
        advanced=True,
    )
    every: int = param(
        0,
        "Training steps between probes; 0 chooses by the budget",
        label="Probe every",
        unit="steps, 0 = auto",
        ge=0,
        le=1_000_000,
        advanced=True,
    )


# --- the experiment ------------------------------------------------------------------------------------------


class ExperimentSpec(Spec):
    """Everything one experiment needs: data, model, training, attack and probe, with one seed for all randomness."""

    title: str = param("Untitled", "Name shown in the window and on the report", label="Title", max_length=200)
    seed: int = param(0, "The one seed from which every generator is derived", label="Seed", ge=0, lt=2**63)
    threads: int = param(
        1,
        "CPU threads torch computes with; equal counts give equal numbers, bit for bit",
        label="Threads",
        ge=1,
        le=256,
        advanced=True,
    )
    dataset: DatasetSpec = DigitsSpec()
    model: ModelSpec = MlpSpec()
    training: TrainingSpec = TrainingSpec()
    attack: AttackSpec = PgdSpec()
    probe: ProbeSpec = ProbeSpec()

    def key(self, *parts: str) -> str:
        """A fingerprint of the named parts with seed and threads: results with equal keys are equal results."""
        picked = {name: getattr(self, name).model_dump(mode="json") for name in parts}
        text = json.dumps([self.seed, self.threads, picked], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


# --- what forms and the command line read ---------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """One field of a spec as a form or a command line shows it."""

    name: str
    label: str
    kind: Literal["bool", "int", "float", "str", "choice"]
    default: Any
    help: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    advanced: bool = False
    widget: str = ""

    @property
    def range_text(self) -> str:
        """The allowed values in words, for help and errors."""
        if self.kind == "choice":
            return " | ".join(value for value, _ in self.choices)
        low = "" if self.minimum is None else f"{'>' if self.exclusive_minimum else '>='} {self.minimum:g}"
        high = "" if self.maximum is None else f"{'<' if self.exclusive_maximum else '<='} {self.maximum:g}"
        return ", ".join(part for part in (low, high) if part)


def parameters(spec: type[Spec]) -> tuple[Parameter, ...]:
    """The editable fields of a spec class, in order; nested specs and the discriminator are left out."""
    return tuple(_parameters(spec))


def variants(part: str) -> dict[str, type[Spec]]:
    """The spec classes that may stand for a part of the experiment, by discriminator value, in order.

    ``variants("dataset")`` gives ``{"digits": DigitsSpec, ...}``; a part with one class gives ``{"": cls}``.
    """
    annotation = ExperimentSpec.model_fields[part].annotation
    discriminator = ExperimentSpec.model_fields[part].discriminator
    classes = get_args(annotation) or (annotation,)
    if not isinstance(discriminator, str):
        return {"": classes[0]}
    return {cls.model_fields[discriminator].default: cls for cls in classes}


def discriminator(part: str) -> str:
    """The name of the field that tells a part's variants apart (``source``, ``family``, ``method``), or ''."""
    found = ExperimentSpec.model_fields[part].discriminator
    return found if isinstance(found, str) else ""


PARTS: tuple[str, ...] = ("dataset", "model", "training", "attack", "probe")


def _parameters(spec: type[Spec]) -> Iterator[Parameter]:
    for name, field in spec.model_fields.items():
        shown = field.json_schema_extra
        if not isinstance(shown, dict):
            continue
        names: Any = shown.get("choices") or {}
        limits: dict[str, Any] = {}
        for rule in field.metadata:
            match rule:
                case Ge(ge=v):
                    limits["minimum"] = v
                case Gt(gt=v):
                    limits.update(minimum=v, exclusive_minimum=True)
                case Le(le=v):
                    limits["maximum"] = v
                case Lt(lt=v):
                    limits.update(maximum=v, exclusive_maximum=True)
        is_choice = get_origin(field.annotation) is Literal
        kinds: dict[Any, Any] = {bool: "bool", int: "int", float: "float", str: "str"}
        yield Parameter(
            name=name,
            label=str(shown.get("label") or name),
            kind="choice" if is_choice else kinds[field.annotation],
            default=field.default,
            help=field.description or "",
            unit=str(shown.get("unit") or ""),
            choices=tuple((v, names.get(v, v)) for v in get_args(field.annotation)) if is_choice else (),
            advanced=bool(shown.get("advanced")),
            widget=str(shown.get("widget") or ""),
            **limits,
        )

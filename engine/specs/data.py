"""Where samples come from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from engine.specs.base import Spec, param


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

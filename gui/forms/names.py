"""What the forms call things that the specs only name by their key, and which fields matter when."""

from __future__ import annotations

# What the chooser of a part's variants is called.
CHOOSERS = {"dataset": "Source", "model": "Family", "attack": "Method"}

VARIANTS = {
    "digits": "Handwritten digits",
    "idx": "MNIST family (IDX files)",
    "gaussian-noise": "Gaussian noise",
    "uniform-noise": "Uniform noise",
    "linear": "Deep linear",
    "mlp": "MLP",
    "cnn": "CNN",
    "fgsm": "FGSM",
    "pgd": "PGD",
}

# A field that is only used while another has one value; greyed out otherwise.
USED_WHEN = {
    "momentum": ("optimizer", "sgd"),
    "sigma_w": ("init", "sigma"),
    "sigma_b": ("init", "sigma"),
}

SYMBOLS = {"sigma_w": "σ_w", "sigma_b": "σ_b"}


def variant_name(key: str) -> str:
    """The name of a variant as a person reads it."""
    return VARIANTS.get(key) or (key.upper() if len(key) <= 4 else key.replace("-", " ").replace("_", " ").capitalize())

"""What the forms call things that the specs only name by their key, and which fields matter when."""

from __future__ import annotations

from engine.catalogue import attacks

# What the chooser of a part's variants is called.
CHOOSERS = {"dataset": "Source", "model": "Family", "attack": "Method", "training": "Method"}

VARIANTS = {
    "digits": "Digits, 8 × 8",
    "idx": "IDX files",
    "gaussian-noise": "Gaussian noise",
    "uniform-noise": "Uniform noise",
    "linear": "Deep linear",
    "mlp": "MLP",
    "cnn": "CNN",
    **{attack.method: attack.title for attack in attacks()},
}
TRAININGS = {
    "standard": "Standard",
    "pgd-at": "PGD-AT",
    "trades": "TRADES",
    "fast": "Fast AT",
}

# A field that is only used while another has one value; greyed out otherwise.
USED_WHEN = {
    "momentum": ("optimizer", "sgd"),
    "sigma_w": ("init", "sigma"),
    "sigma_b": ("init", "sigma"),
    "points": ("mode", "random"),
}

AS_SPELLED = {"tanh", "erf", "y", "x", "p", "float32", "bfloat16"}  # names that mathematics writes small


def pretty(text: str) -> str:
    """A label or the name of a choice as it is shown: with Greek letters, and a capital where it begins with a word."""
    shown = text.replace("sigma_", "σ_").replace("^2", "²")
    first = shown.split(" ")[0].rstrip(":,")
    is_word = first.isascii() and first.replace("-", "").isalpha() and first not in AS_SPELLED
    return shown[:1].upper() + shown[1:] if is_word else shown


def variant_name(key: str, part: str = "") -> str:
    """The name of a variant as a person reads it; variants of the training have names that attacks have too."""
    return (TRAININGS if part == "training" else VARIANTS).get(key) or (
        key.upper() if len(key) <= 4 else key.replace("-", " ").replace("_", " ").capitalize()
    )

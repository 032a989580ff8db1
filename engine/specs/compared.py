"""What is compared between networks: trainings, attacks at many budgets, and attacks shown to other networks."""

from __future__ import annotations

from typing import Literal

from engine.specs.base import Spec, param

NORMS = {"Linf": "L∞", "L2": "L2"}


class HardeningSpec(Spec):
    """Trainings set beside the standard one from the same initial weights: adversarial ones, and the baselines they must beat."""

    pgd_at: bool = param(True, "Adversarial training with PGD (Madry et al. 2018)", label="PGD-AT")
    trades: bool = param(True, "TRADES (Zhang et al. 2019)", label="TRADES")
    fast: bool = param(True, "One FGSM step from a random start (Wong et al. 2020)", label="Fast AT")
    smoothing: bool = param(True, "Standard training with smoothed labels, a baseline", label="Label smoothing")
    noise: bool = param(True, "Standard training on noisy inputs, a baseline", label="Noisy inputs")
    norm: Literal["Linf", "L2"] = param(
        "Linf", "How the size of a perturbation is measured", label="Norm", choices=NORMS
    )
    eps: float = param(
        0.1, "Largest perturbation that is trained against", label="ε", unit="input units", gt=0, le=1000
    )
    steps: int = param(7, "Steps of PGD in PGD-AT and TRADES", label="PGD steps", ge=1, le=1000)
    beta: float = param(6.0, "Weight of the divergence in TRADES", label="β", ge=0, le=1000, advanced=True)
    label_smoothing: float = param(
        0.1, "Share of each label spread over all classes in the baseline", label="Smoothing", gt=0, lt=1, advanced=True
    )
    input_noise: float = param(
        0.1, "Deviation of the noise in the baseline", label="Noise", unit="input units", gt=0, le=100, advanced=True
    )


class RobustnessSpec(Spec):
    """Robust accuracy against eps: which attacks, up to which budget, and on which networks."""

    norm: Literal["Linf", "L2"] = param(
        "Linf", "How the size of a perturbation is measured", label="Norm", choices=NORMS
    )
    eps: float = param(0.4, "Largest budget of the curve", label="Largest eps", unit="input units", gt=0, le=1000)
    budgets: int = param(9, "Budgets from 0 to the largest at which every attack is run", label="Budgets", ge=3, le=100)
    samples: int = param(200, "Test samples attacked, balanced over the classes", label="Samples", ge=10, le=10_000)
    steps: int = param(40, "Steps of the iterative attacks", label="Steps", ge=1, le=10_000)
    queries: int = param(500, "Queries of the black-box attack for each sample", label="Queries", ge=10, le=1_000_000)
    noise: bool = param(True, "Random noise of the same size: the control", label="Random noise")
    fgsm: bool = param(True, "One gradient step", label="FGSM")
    pgd: bool = param(True, "Projected gradient descent", label="PGD")
    apgd: bool = param(True, "APGD on the cross-entropy", label="APGD")
    minimal: bool = param(True, "An attack that looks for the smallest perturbation (FMN)", label="Smallest norm")
    square: bool = param(True, "A black-box attack without gradients", label="Square")
    transferred: bool = param(True, "PGD made on a network trained from another seed", label="Transfer")
    hardened: bool = param(
        False, "Draw the curves of every training of the hardening settings as well", label="Other trainings"
    )


class TransferSpec(Spec):
    """Which attacks are made on each network of the fleet and shown to all others."""

    norm: Literal["Linf", "L2"] = param("L2", "How the size of a perturbation is measured", label="Norm", choices=NORMS)
    eps: float = param(
        0.0,
        "Budget of every attack; 0 takes twice the median smallest perturbation",
        label="ε",
        unit="input units",
        ge=0,
        le=1000,
    )
    steps: int = param(40, "Steps of the iterative attacks", label="Steps", ge=1, le=10_000)
    fgsm: bool = param(True, "One gradient step", label="FGSM")
    pgd: bool = param(True, "Projected gradient descent; what similarity is related to first", label="PGD")
    mi: bool = param(True, "Momentum iterative FGSM, made to transfer", label="MI-FGSM")
    vmi: bool = param(False, "Variance-tuned momentum, made to transfer", label="VMI-FGSM")
    noise: bool = param(True, "Random noise of the same size: the control", label="Random noise")

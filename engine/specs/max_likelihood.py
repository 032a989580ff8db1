"""How a MaxLikelihood network is built, and the gradient descent that stands beside it."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from engine.specs.base import Spec, param


class MaxLikelihoodSpec(Spec):
    """Overparameterised linear networks on noise: rows kept by likelihood (our reconstruction), and gradient descent beside it."""

    candidates: int = param(
        4096,
        "Random rows drawn for each layer, of which the most likely are kept; N",
        label="Candidates N",
        unit="rows",
        ge=1,
        le=100_000_000,
    )
    rows: int = param(64, "Rows that each layer keeps, its width; n", label="Rows n", unit="rows", ge=2, le=4096)
    depth: int = param(20, "Layers, one after another", label="Depth L", unit="layers", ge=1, le=1000)
    likelihood: Literal["probit", "sum", "violations"] = param(
        "probit",
        "What a row is ranked by: the likelihood that all samples collide, or one of its two limits",
        label="Likelihood",
        choices={
            "probit": "probit: Σ log Φ(r·x / τ)",
            "sum": "τ → ∞: |r·Σ x|",
            "violations": "τ → 0: least Σ (r·x)² on the wrong side",
        },
    )
    temperature: float = param(
        0.3,
        "τ of the probit: small demands a collision of every sample, large asks for the sum alone",
        label="Temperature τ",
        gt=0,
        le=1e6,
    )
    samples: int = param(
        32, "Training samples that the rows are chosen by; m", label="Training samples", ge=1, le=100_000
    )
    unseen: int = param(1000, "Test samples that no row has seen", label="Unseen samples", ge=2, le=100_000)
    descent_depth: int = param(
        4,
        "Linear layers of the network that gradient descent trains to the same target",
        label="Depth, by descent",
        unit="layers",
        ge=1,
        le=100,
        advanced=True,
    )
    descent_steps: int = param(
        1000, "Steps of gradient descent (Adam, all samples at once)", label="Steps", ge=1, le=100_000, advanced=True
    )
    descent_rate: float = param(
        0.001, "Learning rate of that descent", label="Learning rate", gt=0, le=100, advanced=True
    )

    @model_validator(mode="after")
    def _fewer_rows_than_candidates(self) -> MaxLikelihoodSpec:
        if self.rows > self.candidates:
            raise ValueError(
                f"{self.rows:,} rows cannot be kept of {self.candidates:,} candidates: draw at least as many candidates "
                "as rows"
            )
        return self

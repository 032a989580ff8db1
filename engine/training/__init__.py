"""Training, as generators of steps."""

from engine.training.evaluate import Evaluation, evaluate
from engine.training.fit import StepResult, fit
from engine.training.overfitting import Check
from engine.training.withstanding import withstanding

__all__ = ["Check", "Evaluation", "StepResult", "evaluate", "fit", "withstanding"]

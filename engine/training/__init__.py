"""Training loops, as generators of steps."""

from engine.training.evaluate import Evaluation, evaluate
from engine.training.fit import StepResult, fit

__all__ = ["Evaluation", "StepResult", "evaluate", "fit"]

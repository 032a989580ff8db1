"""Architectures by name, and the taps at which their layers are observed."""

from engine.models.arrays import load_arrays, parameter_count, weights_to_arrays
from engine.models.build import build
from engine.models.network import Network, Tap
from engine.models.observe import eval_mode, observe

__all__ = [
    "Network",
    "Tap",
    "build",
    "eval_mode",
    "load_arrays",
    "observe",
    "parameter_count",
    "weights_to_arrays",
]

"""Where samples come from, one file a source. Images are float32 ``[N, C, H, W]`` in [0, 1], vectors ``[N, D]``."""

from engine.data.dataset import Dataset
from engine.data.loading import load
from engine.data.sampling import balanced_order
from engine.generators import drain

__all__ = ["Dataset", "balanced_order", "drain", "load"]

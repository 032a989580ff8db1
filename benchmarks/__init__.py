"""Measured figures, each a ratio against a stated limit or peer, taken in one interleaved run."""

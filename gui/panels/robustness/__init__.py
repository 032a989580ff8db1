"""Robust accuracy against eps, the norms that break samples, and signs that gradients mislead."""

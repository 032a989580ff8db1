"""Robust accuracy against eps: one network and several attacks at many budgets, the worst case, and signs of masked gradients."""

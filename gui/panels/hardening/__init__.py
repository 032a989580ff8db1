"""Adversarial trainings beside standard training: one column a training."""

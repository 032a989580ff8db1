"""Sweeps: one experiment at many settings, computed by many processes, kept in one file that a crash does not lose.

Nothing here imports torch but :mod:`engine.sweep.measure`, which only workers load.
"""

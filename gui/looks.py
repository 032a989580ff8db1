"""The looks that are commands of their own, and the panel that draws each."""

from __future__ import annotations

LOOK_PANELS = {
    "robustness": "robustness",
    "takeover": "takeover",
    "falsifier": "takeover",
    "null": "profile",
    "layers": "profile",
    "repeats": "profile",
    "bell": "bell",
    "structure": "structure",
    "all_pairs": "all_pairs",
    "vulnerability": "relations",
    "transferability": "relations",
    "complexity": "complexity",
    "max_likelihood": "noise",
    "reconciliation": "reconcile",
    "price": "reconcile",
    "hardening": "hardening",
}
"""Looks that need nothing but the settings, and the panel that draws each."""

"""Complexity as spacetime: what width and depth do to pairs by law, in untrained networks, and in a fleet of trained ones."""

"""The board of claims: each with what tests it, its verdict and its numbers."""

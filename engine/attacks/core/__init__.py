"""How an attack runs: batches in step, the best points, iterates, the result; and what is checked before it begins."""

"""Features as keys: cosine hashing, the MaxLikelihood network (our reconstruction), and information reconciliation."""

"""Linear networks on noise: the MaxLikelihood network (our reconstruction), its controls, and gradient descent beside it."""

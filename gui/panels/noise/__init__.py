"""Deep linear networks on noise: the MaxLikelihood network (a reconstruction), gradient descent, and their controls."""

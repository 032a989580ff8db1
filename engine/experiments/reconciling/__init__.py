"""Features reconciled with a message: the lock and what opens it, success against the angle, and the price of entangling first."""

"""How an attack went, step by step: each watched sample, and all samples together."""

"""The pages of the attack results: norms, robustness, two attacks compared, and the list of all."""

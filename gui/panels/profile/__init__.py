"""The entanglement profile: a quantity of pairs from layer to layer, and what each part of a layer does to pairs."""

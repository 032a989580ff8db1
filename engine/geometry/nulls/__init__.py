"""What a network that has learned nothing does to a pair: exact where a theory is known. numpy and scipy alone, no torch.

``gaussian_chain``: linear layers of any widths, exactly. ``relu``: ReLU and leaky ReLU of infinite width. ``dual`` and
``mean_field``: tanh, erf, GELU with weights and biases of any scale. ``residual``: residual ReLU blocks. ``finite_width``:
the leading correction in 1/width to all of these.
"""

"""Smoothing of gradients by a Gaussian. Source: Y. Dong, T. Pang, H. Su, J. Zhu (2019), "Evading defenses to transferable
adversarial examples by translation-invariant attacks": the mean gradient over all shifts of an image by some pixels is,
nearly, the image's gradient convolved with the weights of the shifts."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import conv2d

from engine.errors import AttackError

REACH = 3.0  # how many standard deviations lie between the kernel's middle and its edge


def smoothed(images: Tensor, width: int) -> Tensor:
    """``[n, ..., H, W]``, each channel convolved with a Gaussian of ``width`` by ``width`` pixels, zeros around it.

    ``width`` is odd; 1 changes nothing. Raises AttackError for vectors.
    """
    if images.ndim < 3:
        raise AttackError(
            f"Translation invariance shifts images [N, C, H, W], and these samples are vectors {list(images.shape)}: "
            "choose an attack without it, such as MI-FGSM, NI-FGSM or VMI-FGSM."
        )
    weights = gaussian(width).to(images)
    channels = images.reshape(-1, 1, *images.shape[-2:])
    # one pass down and one across: a product of two Gaussians is one of both
    channels = conv2d(channels, weights[None, None, :, None], padding=(width // 2, 0))
    return conv2d(channels, weights[None, None, None, :], padding=(0, width // 2)).reshape(images.shape)


def gaussian(width: int) -> Tensor:
    """``[width]``: a normal density from -3 to 3 standard deviations, made of sum 1."""
    if width == 1:
        return torch.ones(1)
    place = torch.linspace(-REACH, REACH, width, dtype=torch.float64)
    weights = torch.exp(-place.square() / 2)
    return (weights / weights.sum()).float()

"""How features are reconciled with a message: the layer, the code, the fooling noise, and what entangling first would cost."""

from __future__ import annotations

import re

from pydantic import field_validator, model_validator

from engine.specs.base import Spec, param

MESSAGE_DIGITS = 32
"""Hexadecimal digits of a message: 8x8 pixels of 2 bits."""


class ReconcileSpec(Spec):
    """From features to a readable image: signs of a public projection, a BCH code with repetition, and public helper data."""

    layer: str = param(
        "",
        "Tap whose features are hashed, for example relu 3; empty takes the last one before the class scores",
        label="Layer",
    )
    chosen_class: int = param(0, "Class whose lock is shown opened", label="Class", ge=0, le=100_000)
    message: str = param(
        "",
        "The image to hide, as 32 hexadecimal digits (8x8 pixels of 4 grey levels, row by row); empty takes a training "
        "sample of the class",
        label="Message",
        advanced=True,
    )
    repetition: int = param(
        15,
        "Times that each bit of the code is repeated, odd; the majority is read",
        label="Repetition r",
        ge=1,
        le=1001,
    )
    code_length: int = param(
        255, "Bits of a code word of the BCH code: a power of two less one", label="Code length", ge=7, le=1023,
        unit="bits", advanced=True,
    )  # fmt: skip
    corrects: int = param(
        18, "Wrong bits that the BCH code corrects for certain; t", label="Corrects", ge=1, le=255, unit="bits",
        advanced=True,
    )  # fmt: skip
    trials: int = param(
        10, "Inputs of each class and kind that are fed to the lock", label="Inputs a class", ge=1, le=1000
    )
    eps: float = param(
        1.5, "How far pure noise may be changed to fool the network, in L2", label="Noise budget ε",
        unit="input units", gt=0, le=1000,
    )  # fmt: skip
    confidence: float = param(
        0.9999, "Probability of the class at which the fooling noise is done", label="Confidence", gt=0, lt=1
    )
    steps: int = param(200, "Gradient steps that make the fooling noise", label="Steps", ge=1, le=10_000, advanced=True)
    decodings: int = param(
        400, "Simulated messages at each angle of the success curve", label="Messages an angle", ge=10, le=100_000,
        advanced=True,
    )  # fmt: skip
    price_depth: int = param(
        40, "MaxLikelihood layers at most that features pass before they are hashed, to see the price",
        label="Price: layers", ge=1, le=200, unit="layers", advanced=True,
    )  # fmt: skip
    price_ratio: int = param(
        16, "Candidates for each row kept, of these layers", label="Price: N/n", ge=1, le=100_000, advanced=True
    )
    price_repetition: int = param(
        7, "Repetition of the code there, odd", label="Price: repetition", ge=1, le=1001, advanced=True
    )
    price_correlation: float = param(
        0.6, "C of two readings of one identity", label="Price: genuine C", ge=-1, le=1, advanced=True
    )
    price_pairs: int = param(
        200, "Identities compared, each with a genuine and an impostor reading", label="Price: identities", ge=2,
        le=10_000, advanced=True,
    )  # fmt: skip

    @field_validator("message")
    @classmethod
    def _hexadecimal(cls, message: str) -> str:
        if message and not re.fullmatch(rf"[0-9a-fA-F]{{{MESSAGE_DIGITS}}}", message):
            raise ValueError(
                f"{message!r} is no image of 8x8 pixels: give {MESSAGE_DIGITS} hexadecimal digits, or leave it empty"
            )
        return message.lower()

    @field_validator("repetition", "price_repetition")
    @classmethod
    def _odd(cls, repetition: int) -> int:
        if repetition % 2 == 0:
            raise ValueError(f"{repetition} is even, and a majority needs an odd number: take {repetition + 1}")
        return repetition

    @model_validator(mode="after")
    def _a_code_that_may_be(self) -> ReconcileSpec:
        if (self.code_length + 1) & self.code_length:
            raise ValueError(
                f"There is no BCH code of {self.code_length} bits: its length is a power of two less one, "
                "7, 15, 31, 63, 127, 255, 511 or 1023"
            )
        return self

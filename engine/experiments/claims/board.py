"""The claims themselves, in the order of the paper's versions."""

from __future__ import annotations

from engine.experiments.claims.features import adversarial, bell, entangled, perfect
from engine.experiments.claims.judging import Claim
from engine.experiments.claims.noise import noise, shared_point
from engine.experiments.claims.readable import readable
from engine.experiments.claims.relations import transfer, vulnerable
from engine.experiments.claims.relativity import relativity

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "entangled",
        "v1-v3",
        "Distant feature samples become entangled as data passes through a network.",
        ("repeats", "null"),
        "Correlation of pairs in networks trained from several seeds, against the band of untrained networks, in either direction.",
        entangled,
    ),
    Claim(
        "bell",
        "v1-v3",
        "This strongly resembles entanglement correlation.",
        ("bell",),
        "The CHSH protocol on sign readouts at every layer, no row discarded.",
        bell,
    ),
    Claim(
        "relativity",
        "v1-v3",
        "Model complexity relates to special relativity: time dilation and length contraction.",
        ("complexity",),
        "Whether boost of trained networks rises with parameters and depth, given depth, and beyond the same networks untrained; beside it "
        "the exact law of untrained linear networks.",
        relativity,
    ),
    Claim(
        "adversarial",
        "v1-v3",
        "Entanglement explains adversarial examples.",
        ("takeover", "falsifier"),
        "Takeover: C of x_adv with the target class against four controls, and a network of random labels as falsifier.",
        adversarial,
    ),
    Claim(
        "transfer",
        "v1-v3",
        "It explains their transferability.",
        ("transferability",),
        "Transfer between networks against the similarity of their features, with tests that permute networks.",
        transfer,
    ),
    Claim(
        "vulnerable",
        "v1-v3, as we read it",
        "Networks and inputs whose features contract more are the more vulnerable.",
        ("vulnerability",),
        "Smallest perturbation against contraction, over networks and within each, with partial rank correlations.",
        vulnerable,
    ),
    Claim(
        "perfect",
        "v4",
        "Entangled pairs reach perfect correlation or anti-correlation whatever their separation.",
        ("takeover",),
        "C of successful x_adv with the target class at the last hidden layer: its whole interval must be at 0.99 or above.",
        perfect,
    ),
    Claim(
        "noise",
        "v5-v7",
        "Overparameterised linear networks fit random noise with zero loss, on unseen samples too.",
        ("max_likelihood",),
        "Our reconstruction of the network on this data: loss of unseen samples, against the mean subtracted, a constant predictor, "
        "and random labels.",
        noise,
    ),
    Claim(
        "shared point",
        "v5-v7",
        "Spacetime diagrams show length contraction: all samples converge to a shared normalised point.",
        ("max_likelihood",),
        "The same network: sign-blind loss of unseen samples and rapidity gained a layer, with the mean subtracted and by gradient "
        "descent beside it.",
        shared_point,
    ),
    Claim(
        "readable",
        "v7",
        "A worst-case adversarial example can be turned into an output that is recognisable and robust.",
        ("reconciliation", "price"),
        "Reconciliation: fooling noise against raw noise and another class's lock at the chosen layer, noise added to it, and what "
        "entangling first would cost.",
        readable,
    ),
)

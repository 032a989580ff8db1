"""The lock: it opens for near hashes as the binomial law says, never for wrong ones, and never shows a wrong image."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from bch import the_code
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ReconcileError
from engine.reconcile import channel, commitment
from engine.reconcile.commitment import enrol, recover, wrong_bits
from engine.reconcile.hashing import Projection

N, T = 255, 18
TRIALS = 200
IMAGE = np.random.default_rng(7).integers(0, 4, (8, 8))
SETTINGS = (
    (1, 9),
    (1, 12),
    (1, 14),
    (1, 17),
    (3, 25),
    (3, 29),
    (3, 33),
    (7, 40),
    (7, 45),
    (7, 49),
    (15, 55),
    (15, 58),
    (15, 61),
)
"""Repetition and angle in degrees, where the law says neither nearly always nor nearly never."""


def random_hash(rng, repetition):
    return rng.integers(0, 2, N * repetition, dtype=np.uint8)


def z_score(opened, theta, repetition):
    p = float(channel.success(theta, n=N, t=T, repetition=repetition))
    return (opened - p * TRIALS) / math.sqrt(TRIALS * p * (1 - p))


@pytest.mark.parametrize(("repetition", "degrees"), SETTINGS)
def test_the_real_decoder_opens_as_often_as_the_binomial_law_says(repetition, degrees):
    rng, theta = np.random.default_rng([repetition, degrees]), math.radians(degrees)
    reference = random_hash(rng, repetition)
    helper = enrol(reference, IMAGE, the_code(), repetition=repetition, seed=0)
    errors = rng.random((TRIALS, len(reference))) < theta / math.pi
    found = recover(reference ^ errors.astype(np.uint8), helper, the_code())
    assert abs(z_score(found.opened.sum(), theta, repetition)) < 3
    wrong = wrong_bits(reference ^ errors.astype(np.uint8), reference, repetition)[1]
    assert np.array_equal(found.opened, wrong <= T)
    assert np.array_equal(found.corrected[found.opened], wrong[found.opened])


def test_real_gaussian_projections_of_real_pairs_at_an_angle_are_that_channel():
    repetition, theta, draw = 3, math.radians(29.0), torch.Generator().manual_seed(0)
    opened = 0
    for trial in range(TRIALS):
        x, other = torch.linalg.qr(torch.randn(24, 2, generator=draw, dtype=torch.float64))[0].T
        pair = torch.stack([x, math.cos(theta) * x + math.sin(theta) * other])
        bits = Projection(N * repetition, 24, seed=trial).hash(pair).bits  # a fresh projection for each pair
        helper = enrol(bits[0], IMAGE, the_code(), repetition=repetition, seed=trial)
        opened += int(recover(bits[1:], helper, the_code()).opened[0])
    assert abs(z_score(opened, theta, repetition)) < 3


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 255), st.sampled_from([1, 3]))
def test_no_tampering_with_the_offset_ever_shows_a_wrong_image(seed, flips, repetition):
    rng = np.random.default_rng(seed)
    reference = random_hash(rng, repetition)
    helper = enrol(reference, IMAGE, the_code(), repetition=repetition, seed=0)
    offset = helper.offset.copy()
    offset[rng.choice(len(offset), flips, replace=False)] ^= 1
    found = recover(reference[None], dataclasses.replace(helper, offset=offset), the_code())
    image = found.image(0)
    assert image is None or np.array_equal(image, IMAGE)
    if image is None:
        said = (
            commitment.NOT_DECODED,
            commitment.CHECK_FAILED,
            commitment.OPPOSITE,
        )  # the last where nearly all bits flip
        assert found.sentences[0] in said and not found._images.any()
    if repetition == 1:
        assert (image is not None) == (flips <= T)


def test_a_helper_moved_to_another_code_word_says_that_the_check_failed():
    rng = np.random.default_rng(3)
    reference = random_hash(rng, 1)
    helper = enrol(reference, IMAGE, the_code(), repetition=1, seed=0)
    other = the_code().encode(rng.integers(0, 2, (1, 128), dtype=np.uint8))[0]
    tampered = dataclasses.replace(helper, offset=helper.offset ^ other)  # decodes perfectly, to something else
    swapped = dataclasses.replace(helper, sha256="0" * 64)
    for bad in (tampered, swapped):
        found = recover(reference[None], bad, the_code())
        assert found.image(0) is None and found.corrected[0] == 0
        assert "SHA-256" in found.sentences[0] and "tampered" in found.sentences[0]


def test_the_opposite_direction_reads_the_negative_image_and_opens_nothing():
    reference = random_hash(np.random.default_rng(8), 3)
    helper = enrol(reference, IMAGE, the_code(), repetition=3, seed=0)
    found = recover(1 - reference[None], helper, the_code())
    assert found.image(0) is None and not found._images.any()
    assert found.corrected[0] == 0 and found.sentences[0] == commitment.OPPOSITE


def test_hashes_are_opened_together_and_dead_ones_open_nothing():
    rng = np.random.default_rng(4)
    reference = random_hash(rng, 3)
    helper = enrol(reference, IMAGE, the_code(), repetition=3, seed=5)
    bits = np.stack([reference, random_hash(rng, 3), reference])
    found = recover(bits, helper, the_code(), alive=np.array([True, True, False]))
    assert found.opened.tolist() == [True, False, False] and found.corrected.tolist() == [0, -1, -1]
    assert np.array_equal(found.image(0), IMAGE) and found.image(1) is found.image(2) is None
    assert found.sentences == (commitment.OPENED, commitment.NOT_DECODED, commitment.DEAD)
    assert recover(np.zeros((0, 765), np.uint8), helper, the_code()).opened.shape == (0,)
    with pytest.raises(dataclasses.FrozenInstanceError):
        helper.seed = 1


def test_what_does_not_fit_is_refused():
    code = the_code()
    helper = enrol(np.zeros(765, np.uint8), IMAGE, code, repetition=3, seed=0)
    some = np.zeros((1, 765), np.uint8)
    for bad, said in (
        (dataclasses.replace(helper, n=127), "another|are of a BCH"),
        (dataclasses.replace(helper, offset=helper.offset[:-1]), "instead of 255 times 3"),
        (dataclasses.replace(helper, repetition=5), "instead of 255 times 5"),
    ):
        with pytest.raises(ReconcileError, match=said):
            recover(some, bad, code)
    with pytest.raises(ReconcileError, match="764 bits, but 765"):
        recover(some[:, 1:], helper, code)
    with pytest.raises(ReconcileError, match="bits 0 and 1"):
        recover(some + 2, helper, code)
    with pytest.raises(ReconcileError, match="odd number"):
        enrol(some[0], IMAGE, code, repetition=2, seed=0)
    with pytest.raises(ReconcileError, match="8x8"):
        enrol(some[0], np.full((8, 8), 4), code, repetition=3, seed=0)

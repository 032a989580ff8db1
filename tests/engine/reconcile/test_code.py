"""The BCH code: what it corrects, what it refuses, and that preparing it stops nobody."""

import threading
import time

import numpy as np
import pytest
from bch import the_code

from engine.errors import ReconcileError
from engine.reconcile import code as codes
from engine.reconcile.code import dimension, prepared, require_room


def flipped(word, count, rng):
    word = word.copy()
    word[rng.choice(len(word), count, replace=False)] ^= 1
    return word


def test_a_code_is_prepared_once_and_in_the_background_while_others_breathe():
    began = time.thread_time()
    waiting = prepared(255, 18)
    next(waiting, None)
    assert time.thread_time() - began < 0.5
    waiting.close()  # whoever stops waiting leaves nothing to clean up ...
    assert the_code() is the_code()  # ... and the next one finds the work done
    assert "BCH(255, t=18)" not in {thread.name for thread in threading.enumerate()}


def test_whoever_waits_for_a_code_breathes_however_long_it_takes(monkeypatch):
    go_on = threading.Event()
    monkeypatch.setattr(codes._Preparation, "run", lambda _: go_on.wait(120))
    waiting = prepared(31, 2)
    assert [next(waiting) for _ in range(3)] == [None] * 3, "nothing is made yet"
    go_on.set()
    with pytest.raises(RuntimeError, match="was not prepared"):
        list(waiting)


def test_up_to_t_wrong_bits_are_corrected_and_one_more_is_noticed():
    code, rng = the_code(), np.random.default_rng(0)
    messages = rng.integers(0, 2, (57, 128), dtype=np.uint8)
    counts = np.arange(57) % 19
    words = code.encode(messages)
    assert words.shape == (57, 255)
    received = np.stack([flipped(word, count, rng) for word, count in zip(words, counts, strict=True)])
    found = code.decode(received)
    assert np.array_equal(found.corrected, counts)
    assert np.array_equal(found.messages[:, :128], messages) and not found.messages[:, 128:].any()
    beyond = code.decode(np.stack([flipped(word, 19, rng) for word in words]))
    assert (beyond.corrected == -1).all() and not beyond.messages.any()


def test_it_encodes_as_the_library_does_and_none_at_all_too():
    code = the_code()
    messages = np.random.default_rng(1).integers(0, 2, (5, code.k), dtype=np.uint8)
    assert np.array_equal(code.encode(messages), np.asarray(code._bch.encode(messages)))
    assert code.decode(np.zeros((0, 255), np.uint8)).messages.shape == (0, 131)


@pytest.mark.parametrize(("n", "t"), [(256, 18), (3, 1), (2047, 3), (255, 0), (255, 200), (15, 8)])
def test_a_code_that_cannot_be_built_is_refused_at_once(n, t):
    with pytest.raises(ReconcileError):
        next(prepared(n, t))


def test_a_message_too_long_and_words_of_another_length_are_refused():
    with pytest.raises(ReconcileError, match="carries only 64"):
        require_room(127, 10, 128)
    with pytest.raises(ReconcileError, match="carries only 131"):
        the_code().encode(np.zeros((1, 132), np.uint8))
    with pytest.raises(ReconcileError, match="words of 255 bits"):
        the_code().decode(np.zeros((1, 127), np.uint8))
    assert dimension(7, 3) == 1  # the repetition code


def test_a_library_that_fails_says_why_and_may_be_asked_again(monkeypatch):
    class Broken(codes.Code):
        def __init__(self, *_):
            raise MemoryError("no room for the compiler")

    with monkeypatch.context() as broken:
        broken.setattr(codes, "Code", Broken)
        broken.setattr("galois.BCH", lambda *_, **__: None)
        for _ in range(2):
            with pytest.raises(MemoryError, match="no room"):
                list(prepared(31, 3))
    assert (31, 3) not in codes._preparations


def test_of_two_who_wait_for_a_failure_the_second_does_not_take_away_what_was_begun_anew(monkeypatch):
    asked = threading.Event()

    def fails(*_, **__):
        asked.wait()
        raise MemoryError("no room for the compiler")

    monkeypatch.setattr("galois.BCH", fails)
    one, other = prepared(31, 3), prepared(31, 3)
    next(one)
    next(other)
    asked.set()
    with pytest.raises(MemoryError):
        list(one)
    begun = codes._Preparation(31, 3)
    monkeypatch.setitem(codes._preparations, (31, 3), begun)
    with pytest.raises(MemoryError):
        list(other)
    assert codes._preparations[31, 3] is begun


def test_decoding_takes_a_breath_every_few_words():
    code, rng = the_code(), np.random.default_rng(2)
    words = code.encode(rng.integers(0, 2, (40, 128), dtype=np.uint8))
    assert sum(1 for _ in code.decoding(words)) == 5

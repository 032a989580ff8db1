"""What is remembered of an attack's steps: within a bound, and each under the number of its own step."""

import pytest
import torch

from engine.attacks.core import trajectory
from engine.attacks.core.batch import Point
from engine.attacks.core.trajectory import Diary

N = 6


def point(step, places):
    """Class scores that tell the step: the margin of class 0 is the step's number."""
    places = torch.tensor(places)
    logits = torch.stack([torch.full((len(places),), float(step)), torch.zeros(len(places))], 1)
    return Point(places, torch.zeros(len(places), 1), logits, torch.zeros(len(places)) > 0, step, 100, 0, "", 0.0)


def read(diary):
    clean = torch.tensor([[-1.0, 0.0]]).expand(N, 2)
    return diary.read(clean, torch.zeros(N, dtype=torch.int64), targeted=False)


@pytest.mark.parametrize("steps", [1, 2, 7, 63, 64, 65, 1000])
def test_thinned_steps_are_what_was_said_at_the_step_they_are_called(monkeypatch, steps):
    monkeypatch.setattr(trajectory, "MOST_VALUES", 400)
    diary = Diary(N)
    for step in range(steps):
        diary.note([point(step, range(N))])
    found = read(diary)
    assert found.step[-1] == steps - 1 and (found.step.diff() > 0).all()
    assert torch.equal(found.margin, found.step[:, None].expand(-1, N).float())
    assert len(found.step) == steps or len(found.step) < 30


def test_a_sample_that_is_done_keeps_its_last_values(monkeypatch):
    monkeypatch.setattr(trajectory, "MOST_VALUES", 400)
    diary = Diary(N)
    for step in range(100):
        diary.note([point(step, [0] if step > 41 else range(N))])
    found = read(diary)
    assert len(found.step) < 30
    assert torch.equal(found.margin[:, 1], found.step.clamp(max=41).float())


def test_many_steps_of_few_samples_among_many_stay_within_the_bound(monkeypatch):
    """Every entry becomes a row for all samples, though only one of them still moves."""
    monkeypatch.setattr(trajectory, "MOST_VALUES", 100_000)
    diary, most = Diary(5000), 0
    for step in range(300):
        diary.note([point(step, [7])])
        most = max(most, len(diary))
    found = diary.read(torch.zeros(5000, 2), torch.zeros(5000, dtype=torch.int64), targeted=False)
    assert 1 < most * 3 * 5000 <= 100_000 + 3 * 5000
    assert found.loss.numel() * 3 <= 100_000

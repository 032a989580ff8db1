"""What follows from attacked samples: counted by hand."""

import math
from dataclasses import replace

import numpy as np
import pace
import pytest
from attack_tables import FIXED, INF, attack_run, attacked_table, fast, smallest

from engine.experiments import attack_results as results
from engine.experiments.attack_results import AttackRun
from engine.experiments.rates import share
from engine.specs import DdnSpec, MlpSpec, NoiseAttackSpec, OnePixelSpec, PatchSpec, PgdSpec

TEN = [0.01, 0.02, 0.03, 0.03, 0.05, 0.06, 0.07, 0.08, INF, INF]


def test_the_robustness_curve_is_the_share_of_distances_above_eps() -> None:
    run = attack_run(TEN, clean_wrong=[0, 1], eps=1.0)
    curve = results.robustness(run, "Linf")
    distance = np.array([0, 0, *TEN[2:]])
    assert curve.eps.tolist() == sorted(set(distance[np.isfinite(distance)].tolist()))
    for eps, held, low, high in zip(curve.eps, curve.share, curve.low, curve.high, strict=True):
        above = int((distance > eps).sum())
        assert held == pytest.approx(above / 10)
        assert (low, high) == pytest.approx((share(above, 10).low, share(above, 10).high))


def test_the_curve_begins_at_clean_accuracy_never_rises_and_ends_at_the_failures() -> None:
    run = attack_run(TEN, clean_wrong=[4])
    curve = results.robustness(run, "L2")
    assert (curve.eps[0], curve.share[0]) == (0.0, 0.9)
    assert (np.diff(curve.share) < 0).all()
    assert curve.share[-1] == 0.2
    untouched = results.robustness(attack_run([INF] * 4), "Linf")
    assert (untouched.eps.tolist(), untouched.share.tolist()) == ([0.0], [1.0])


def test_samples_without_an_answer_are_not_counted_as_robust() -> None:
    run = attack_run([INF] * 4, invalid=[0])
    assert results.robustness(run, "Linf").share.tolist() == [0.75]
    found = results.summary(run)
    assert (found.robust.value, found.invalid, found.success.value) == (0.75, 1, 0.0)


def test_failures_and_samples_broken_before_are_counted_beside_the_histogram_never_as_zero() -> None:
    run = attack_run(TEN, clean_wrong=[0], invalid=[7])
    found = results.histogram(run, "Linf")
    assert (found.found, found.failed, found.before, found.invalid) == (6, 2, 1, 1)
    assert found.counts.sum() == 6
    assert found.edges[0] > 0
    assert found.found + found.failed + found.before + found.invalid == len(run)


def test_norms_that_are_all_the_budget_have_one_bar_with_room_beside_it() -> None:
    found = results.histogram(attack_run([0.1, 0.1 * (1 + 1e-8), 0.1]), "Linf")
    assert sorted(found.counts.tolist()) == [0] * 10 + [3]
    at = int(found.counts.argmax())
    assert found.edges[at] < 0.1 < found.edges[at + 1]
    assert results.histogram(attack_run([INF]), "Linf").counts.sum() == 0


def test_the_summary_s_shares_and_costs() -> None:
    run = attack_run(TEN, clean_wrong=[0], lost_to_rounding=[2, 3])
    found = results.summary(run)
    assert found.success == share(8, 10)
    assert found.robust == share(2, 10)
    assert found.clean == share(9, 10)
    assert found.survives == share(6, 8)
    assert (found.forwards, found.gradients) == (14.5, 13.5)


def test_the_median_is_of_samples_that_needed_an_attack_and_failures_are_infinite() -> None:
    run = attack_run(TEN, clean_wrong=[0])
    assert results.summary(run).median.value == pytest.approx(0.06)
    assert results.summary(run, "L2").median.value == pytest.approx(0.12)
    assert results.summary(attack_run([0.1, INF, INF])).median.value == math.inf
    assert math.isnan(results.summary(attack_run([0.1], clean_wrong=[0])).median.value)


def test_a_targeted_attack_s_success_is_its_goal_and_robust_accuracy_is_the_true_class() -> None:
    spec = FIXED.model_copy(update={"attack": PgdSpec(goal="next")})
    run = AttackRun.read(3, spec, attacked_table([0.1, INF, INF], target=[1, 2, 0]))
    run = replace(run, misread=np.array([True, True, False]))  # the second is seen as a class that was not asked for
    found = results.summary(run)
    assert (found.success.value, found.robust.value) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert run.label == "3 · PGD, L∞, ε = 0.1, targeted (next)"


def test_two_attacks_are_matched_by_sample_whatever_their_order() -> None:
    a = attack_run([0.1, 0.2, INF, 0.4], sample=[1, 2, 3, 4])
    b = attack_run([INF, 0.3, 0.2, 0.1, 0.9], sample=[3, 4, 2, 1, 9], run=2)
    found = results.compare(a, b, "Linf")
    assert found.sample.tolist() == [1, 2, 3, 4]
    assert found.a.tolist() == [0.1, 0.2, INF, 0.4]
    assert found.b.tolist() == [0.1, 0.2, INF, 0.3]
    assert (found.both, found.only_a, found.only_b, found.neither) == (3, 0, 0, 1)
    assert (found.p, found.difference.value) == (1.0, 0.0)


def test_the_fourfold_table_its_test_and_its_difference() -> None:
    a = attack_run([0.1] * 8 + [INF] * 4, clean_wrong=[0])
    b = attack_run([0.1] * 2 + [INF] * 6 + [0.1] + [INF] * 3, clean_wrong=[0], run=2)
    found = results.compare(a, b, "Linf")
    assert (found.both, found.only_a, found.only_b, found.neither, found.before) == (2, 6, 1, 3, 1)
    assert found.p == pytest.approx(2 * (1 + 7) / 2**7)
    assert found.difference.value == pytest.approx(5 / 12)
    assert found.difference.low < 5 / 12 < found.difference.high


def test_what_has_no_answer_in_either_attack_is_left_out_and_strangers_share_nothing() -> None:
    a, b = attack_run([0.1, 0.1], invalid=[0]), attack_run([0.1, 0.1], run=2)
    assert results.compare(a, b, "Linf").n == 1
    nothing = results.compare(a, attack_run([0.1], sample=[7], run=3), "Linf")
    assert nothing.n == 0
    assert math.isnan(nothing.difference.value)


def test_another_network_is_told() -> None:
    other = FIXED.model_copy(update={"model": MlpSpec(width=7)})
    assert results.compare(attack_run([0.1]), attack_run([0.1], spec=fast(), run=2), "Linf").same_network
    assert not results.compare(attack_run([0.1]), attack_run([0.1], spec=other, run=2), "Linf").same_network


def test_the_worst_case_is_over_every_point_found_within_the_budget() -> None:
    a = attack_run([0.1, 0.1, INF, INF], run=1)
    b = attack_run([INF, 0.05, 0.08, INF], run=2, spec=fast())
    far = smallest(attack_run([0.5, 0.5, 0.5, 0.5], run=3))
    found = results.worst_case(a, [a, b, far], "Linf", 0.1)
    assert found.runs == (1, 2, 3)
    assert found.robust == share(1, 4)
    assert found.alone == {1: 1, 2: 1, 3: 0}
    assert results.worst_case(a, [a, b, far], "Linf", 0.5).robust.value == 0
    assert results.worst_case(a, [a, b, far], "Linf", 0.0).robust.value == 1
    assert results.worst_case(a, [a], "Linf", 0.1).robust == share(2, 4)


def test_the_worst_case_is_never_above_any_attack_s_own_robust_accuracy() -> None:
    rng = np.random.default_rng(5)
    runs = [attack_run(np.where(rng.random(40) < 0.5, 0.1, INF), run=k, clean_wrong=[3, 5]) for k in range(4)]
    worst = results.worst_case(runs[0], runs, "Linf", 0.1).robust.value
    assert worst <= min(results.summary(run).robust.value for run in runs)


def test_attacks_on_other_samples_or_networks_are_no_part_of_the_worst_case() -> None:
    a = attack_run([0.1, INF])
    other = FIXED.model_copy(update={"seed": 1})
    runs = [a, attack_run([0.1, 0.1], sample=[5, 6], run=2), attack_run([0.1, 0.1], run=3, spec=other)]
    assert results.worst_case(a, runs, "Linf", 0.1).runs == (1,)


def test_the_control_is_drawn_where_it_was_recorded() -> None:
    assert results.control(attack_run([0.1, 0.2]), "Linf") is None
    run = attack_run([0.1, 0.2, 0.3, 0.4], clean_wrong=[0], random_success=[1, 0, 1, 0])
    found = results.control(run, "Linf")
    assert found is not None
    assert (found.eps.tolist(), found.share.tolist()) == ([0.0, 0.3], [0.75, 0.5])


def test_the_budgets_of_a_session_are_listed_once() -> None:
    runs = [attack_run([0.1]), attack_run([0.1], run=2), smallest(attack_run([0.1], run=3))]
    assert results.budgets(runs) == [("Linf", 0.1)]


def test_a_hundred_thousand_samples_take_no_time_that_a_person_would_notice() -> None:
    n = 100_000
    rng = np.random.default_rng(0)
    one = attack_run([0.1])
    distance = rng.gamma(2.0, 0.1, n)
    flags = np.zeros(n, dtype=bool)
    big = [
        replace(
            one,
            run=run,
            sample=np.arange(n),
            norms={"Linf": distance},
            **dict.fromkeys(("y", "forwards", "gradients"), np.zeros(n)),
            **dict.fromkeys(("before", "survives", "invalid"), flags),
            **dict.fromkeys(("clean", "success", "misread"), ~flags),
        )
        for run in (1, 2)
    ]

    def evaluated() -> None:
        results.summary(big[0])
        results.robustness(big[0], "Linf")
        results.histogram(big[0], "Linf")
        results.compare(big[0], big[1], "Linf")

    assert pace.least(evaluated, 1.0) < 1.0


def test_budgets_that_are_no_norm_are_said_in_words_and_give_no_point() -> None:
    assert results.budget_of(PgdSpec(eps=0.1)) == "ε = 0.1"
    assert results.budget_of(DdnSpec()) == "smallest norm"
    assert results.budget_of(OnePixelSpec(pixels=3)) == "3 pixels"
    spec = FIXED.model_copy(update={"attack": OnePixelSpec()})
    run = attack_run([1.0, INF], spec=spec, norm="L0")
    assert (run.minimal, run.eps, run.name) == (False, None, "One-pixel, L0, 1 pixel")
    assert results.budgets([run]) == []


def test_an_attack_that_begins_at_noise_is_no_part_of_the_worst_case() -> None:
    noise = attack_run([0.1, 0.1], run=2, spec=FIXED.model_copy(update={"attack": NoiseAttackSpec()}), target=[1, 2])
    samples = attack_run([INF, INF], run=1)
    assert not noise.bounds_accuracy
    assert results.worst_case(samples, [samples, noise], "Linf", 5.0).runs == (1,)


def test_an_attack_on_more_samples_counts_in_the_worst_case_of_those_it_shares() -> None:
    a = attack_run([INF, INF, 0.1], sample=[4, 2, 7], run=1)
    more = attack_run([INF, 0.05, INF, 0.1, INF], sample=[9, 2, 7, 4, 1], run=2)
    found = results.worst_case(a, [a, more], "Linf", 0.1)
    assert found.runs == (1, 2) and found.n == 3
    assert found.robust == share(0, 3) and found.alone == {1: 1, 2: 2}
    assert results.worst_case(more, [a, more], "Linf", 0.1).runs == (2,), "the other way round samples are missing"


def test_a_targeted_attack_has_no_robust_accuracy_to_show() -> None:
    targeted = FIXED.model_copy(update={"attack": PgdSpec(goal="next")})
    assert not AttackRun.read(1, targeted, attacked_table([0.1], target=[1])).bounds_accuracy
    untargeted = FIXED.model_copy(update={"attack": PgdSpec(goal="untargeted")})
    assert AttackRun.read(1, untargeted, attacked_table([0.1])).bounds_accuracy


def test_whether_an_attack_was_needed_is_what_the_attack_says_not_what_the_clean_class_suggests() -> None:
    """C&W with kappa: two samples are misclassified at first, but only the second by as much as was asked for."""
    rows = {"distance": [0.3, 0.0, 0.2], "clean_wrong": [0, 1]}
    told = attack_run(**rows, already=[0, 1, 0], norm_Linf=[0.3, 0.0, 0.2])
    assert told.before.tolist() == [False, True, False] and told.found.tolist() == [True, False, True]
    assert told.distances("Linf").tolist() == [0.3, 0.0, 0.2]
    old = attack_run(**rows)
    assert old.before.tolist() == [True, True, False], "an old table does not say it"


def test_a_sample_without_an_answer_was_broken_by_nobody_alone() -> None:
    a = attack_run([0.1, INF, INF, INF], clean_wrong=[3], invalid=[1], run=1)
    b = attack_run([0.1, INF, 0.1, INF], clean_wrong=[3], run=2, spec=fast())
    found = results.worst_case(a, [a, b], "Linf", 0.1)
    assert found.alone == {1: 0, 2: 1}
    assert found.robust == share(0, 4), "nor is it robust"
    assert results.worst_case(a, [a], "Linf", 0.1).alone == {1: 1}, "nor was what was wrong before"


def test_the_member_that_broke_a_sample_is_read_where_it_was_recorded() -> None:
    run = attack_run([0.1, INF], first_stage=["APGD-T", ""])
    assert run.stage is not None and run.stage.tolist() == ["APGD-T", ""]
    assert attack_run([0.1, INF]).stage is None


def test_a_patch_for_one_class_is_a_targeted_attack() -> None:
    spec = FIXED.model_copy(update={"attack": PatchSpec(target_class=2)})
    run = attack_run([0.1, INF], spec=spec, target=[2, 2])
    assert run.targeted and run.goal == "class 2" and not run.bounds_accuracy

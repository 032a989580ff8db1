"""The vocabulary: frozen, validated, complete in what a form and a command line need."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from engine.specs import (
    PARTS,
    CnnSpec,
    ControlsSpec,
    ExperimentSpec,
    FgsmSpec,
    FixedBudgetSpec,
    GaussianNoiseSpec,
    MaxLikelihoodSpec,
    MinimalNormSpec,
    MlpSpec,
    PgdSpec,
    ProbeSpec,
    ReconcileSpec,
    Spec,
    TrainingSpec,
    carried,
    discriminator,
    param,
    parameters,
    variants,
)
from engine.specs.attacks import norm_param

CLASSES = [ExperimentSpec, *(cls for part in PARTS for cls in variants(part).values())]


def test_importing_the_vocabulary_imports_no_torch_and_nothing_of_the_project() -> None:
    code = (
        "import sys, engine.specs, engine.spec_files\n"
        "assert 'torch' not in sys.modules\n"
        "print(sorted(name for name in sys.modules if name.startswith('engine') and not name.startswith('engine.specs.')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['engine', 'engine.errors', 'engine.spec_files', 'engine.specs']"


def test_specs_are_frozen_and_compare_by_value() -> None:
    with pytest.raises(ValidationError):
        MlpSpec().width = 3  # type: ignore[misc]
    assert MlpSpec(width=3) == MlpSpec(width=3) != MlpSpec(width=4)
    assert hash(ExperimentSpec()) == hash(ExperimentSpec())


def test_specs_survive_pickle_and_json() -> None:
    spec = ExperimentSpec(dataset=GaussianNoiseSpec(features=7), model=CnnSpec(), attack=FgsmSpec())
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert ExperimentSpec.model_validate_json(spec.model_dump_json()) == spec


EDITED_APART = {"axes"}  # a list, for which a form has no field


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_field_says_what_it_is(cls: type[Spec]) -> None:
    tags = {discriminator(part) for part in PARTS}
    shown = {field.name for field in parameters(cls)}
    assert shown == set(cls.model_fields) - tags - set(PARTS) - EDITED_APART
    assert cls.__doc__
    for field in parameters(cls):
        assert len(field.help) > 5
        assert field.label
        if field.kind == "choice":
            assert field.default in dict(field.choices)
        if field.kind in ("int", "float"):
            assert field.minimum is not None


# whether a limit of these may be taken depends on another field
BESIDE_OTHERS = {"restarts", "candidates", "rows"}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_limits_shown_are_the_limits_held(cls: type[Spec]) -> None:
    checked = 0
    for field in parameters(cls):
        for limit, exclusive, outward in (
            (field.minimum, field.exclusive_minimum, -1),
            (field.maximum, field.exclusive_maximum, 1),
        ):
            if limit is None or (field.kind == "int" and abs(limit) > 2**53):
                continue
            edge = int(limit) if field.kind == "int" else limit
            if exclusive:
                with pytest.raises(ValidationError):
                    cls(**{field.name: edge})
            elif field.name not in BESIDE_OTHERS:
                assert getattr(cls(**{field.name: edge}), field.name) == edge
            with pytest.raises(ValidationError):
                cls(**{field.name: edge + outward})
            checked += 1
    assert checked > 0 or cls is ExperimentSpec


def test_nan_and_infinity_are_refused() -> None:
    for bad in (float("nan"), float("inf")):
        with pytest.raises(ValidationError):
            PgdSpec(eps=bad)


def test_restarts_need_a_random_start() -> None:
    assert PgdSpec(restarts=3).restarts == 3
    with pytest.raises(ValidationError, match="restarts above 1 need a random start"):
        PgdSpec(restarts=3, random_start=False)


def test_a_key_follows_the_named_parts_the_seed_and_the_threads_alone() -> None:
    base = ExperimentSpec()
    key = base.key("dataset", "model", "training")
    assert key == base.model_copy(update={"title": "other", "attack": FgsmSpec()}).key("dataset", "model", "training")
    for change in ({"seed": 1}, {"threads": 2}, {"model": MlpSpec(width=3)}, {"training": TrainingSpec(epochs=1)}):
        assert base.model_copy(update=change).key("dataset", "model", "training") != key
    assert base.model_copy(update={"probe": ProbeSpec(samples=8)}).key("model") == base.key("model")
    assert base.key("model") != base.key("attack")
    assert len(key) == 16
    assert json.loads(f'"{key}"') == key


def test_variants_are_found_by_their_discriminator() -> None:
    assert list(variants("model")) == ["linear", "mlp", "residual", "cnn"]
    assert list(variants("training")) == ["standard", "pgd-at", "trades", "fast"]
    assert variants("controls") == {"": ControlsSpec}
    assert (discriminator("dataset"), discriminator("model"), discriminator("attack"), discriminator("probe")) == (
        "source",
        "family",
        "method",
        "",
    )


class EuclideanSpec(FixedBudgetSpec):
    """An attack in L2 alone."""

    norm: Literal["L2"] = norm_param("L2")
    steps: int = param(9, "Steps of another kind", ge=1)


def test_another_attack_keeps_the_goal_the_samples_and_the_budget_but_not_the_steps() -> None:
    shared = {"eps": 0.3, "goal": "random", "samples": 12, "stop": False}
    assert carried(PgdSpec(norm="L2", steps=77, **shared), EuclideanSpec) == {"norm": "L2", **shared}
    assert carried(EuclideanSpec(**shared), PgdSpec) == {"norm": "L2", **shared}


def test_a_budget_is_not_kept_without_its_norm() -> None:
    assert carried(PgdSpec(norm="Linf", eps=0.03, samples=5), EuclideanSpec) == {"goal": "next", "samples": 5}
    assert carried(PgdSpec(norm="L2", eps=0.03, samples=5), MinimalNormSpec) == {
        "norm": "L2",
        "goal": "next",
        "samples": 5,
    }


def test_whether_samples_stop_is_kept_where_it_was_changed() -> None:
    class Onward(PgdSpec):
        """Goes on by default."""

        stop: bool = param(False, "Whether samples stop")

    assert "stop" not in carried(PgdSpec(), Onward)
    assert "stop" not in carried(Onward(), PgdSpec)
    assert carried(PgdSpec(stop=False), Onward)["stop"] is False
    assert carried(Onward(stop=True), PgdSpec)["stop"] is True


def test_another_network_keeps_all_that_both_have() -> None:
    assert carried(MlpSpec(width=7, init="lecun"), CnnSpec) == {
        **{
            name: getattr(MlpSpec(), name)
            for name in ("sigma_w", "sigma_b", "bias", "normalise", "depth", "activation")
        },
        "width": 7,
        "init": "lecun",
    }


def test_fields_of_an_attack_begin_with_what_all_attacks_share() -> None:
    names = [field.name for field in parameters(PgdSpec)]
    assert names[:5] == ["norm", "eps", "goal", "samples", "stop"]
    assert [field.name for field in parameters(MinimalNormSpec)][:3] == ["norm", "goal", "samples"]


@pytest.mark.parametrize(
    ("cls", "bad", "sentence"),
    [
        (MaxLikelihoodSpec, {"candidates": 10, "rows": 11}, "11 rows cannot be kept of 10 candidates"),
        (ReconcileSpec, {"repetition": 4}, "a majority needs an odd number: take 5"),
        (ReconcileSpec, {"code_length": 256}, "There is no BCH code of 256 bits"),
        (ReconcileSpec, {"message": "0" * 31}, "no image of 8x8 pixels"),
    ],
)
def test_what_cannot_be_built_is_refused_with_a_sentence(cls: type[Spec], bad: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        cls(**bad)

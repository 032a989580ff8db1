"""Specs in TOML and on the command line: what goes in comes out, and every mistake gets a sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engine.errors import SpecError
from engine.spec_files import apply_overrides, build, carrying_notes, dump_spec, load_spec
from engine.specs import (
    PARTS,
    CnnSpec,
    ExperimentSpec,
    FgsmSpec,
    IdxSpec,
    MlpSpec,
    Parameter,
    PgdSpec,
    Spec,
    discriminator,
    parameters,
    variants,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def values(field: Parameter) -> st.SearchStrategy[Any]:
    if field.kind == "bool":
        return st.booleans()
    if field.kind == "choice":
        return st.sampled_from([value for value, _ in field.choices])
    if field.kind == "str":
        return TEXT
    if field.kind == "int":
        assert field.minimum is not None
        high = int(field.maximum) if field.maximum is not None else 2**40
        return st.integers(int(field.minimum) + field.exclusive_minimum, high - field.exclusive_maximum)
    return st.floats(
        field.minimum,
        field.maximum,
        exclude_min=field.exclusive_minimum,
        exclude_max=field.exclusive_maximum,
        allow_nan=False,
        allow_infinity=False,
    )


ODD = st.integers(0, 500).map(lambda half: 2 * half + 1)
# values that are rarely right by chance
SPECIAL: dict[str, st.SearchStrategy[Any]] = {
    "message": st.just("") | st.text("0123456789abcdef", min_size=32, max_size=32),
    "repetition": ODD,
    "price_repetition": ODD,
    "code_length": st.integers(3, 10).map(lambda power: 2**power - 1),
}


def specs_of(part: str, tag: str, cls: type[Spec]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {field.name: SPECIAL.get(field.name, values(field)) for field in parameters(cls)}
    if tag:
        fields[discriminator(part)] = st.just(tag)
    made = st.fixed_dictionaries(fields)
    return made.filter(lambda data: goes_together(cls, data))


def goes_together(cls: type[Spec], data: dict[str, Any]) -> bool:
    """Whether values that are right by themselves are right beside each other, as restarts and a random start."""
    try:
        cls.model_validate(data)
    except ValidationError:
        return False
    return True


def experiments() -> st.SearchStrategy[ExperimentSpec]:
    parts = {part: st.one_of([specs_of(part, tag, cls) for tag, cls in variants(part).items()]) for part in PARTS}
    top = {field.name: values(field) for field in parameters(ExperimentSpec)}
    top["seed"] = st.integers(0, 2**63 - 1)
    return st.fixed_dictionaries({**top, **parts}).map(ExperimentSpec.model_validate)


@settings(max_examples=120, deadline=None)
@given(spec=experiments())
def test_every_spec_survives_toml_and_json(spec: ExperimentSpec, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "spec.toml"
    path.write_text(dump_spec(spec), encoding="utf-8", newline="")
    assert load_spec(path) == spec
    assert build(spec.model_dump(mode="json")) == spec


@pytest.mark.parametrize(("part", "tag"), [(part, tag) for part in PARTS for tag in variants(part)])
def test_toml_names_each_section_and_says_what_it_is(part: str, tag: str) -> None:
    cls = variants(part)[tag]
    text = dump_spec(ExperimentSpec(**{part: cls()}))
    assert text.startswith("# ")
    assert f"[{part}]\n" in text
    before = text[: text.index(f"[{part}]")].splitlines()
    assert before[-1].startswith("# ")
    assert (cls.__doc__ or "")[:30] in text
    assert set(tomllib.loads(text)[part]) == set(cls.model_fields)


def test_an_empty_file_is_the_default_experiment(tmp_path: Path) -> None:
    (tmp_path / "empty.toml").write_bytes(b"")
    assert load_spec(tmp_path / "empty.toml") == ExperimentSpec()


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "windows.toml").write_bytes(b"\xef\xbb\xbfseed = 3\r\n[model]\r\nwidth = 7\r\n")
    assert load_spec(tmp_path / "windows.toml") == ExperimentSpec(seed=3, model=MlpSpec(width=7))


def test_a_part_without_its_variant_is_of_the_default_variant() -> None:
    assert build({"model": {"width": 9}}).model == MlpSpec(width=9)
    assert build({"attack": {"eps": 0.3}}).attack == PgdSpec(eps=0.3)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        ({"attack": {"eps": -0.1}}, "attack.eps is -0.1: must be at least 0. Set a value in [0, 1000]."),
        ({"attack": {"alpha": -1}}, "attack.alpha is -1: must be at least 0. Set a value in [0, 1000]."),
        ({"dataset": {"test_fraction": 1.0}}, "dataset.test_fraction is 1.0: must be below 1. Set a value in (0, 1)."),
        ({"seed": -1}, "seed is -1: must be at least 0. Set a value in [0, 9.22337e+18)."),
        ({"dataset": {"source": "idx", "test_limit": -2}}, "dataset.test_limit is -2: must be at least 0. Set a value of at least 0."),
        ({"model": {"width": 2.5}}, "model.width is 2.5: must be a whole number. Set a value in [1, 16384]."),
        ({"model": {"width": "wide"}}, "model.width is 'wide': must be a whole number. Set a value in [1, 16384]."),
        ({"model": {"bias": "perhaps"}}, "model.bias is 'perhaps': must be true or false."),
        ({"training": {"learning_rate": float("nan")}}, "training.learning_rate is nan: must be a finite number. Set a value in (0, 100]."),
        ({"title": 3}, "title is 3: must be text in quotes."),
        ({"title": "x" * 300}, "title is 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…: must have at most 200 characters."),
        ({"model": 3}, "model is 3: must be a section of fields, written under [model]."),
        ({"training": [1]}, "training is [1]: must be a section of fields, written under [training]."),
        ({"attack": {"norm": "l2"}}, "attack.norm is 'l2': must be one of Linf, L2, L1. Did you mean L2?"),
        ({"model": {"family": "mpl"}}, "model.family is 'mpl': must be one of linear, mlp, residual, cnn. Did you mean mlp?"),
        ({"model": {"family": ["mlp"]}}, "model.family is ['mlp']: must be one of linear, mlp, residual, cnn."),
        (
            {"attack": {"restarts": 2, "random_start": False}},
            "attack: restarts above 1 need a random start: without one every restart is the same run.",
        ),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_with_its_field_and_what_is_allowed(data: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        build(data)
    assert str(caught.value).startswith(sentence)
    assert "\n" not in str(caught.value)


def test_an_unknown_field_gets_the_nearest_name_and_the_list() -> None:
    with pytest.raises(
        SpecError, match=r"model\.widht is unknown\. Did you mean width\? The fields of \[model\] are .*depth"
    ):
        build({"model": {"widht": 3}})
    with pytest.raises(SpecError, match=r"modle is unknown\. Did you mean model\?"):
        build({"modle": {}})


def test_a_field_of_another_variant_is_told_where_it_belongs() -> None:
    with pytest.raises(SpecError, match=r"model\.channels is unknown\. It belongs to model\.family = 'cnn'\."):
        build({"model": {"family": "mlp", "channels": 8}})


def test_every_problem_gets_its_own_line() -> None:
    with pytest.raises(SpecError) as caught:
        build({"seed": "x", "attack": {"eps": -1, "stpes": 3}})
    lines = str(caught.value).splitlines()
    assert [line.split()[0] for line in lines] == ["seed", "attack.eps", "attack.stpes"]


def test_unreadable_files_say_why(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="There is no file"):
        load_spec(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="is a folder"):
        load_spec(tmp_path)
    (tmp_path / "latin.toml").write_bytes('seed = 1\ntitle = "é"'.encode("latin-1"))
    with pytest.raises(SpecError, match=r"latin\.toml is not UTF-8 text \(line 2\)"):
        load_spec(tmp_path / "latin.toml")
    (tmp_path / "broken.toml").write_text("seed = 1\n\n[model\nwidth = 2\n")
    with pytest.raises(SpecError, match=r"broken\.toml is not valid TOML: line 3, column 7: "):
        load_spec(tmp_path / "broken.toml")
    (tmp_path / "bad.toml").write_text("seed = -1")
    with pytest.raises(SpecError, match=r"bad\.toml: seed is -1"):
        load_spec(str(tmp_path / "bad.toml"))


def test_a_saved_file_given_for_an_experiment_is_told_apart_from_broken_text(tmp_path):
    (tmp_path / "known.sweep").write_bytes(b"SQLite format 3\0\x10\x00\xff\xff")
    with pytest.raises(
        SpecError, match=r"known\.sweep is a saved session or sweep, not an experiment.* export .*known\.sweep"
    ):
        load_spec(tmp_path / "known.sweep")


def test_a_file_without_permission_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refused)
    with pytest.raises(SpecError, match="cannot be read: Permission denied"):
        load_spec(tmp_path / "secret.toml")


def test_overrides_change_fields_of_every_kind() -> None:
    spec = apply_overrides(
        ExperimentSpec(),
        [
            "seed=7",
            "title=Deep = better",
            "model.width=256",
            "model.bias=false",
            "training.learning_rate=1e-2",
            "attack.norm=L2",
            "attack.random_start=True",
        ],
    )
    assert (spec.seed, spec.title) == (7, "Deep = better")
    assert spec.model == MlpSpec(width=256, bias=False)
    assert spec.training.learning_rate == 0.01
    assert spec.attack == PgdSpec(norm="L2")


def test_text_fields_take_numbers_and_quotes() -> None:
    assert apply_overrides(ExperimentSpec(), ["title=12"]).title == "12"
    assert apply_overrides(ExperimentSpec(), ['title="a b"']).title == "a b"
    spec = apply_overrides(ExperimentSpec(), ["dataset.folder=C:\\data\\mnist", "dataset.source=idx"])
    assert spec.dataset == IdxSpec(folder="C:\\data\\mnist")


def test_changing_a_variant_keeps_what_both_have() -> None:
    base = ExperimentSpec(model=MlpSpec(width=99, depth=4), attack=PgdSpec(eps=0.25, steps=7))
    spec = apply_overrides(base, ["model.channels=8", "model.family=cnn", "attack.method=fgsm"])
    assert spec.model == CnnSpec(width=99, depth=4, channels=8)
    assert spec.attack == FgsmSpec(eps=0.25)
    assert base.model == MlpSpec(width=99, depth=4)


def test_what_another_attack_keeps_and_drops_is_told() -> None:
    base = ExperimentSpec(attack=PgdSpec(eps=0.25, steps=7, goal="next", samples=9))
    (note,) = carrying_notes(base, ["attack.method=deepfool", "attack.steps=3"])
    assert note == (
        "attack.method = 'deepfool' in place of 'pgd': kept samples = 9; dropped eps = 0.25, goal = 'next'. "
        "What is not kept takes its default."
    )
    (note,) = carrying_notes(base, ["attack.method=fgsm"])
    assert "kept eps = 0.25, goal = 'next', samples = 9; dropped steps = 7." in note
    assert carrying_notes(base, ["attack.eps=0.1", "model.family=cnn"]) == [], "only what was written is told"


def test_an_attack_that_is_named_again_keeps_all_its_settings() -> None:
    base = ExperimentSpec(attack=PgdSpec(eps=0.25, steps=7))
    assert apply_overrides(base, ["attack.method=pgd"]) == base
    assert carrying_notes(base, ["attack.method=pgd"]) == []


def test_the_later_of_two_overrides_holds() -> None:
    assert apply_overrides(ExperimentSpec(), ["seed=1", "seed=2"]).seed == 2


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("model.width", "'model.width' is not an override. Write field=value"),
        ("=3", "'=3' is not an override"),
        ("model=3", "model is a section. Set one of its fields, as in model."),
        ("modle.width=3", "modle is not a section. Did you mean model?"),
        ("model.inner.width=3", "model.inner is not a section."),
        ("model.widht=3", "model.widht is unknown. Did you mean width?"),
        ("model.family=cnm", "model.family is 'cnm': must be one of linear, mlp, residual, cnn. Did you mean cnn?"),
        ("attack.goal=nxt", "attack.goal is 'nxt': must be one of untargeted, next, random, least-likely. Did you"),
        ("attack.eps=-1", "attack.eps is -1: must be at least 0. Set a value in [0, 1000]."),
        ("model.width=[1, 2]", "model.width is [1, 2]: must be a whole number."),
    ],
)
def test_a_bad_override_is_told(override: str, sentence: str) -> None:
    with pytest.raises(SpecError) as caught:
        apply_overrides(ExperimentSpec(), [override])
    assert str(caught.value).startswith(sentence)


@pytest.mark.parametrize(
    ("method", "goal", "sentence"),
    [
        ("deepfool", "next", "attack.goal is 'next': DeepFool has no targeted form: its goal is 'untargeted'. Leave"),
        ("autoattack", "random", "attack.goal is 'random': AutoAttack has no targeted form: its goal is 'untargeted'."),
        (
            "noise",
            "untargeted",
            "attack.goal is 'untargeted': Fooling noise has no untargeted form: it always heads for",
        ),
        ("geoda", "nxt", "attack.goal is 'nxt': must be one of untargeted."),
    ],
)
def test_a_goal_that_an_attack_does_not_have_is_told(method: str, goal: str, sentence: str) -> None:
    for wrong in (
        lambda: apply_overrides(ExperimentSpec(), [f"attack.method={method}", f"attack.goal={goal}"]),
        lambda: build({"attack": {"method": method, "goal": goal}}),
    ):
        with pytest.raises(SpecError) as caught:
            wrong()
        assert str(caught.value).startswith(sentence)

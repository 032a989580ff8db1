import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from engine.specs import ExperimentSpec, Parameter, parameters, variants
from gui.forms.names import pretty, variant_name
from gui.forms.numbers import NotValid, allowed, in_words, parse, shown, stepped

EPS = Parameter("eps", "ε", "float", 0.1, "", minimum=0, maximum=1000)
RATE = Parameter("lr", "Learning rate", "float", 0.001, "", minimum=0, exclusive_minimum=True, maximum=100)
STEPS = Parameter("steps", "Steps", "int", 40, "", minimum=1, maximum=10_000)
SHARE = Parameter("share", "Share", "float", 0.25, "", "", 0, 1, True, True)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_shown_reads_back_as_the_same_number(value):
    assume(value == 0 or 1e-300 < abs(value) < 1e300)
    anything = Parameter("x", "x", "float", 0.0, "")
    assert parse(shown(value), anything) == pytest.approx(value, rel=1e-11)


@given(st.integers(-(10**15), 10**15))
def test_a_whole_number_shown_reads_back_exactly(value):
    assert parse(shown(value), Parameter("n", "n", "int", 0, "")) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.1, "0.1"), (1e-5, "1e-5"), (2.5e-7, "2.5e-7"), (0.00025, "0.00025"), (100.0, "100"), (0.0, "0"), (40, "40"),
     (1e9, "1e9"), (0.3, "0.3"), (-1.5, "-1.5"), (1_000_000, "1\N{NO-BREAK SPACE}000\N{NO-BREAK SPACE}000")],
)  # fmt: skip
def test_numbers_are_shown_as_people_write_them(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    ("text", "value"), [("0,25", 0.25), (" 1e-3 ", 0.001), ("−0.5", -0.5), ("1 000", 1000.0), (".5", 0.5)]
)
def test_numbers_are_read_as_people_type_them(text, value):
    assert parse(text, Parameter("x", "x", "float", 0.0, "")) == value


@pytest.mark.parametrize(
    ("text", "parameter", "sentence"),
    [
        ("-0.1", EPS, "ε must be at least 0 and at most 1000."),
        ("0", RATE, "Learning rate must be more than 0 and at most 100."),
        ("1", SHARE, "Share must be more than 0 and less than 1."),
        ("abc", EPS, "“abc” is not a number."),
        ("1.5", STEPS, "“1.5” is not a whole number."),
        ("nan", EPS, "ε must be a finite number."),
        ("", STEPS, "Steps is empty. Type a number, at least 1 and at most 10000."),
    ],
)
def test_what_cannot_be_used_is_said_in_a_sentence(text, parameter, sentence):
    with pytest.raises(NotValid) as said:
        parse(text, parameter)
    assert str(said.value) == sentence


@pytest.mark.parametrize(
    ("value", "up", "down"),
    [(0.1, 0.2, 0.09), (0.09, 0.1, 0.08), (0.25, 0.3, 0.2), (0.001, 0.002, 0.0009), (1.0, 2.0, 0.9), (0.0, 0.01, 0.0)],
)
def test_a_real_number_steps_in_its_leading_digit(value, up, down):
    assert stepped(value, 1, EPS) == up
    assert stepped(value, -1, EPS) == down


@pytest.mark.parametrize(
    ("value", "up", "down"), [(6, 7, 5), (19, 20, 18), (40, 41, 39), (128, 130, 120), (1000, 1100, 990)]
)
def test_a_whole_number_steps_by_one_then_in_its_second_digit(value, up, down):
    assert stepped(value, 1, STEPS) == up
    assert stepped(value, -1, STEPS) == down


def test_coarse_steps_double_a_count_and_move_a_real_number_by_ten():
    assert stepped(128, 1, STEPS, coarse=True) == 256
    assert stepped(0.001, -1, RATE, coarse=True) == pytest.approx(1e-4)


@given(st.data(), st.sampled_from([EPS, RATE, STEPS, SHARE]), st.sampled_from([1, -1]), st.booleans(), st.booleans())
def test_a_step_never_leaves_the_range_and_never_goes_the_wrong_way(data, parameter, direction, fine, coarse):
    if parameter.kind == "int":
        value = data.draw(st.integers(int(parameter.minimum), int(parameter.maximum)))
    else:
        value = data.draw(st.floats(parameter.minimum, parameter.maximum))
    assume(allowed(value, parameter) and (value == 0 or abs(value) > 1e-12))
    new = stepped(value, direction, parameter, fine=fine, coarse=coarse)
    assert allowed(new, parameter)
    assert (new - value) * direction >= -1e-9 * abs(value)
    assert math.isfinite(new)


def test_every_range_of_the_specs_can_be_said_in_words():
    classes = [
        ExperimentSpec,
        *(cls for part in ("dataset", "model", "training", "attack", "probe") for cls in variants(part).values()),
    ]
    for parameter in (p for cls in classes for p in parameters(cls)):
        if parameter.minimum is not None:
            assert shown(parameter.minimum) in in_words(parameter)


def test_names_are_written_as_a_person_reads_them():
    assert variant_name("pgd") == "PGD"
    assert variant_name("some-new_source") == "Some new source"
    assert pretty("targeted: y + 1") == "Targeted: y + 1"
    assert pretty("sigma_w") == "σ_w"
    assert pretty("ε") == "ε"
    assert pretty("tanh") == "tanh"

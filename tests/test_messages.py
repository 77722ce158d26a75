"""Messages name the first entry that is wrong, by its place, and never print an array."""

import numpy as np
import pytest

from scalinglaws import solvers, theory
from scalinglaws.arguments import numbers, one_row, ordered, refuse_first, whole_numbers
from scalinglaws.errors import DomainError, brief, refusal
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, kernels
from scalinglaws.verify import estimate
from scalinglaws.verify.comparison import Comparison, Measurement, Prediction
from scalinglaws.verify.families import holm

SPECTRUM = PowerLawSpectrum(1.5, 0.5)
LONG = np.geomspace(1, 1e4, 245)
AT = 17


def wrong(value, where=AT, start=LONG):
    """Return a long row with one wrong entry."""
    row = np.array(start)
    row[where] = value
    return row


def _compare(name, **changed):
    row = LONG / 1e5
    prediction = Prediction("loss", "curve", changed.get("prediction", row), "law", x=LONG)
    measured = Measurement(row, row / 100, None, 2, "run", (1.0, 2.0))
    return Comparison("a/b", prediction, measured, 0.1)


CASES = {
    "fit_exponent": (lambda: estimate.fit_exponent(wrong(0.0), LONG), "x"),
    "fit_exponent, losses": (lambda: estimate.fit_exponent(LONG, wrong(-1.0)), "losses"),
    "power_law_exponent": (lambda: estimate.power_law_exponent(wrong(0.0), LONG), "x"),
    "power_law_exponent, losses": (
        lambda: estimate.power_law_exponent(LONG, wrong(np.nan)),
        "losses",
    ),
    "crossing": (lambda: estimate.crossing(wrong(0.0), LONG, 2.0), "x"),
    "threshold_from_crossings": (
        lambda: estimate.threshold_from_crossings(
            wrong(np.nan), method='', window=(0.0, 1.0)
        ),
        "crossings",
    ),
    "advantage_from_pairs": (lambda: estimate.advantage_from_pairs(
            LONG, wrong(0.0), method='', window=(0.0, 1.0)
        ), "second"),
    "holm": (lambda: holm(wrong(2.0, start=LONG / 1e5)), "p_values"),
    "Measurement": (
        lambda: Measurement(wrong(np.nan), LONG, None, 2, "run", (1.0, 2.0)),
        "value",
    ),
    "Measurement, se": (lambda: Measurement(LONG, wrong(-1.0), None, 2, "run", (1.0, 2.0)), "se"),
    "Comparison": (lambda: _compare("", prediction=wrong(np.nan, start=LONG / 1e5)), "prediction"),
    "ridge": (lambda: solvers.linear.ridge(SPECTRUM, samples=wrong(-1.0)), "samples"),
    "ridge, noise": (
        lambda: solvers.linear.ridge(SPECTRUM, samples=LONG, noise_variance=wrong(np.inf)),
        "noise_variance",
    ),
    "gradient_flow": (lambda: solvers.linear.gradient_flow(wrong(-1.0), SPECTRUM), "t"),
    "gradient_flow, late": (
        lambda: solvers.linear.gradient_flow(
            np.append(LONG[:AT], np.full(9, 1e301)), SPECTRUM
        ),
        "t",
    ),
    "gradient_descent": (
        lambda: solvers.linear.gradient_descent(
            5, SPECTRUM, learning_rate=0.1, momentum=wrong(1.5, start=LONG / 1e5)
        ),
        "momentum",
    ),
    "online_sgd": (
        lambda: solvers.linear.online_sgd(
            [1.0, 2.0], SPECTRUM, batch=10, learning_rate=wrong(0.0, start=LONG / 1e5)[:, None]
        ),
        "learning_rate",
    ),
    "EmpiricalSpectrum": (lambda: EmpiricalSpectrum(wrong(0.0), LONG), "eigenvalues"),
    "EmpiricalSpectrum, signal": (lambda: EmpiricalSpectrum(LONG, wrong(-1.0)), "signal"),
    "arc_cosine": (lambda: kernels.arc_cosine(wrong(4.0, start=LONG / 1e5), 1), "angle"),
    "data_loss": (
        lambda: solvers.percolation.data_loss(wrong(-1.0), alpha=1.0, exponent=0.5),
        "samples",
    ),
    "data_loss, exponent": (
        lambda: solvers.percolation.data_loss(
            10.0, alpha=1.0, exponent=wrong(101.0, start=LONG / 1e5)
        ),
        "exponent",
    ),
    "nearest_distance": (
        lambda: solvers.percolation.mean_nearest_distance(
            wrong(1e-300, start=LONG / 1e5), coordination=3
        ),
        "density",
    ),
    "specialized_cost": (
        lambda: solvers.patterns.specialized_cost(100, 100, neurons=wrong(101.0, start=np.ones(245))),
        "neurons",
    ),
    "asymptote": (
        lambda: theory.law("linear.time").asymptote(wrong(0.5, start=LONG + 1), alpha=1.5, beta=0.5),
        "x",
    ),
    "law": (
        lambda: theory.law("empirical.hestness").evaluate(
            "loss", c=5, gamma=0.35, E=1.7, x=wrong(-1.0)
        ),
        "x",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_messages_name_the_first_wrong_entry_and_print_no_array(name):
    call, argument = CASES[name]
    with pytest.raises(DomainError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    assert message.startswith(f"{argument}[{AT}")
    assert message.count("e+") + message.count(".") < 12  # no list of numbers


def test_the_case_that_printed_62_lines():
    with pytest.raises(DomainError) as caught:
        estimate.fit_exponent(np.r_[0, np.geomspace(1, 1e4, 244)], np.ones(245))
    assert str(caught.value) == (
        "x[0] = 0.0 is out of place: x must be one row of at least 1 numbers, > 0 and finite"
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: numbers("x", [[1, 2], [3, -4]], low=0), "x[1, 1] = -4.0 must be >= 0 and finite"),
        (lambda: numbers("x", -4, low=0), "x = -4.0 must be >= 0 and finite"),
        (lambda: whole_numbers("n", [1, 2.5]), "n[1] = 2.5 must be a whole number >= 1"),
        (lambda: ordered("t", [0, 1, np.nan]), "t[2] = nan must be >= 0 (inf for the limit)"),
        (
            lambda: one_row("t", [1, 3, 2], increasing=True),
            "t[2] = 2.0 is out of place: t must be one row of at least 1 numbers, finite, increasing",
        ),
        (
            lambda: refuse_first("t", np.ones(4), [0, 0, 1, 1], "is wrong", (2, 2)),
            "t[1, 0] = 1.0 is wrong",
        ),
    ],
)
def test_places(call, message):
    with pytest.raises(DomainError) as caught:
        call()
    assert str(caught.value) == message


def test_nothing_wrong_refuses_nothing():
    assert refuse_first("t", np.ones(3), False, "never") is None


@pytest.mark.parametrize(
    "value",
    [
        np.ones((3, 2)), [np.arange(1000)] * 3, {"a": np.arange(1000)}, (np.ones((40, 40)),),
        "a\nb" * 100, np.array([[1, 2], [3, 4]]),
    ],
)  # fmt: skip
def test_values_in_messages_stand_in_one_line(value):
    assert "\n" not in brief(value)
    assert len(str(refusal("x", value, "is wrong"))) < 110

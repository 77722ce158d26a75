"""The ridge of a kernel that is cut off: known values, ends, the same predictor, and what may not be left out."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import zeta

from scalinglaws.errors import AccuracyWarning, DomainError
from scalinglaws.solvers import EmpiricalSpectrum, PowerLawSpectrum, linear
from scalinglaws.solvers.renormalization import integrated_variance, ridge_flow

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "renormalization.json").read_text())
RIDGE = KNOWN["ridge_flow"]


def power_law(alpha, modes):
    return np.arange(1.0, modes + 1) ** (-1 - alpha)


@pytest.mark.parametrize("row", RIDGE["rows"], ids=str)
def test_known_values(row):
    known = dict(zip(RIDGE["columns"], row, strict=True))
    eigenvalues = power_law(known["alpha"], int(known["modes"]))
    flow = ridge_flow(
        eigenvalues, samples=known["samples"], ridge=known["ridge"], cutoff=[0, 5, 20]
    )
    assert flow.kappa == pytest.approx(known["kappa"], abs=1e-9)
    assert flow.ridge == pytest.approx(
        [known["kappa"], known["ridge_5"], known["ridge_20"]], abs=1e-9
    )
    learned = known["samples"] * eigenvalues / (flow.kappa[0] + known["samples"] * eigenvalues)
    assert learned[[0, 9]] == pytest.approx(
        [known["learnability_1"], known["learnability_10"]], abs=1e-9
    )
    assert np.mean(learned**2) * eigenvalues.size / known["samples"] == pytest.approx(
        known["fluctuation"], abs=1e-9
    )


@pytest.mark.parametrize("row", RIDGE["running_ridge_instead_of_kappa"], ids=str)
def test_the_running_ridge_is_no_substitute_for_kappa(row):
    """Integrating the flow with the running ridge on its right-hand side ends elsewhere, by 8 and 40 percent."""
    samples, ridge, alpha, modes, wrong = row
    eigenvalues = power_law(alpha, int(modes))
    running = ridge
    for eigenvalue in eigenvalues[::-1]:
        running += eigenvalue * running / (running + samples * eigenvalue)
    assert running == pytest.approx(wrong, abs=5e-7)
    flow = ridge_flow(eigenvalues, samples=samples, ridge=ridge, cutoff=0)
    assert flow.ridge == pytest.approx(flow.kappa, rel=1e-13)
    assert running < 0.93 * flow.ridge


@given(
    exponents=st.lists(st.floats(-4, 2), min_size=1, max_size=12),
    cutoff=st.integers(0, 12),
    samples=st.floats(1, 1e4),
    ridge=st.floats(1e-3, 1e2),
)
def test_the_kernel_cut_off_learns_the_same(exponents, cutoff, samples, ridge):
    eigenvalues = np.sort(10.0 ** np.array(exponents))[::-1]
    flow = ridge_flow(eigenvalues, samples=samples, ridge=ridge, cutoff=cutoff)
    kept = eigenvalues[:cutoff]
    if kept.size:
        cut = EmpiricalSpectrum(kept, np.zeros(kept.size))
        found = linear.ridge(cut, samples=samples, ridge=flow.ridge / samples).kappa * samples
    else:
        found = flow.ridge
    assert found == pytest.approx(flow.kappa, rel=1e-11)
    assert ridge * (1 - 1e-14) <= flow.ridge <= flow.naive_ridge * (1 + 1e-12)
    dropped = np.sum(eigenvalues[cutoff:])
    assert flow.naive_ridge == pytest.approx(ridge + dropped, rel=1e-13)


def test_steps_of_the_flow():
    """From one cutoff to the next the ridge changes by one mode's share."""
    p, eigenvalues = 37.0, power_law(0.7, 60)
    flow = ridge_flow(eigenvalues, samples=p, ridge=0.02, cutoff=np.arange(61))
    share = eigenvalues * flow.kappa[0] / (flow.kappa[0] + p * eigenvalues)
    assert -np.diff(flow.ridge) == pytest.approx(share, rel=1e-10)
    assert (flow.ridge[0], flow.ridge[-1]) == pytest.approx((flow.kappa[0], 0.02), rel=1e-13)
    assert -np.diff(flow.naive_ridge) == pytest.approx(eigenvalues, rel=1e-10)


def test_naive_and_flow_agree_where_nothing_beyond_is_learned():
    flow = ridge_flow(PowerLawSpectrum(2, 1), samples=10, ridge=5.0, cutoff=[10, 10**4])
    assert flow.ridge / flow.naive_ridge == pytest.approx(1, rel=1e-3)
    assert flow.ridge[1] / flow.naive_ridge[1] == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("size", [400, 70_000, math.inf])
@pytest.mark.parametrize("alpha", [1.1, 2, 6])
def test_merged_modes_are_those_one_by_one(alpha, size):
    """Lists of the first modes, and for the rest of an infinite spectrum what the equation for kappa leaves."""
    spectrum = PowerLawSpectrum(alpha, 1, size)
    cutoffs = np.array([0, 1, 31, 32, 33, 77, 399])
    flow = ridge_flow(spectrum, samples=50, ridge=0.01, cutoff=cutoffs)
    k = np.arange(1.0, 400)
    share = np.append(0, np.cumsum(k**-alpha / (1 + 50 * k**-alpha / flow.kappa[0])))
    assert flow.kappa - share[cutoffs] == pytest.approx(flow.ridge, rel=1e-11)
    far = ridge_flow(spectrum, samples=50, ridge=0.01, cutoff=[5, 10**8])  # other rules
    assert far.ridge[0] == pytest.approx(
        ridge_flow(spectrum, samples=50, ridge=0.01, cutoff=5).ridge, rel=1e-13
    )


def test_no_cutoff_and_no_ridge():
    eigenvalues = power_law(1, 10)
    flow = ridge_flow(eigenvalues, samples=10, ridge=0.0, cutoff=[0, 3, 10])
    assert np.all(flow.kappa == 0)
    assert np.all(flow.ridge == 0)
    flow = ridge_flow(eigenvalues, samples=4, ridge=0.0, cutoff=[0, 3, 10, 99, math.inf])
    assert np.all(flow.ridge[2:] == 0)
    assert flow.ridge[0] == pytest.approx(flow.kappa[0], rel=1e-12)


def test_order_and_levels():
    """Eigenvalues in any order; degenerate ones are counted one by one."""
    shuffled = ridge_flow([0.1, 3.0, 1.0, 1.0], samples=3, ridge=0.2, cutoff=[0, 1, 2, 3, 4])
    levels = EmpiricalSpectrum([1.0, 0.1, 3.0], [0, 0, 0], [2, 1, 1])
    found = ridge_flow(levels, samples=3, ridge=0.2, cutoff=[0, 1, 2, 3, 4])
    assert found.ridge == pytest.approx(shuffled.ridge, rel=1e-13)
    assert integrated_variance(levels, [0, 1, 2, 3, 4]) == pytest.approx(
        [5.1, 2.1, 1.1, 0.1, 0], rel=1e-14
    )


def test_arguments_broadcast():
    flow = ridge_flow(
        power_law(1, 30), samples=[[10], [20]], ridge=[0.1, 0.2, 0.3], cutoff=[3, 4, 5]
    )
    for i, p in enumerate((10, 20)):
        for j in range(3):
            alone = ridge_flow(power_law(1, 30), samples=p, ridge=(j + 1) / 10, cutoff=j + 3)
            assert flow.ridge[i, j] == pytest.approx(alone.ridge, rel=1e-14)


@pytest.mark.parametrize("alpha", [1e-3, 0.1, 0.5, 1, 3, 20])
def test_integrated_variance(alpha):
    cutoffs = np.array([0, 1, 31, 32, 33, 100, 12345, 1e7, 1e12])
    cutoffs = cutoffs[(1 + alpha) * np.log(cutoffs + 1) < 660]
    assert integrated_variance(alpha, cutoffs) == pytest.approx(
        zeta(1 + alpha, cutoffs + 1), rel=4e-15
    )
    far = 1e6 if alpha < 5 else 1e3
    assert integrated_variance(alpha, far) == pytest.approx(
        far**-alpha / alpha, rel=(1 + alpha) / far
    )


@pytest.mark.parametrize(
    ("given_arguments", "argument"),
    [
        ({"samples": 0.5}, "samples"),
        ({"ridge": -0.1}, "ridge"),
        ({"cutoff": 1.5}, "cutoff"),
        ({"cutoff": -1}, "cutoff"),
        ({"spectrum": [[1.0, 2.0]]}, "spectrum"),
        ({"spectrum": [1.0, -2.0]}, "spectrum"),
        ({"spectrum": 2.0}, "spectrum"),
        ({"on_failure": "no"}, "on_failure"),
    ],
)
def test_refusals(given_arguments, argument):
    arguments = {"spectrum": [1.0, 0.5], "samples": 5, "ridge": 0.1, "cutoff": 1} | given_arguments
    with pytest.raises(DomainError) as refused:
        ridge_flow(arguments.pop("spectrum"), **arguments)
    assert refused.value.argument == argument


def test_merged_modes_cannot_be_divided():
    merged = EmpiricalSpectrum.zipf_mandelbrot(1, 2, 10**7)
    assert integrated_variance(merged, 3) > 0
    with pytest.raises(DomainError, match="stand for many"):
        integrated_variance(merged, 1000)
    with pytest.raises(DomainError, match="1e-290"):
        integrated_variance(300.0, 100)


def test_one_warning_where_nearly_all_modes_are_fitted():
    with pytest.warns(AccuracyWarning, match="^ridge_flow: ") as caught:
        ridge_flow([1.0, 0.5, 0.25, 0.125], samples=4.0000001, ridge=0.0, cutoff=2)
    assert len(caught) == 1


def test_a_refused_pair_is_named_where_it_was_given():
    with pytest.raises(DomainError, match=r"ridge\[1\] = 1e-310 over the samples"):
        ridge_flow([1.0, 0.5], samples=[4, 2], ridge=[0.1, 1e-310], cutoff=1)

"""Truncated and dimensionless flows: where they end and diverge, what they conserve, and each by another's equations."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from scalinglaws.errors import ConvergenceError, DomainError
from scalinglaws.results import Status
from scalinglaws.solvers.renormalization import (
    dimensionless_flow,
    fixed_points,
    shell_recursion,
    truncated_flow,
)

KNOWN = json.loads((Path(__file__).parents[2] / "reference" / "renormalization.json").read_text())
THREE = [("per_datum", "generic"), ("measure", "generic"), ("measure", "conserving")]
alphas = st.floats(0.05, 3)
positive = st.floats(1e-3, 20)


def words(pair):
    return {"convention": pair[0], "momentum": pair[1]}


def rates(pair, alpha, r, u):
    """Write the flow out as the equations have it."""
    if pair[0] == "per_datum":
        return alpha * r - r * r + u, 2 * alpha * u - 4 * r * u
    loop = 3 * u * u / (1 + r) ** 2 if pair[1] == "conserving" else 0.0
    return (1 + alpha) * r + u / (1 + r), (1 + 2 * alpha) * u - loop


# -- couplings ----------------------------------------------------------------------------------------------------------


@given(r=st.floats(1e-3, 1e3), s=st.floats(0, 1e6))
def test_a_quadratic_coupling_alone(r, s):
    found = truncated_flow([r], variance=s)
    assert found.quadratic == pytest.approx(r / (1 + 2 * r * s), rel=1e-12)
    assert found.quartic == 0


@given(r=st.floats(-3, 3), u=positive, s=st.floats(0, 100))
def test_what_two_couplings_conserve(r, u, s):
    """(r^2 + 3u)/sqrt(u) stands still: both r^2 + 3u and the root of u fall at the rate 4r."""
    found = truncated_flow([r, u], variance=s)
    before = (r * r + 3 * u) / math.sqrt(u)
    after = (found.quadratic**2 + 3 * found.quartic) / math.sqrt(found.quartic)
    assert after == pytest.approx(before, rel=1e-10)


def test_more_couplings_against_another_integrator():
    def slope(_, c):
        padded = np.append(c, 0.0)
        out = []
        for j in range(1, 6):
            pairs = sum(4 * a * (j + 1 - a) * c[a - 1] * c[j - a] for a in range(1, j + 1))
            out.append((2 * j + 2) * (2 * j + 1) / 2 * padded[j] - pairs / 2)
        return out

    start = [0.5, 0.2, 0.01, 0.0, 0.0]
    path = solve_ivp(slope, (0, 0.3), start, method="DOP853", rtol=1e-12, atol=1e-14)
    found = truncated_flow(start[:3], variance=0.3, order=5)
    assert [float(c) for c in found.couplings] == pytest.approx(path.y[:, -1], rel=1e-9)


def test_a_truncated_flow_that_diverges():
    with pytest.raises(ConvergenceError, match="diverges at variance 0.272") as failed:
        truncated_flow([-1.0, 1.0], variance=[0.1, 1.0], order=3)
    result = failed.value.result
    assert result.diagnostics.status is Status.MAX_ITERATIONS
    assert np.isnan(result.quadratic).tolist() == [False, True]
    assert 0.27 < result.diverges_at < 0.275
    kept = truncated_flow([-1.0, 1.0], variance=[0.1, 1.0], order=3, on_failure="return")
    assert kept == result
    before = truncated_flow([-1.0, 1.0], variance=0.1, order=3)
    assert before.quadratic == pytest.approx(result.quadratic[0], rel=1e-13)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"couplings": [1.0, -1.0]}, "couplings"),
        ({"couplings": [1.0, 1.0, 1.0]}, "order"),
        ({"order": 13}, "order"),
        ({"variance": -1}, "variance"),
        ({"on_failure": ""}, "on_failure"),
    ],
)
def test_refusals_of_truncated_flows(arguments, argument):
    arguments = {"couplings": [1.0, 1.0], "variance": 1.0} | arguments
    with pytest.raises(DomainError) as refused:
        truncated_flow(arguments.pop("couplings"), **arguments)
    assert refused.value.argument == argument


# -- dimensionless couplings --------------------------------------------------------------------------------------------


@given(r=positive, u=positive, alpha=alphas, scale=st.floats(0, 6))
def test_a_change_of_variables_from_couplings(r, u, alpha, scale):
    """From the cutoff 1 on, the variance integrated is (Lambda^-alpha - 1)/alpha."""
    moved = dimensionless_flow(quadratic=r, quartic=u, alpha=alpha, scale=scale)
    growth = math.exp(alpha * scale)
    plain = truncated_flow([r / 2, u / 12], variance=math.expm1(alpha * scale) / alpha)
    assert moved.quadratic == pytest.approx(2 * plain.quadratic * growth, rel=1e-9)
    assert moved.quartic == pytest.approx(12 * plain.quartic * growth**2, rel=1e-9)


def test_a_change_of_variables_with_a_sextic_coupling():
    given_values = {"quadratic": 0.6, "quartic": 0.5, "sextic": 0.4, "alpha": 0.8}
    scale = np.array([0.0, 0.3, 1.0])
    moved = dimensionless_flow(scale=scale, order=3, **given_values)
    growth = np.exp(0.8 * scale)
    plain = truncated_flow(
        [0.3, 0.5 / 12, 0.4 / 180], variance=np.expm1(0.8 * scale) / 0.8, order=3
    )
    for found, factor, coupling in zip(
        (moved.quadratic, moved.quartic, moved.sextic), (2, 12, 180), plain.couplings, strict=True
    ):
        power = {2: 1, 12: 2, 180: 3}[factor]
        assert found == pytest.approx(factor * coupling * growth**power, rel=1e-10)


@given(sigma2=st.floats(0.05, 20), alpha=alphas, scale=st.floats(0, 20))
def test_a_ridge_flows_as_a_logistic_function(sigma2, alpha, scale):
    found = dimensionless_flow(quadratic=1 / sigma2, quartic=0, alpha=alpha, scale=scale)
    fall = math.exp(-alpha * scale)
    assert found.quadratic == pytest.approx(alpha / (1 + (alpha * sigma2 - 1) * fall), rel=1e-11)
    assert found.end == "ridge"


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.5])
def test_the_ridge_of_integrated_modes_is_reached(alpha):
    rng = np.random.default_rng(3)
    found = dimensionless_flow(
        quadratic=rng.random(10) * 5, quartic=rng.random(10) * 5, alpha=alpha, scale=20 / alpha
    )
    assert found.quadratic == pytest.approx(np.full(10, alpha), abs=1e-6)
    assert found.quartic == pytest.approx(np.zeros(10), abs=1e-6)
    assert set(found.end) == {"ridge"}


@given(
    pair=st.sampled_from(THREE),
    r=st.floats(1e-3, 5),
    u=positive,
    alpha=alphas,
    scale=st.floats(0, 3),
)
def test_flows_against_another_integrator(pair, r, u, alpha, scale):
    found = dimensionless_flow(quadratic=r, quartic=u, alpha=alpha, scale=scale, **words(pair))
    path = solve_ivp(
        lambda _, y: rates(pair, alpha, *y), (0, scale), [r, u], method="DOP853", rtol=1e-11, atol=0
    )
    assert found.quadratic == pytest.approx(path.y[0, -1], rel=1e-8, abs=1e-12)
    assert found.quartic == pytest.approx(path.y[1, -1], rel=1e-8)


@given(r=st.floats(-0.5, 3), u=positive, alpha=alphas, scale=st.floats(0, 10))
def test_a_generic_quartic_coupling_only_scales(r, u, alpha, scale):
    found = dimensionless_flow(
        quadratic=r, quartic=u, alpha=alpha, scale=scale, convention="measure", on_failure="return"
    )
    if scale < found.diverges_at:
        assert found.quartic == pytest.approx(u * math.exp((1 + 2 * alpha) * scale), rel=1e-9)


@pytest.mark.parametrize("momentum", ["generic", "conserving"])
def test_shells_become_the_flow_of_the_measure(momentum):
    """Many modes in every octave: the recursion mode by mode is the flow, up to one over their number."""
    alpha, first, last = 0.5, 20_000, 2000
    eigenvalues = np.arange(1.0, first + 1) ** (-1 - alpha)
    r, u = 5000.0, 3e7
    shells = shell_recursion(r, u, eigenvalues=eigenvalues, cutoff=last, momentum=momentum)
    before, after = first**-1.5, last**-1.5
    flow = dimensionless_flow(
        quadratic=2 * r * before,
        quartic=12 * u * first * before**2,
        alpha=alpha,
        scale=math.log(first / last),
        convention="measure",
        momentum=momentum,
    )
    assert flow.quadratic == pytest.approx(2 * shells.quadratic * after, rel=1e-3)
    assert flow.quartic == pytest.approx(12 * shells.quartic * last * after**2, rel=1e-3)
    assert shells.quadratic > 1.02 * r  # the loops matter


def test_flows_that_diverge():
    """A quadratic coupling below 0 without a quartic one: the logistic function's pole."""
    pole = math.log(1 + 0.5 / 0.1) / 0.5
    with pytest.raises(ConvergenceError, match=f"at the scale {pole:.3g}") as failed:
        dimensionless_flow(quadratic=[0.5, -0.1], quartic=0, alpha=0.5, scale=10)
    result = failed.value.result
    assert result.diverges_at == pytest.approx([math.inf, pole], rel=1e-9)
    assert result.end.tolist() == ["ridge", "diverges"]
    assert np.isnan(result.quadratic).tolist() == [False, True]
    early = dimensionless_flow(quadratic=-0.1, quartic=0, alpha=0.5, scale=1)
    assert early.end == "diverges"
    assert math.isfinite(early.quadratic)
    # a mode of the measure's action becomes unstable where r = -1
    found = dimensionless_flow(
        quadratic=-0.1, quartic=0, alpha=1, scale=1, convention="measure", on_failure="return"
    )
    assert found.diverges_at == pytest.approx(math.log(10) / 2, rel=1e-9)


def test_a_negative_quartic_coupling_is_followed():
    found = dimensionless_flow(
        quadratic=[0.2, 0.4], quartic=[-0.1, -0.02], alpha=0.5, scale=2, on_failure="return"
    )
    assert found.end.tolist() == ["diverges", "ridge"]


def test_numbers_too_large_for_floats_are_infinite():
    found = dimensionless_flow(
        quadratic=1e-3, quartic=1e-3, alpha=1, scale=[10, 500], convention="measure"
    )
    assert found.quartic == pytest.approx([1e-3 * math.exp(30), math.inf], rel=1e-9)
    assert found.end.tolist() == ["massive", "massive"]


@pytest.mark.parametrize("alpha", [0.001, 0.01, 1, 1000])
def test_tiny_couplings_grow_at_their_own_rates(alpha):
    """Where products of couplings are nothing, r = (r_0 + u_0/alpha) e^(alpha l) for u = u_0 e^(2 alpha l) without its growth."""
    growth = math.exp(20)
    for r, u in ((1e-250, 0.0), (0.0, 1e-250), (1e-260, 3e-250), (1e-10, 1e-250)):
        found = dimensionless_flow(quadratic=r, quartic=u, alpha=alpha, scale=20 / alpha)
        if r < 1e-200:
            expected = r * growth + u / alpha * growth * (growth - 1)
            assert found.quadratic == pytest.approx(expected, rel=1e-12, abs=0)
            assert found.quartic == pytest.approx(u * growth**2, rel=1e-12, abs=0)
        assert found.end == "ridge"
        assert found.diagnostics.error_estimate < 1e-11


def test_couplings_too_small_to_follow_are_none():
    for kind in ({}, {"convention": "measure"}):
        found = dimensionless_flow(quadratic=1e-300, quartic=1e-300, alpha=0.5, scale=2, **kind)
        assert abs(found.quadratic) + abs(found.quartic) <= 1e-280
        assert found.end == "trivial"


@pytest.mark.parametrize("alpha", [0.001, 1, 1000])
@pytest.mark.parametrize("momentum", ["generic", "conserving"])
def test_flows_of_the_measure_end_at_the_massive_point_at_every_alpha(momentum, alpha):
    found = dimensionless_flow(
        quadratic=0.1, quartic=0.3, alpha=alpha, scale=0, convention="measure", momentum=momentum
    )
    assert found.end == "massive"


# -- fixed points -------------------------------------------------------------------------------------------------------


def exponents_by_differences(pair, alpha, point):
    step = 1e-6 * max(abs(point.quadratic), abs(point.quartic), 0.1)
    columns = []
    for place in range(2):
        ends = []
        for sign in (1, -1):
            start = np.array([point.quadratic, point.quartic])
            start[place] += sign * step
            moved = dimensionless_flow(
                quadratic=start[0], quartic=start[1], alpha=alpha, scale=0.1, **words(pair)
            )
            ends.append(np.array([moved.quadratic, moved.quartic]))
        columns.append((ends[0] - ends[1]) / (2 * step))
    return np.sort(np.log(np.linalg.eigvals(np.array(columns).T)) / 0.1)[::-1]


@pytest.mark.parametrize("pair", THREE)
@pytest.mark.parametrize("alpha", [0.3, 1.0, 2.0])
def test_fixed_points_stand_still_and_exponents_are_those_of_the_flow(pair, alpha):
    finite = [p for p in fixed_points(alpha, **words(pair)) if math.isfinite(p.quadratic)]
    for point in finite:
        assert rates(pair, alpha, point.quadratic, point.quartic) == pytest.approx(
            (0, 0), abs=1e-14
        )
        found = exponents_by_differences(pair, alpha, point)
        assert found == pytest.approx(point.exponents, rel=1e-6)


@pytest.mark.parametrize("momentum", ["generic", "conserving"])
def test_exponents_of_the_massive_point(momentum):
    """1/r falls as exp(-(1 + alpha) l), u/r^2 as exp(-l), where both are small."""
    alpha = 0.7
    point = fixed_points(alpha, convention="measure", momentum=momentum)[-2]
    assert (point.name, point.quadratic, point.quartic) == ("massive", math.inf, 0.0)
    assert point.stable
    scale = np.array([0.0, 1.0])
    flow = dimensionless_flow(
        quadratic=1e6,
        quartic=1e5,
        alpha=alpha,
        scale=scale,
        convention="measure",
        momentum=momentum,
    )
    inverse, shape = 1 / flow.quadratic, flow.quartic / flow.quadratic**2
    found = np.log([shape[1] / shape[0], inverse[1] / inverse[0]])
    assert found == pytest.approx(point.exponents, abs=1e-5)


@pytest.mark.parametrize(("momentum", "loops"), [("generic", 2), ("conserving", 5)])
def test_the_massive_point_of_a_negative_quartic(momentum, loops):
    """In 1/r and u/r^2: there the rate of u/r^2 vanishes too, and leaves it at the rate 1."""
    alpha, ratio = 0.7, -1 / loops
    point = fixed_points(alpha, convention="measure", momentum=momentum)[-1]
    assert (point.quadratic, point.quartic, point.physical) == (math.inf, ratio, False)

    def rate(shape, inverse=1e-9):
        r, u = 1 / inverse, shape / inverse**2
        dr, du = rates(("measure", momentum), alpha, r, u)
        return -dr / r, (du - 2 * u * dr / r) / r**2

    assert rate(ratio)[1] == pytest.approx(0, abs=1e-6)
    slope = (rate(ratio + 1e-3)[1] - rate(ratio - 1e-3)[1]) / 2e-3
    assert sorted((slope, rate(ratio)[0])) == pytest.approx(sorted(point.exponents), abs=1e-5)


@given(alpha=st.floats(0.001, 1000))
def test_only_one_convention_has_a_wilson_fisher_point(alpha):
    for pair in THREE:
        points = fixed_points(alpha, **words(pair))
        interacting = [p for p in points if p.physical and p.quartic != 0]
        assert len(interacting) == (pair[1] == "conserving")
        assert [p.name for p in points if p.stable] == [
            "ridge" if pair[0] == "per_datum" else "massive"
        ]


def test_known_fixed_points():
    points = {p.name: p for p in fixed_points(1, convention="measure", momentum="conserving")}
    there = points["quartic"]
    assert (there.quadratic, there.quartic) == pytest.approx((-1 / 3, 4 / 9), rel=1e-14)
    assert there.exponents == pytest.approx((-1 + 10**0.5, -1 - 10**0.5), rel=1e-14)
    per_datum = {p.name: p for p in fixed_points(0.6)}
    assert per_datum["trivial"].exponents == (1.2, 0.6)
    assert per_datum["ridge"].exponents == (-0.6, -1.2)
    assert per_datum["quartic"].exponents == (0.6, -0.6)


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"alpha": 0}, "alpha"),
        ({"scale": -1}, "scale"),
        ({"scale": 1e9}, "scale"),
        ({"sextic": 1.0}, "sextic"),
        ({"order": 4}, "order"),
        ({"order": 3, "convention": "measure"}, "order"),
        ({"convention": "other"}, "convention"),
        ({"momentum": "conserving"}, "momentum"),
        ({"quadratic": -1.0, "convention": "measure"}, "quadratic"),
        ({"quartic": 1e20}, "quartic"),
        ({"on_failure": "?"}, "on_failure"),
    ],
)
def test_refusals(arguments, argument):
    sane = {"quadratic": 0.1, "quartic": 0.1, "alpha": 1, "scale": 1}
    with pytest.raises(DomainError) as refused:
        dimensionless_flow(**(sane | arguments))
    assert refused.value.argument == argument


# -- shells -------------------------------------------------------------------------------------------------------------


def test_known_shells():
    known = KNOWN["shells"]
    eigenvalues = np.arange(1.0, known["modes"] + 1) ** -known["eigenvalue_exponent"]
    for momentum in ("generic", "conserving"):
        found = shell_recursion(
            known["quadratic"],
            known["quartic"],
            eigenvalues=eigenvalues,
            cutoff=known["cutoff"],
            momentum=momentum,
        )
        assert (found.quadratic, found.quartic) == pytest.approx(known[momentum], abs=1e-10)


def test_shells_one_after_another():
    eigenvalues = np.array([0.3, 1.0, 0.2])  # any order
    found = shell_recursion(0.5, 0.7, eigenvalues=eigenvalues, cutoff=[3, 2, 1, 0])
    r = 0.5
    expected = [r]
    for eigenvalue in (0.2, 0.3, 1.0):
        r += 6 * 0.7 * eigenvalue / (1 + 2 * r * eigenvalue)
        expected.append(r)
    assert found.quadratic == pytest.approx(expected, rel=1e-14)
    assert np.all(found.quartic == 0.7)


def test_a_free_theory_and_one_too_strong_for_one_loop():
    found = shell_recursion([0.0, 2.0], 0.0, eigenvalues=[1.0, 0.5], cutoff=0)
    assert found.quadratic.tolist() == [0.0, 2.0]
    with pytest.raises(DomainError, match="at mode 1"):
        shell_recursion(0.0, 0.1, eigenvalues=[1.0, 0.1], cutoff=0, momentum="conserving")
    assert shell_recursion(
        0.0, 0.1, eigenvalues=[1.0, 0.1], cutoff=1, momentum="conserving"
    ).quartic == pytest.approx(0.1 * (1 - 0.036))
    with pytest.raises(DomainError, match="cutoff"):
        shell_recursion(0.0, 0.1, eigenvalues=[1.0, 0.1], cutoff=3)
    with pytest.raises(DomainError, match="quartic"):
        shell_recursion(0.0, -0.1, eigenvalues=[1.0, 0.1], cutoff=1)

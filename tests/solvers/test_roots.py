"""Brent's methods: the roots and minima of SciPy's, to the last bit."""

import math

import numpy as np
import pytest
from scipy import optimize

from scalinglaws.solvers._roots import bounded_minimum, brentq, brentq_steps

FUNCTIONS = {
    "cubic": lambda x: x**3 - 2,
    "sine": lambda x: math.sin(3 * x) - 0.3,
    "flat": lambda x: (x - 0.7) ** 9,
    "steep": lambda x: math.atan(1e6 * (x - 0.123)),
    "jump": lambda x: math.copysign(1.0, x - 1 / 3),
    "tiny": lambda x: 1e-300 * (x - 0.2) * (x + 3),
    "huge": lambda x: 1e300 * (x - 0.2) * (x + 3),
    "exponential": lambda x: math.exp(-20 * x) - 1e-5,
    "array": lambda x: np.array(x - 0.5) ** 3,
    "root at an end": lambda x: x - 2.0,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize(
    "tolerances",
    [{}, {"xtol": 1e-300, "rtol": 1e-14, "maxiter": 2000}, {"xtol": 1e-3}, {"xtol": 1e-15}],
)
def test_roots_and_steps_are_those_of_scipy(name, tolerances):
    function = FUNCTIONS[name]
    rng = np.random.default_rng(7)
    compared = 0
    for low, high in [(-2.0, 2.0), (2.0, -1.5), (0, 1), *rng.uniform(-3, 3, (40, 2)).tolist()]:
        if (function(low) < 0) == (function(high) < 0) and function(low) and function(high):
            continue
        try:
            root, found = optimize.brentq(function, low, high, full_output=True, **tolerances)
        except RuntimeError as failure:
            with pytest.raises(RuntimeError, match=str(failure)):
                brentq(function, low, high, **tolerances)
            continue
        steps = found.iterations if function(low) and function(high) else 0  # SciPy leaves it unset
        assert brentq_steps(function, low, high, **tolerances) == (root, steps)
        assert brentq(function, low, high, **tolerances) == root
        compared += 1
    assert compared > 0 or name in ("flat", "array")  # which SciPy gives up too


def test_what_has_no_root_is_told_as_scipy_tells_it():
    for function, how in (
        (lambda x: x**2 + 1, {}),
        (lambda x: math.nan, {}),
        (lambda x: x**3 - 2, {"maxiter": 3}),
    ):
        with pytest.raises((ValueError, RuntimeError)) as theirs:
            optimize.brentq(function, -2, 2, **how)
        with pytest.raises(theirs.type) as ours:
            brentq(function, -2, 2, **how)
        if theirs.type is ValueError:
            assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("name", [*FUNCTIONS, "parabola", "noisy"])
@pytest.mark.parametrize("xatol", [1e-2, 1e-7, 1e-12])
@pytest.mark.parametrize("maxiter", [500, 9])
def test_minima_are_those_of_scipy(name, xatol, maxiter):
    more = {"parabola": lambda x: (x - 0.3) ** 2, "noisy": lambda x: math.cos(40 * x) + x**2}
    function = (FUNCTIONS | more)[name]
    rng = np.random.default_rng(3)
    for low, high in [(-2.0, 2.0), (0, 1), *np.sort(rng.uniform(-3, 3, (10, 2))).tolist()]:
        found = optimize.minimize_scalar(
            function,
            bounds=(low, high),
            method="bounded",
            options={"xatol": xatol, "maxiter": maxiter},
        )
        assert bounded_minimum(function, low, high, xatol, maxiter) == (found.x, found.fun)

"""Laws as kernels: values, derivatives, coordinates."""

import mpmath
import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.verify.empirical.fits import fit_law

NAMES = (
    "surface",
    "surface_power",
    "power",
    "power_offset",
    "three_region",
    "rosenfeld",
    "kaplan",
    "kaplan+offset",
    "bnsl",
    "bnsl_2",
    "bnsl_3",
    "perceptron",
    "E + A*N**-a + B*D**-a",
    "E + c*C**-g + log(1 + x)/k",
)


def written(law, x, columns, i=0):
    """Return value, gradient and Hessian that a kernel writes; check that it writes the products, too."""
    p = len(law.names)
    jacobian, outer, curvature = np.zeros(p), np.zeros(p * (p + 1) // 2), np.zeros(p * (p + 1) // 2)
    value = law.kernel(x, columns, i, jacobian, outer, curvature)
    rows, places = np.tril_indices(p)
    np.testing.assert_allclose(outer, jacobian[rows] * jacobian[places], rtol=1e-14)
    hessian = np.zeros((p, p))
    hessian[rows, places] = hessian[places, rows] = curvature
    return value, jacobian, hessian


def drawn(law, rng):
    x = [rng.normal() if log else rng.uniform(0.1, 1.2) for log in law.logs]
    return np.array(x), 2 * rng.normal(size=(len(law.variables), 1))


@pytest.mark.parametrize("name", NAMES)
def test_gradient_and_hessian_against_differences(name):
    law, rng, step = fit_law(name), np.random.default_rng(0), 1e-5
    for _ in range(20):
        x, columns = drawn(law, rng)
        _, gradient, hessian = written(law, x, columns)
        for j, along in enumerate(step * np.eye(x.size)):
            up, down = written(law, x + along, columns), written(law, x - along, columns)
            assert (up[0] - down[0]) / (2 * step) == pytest.approx(gradient[j], rel=1e-6, abs=1e-6)
            np.testing.assert_allclose(
                (up[1] - down[1]) / (2 * step), hessian[j], rtol=1e-6, atol=1e-6
            )


@pytest.mark.parametrize("case", range(8))
def test_values_against_reference(case, reference):
    name, parameters, columns, losses = reference("fits")["values"][case]
    law = fit_law(name)
    found = np.exp(law.predict(law.coordinates(parameters), columns))
    np.testing.assert_allclose(found, losses, rtol=1e-9 if name != "surface_power" else 3e-9)


@pytest.mark.parametrize("name", ["surface", "surface_power"])
def test_hand_written_kernels_against_generated_ones_and_many_digits(name):
    """Also far out, where one term is 1e-200 of the others."""
    formula = {"surface": "E + A*N**-a + B*D**-b", "surface_power": "E + (A*N**-a + B*D**-b)**c"}
    law, machine = fit_law(name), fit_law(formula[name])
    rng = np.random.default_rng(1)
    order = [machine.names.index(entry) for entry in law.names]
    for scale in (1.0, 100.0):
        for _ in range(20):
            x = np.array(
                [*(scale * rng.normal(size=3)), *rng.uniform(0.1, 1.5, len(law.names) - 3)]
            )
            columns = rng.uniform(-20, 20, (2, 1))
            value, gradient, hessian = written(law, x, columns)
            other = x.copy()
            other[order] = x
            if name == "surface":  # in the formula c is an exponent, too
                theirs = written(machine, other, columns)
                assert value == pytest.approx(theirs[0], rel=1e-12)
                np.testing.assert_allclose(gradient, theirs[1][order], rtol=1e-10, atol=1e-13)
                np.testing.assert_allclose(hessian, theirs[2][np.ix_(order, order)], atol=1e-9)
            with mpmath.workdps(400):
                E, A, B, a, b = map(mpmath.mpf, x[:5])
                c = mpmath.mpf(x[5]) if x.size > 5 else 1
                u, v = map(mpmath.mpf, columns[:, 0])
                inner = mpmath.exp(A - a * u) + mpmath.exp(B - b * v)
                exact = float(mpmath.log(mpmath.exp(E) + inner**c))
            assert value == pytest.approx(exact, rel=3e-15, abs=3e-15)


def test_surface_power_at_1_is_surface():
    rng = np.random.default_rng(2)
    for _ in range(20):
        x, columns = drawn(fit_law("surface"), rng)
        ours = written(fit_law("surface"), x, columns)
        theirs = written(fit_law("surface_power"), np.array([*x, 1.0]), columns)
        assert ours[0] == pytest.approx(theirs[0], rel=1e-14)
        np.testing.assert_allclose(ours[1], theirs[1][:5], rtol=1e-13)
        np.testing.assert_allclose(ours[2], theirs[2][:5, :5], atol=1e-12)


def test_perceptron_is_three_region_is_a_broken_power():
    k_1, g_1, k_2, g_2, q_2, q_1 = 0.8, 0.6, 0.5, 0.9, 3.0, 0.01
    points = np.geomspace(1, 1e6, 13)
    drop, place = k_1 * q_2**-g_1, (q_2 / k_2) ** (1 / g_2)
    laws = {
        "perceptron": {
            "k_1": k_1,
            "gamma_1": g_1,
            "k_2": k_2,
            "gamma_2": g_2,
            "q_2": q_2,
            "q_1": q_1,
        },
        "three_region": {"E": q_1, "L_0 - E": drop, "x_0": place, "s": g_2, "gamma": g_1 * g_2},
        "bnsl": {"a": q_1, "b": drop, "c_0": 0.0, "d_1": place, "f_1": 1 / g_2, "c_1": g_1 * g_2},
    }
    values = []
    for name, parameters in laws.items():
        law = fit_law(name)
        values.append(law.predict(law.coordinates(parameters), {law.variables[0]: points}))
    np.testing.assert_allclose(values[1], values[0], atol=4e-15)
    np.testing.assert_allclose(values[2], values[0], atol=4e-15)


def test_names_of_the_catalogue_and_laws_themselves_are_accepted():
    for name, given in {
        "surface": ("empirical.chinchilla", "chinchilla", theory.law("empirical.chinchilla")),
        "power_offset": ("empirical.hestness", "hestness", theory.law("empirical.hestness")),
        "kaplan+offset": ("kaplan_offset",),
        "three_region": ("empirical.three_region",),
    }.items():
        for entry in given:
            assert fit_law(entry) is fit_law(name)


def test_a_law_without_an_entry_is_fitted_from_its_form():
    law = fit_law("empirical.kaplan_reconciliation")
    assert law.variables == ("D", "n")
    assert set(law.names) == {"A", "B", "E", "a", "b", "omega"}
    assert law.predict(
        law.coordinates({"A": 400, "B": 400, "E": 1.7, "a": 0.3, "b": 0.3, "omega": 0}),
        {"D": [1e9], "n": [1e8]},
    )[0] == pytest.approx(np.log(1.7 + 400 * 1e8**-0.3 + 400 * 1e9**-0.3))


def test_vectorized_over_coordinates_and_back():
    law = fit_law("surface")
    rows = np.random.default_rng(3).uniform(0.1, 1, (4, 5))
    columns = {"N": [1e8, 1e9], "D": [1e10, 1e11]}
    values, gradients = law.predict(rows, columns), law.gradient(rows, columns)
    assert values.shape == (4, 2)
    assert gradients.shape == (4, 2, 5)
    np.testing.assert_array_equal(law.predict(rows[2], columns), values[2])
    np.testing.assert_array_equal(law.gradient(rows[2], columns), gradients[2])
    named = law.parameters(rows)
    np.testing.assert_allclose(np.log(named["A"]), rows[:, 1])
    one = law.parameters(rows[0])
    np.testing.assert_allclose(law.coordinates(one), rows[0])


def test_bounds_decide_the_signs_of_an_expression():
    text = "c*C**-g*(1 + u*C**-w)"
    assert fit_law(text).logs[fit_law(text).names.index("u")]
    signed = fit_law(text, {"u": (-5.0, 5.0)})
    assert not signed.logs[signed.names.index("u")]
    x = signed.coordinates({"c": 2.0, "g": 0.1, "u": -0.3, "w": 0.2})
    assert np.exp(signed.predict(x, {"C": [10.0]}))[0] == pytest.approx(
        2 * 10**-0.1 * (1 - 0.3 * 10**-0.2)
    )


@pytest.mark.parametrize(
    ("law", "words"),
    [
        ("surfaze", "did you mean 'surface'"),
        ("linear.time", "no form 'loss'"),
        ("A + b", "a variable is missing"),
        ("N*D", "no parameters"),
        ("A*N**-a +", "is not a formula"),
        (3, "must be the name of a law"),
    ],
)
def test_what_is_no_law_is_refused(law, words):
    with pytest.raises(DomainError, match=words):
        fit_law(law)


def test_coordinates_refuse_unknown_and_missing_names():
    law = fit_law("surface")
    with pytest.raises(DomainError, match="unknown parameter 'alpha'"):
        law.coordinates({"alpha": 1.0})
    with pytest.raises(DomainError, match="must name B, a, b"):
        law.coordinates({"E": 1.0, "A": 1.0})
    with pytest.raises(DomainError, match="E = -1"):
        law.coordinates({"E": -1.0, "A": 1.0, "B": 1.0, "a": 0.3, "b": 0.3})
    with pytest.raises(DomainError, match="increasing"):
        law.constrained(bounds={"a": (0.5, 0.2)})
    with pytest.raises(DomainError, match="unknown parameter 'q'"):
        law.constrained(fixed={"q": 0.5})
    with pytest.raises(DomainError, match="D is missing"):
        law.predict(np.zeros(5), {"N": [1.0]})

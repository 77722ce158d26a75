"""Derivatives of the free energy, by SymPy from the free energy, against matrix formulas and against the solver's code."""

import numpy as np
import pytest
import sympy as sp

from scalinglaws.errors import DomainError
from scalinglaws.solvers.kernel_adaptation._activation_kernels import ACTIVATIONS
from scalinglaws.solvers.kernel_adaptation._free_energy import Problem, evaluate
from scalinglaws.theory.kernel_adaptation import gradient
from scalinglaws.theory.kernel_adaptation.gradients import _activated, _data_term, _symmetric


def entries(**matrices):
    return {
        sp.Symbol(f"{name}_{i}{j}", real=True): matrix[i, j]
        for name, matrix in matrices.items()
        for i in range(len(matrix))
        for j in range(i + 1)
    }


def number(expression, **values):
    """Put numbers in, those of matrices, of targets and of parameters."""
    matrices = {name: value for name, value in values.items() if np.ndim(value) == 2}
    found = entries(**matrices)
    for i, target in enumerate(values.get("y", ())):
        found[sp.Symbol(f"y_{i}", real=True)] = target
    for symbol in expression.free_symbols:
        if str(symbol) in ("chi", "kappa"):
            found[symbol] = values[str(symbol)]
    return np.array(expression.subs(found).evalf(), dtype=float)


def positive(rng, size):
    root = rng.standard_normal((size, size))
    return root @ root.T / size + 0.3 * np.eye(size)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_divergences_have_the_derivatives_of_the_theory(size):
    rng = np.random.default_rng(size)
    k, q = positive(rng, size), positive(rng, size)
    inverse = np.linalg.inv(q)
    np.testing.assert_allclose(
        number(gradient("kernel", size), K=k, Q=q), 0.5 * (inverse - np.linalg.inv(k)), rtol=1e-9
    )
    np.testing.assert_allclose(
        number(gradient("prior", size), K=k, Q=q),
        0.5 * (inverse - inverse @ k @ inverse),
        rtol=1e-9,
    )


def test_of_two_inputs_the_formulas_hold_exactly():
    k, q = _symmetric("K", 2), _symmetric("Q", 2)
    for found, formula in (
        (gradient("kernel", 2), (q.inv() - k.inv()) / 2),
        (gradient("prior", 2), (q.inv() - q.inv() * k * q.inv()) / 2),
    ):
        assert (found - formula).applyfunc(sp.simplify) == sp.zeros(2, 2)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_data_terms_have_the_derivative_of_the_theory(size):
    rng = np.random.default_rng(size)
    q, y = positive(rng, size), rng.standard_normal(size)
    inverse = np.linalg.inv(q + 0.3 * np.eye(size))
    tilde = inverse @ y
    np.testing.assert_allclose(
        number(gradient("data", size), Q=q, y=y, chi=7.0, kappa=0.3),
        -0.5 * (7.0 * np.outer(tilde, tilde) - inverse),
        rtol=1e-9,
    )


@pytest.mark.parametrize("activation", ["erf", "linear"])
@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_code_takes_derivatives_back_through_activations(activation, size):
    rng = np.random.default_rng(size)
    k, g = positive(rng, size), rng.standard_normal((size, size))
    g = g + g.T
    value, backward = ACTIVATIONS[activation](k)
    np.testing.assert_allclose(value, number(_activated(_symmetric("K", size), activation), K=k))
    wanted = number(gradient(activation, size), K=k, G=g)
    np.testing.assert_allclose(backward(g), wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    "activation",
    [pytest.param("erf", marks=pytest.mark.slow), "linear"],  # a minute of SymPy
)
def test_the_code_has_the_gradient_of_two_layers(activation):
    """Symbolic to the end: Cholesky factor, activations and data term as functions of both lower triangles."""
    rng = np.random.default_rng(4)
    inputs, targets = rng.standard_normal((2, 2)), rng.standard_normal(2)
    problem = Problem(
        inputs,
        targets[:, None],
        (7.0, 5.0),
        activation,
        np.full(2, 0.3),
        1.3,
        (1.0, 0.9),
        (0.0, 0.0),
    )
    triangles = [
        np.asfortranarray(np.eye(2) + 0.3 * np.tril(rng.standard_normal((2, 2)))) for _ in range(2)
    ]
    state = evaluate(problem, triangles, 7.0)
    letters = [
        sp.Matrix(2, 2, lambda i, j, n=n: sp.Symbol(f"{n}_{i}{j}", positive=True) if i >= j else 0)
        for n in "CE"
    ]
    x = sp.Matrix(inputs) if activation == "erf" else sp.eye(2)
    first = x * letters[0] * letters[0].T * x.T
    prior = sp.Rational(9, 10) * _activated(first, activation)
    r00 = sp.sqrt(prior[0, 0])
    r10 = prior[1, 0] / r00
    root = sp.Matrix([[r00, 0], [r10, sp.sqrt(prior[1, 1] - r10**2)]])
    second = root * letters[1] * letters[1].T * root.T
    outputs = sp.Rational(13, 10) * _activated(second, activation)
    if activation == "linear":
        outputs = sp.Matrix(inputs) * outputs * sp.Matrix(inputs).T
    total = _data_term(2).subs(
        {symbol: outputs[int(str(symbol)[2]), int(str(symbol)[3])] for symbol in _symmetric("Q", 2)}
    )
    for width, letter in zip((7, 5), letters, strict=True):
        total += width * (
            (letter[0, 0] ** 2 + letter[1, 0] ** 2 + letter[1, 1] ** 2 - 2) / 2
            - sp.log(letter[0, 0] * letter[1, 1])
        )
    given = {
        letter[i, j]: triangle[i, j]
        for letter, triangle in zip(letters, triangles, strict=True)
        for i in range(2)
        for j in range(i + 1)
    }
    for symbol in total.free_symbols:
        if str(symbol) in ("chi", "kappa", "y_0", "y_1"):
            given[symbol] = {"chi": 7.0, "kappa": 0.3, "y_0": targets[0], "y_1": targets[1]}[
                str(symbol)
            ]
    symbols, values = list(given), list(given.values())
    slopes = {symbol: sp.diff(total, symbol) for symbol in symbols if str(symbol)[0] in "CE"}
    compiled = sp.lambdify(symbols, [total, *slopes.values()], cse=True)
    energy, *found = compiled(*map(float, values))
    wanted = dict(zip(slopes, found, strict=True))
    assert state.free_energy == pytest.approx(energy, rel=1e-12)
    for letter, found in zip(letters, state.gradients, strict=True):
        for i in range(2):
            for j in range(i + 1):
                assert found[i, j] == pytest.approx(wanted[letter[i, j]], rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(
    ("given", "message"),
    [(("weights", 2), "part = 'weights'"), (("data", 5), "size = 5"), (("data", 0), "size = 0")],
)
def test_refusals(given, message):
    with pytest.raises(DomainError, match=message):
        gradient(*given)

"""Learning curves of the perceptron: the error against the norm of its weights and against the samples, with the elbow between two laws."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from typing import Any

import numpy as np

from ... import theory
from ...errors import ConvergenceError, DomainError
from ...solvers import perceptron as solve
from ...theory.perceptron import EXPONENTIAL, HINGE, FixedNorm, derive_early
from ..answers import COLORS, PALE, Answer, Array, Drawn, Line, Marks, Number, paragraphs
from ..controls import Choice, Slider
from ..panel import Frame, Panel, Values
from ._shared import decades, heard, told

LOW, HIGH = 1e-2, 1e6
LOSSES = {
    "logistic": "logistic, log(1 + exp(-2u))",
    "exponential": "exponential, exp(-u)",
    "hinge": "hinge, max(0, 1 - u)",
    "square": "square, (1 - u)²/2",
}
FINE, COARSE, AROUND = 12, 2, 2.5
"""Points a decade of losses that are solved in a moment, and of the others, which are drawn so many decades around a point."""
INK = "#000000"
FARTHEST = 20.0  # times the inverse stability: norms up to which other losses are tried
LAWS = ("gamma1", "elbow", "gamma2", "hebb", "max_stability", "bayes")
NORMS, SAMPLES = decades(LOW, HIGH, FINE), decades(LOW, HIGH, FINE)


def answer(values: Values) -> Answer:
    """Return the errors around one perceptron, and what laws say of them."""
    loss, alpha, norm = values["loss"], float(values["alpha"]), float(values["norm"])
    with heard() as words:
        error, complaint = _point(loss, alpha, norm)
        drawn = {
            "norm": _against_norm(loss, alpha, norm, error),
            "samples": _against_samples(loss, alpha, norm, error),
        }
        numbers = _numbers(loss, alpha, error)
    if loss == "square":
        words.append("The laws of the norm hold for losses that never rise: the square does.")
    page = paragraphs(complaint, *words) + told(*(f"perceptron.{name}" for name in LAWS))
    return Answer(drawn, numbers, page)


def constant(name: str) -> tuple[float, Any]:
    """Return the amplitude of a law, and its exact exponent."""
    law = theory.law(f"perceptron.{name}")
    return float(law.constant), law()  # type: ignore[arg-type]


@cache
def early(loss: str) -> tuple[float, Any]:
    """Return amplitude and exact exponent of the early power law of a loss."""
    if loss == "logistic":
        return constant("gamma1")
    derived = derive_early(FixedNorm({"exponential": EXPONENTIAL, "hinge": HINGE}[loss]))
    return float(derived.constant), derived.expr  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def _point(loss: str, alpha: float, norm: float) -> tuple[float, str]:
    """Solve one perceptron; NaN and why, where there is none."""
    try:
        return float(solve.fixed_norm(alpha, norm, loss).error), ""
    except (DomainError, ConvergenceError) as failure:
        return math.nan, str(failure).partition(";")[0]


def _curve(loss: str, alpha: Array, norm: Array) -> Array:
    """Solve many perceptrons; NaN where there is none."""
    if loss == "logistic":
        return np.asarray(solve.fixed_norm(alpha, norm).error)
    pairs = np.broadcast(alpha, norm)
    reach = np.broadcast_to(
        FARTHEST / np.asarray(solve.max_stability(alpha).stability), pairs.shape
    )
    far = reach if loss != "square" else np.full(pairs.shape, math.inf)
    return np.array(
        [
            _point(loss, float(a), float(n))[0] if n <= most else math.nan
            for (a, n), most in zip(pairs, far, strict=True)
        ]
    )


def _grid(loss: str, fine: Array, center: float) -> Array:
    """Return where a curve is drawn: all along, or a few places around a point."""
    if loss in ("logistic", "square"):
        return fine
    few = fine[:: FINE // COARSE]
    return few[np.abs(np.log10(few / center)) < AROUND]


def _against_norm(loss: str, alpha: float, norm: float, error: float) -> list[Drawn]:
    """Draw the error against the norm, between its two limits."""
    grid = _grid(loss, NORMS, norm)
    zero, last, least = (_rule(name, alpha) for name in ("hebb", "max_stability", "bayes"))
    ends = [LOW, HIGH]
    drawn: list[Drawn] = [
        Line(f"{loss} loss", grid, _curve(loss, np.array([alpha]), grid), COLORS[0]),
        Line("zero norm: Hebb's rule", ends, [zero, zero], PALE, "dotted"),
        Line("the least possible: Bayes", ends, [least, least], COLORS[4]),
    ]
    if loss != "square":
        drawn.append(Line("infinite norm: largest stability", ends, [last, last], PALE, "dashed"))
        amplitude, exponent = early(loss)
        first = amplitude ** (1 / float(exponent))  # where the law leaves the error at zero norm
        meets = (zero * amplitude / least) ** (1 / float(exponent))  # nothing is better
        end = _elbow(alpha) if loss == "logistic" else meets
        if end > first:
            x = np.array([first, end])
            y = zero * amplitude * x ** -float(exponent)
            drawn.append(Line(f"law: slope -{exponent}", x, y, COLORS[1], "dashed"))
            if loss == "logistic":
                drawn.append(Marks("elbow, by its law", x[1:], y[1:], COLORS[1]))
    if loss == "logistic":
        best = solve.optimal_norm(alpha)
        drawn.append(Marks("best norm", [float(best.norm)], [float(best.error)], COLORS[2]))
    return [*drawn, *_here(norm, error)]


def _against_samples(loss: str, alpha: float, norm: float, error: float) -> list[Drawn]:
    """Draw the error against the samples, at the norm, at the best one and for the best of rules."""
    grid = _grid(loss, SAMPLES, alpha)
    drawn: list[Drawn] = [
        Line(f"{loss} loss, this norm", grid, _curve(loss, grid, np.array([norm])), COLORS[0])
    ]
    if loss == "logistic":
        drawn.append(Line("best norm", *_best_curve(), COLORS[2]))
    drawn += _rules()
    if loss != "square":
        amplitude, exponent = early(loss)
        start, gamma0 = constant("hebb")
        first = norm / constant("elbow")[0] if loss == "logistic" else norm
        if LOW < first < HIGH and norm > amplitude ** (1 / float(exponent)):
            x = np.array([first, HIGH])
            y = start * amplitude * norm ** -float(exponent) * x ** -float(gamma0)
            drawn.append(Line(f"law: slope -{gamma0}", x, y, COLORS[1], "dashed"))
            if loss == "logistic":
                drawn.append(Marks("elbow, by its law", x[:1], y[:1], COLORS[1]))
    return [*drawn, *_here(alpha, error)]


def _rule(name: str, alpha: float) -> float:
    return float(getattr(solve, name)(alpha).error)


def _here(x: float, error: float) -> list[Drawn]:
    return [Marks("here", [x], [error], INK)] if math.isfinite(x) and error > 0 else []


def _elbow(alpha: float) -> float:
    amplitude, exponent = constant("elbow")
    return float(amplitude * alpha ** float(exponent))


@cache
def _best_curve() -> tuple[Array, Array]:
    grid = SAMPLES[::3]
    return grid, np.asarray(solve.optimal_norm(grid).error)


@cache
def _rules() -> tuple[Drawn, ...]:
    """Draw what has no norm, with the power laws for many samples."""
    drawn: list[Drawn] = []
    many = np.array([1.0, HIGH])
    for name, label, color in (
        ("hebb", "Hebb's rule", PALE),
        ("max_stability", "largest stability", COLORS[3]),
        ("bayes", "Bayes", COLORS[4]),
    ):
        drawn.append(Line(label, SAMPLES, getattr(solve, name)(SAMPLES).error, color))
        amplitude, exponent = constant(name)
        law = amplitude * many ** -float(exponent)
        drawn.append(Line(f"{label}: slope -{exponent}", many, law, color, "dashed"))
    return tuple(drawn)


def _numbers(loss: str, alpha: float, error: float) -> list[Number]:
    """List the errors at this many samples, and the exponents."""
    numbers = [
        Number("error", f"error, {loss} loss", error if error > 0 else "none"),
        Number("hebb", "error at zero norm (Hebb)", _rule("hebb", alpha)),
        Number("max_stability", "error of the largest stability", _rule("max_stability", alpha)),
        Number("bayes", "least possible error (Bayes)", _rule("bayes", alpha)),
    ]
    if loss == "logistic":
        best = solve.optimal_norm(alpha)
        numbers += [
            Number("best_norm", "best norm", float(best.norm)),
            Number("best_error", "error there", float(best.error)),
            Number("elbow", "norm of the elbow", _elbow(alpha), "law for many samples"),
        ]
    if loss != "square":
        numbers.append(Number("gamma1", "γ₁ of the error against the norm", str(early(loss)[1])))
    numbers += [
        Number("gamma0", "γ₀ of the error against samples, fixed norm", str(constant("hebb")[1])),
        Number("gamma2", "γ₂ of the best norm against samples", str(constant("gamma2")[1])),
        Number("gamma", "exponent of Bayes' error", str(constant("bayes")[1])),
    ]
    return numbers


PANEL = Panel(
    "perceptron",
    "Where does the elbow come from?",
    "A perceptron learns a teacher's labels at a fixed norm of its weights. At first the error falls as a power of the "
    "norm; at the elbow that power law would reach the least error, and more norm needs more samples.",
    (
        Choice("loss", "Loss", LOSSES, "logistic"),
        Slider("alpha", "samples per weight", LOW, HIGH, 100.0, 0.05, logarithmic=True),
        Slider("norm", "norm of the weights", LOW, HIGH, 10.0, 0.05, logarithmic=True),
    ),
    (
        Frame("norm", "norm λ", "generalization error", x_log=True, y_log=True),
        Frame("samples", "samples per weight α", "generalization error", x_log=True, y_log=True),
    ),
    answer,
    {
        "loss": ("logistic",),
        "alpha": tuple(float(x) for x in decades(1, 1e4, 2)),
        "norm": tuple(float(x) for x in decades(0.1, 1e3, 2)),
    },
)

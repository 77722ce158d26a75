"""Networks that are told their alignment with a linear function: where their weights become bimodal, against the law."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from ....arguments import Array
from ....theory import law
from ...comparison import Comparison, Prediction, Rival
from ...registry import Context, check
from ...rule import FAIL
from ...simulate.patterns import learn_alignment
from .._measured import mean_over

_CRITICAL = math.gamma(0.25) * math.gamma(1.25) / math.gamma(0.75) ** 2
"""Kurtosis of exp(-u^4), the law of weights where its curvature at zero vanishes."""
_NEAR = {True: (2.2, 2.9), False: (2.5, 3.3)}
"""Samples per ridge over the root of the dimension on either side, of neurons that keep their weights across and of free ones."""
_CONSTANT = 0.05  # relative: a third of the distance between the two laws
_SOFTER = math.sqrt(1.5)
r"""By how much weights along the target are larger there if those across may shrink.

Squared lengths r along and rho across cost :math:`d(r + \rho - 1 - \log\rho)/2`, of which :math:`(3d/2)\, r/(1 + 2\rho + 2r)` is undone;
at the best rho :math:`2dr^2/9` is left in place of :math:`dr^2/3`.
"""


@check(
    "kernel_adaptation.two-modes",
    statement="weights along a linear target become bimodal at samples that grow as the root of the dimension; the law's constants are "
    "those of neurons which keep their weights across the target",
    laws=("kernel_adaptation.bimodality",),
    compiles=3.0,
)
def born_modes(context: Context) -> Iterator[Comparison]:
    """Where the kurtosis is that of a fourth power, between two numbers of samples; as many neurons as the scale."""
    formula = law("kernel_adaptation.bimodality")
    assert formula.constant is not None
    values = {"nu": 1, "kappa": 1}
    constant, mean = (
        float(expr.subs({symbol: values[str(symbol)] for symbol in expr.free_symbols}))
        for expr in (formula.constant, formula.forms["mean"].expr)
    )
    force = constant * (1 - mean)
    dimensions = (100, 25_600)
    neurons = context.pick(quick=100, full=200)  # more neurons take as many more sweeps
    draws, sweeps = context.pick(quick=8, full=9), context.pick(quick=600, full=1500)

    def born(d: int, r: int, held: bool) -> tuple[float, float]:
        ends = _NEAR[held]
        found = [
            learn_alignment(
                neurons,
                d,
                degree=1,
                scale=float(neurons),
                ridge_per_sample=1 / (near * math.sqrt(d)),
                held=held,
                sweeps=sweeps,
                rng=context.generator(f"{d}-{near:g}-{held}", r),
            )
            for near in ends
        ]
        low, high = (each.kurtosis for each in found)
        part = (low - _CRITICAL) / (low - high)
        learned = found[0].learned + part * (found[1].learned - found[0].learned)
        return math.sqrt(d) * ends[0] * math.pow(ends[1] / ends[0], part), learned

    free = np.array([[born(d, r, False) for d in dimensions] for r in range(draws)])
    held = np.array([born(dimensions[-1], r, True) for r in range(draws)])
    last = float(dimensions[-1])
    method = (
        f"weights moved neuron by neuron, N = chi = {neurons}, {sweeps} sweeps from either side"
    )
    slopes = np.log(free[:, 1, 0] / free[:, 0, 0]) / math.log(dimensions[1] / dimensions[0])
    yield Comparison(
        f"{context.check}/exponent",
        Prediction(
            "exponent in d of samples per ridge, sign reversed",
            "exponent",
            -float(formula()),
            formula.name,
        ),
        mean_over(-slopes, method, last),
        tolerance=0.03,
        rival=Rival("the lazy kernel's half learnability, d", -1.0),
    )
    learned = mean * _SOFTER
    source = f"{formula.name}, weights across the target free to shrink"
    told = "samples per ridge over sqrt(d)", "share of the target that is learned there"

    def compared(
        name: str, what: str, rows: Array, value: float, source: str, rival: Rival, reason: str = ""
    ) -> Comparison:
        return Comparison(
            f"{context.check}/{name}",
            Prediction(what, "threshold", value, source),
            mean_over(rows, method, last),
            tolerance=_CONSTANT,
            tolerance_kind="relative",
            rival=rival,
            **({"expect": FAIL, "expect_reason": reason} if reason else {}),  # type: ignore[arg-type]
        )

    roots = math.sqrt(last)
    half, kept = Rival("half, at the law's force", 2 * force), "weights across the target held"
    yield compared("held", f"{told[0]}, {kept}", held[:, 0] / roots, constant, formula.name, half)
    yield compared(
        "held-learned", f"{told[1]}, {kept}", held[:, 1], mean, formula.name, Rival("half", 0.5)
    )
    keeps = "weights across the target keep their length"
    yield compared(
        "free",
        told[0],
        free[:, 1, 0] / roots,
        force / (1 - learned),
        source,
        Rival(keeps, constant),
    )
    yield compared("free-learned", told[1], free[:, 1, 1], learned, source, Rival(keeps, mean))
    yield compared(
        "law",
        told[0],
        free[:, 1, 0] / roots,
        constant,
        formula.name,
        Rival("a lazy kernel's half learnability", 3 * math.pi / 4 * roots),
        "the law lets neurons keep the length of their weights across the target; free to shrink, they make the law of weights softer, "
        "2 m^4/9 in place of m^4/3, and the constant is 2.8804 in place of 2.4806: the comparisons before this one",
    )

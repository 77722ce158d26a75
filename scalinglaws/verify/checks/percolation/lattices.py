"""Hypercubic lattices at their threshold: exponents of cluster sizes, the largest cluster, ranks, and the threshold itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import sympy as sp

from ....formatting import number
from ....theory.percolation import critical_exponents, critical_threshold, rank_exponent
from ...comparison import Comparison, Measurement, Prediction, Rival
from ...registry import Context, check
from ...simulate import percolation as simulate


@dataclass(frozen=True)
class _Plan:
    """How one dimension is simulated.

    `length` and `samples` of lattices for tails; the first and last power of 4 where windows begin, for tau with its tolerance and
    for ranks (none: left out); `lengths` for the largest cluster; those of the two lattices whose curves cross.
    """

    length: int
    samples: int
    powers: tuple[int, int]
    tau: float
    ranks: tuple[int, int] | None
    lengths: tuple[int, ...]
    crossing: tuple[int, int] = (0, 0)


# the exponent that is fitted is tau - 2, below 0.6: 0.03 is the default
_QUICK = {
    2: _Plan(1024, 24, (3, 5), 0.03, None, (16, 32, 64)),
    3: _Plan(96, 120, (3, 4), 0.03, (3, 3), (8, 16, 32)),
}
# some 1.7e7 sites; windows begin past most of the corrections to scaling, which in five dimensions leave -0.025 of tau, in six logarithms
_FULL = {
    2: _Plan(4096, 40, (4, 7), 0.004, (4, 5), (32, 64, 128), (64, 128)),
    3: _Plan(256, 40, (4, 6), 0.01, (4, 4), (16, 32, 64), (16, 32)),
    4: _Plan(64, 40, (4, 4), 0.025, (4, 4), (8, 16, 32), (8, 16)),
    5: _Plan(28, 400, (4, 4), 0.03, (4, 4), (6, 10, 16), (6, 10)),
    6: _Plan(16, 40, (3, 5), 0.1, (4, 4), (6, 8, 10), (5, 8)),
}
_LARGEST = {"quick": 500, "full": 1000}  # samples of every length
_ROOTS = {"quick": 10_000, "full": 200_000}  # of every lattice
_SHARE = 0.05  # of an exponent above 0.6, and of a threshold: the defaults
_PORTIONS, _SWEEPS = 10, 40


def _plans(context: Context) -> dict[int, _Plan]:
    return _QUICK if context.effort == "quick" else _FULL


@lru_cache(maxsize=1)
def _samples(effort: str, root: int) -> dict[int, simulate.LatticeSamples]:
    """Draw the lattices whose tails two checks look at."""
    context, found = Context("percolation.lattice", effort, root), {}
    for dimension, plan in _plans(context).items():
        found[dimension] = simulate.sample_lattices(
            plan.length,
            dimension,
            occupation=float(critical_threshold(dimension)),
            samples=plan.samples,
            roots=_ROOTS[effort],
            rng=context.generator("tails", dimension),
        )
    return found


def _measured(
    found: simulate.LatticeEstimate, samples: int, method: str, last: float | None = None
) -> Measurement:
    """Return an estimate with the spread of its windows, or of its lengths up to the last, as part of its error.

    The largest difference of neighboring windows is told beside it; tolerances are wide enough for it.
    """
    systematic = 0.0
    if found.systematic_error is not None:
        method += f"; neighboring windows differ by up to {number(found.systematic_error, 2)}"
    if found.local.size > 2:
        systematic = abs(float(found.local[1:].mean() - found.local[:-1].mean())) / 2
    return Measurement(
        found.value,
        math.hypot(found.standard_error, systematic),
        samples - 1,
        samples,
        method,
        (float(found.scales[0]), 4 * float(found.scales[-1]) if last is None else last),
        systematic=systematic,
    )


def _neighbor(dimension: int) -> int:
    """Return a dimension whose exponents differ."""
    return dimension + 1 if dimension < 6 else 4


@check(
    "percolation.tau",
    statement="the numbers of clusters by size fall with the Fisher exponent of the dimension",
    no_law="a table of known exponents, which laws take as given",
)
def tau(context: Context) -> Iterator[Comparison]:
    """From the share of sites in large clusters, which has no bump at the lattice's own size."""
    for dimension, plan in _plans(context).items():
        exact, other = (
            critical_exponents(dimension).tau,
            critical_exponents(_neighbor(dimension)).tau,
        )
        samples = _samples(context.effort, context.root)[dimension]
        yield Comparison(
            f"{context.check}/dimension-{dimension}",
            Prediction(
                "Fisher exponent",
                "exponent",
                float(exact),
                f"theory.percolation.critical_exponents({dimension})",
                se=exact.standard_error,
            ),
            _measured(
                simulate.fisher_exponent(samples, powers=plan.powers),
                plan.samples,
                f"{plan.samples} periodic lattices of length {plan.length}",
            ),
            tolerance=plan.tau,
            rival=Rival(f"{_neighbor(dimension)} dimensions", float(other)),
        )


@check(
    "percolation.rank",
    statement="ranks of clusters fall with size as they should where clusters are drawn by site, and where each counts once",
    laws=("percolation.quanta", "percolation.quanta_lattice"),
    refutes=("percolation.quanta_lattice",),
)
def rank(context: Context) -> Iterator[Comparison]:
    """Two ways to collect clusters of the same lattices; each has the other's exponent as its rival.

    Sizes fall with rank as k^-g; judged is 1/g, which is tau - 2 or tau - 1 and has the tolerance of tau, or the default if that is more.
    """
    for dimension, plan in _plans(context).items():
        if plan.ranks is None:
            continue
        exact = critical_exponents(dimension).tau
        samples = _samples(context.effort, context.root)[dimension]
        slopes = {
            ensemble: 1 / float(rank_exponent(sp.Float(float(exact)), ensemble=ensemble))
            for ensemble in ("site_rooted", "lattice")
        }
        for ensemble, other in (("site_rooted", "lattice"), ("lattice", "site_rooted")):
            measured = _measured(
                simulate.rank_exponent(samples, ensemble=ensemble, powers=plan.ranks),
                plan.samples,
                f"{plan.samples} periodic lattices of length {plan.length}, {_ROOTS[context.effort]} roots each",
            )
            g = float(measured.value)
            yield Comparison(
                f"{context.check}/{ensemble.replace('_', '-')}-{dimension}",
                Prediction(
                    f"exponent of cluster ranks against size, in {dimension} dimensions",
                    "exponent",
                    slopes[ensemble],
                    f'1/theory.percolation.rank_exponent(tau, ensemble="{ensemble}")',
                    se=exact.standard_error,
                ),
                replace(
                    measured,
                    value=1 / g,
                    se=float(measured.se) / g**2,
                    systematic=measured.systematic / g**2,
                ),
                tolerance=max(_SHARE * slopes[ensemble], plan.tau),
                rival=Rival(
                    f"the {other.replace('_', '-')} ensemble"
                    + (", as published for clusters in general" if ensemble == "lattice" else ""),
                    slopes[other],
                ),
            )


@check(
    "percolation.fractal-dimension",
    statement="the largest cluster grows with the lattice as its fractal dimension says",
    no_law="a table of known exponents, which laws take as given",
    compiles=5.0,
)
def fractal_dimension(context: Context) -> Iterator[Comparison]:
    """Mean size of the largest cluster of lattices of several lengths."""
    count = _LARGEST[context.effort]
    for dimension, plan in _plans(context).items():
        exact, other = critical_exponents(dimension).D, critical_exponents(_neighbor(dimension)).D
        rng = context.generator("simulation", dimension)
        groups = [
            simulate.sample_lattices(
                length,
                dimension,
                occupation=float(critical_threshold(dimension)),
                samples=count,
                roots=0,
                rng=rng,
            )
            for length in plan.lengths
        ]
        measured = _measured(
            simulate.fractal_dimension(groups),
            count,
            f"{count} periodic lattices of each of the lengths {', '.join(map(str, plan.lengths))}",
            float(plan.lengths[-1]),
        )
        yield Comparison(
            f"{context.check}/dimension-{dimension}",
            Prediction(
                "fractal dimension",
                "exponent",
                float(exact),
                f"theory.percolation.critical_exponents({dimension})",
                se=exact.standard_error,
            ),
            measured,
            tolerance=_SHARE,
            tolerance_kind="relative",
            rival=Rival(f"{_neighbor(dimension)} dimensions", float(other)),
        )


@check(
    "percolation.threshold",
    statement="largest clusters of two lengths, each over L^D, cross at the threshold",
    no_law="a table of known thresholds, which no law needs",
    effort="full",
)
def threshold(context: Context) -> Iterator[Comparison]:
    """Sites occupied one by one, in two to six dimensions; the tolerance covers the shift of small lattices."""
    for dimension, plan in _plans(context).items():
        exact = critical_threshold(dimension)
        sweeps = [
            [
                simulate.newman_ziff(
                    length,
                    dimension,
                    samples=_SWEEPS,
                    rng=context.generator(f"{dimension}/{length}", i),
                )
                for i in range(_PORTIONS)
            ]
            for length in plan.crossing
        ]
        found = simulate.crossing(
            *sweeps,
            dimension=float(critical_exponents(dimension).D),
            bracket=(0.7 * float(exact), 1.3 * float(exact)),
        )
        small, large = plan.crossing
        yield Comparison(
            f"{context.check}/dimension-{dimension}",
            Prediction(
                "site percolation threshold",
                "threshold",
                float(exact),
                f"theory.percolation.critical_threshold({dimension})",
                se=exact.standard_error,
            ),
            Measurement(
                found.value,
                found.standard_error,
                _PORTIONS - 1,
                _PORTIONS,
                f"crossing at lengths {small} and {large}, {_PORTIONS} portions of {_SWEEPS} sweeps",
                (0.7 * float(exact), 1.3 * float(exact)),
            ),
            tolerance=_SHARE,
            tolerance_kind="relative",
            rival=Rival(
                "Bethe lattice of as many neighbors",
                float(critical_threshold(coordination=2 * dimension)),
            ),
        )

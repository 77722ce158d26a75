"""What the verdict layer itself costs, per comparison: everything but the simulation.

Run ``python benchmarks/verify.py``. The target is 50 ms per comparison.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import curve_fit
from timing import best_of

from scalinglaws.verify import Comparison, Prediction, Report, Rival
from scalinglaws.verify.estimate import (
    curve_from_replicates,
    exponent_from_replicates,
    fit_exponent,
    measure,
)
from scalinglaws.verify.provenance import environment


def curve(number: int, rng: np.random.Generator) -> Comparison:
    """Measure and judge one curve of 20 points with 12 replicates."""
    x = np.geomspace(1, 1e4, 20)
    truth = 0.1 + x**-0.5
    rows = truth * (1 + 0.02 * rng.standard_normal((12, 20)))
    found = measure(
        lambda r: rows[r],
        lambda some: curve_from_replicates(x, some, method="m"),
        replicates=12,
        tolerance=0.05 * truth,
    )
    made = Comparison(
        f"bench.curve/{number}",
        Prediction("L", "curve", truth, "s", x=x),
        found,
        0.05,
        rival=Rival("r", 1.5 * truth),
    )
    made.outcome, made.rival_verdict  # noqa: B018
    return made


def exponent(number: int, rng: np.random.Generator, form: str) -> Comparison:
    """Measure and judge one exponent, fitted to 12 replicates in three windows."""
    x = np.geomspace(1, 1e4, 10)
    truth = 0.01 + (1 + x / 20) ** -0.5 if form == "three_region" else 0.1 + x**-0.5
    rows = truth * (1 + 0.01 * rng.standard_normal((12, 10)))
    found = exponent_from_replicates(x, rows, method="m", form=form)
    made = Comparison(
        f"bench.exponent/{number}",
        Prediction("g", "exponent", 0.5, "s"),
        found,
        0.05,
        rival=Rival("r", 0.7),
    )
    made.outcome, made.rival_verdict  # noqa: B018
    return made


def main() -> None:
    """Print milliseconds per comparison, and the fit against SciPy's."""
    rng = np.random.default_rng(0)
    print("milliseconds per comparison")
    print(
        f"  curve of 20 points, 12 replicates          {1e3 * best_of(lambda: curve(0, rng)):8.2f}"
    )
    for form in ("power", "offset", "three_region"):
        print(
            f"  exponent, 12 replicates, form {form:12s} {1e3 * best_of(lambda f=form: exponent(0, rng, f)):8.2f}"
        )
    many = [curve(i, rng) for i in range(50)] + [exponent(i, rng, "offset") for i in range(50)]
    report = Report(tuple(many), {}, 0, "quick", environment(1.0))
    text = report.to_json()
    for label, task in (
        ("families", lambda: report.families),
        ("JSON, written", report.to_json),
        ("JSON, read and judged again", lambda: Report.from_json(text)),
        ("Markdown", report.to_markdown),
        ("HTML", report.to_html),
    ):
        print(f"  {label:42s} {1e3 * best_of(task, 3) / len(many):8.2f}")

    print("\nfit of 120 curves of 10 points           seconds   ratio")
    x = np.geomspace(1, 1e4, 10)
    rows = (0.1 + 2 * x**-0.5) * np.exp(0.01 * rng.standard_normal((120, 10)))

    def peer() -> None:
        for row in rows:
            curve_fit(
                lambda u, e, c, g: np.log(np.exp(e) + np.exp(c) * u**-g),
                x,
                np.log(row),
                p0=(-2.0, 0.5, 0.4),
            )

    ours = best_of(lambda: fit_exponent(x, rows, form="offset"))
    theirs = best_of(peer, 2)
    print(f"fit_exponent, form offset              {ours:9.4f}   {theirs / ours:5.1f}")
    print(f"scipy.optimize.curve_fit, row by row   {theirs:9.4f}   {1:5.1f}")


if __name__ == "__main__":
    main()

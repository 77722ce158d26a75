"""The checks of plans and of counting: as expected, discriminating, and flipped where a part of a formula is left out."""

import numpy as np
import pytest

from scalinglaws import theory
from scalinglaws.verify.checks.empirical import plans as checks
from scalinglaws.verify.empirical.fits import _costs
from scalinglaws.verify.registry import Context


def found(check, name):
    """Return the comparisons of a quick run by the last part of their names."""
    return {c.id.split("/")[1]: c for c in check(Context(f"empirical.{name}", "quick", 0))}


@pytest.fixture(scope="module")
def counted():
    return found(checks.counting, "counting")


@pytest.mark.parametrize("name", ["planning", "counting"])
def test_every_verdict_is_a_pass_and_every_rival_is_rejected(name, counted):
    comparisons = counted if name == "counting" else found(checks.planning, name)
    assert {key: c.verdict for key, c in comparisons.items()} == dict.fromkeys(comparisons, "pass")
    assert all(c.discriminating for c in comparisons.values())


def test_the_line_is_that_of_the_literature(counted, reference):
    for comparison, entry in zip(
        counted.values(), reference("empirical")["counting"]["regressions"], strict=True
    ):
        assert comparison.prediction.value == pytest.approx(entry["slope"], abs=1e-6)


def test_the_change_of_the_elasticity_matters(monkeypatch):
    def without_change(sizes, a, b):
        q = checks.OMEGA * sizes ** (-2 / 3)
        return b / (b + a * (1 + q / 3) / (1 + q))

    # the law less s' is what the mutation has
    law = theory.law("empirical.kaplan_reconciliation")
    q = checks.OMEGA * 1e7 ** (-2 / 3)
    change = -(2 * q / 9) / (1 + q / 3) + (2 * q / 3) / (1 + q)
    given = {"a": 0.3478, "b": 0.3658}
    full = 1 / (1 / without_change(1e7, **given) - change / given["b"])
    assert law(n=1e7, omega=checks.OMEGA, **given) == pytest.approx(full, rel=1e-12)
    monkeypatch.setattr(checks, "local_exponent", without_change)
    verdicts = {key: c.verdict for key, c in found(checks.counting, "counting").items()}
    assert verdicts == {"besiroglu": "fail", "hoffmann": "fail"}


def test_plans_that_forget_inference_fail(monkeypatch):
    monkeypatch.setattr(_costs.Cost, "plus_inference", lambda self, tokens: self)
    verdicts = {key: c.verdict for key, c in found(checks.planning, "planning").items()}
    assert verdicts["served"] == "fail"
    assert verdicts["surface"] == "pass"


def test_the_search_finds_known_minima():
    def loss(N, D):
        return 1 + 400 * N**-0.34 + 410 * D**-0.28

    size = (0.34 * 400 / (0.28 * 410)) ** (1 / 0.62) * (1e22 / 6) ** (0.28 / 0.62)
    assert checks.searched_size(loss, 1e22, 0.0) == pytest.approx(size, rel=1e-7)
    assert np.isfinite(checks.searched_size(loss, 1e22, 1e12))

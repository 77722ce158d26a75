"""The checks of fits: as expected, discriminating, and flipped by a fit that stops early, other runs and narrow intervals."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical import recovery as checks
from scalinglaws.verify.registry import Context


def verdicts(check, name):
    context = Context(f"empirical.{name}", "quick", 0)
    return {c.id.split("/")[1]: c.verdict for c in check(context)}


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["empirical.fit-recovery", "empirical.fit-coverage"])
    assert len(report.comparisons) == 4 + 5
    for comparison in report.comparisons:
        assert comparison.verdict == "pass"
        assert comparison.as_expected
        assert comparison.discriminating


def test_runs_of_another_law_fail(monkeypatch):
    original = checks.draw

    def bent(law, rng):
        drawn = original(law, rng)
        scale = drawn.get("N", drawn.get("x"))
        return {**drawn, "loss": drawn["loss"] * (scale / scale.min()) ** -0.01}

    monkeypatch.setattr(checks, "draw", bent)
    found = verdicts(checks.unbiased, "fit-recovery")
    assert found["surface-a"] == "fail"
    assert found["power_offset-gamma"] == "fail"


def test_exponents_without_an_offset_fail(monkeypatch):
    original = empirical.fit

    def without(law, table, **given):
        if law != "three_region":
            given["fixed"] = {"E": 0}
        return original(law, table, **given)

    monkeypatch.setattr(checks.empirical, "fit", without)
    found = verdicts(checks.unbiased, "fit-recovery")
    assert found["three_region-gamma"] == "pass"
    assert found["surface-a"] == found["surface-b"] == found["power_offset-gamma"] == "fail"


@pytest.mark.parametrize("factor", [0.6, 2.0])
def test_intervals_that_are_too_narrow_or_too_wide_are_found(factor, monkeypatch):
    """The samples' scatter about the fit times a factor, as if runs were drawn from too few or too many."""
    original = checks.intervals

    def moved(found):
        samples = found.x + factor * (found.samples - found.x)
        return original(replace(found, samples=samples))

    monkeypatch.setattr(checks, "intervals", moved)
    monkeypatch.setattr(checks, "COUNTS", {"quick": (100, 100)})
    if factor > 1:  # 95 % and 100 % differ by no more than the tolerance of a quick run
        monkeypatch.setattr(checks, "COVERAGE_TOLERANCE", {"quick": 0.03})
    found = verdicts(checks.coverage, "fit-coverage")
    if factor < 1:
        assert set(found.values()) == {"fail"}
    else:
        assert "pass" not in found.values()


def test_runs_are_those_of_the_design():
    runs = checks.isoflop_runs()
    C = 6 * runs["N"] * runs["D"]
    assert np.unique(np.round(np.log10(C), 6)).size == 6
    assert C.min() == pytest.approx(1e19)
    assert C.max() == pytest.approx(1e21)
    assert runs["N"][9] / runs["N"][0] == pytest.approx(16)

"""The check of designs: as expected, and flipped where the misfit at the target, or between runs, is left out."""

import numpy as np

from scalinglaws.verify.checks.empirical import design as checks
from scalinglaws.verify.empirical.fits import _design_sites as sites
from scalinglaws.verify.registry import Context


def verdicts():
    found = checks.planned_runs(Context("empirical.design", "quick", 0))
    return {c.id.split("/")[1]: c for c in found}


def test_every_verdict_is_as_expected():
    found = verdicts()
    assert set(found) == {"true-loss", "true-params", "nearly-loss", "nearly-params"}
    assert all(c.verdict == "pass" and c.discriminating and c.as_expected for c in found.values())


def test_a_misfit_that_the_target_does_not_share_fails(monkeypatch):
    original = sites.Model.toward

    def apart(self, points, targets):
        there, own = original(self, points, targets)
        return 0 * there, own

    monkeypatch.setattr(sites.Model, "toward", apart)
    found = verdicts()
    assert found["nearly-loss"].verdict == "fail"
    assert found["true-loss"].verdict == "pass"


def test_a_misfit_that_runs_do_not_share_fails(monkeypatch):
    def alone(self, first, second, values=None):
        same = (first.N[:, None] == second.N) & (first.C[:, None] == second.C)
        cov = (self.misfit / self.noise) ** 2 * np.where(same, 1.0, 0.0)
        return cov if values is None else cov @ values

    monkeypatch.setattr(sites.Model, "field", alone)
    assert verdicts()["nearly-params"].verdict == "fail"

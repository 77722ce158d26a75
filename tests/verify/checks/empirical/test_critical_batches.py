"""Where to stop, read off runs at one batch: as expected, and flipped by runs that follow something else."""

import numpy as np
import pytest

from scalinglaws.verify.checks.empirical import critical_batches as checks

from .. import mutations


def verdicts():
    return mutations.verdicts(checks.stopping, "empirical.mutant")


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["empirical.stopping"])
    assert len(report.comparisons) == 6
    assert {entry.verdict for entry in report.comparisons} == {"pass"}
    assert all(entry.discriminating for entry in report.comparisons)


def test_a_steeper_critical_batch_moves_growth_and_keeps_the_stop(monkeypatch):
    monkeypatch.setattr(
        checks._Runs, "critical", lambda runs, u: runs.scale * np.exp(-(2 * runs.power + 1) * u)
    )
    found = verdicts()
    assert {found[name] for name in found if name.endswith("stop")} == {"pass"}
    assert {found[name] for name in found if not name.endswith("stop")} == {"fail"}


def test_runs_whose_steps_count_less_stop_elsewhere(monkeypatch):
    """Losses that fall as a lower power of steps."""
    original = checks._Runs.logged

    def logged(runs, sizes):
        with monkeypatch.context() as changed:
            changed.setitem(checks._FITTED, "a_S", 0.4)
            return original(runs, sizes)

    monkeypatch.setattr(checks._Runs, "logged", logged)
    assert set(verdicts().values()) == {"fail"}


def test_logged_losses_solve_their_equation():
    runs, sizes = checks._Runs(2.1e8, 1 / 0.21), np.array([1e8, 1e11])
    spent, losses = runs.logged(sizes)
    at = checks._FITTED
    critical = 2.1e8 * np.exp(losses) ** (-1 / 0.21)
    steps = np.exp(spent) / (6 * sizes[:, None] * critical)  # at a batch without limit
    expected = (at["N_c"] / sizes[:, None]) ** at["a_N"] + (at["S_c"] / steps) ** at["a_S"]
    np.testing.assert_allclose(np.exp(losses), expected, rtol=1e-12)
    assert np.all(np.diff(losses) < 0)
    assert runs.isoflop(sizes, float(np.exp(spent[1, 80])))[1] == pytest.approx(losses[1, 80])

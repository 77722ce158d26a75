"""Published exponents: literature, judged like everything else and never counted as evidence."""

import numpy as np
import pytest

from scalinglaws.verify.checks.perceptron import published
from scalinglaws.verify.registry import Context


def test_published_pairs_belong_together_and_are_not_verified_one_by_one(shared_report):
    report = shared_report(["perceptron.published-exponents"])
    assert report.as_expected
    assert report.summary["pass"] == 3
    assert report.summary["inconclusive"] == 1
    assert report.summary["unexpected"] == 0
    assert {comparison.evidence for comparison in report.comparisons} == {"literature"}
    assert all(comparison.discriminating for comparison in report.comparisons)
    pairs, chi2, correlation, bias = (
        next(entry for entry in report.comparisons if entry.id.endswith(f"/{name}"))
        for name in ("pairs", "chi-square", "rank-correlation", "bias")
    )
    assert np.size(pairs.measurement.value) == 9
    assert "chi-square 13.13 for 9, p = 0.16" in pairs.notes
    # seven of all 216 pairings are as good, by either measure
    assert chi2.measurement.value == correlation.measurement.value == 7 / 216
    assert bias.measurement.value == pytest.approx(0.0208275, abs=1e-7)
    assert bias.measurement.se == pytest.approx(0.0127224, abs=1e-7)


def test_chi_square_and_rank_correlation_of_the_published_pairing():
    chi2, correlation = published.pairings(np.array(list(published.PUBLISHED.values())))
    assert chi2.size == 216
    assert chi2[0] == pytest.approx(13.131204333585297)
    assert correlation[0] == pytest.approx(5 / 6)  # exact in two data sets, 1/2 in the third


def test_a_table_without_a_relation_fails(monkeypatch):
    exchanged = {
        data: tuple((rows[(k + 1) % 3][0], *rows[k][1:]) for k in range(3))
        for data, rows in published.PUBLISHED.items()
    }
    monkeypatch.setattr(published, "PUBLISHED", exchanged)
    found = published.published_exponents(Context("perceptron.mutant", "quick", 0))
    verdicts = {entry.id.split("/")[1]: entry.verdict for entry in found}
    assert verdicts["pairs"] == verdicts["chi-square"] == verdicts["rank-correlation"] == "fail"

"""What forms imply, read off noisy runs: as expected, discriminating, and flipped by other surfaces and offsets."""

from dataclasses import replace

import numpy as np
import pytest

from scalinglaws.verify.checks.empirical import ansatz as checks

from .. import mutations


def verdicts(check):
    return mutations.verdicts(check, "empirical.mutant")


def test_every_verdict_is_as_expected(shared_report):
    report = shared_report(["empirical.isoflops", "empirical.apparent"])
    assert len(report.comparisons) == 10
    assert {entry.verdict for entry in report.comparisons} == {"pass"}
    assert all(entry.discriminating for entry in report.comparisons)
    assert {entry.evidence for entry in report.comparisons} == {"exact"}


def test_runs_of_another_surface_fail(monkeypatch):
    """Data that count a fifth more, and a loss that is the root of what was said."""
    surfaces = checks._surfaces()
    more = {
        name: replace(each, loss=lambda N, D, loss=each.loss: loss(N, D**1.2))
        for name, each in surfaces.items()
    }
    monkeypatch.setattr(checks, "_surfaces", lambda: more)
    assert set(verdicts(checks.isoflops).values()) == {"fail"}
    root = {
        name: replace(
            each,
            loss=lambda N, D, each=each: each.offset + (each.loss(N, D) - each.offset) ** 0.8,
        )
        for name, each in surfaces.items()
    }
    monkeypatch.setattr(checks, "_surfaces", lambda: root)
    found = verdicts(checks.isoflops)
    assert {found[name] for name in found if name.endswith("loss")} == {"fail"}
    assert {found[name] for name in found if name.endswith("size")} == {"pass"}


def test_curves_without_their_offset_or_correction_fail(monkeypatch):
    """The first and the last have an offset; the second a correction, the third a plateau."""
    bare = {
        name: replace(curve, loss=lambda x, curve=curve: x ** -curve.parameters.get("gamma", 0.6))
        for name, curve in checks._curves().items()
    }
    monkeypatch.setattr(checks, "_curves", lambda: bare)
    assert set(verdicts(checks.apparent).values()) == {"fail"}


@pytest.mark.parametrize("name", ["hestness", "power", "three_region", "bnsl"])
def test_the_losses_are_those_of_the_forms(name):
    """Written down twice, independently."""
    curve = checks._curves()[name]
    law = checks.theory.law(f"empirical.{name}")
    form = law.forms["corrected" if name == "power" else "loss"].expr
    x = np.geomspace(1, 1e4, 5)
    named = checks._named(form, curve.parameters)
    by_name = {symbol: named.get(symbol.name) for symbol in form.free_symbols}
    for each, loss in zip(x, curve.loss(x), strict=True):
        values = {
            symbol: each if symbol.name == "x" else value for symbol, value in by_name.items()
        }
        assert float(form.subs(values)) == pytest.approx(float(loss), rel=1e-12)

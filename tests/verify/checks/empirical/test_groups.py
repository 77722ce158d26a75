"""The check of recipes: as expected, and flipped where exponents of groups are mixed up or shared by force."""

import numpy as np
import pytest

from scalinglaws.verify.checks.empirical import groups as checks
from scalinglaws.verify.empirical.fits import _multiplier
from scalinglaws.verify.registry import Context, registered


def found(check, name, effort="quick"):
    return {c.id.split("/")[1]: c for c in check(Context(f"empirical.{name}", effort, 0))}


@pytest.fixture
def fewer(monkeypatch):
    """Fifty sets, which are enough to see what is broken."""
    monkeypatch.setattr(Context, "pick", lambda self, quick, full: 50)


def test_the_check_with_fewer_sets():
    for comparison in found(checks.multipliers, "groups").values():
        assert comparison.verdict == "pass"
        assert comparison.discriminating


def test_exponents_of_the_groups_swapped_fail(monkeypatch, fewer):
    original = _multiplier._multipliers

    def swapped(law, reference, candidate, *rest):
        first, second = dict(reference), dict(candidate)
        for name in ("a", "b"):
            first[name], second[name] = second[name], first[name]
        return original(law, first, second, *rest)

    monkeypatch.setattr(_multiplier, "_multipliers", swapped)
    comparisons = found(checks.multipliers, "groups", "full")
    assert comparisons["shared-1e21"].verdict != "fail"  # they are the same there
    assert all(comparisons[f"own-1e{power}"].verdict == "fail" for power in (20, 21, 22))


def test_the_registered_checks():
    assert registered()["empirical.groups"].effort == "full"
    assert registered()["empirical.groups-test"].effort == "full"


def test_recipes_are_drawn_from_their_surfaces():
    table = checks.draw_recipes(np.random.default_rng(0), checks.STEEPER)
    own = table["recipe"] == "B"
    assert own.sum() == 24
    N, D, L = (table[name][own] for name in ("params", "tokens", "loss"))
    p = checks.STEEPER
    noise = np.log(L / (p["E"] + p["A"] * N ** -p["a"] + p["B"] * D ** -p["b"]))
    assert np.std(noise) == pytest.approx(checks.NOISE, rel=0.4)
    np.testing.assert_allclose(
        np.unique(np.round(np.log10(6 * N * D), 6)), [19, 19.666667, 20.333333, 21]
    )


@pytest.mark.slow
@pytest.mark.parametrize(("check", "name"), [("sharing", "groups-test"), ("multipliers", "groups")])
def test_the_full_checks(check, name):
    for comparison in found(getattr(checks, check), name, "full").values():
        print(comparison.id, comparison.verdict, comparison.notes)
        assert comparison.verdict == "pass"
        assert comparison.discriminating

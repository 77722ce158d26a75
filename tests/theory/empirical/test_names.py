"""Laws that losses are fitted with go by short names too; one is shown."""

import pytest

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.theory.catalogue import CATALOGUE, FITTED, fitted_name, own_name


def test_every_name_leads_to_one_law():
    assert set(FITTED.values()) <= set(CATALOGUE)
    assert len(set(FITTED.values())) == len(FITTED)
    for short, own in FITTED.items():
        law = theory.law(own)
        for name in (short, f"empirical.{short}", own):
            assert theory.law(name) is law
            assert own_name(name) == own
            assert fitted_name(name) == short
            assert theory.cite(name) == theory.cite(own)
        assert fitted_name(own.removeprefix("empirical.")) == short
        assert "loss" in law.forms


def test_all_fitted_formulas_but_few_have_a_short_name():
    others = {name for name in theory.laws() if name.startswith("empirical.")} - {*FITTED.values()}
    assert others == {
        "empirical.kaplan_batch",
        "empirical.kaplan_reconciliation",
        "empirical.kaplan_steps",
    }


@pytest.mark.parametrize("name", ["surfaces", "linear.time", "empirical.kaplan_reconciliation", 3])
def test_other_names_are_refused(name):
    with pytest.raises(DomainError, match="unknown law to fit"):
        fitted_name(name)


def test_unknown_laws_stay_unknown():
    with pytest.raises(DomainError, match="unknown law 'surfaces'"):
        theory.law("surfaces")
    assert own_name("linear.surface") == "linear.surface"

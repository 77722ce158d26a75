"""Two laws side by side: derivations are compared whatever they call the same thing, and where the physics parts is said in words."""

import json
from dataclasses import replace

import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory.comparison import contrast
from scalinglaws.theory.derivation import Derivation
from scalinglaws.theory.steps import Relation, step

T, S, U = (sp.Symbol(name, positive=True) for name in ("t", "s", "u"))


def _renamed(law, names):
    """Return a law whose derivation has other names for some symbols, its own included."""

    def derive(model):
        found = law.derive(model)
        steps = tuple(
            step(
                entry.quantity.xreplace(names),
                entry.value.xreplace(names),
                Relation(
                    entry.relation.kind,
                    None if entry.relation.variable is None else entry.relation.variable.xreplace(names),
                    None if entry.relation.equation is None else entry.relation.equation.xreplace(names),
                ),
                entry.reason,
                entry.reference,
                entry.where,
            )
            for entry in found.derivation.steps
        )  # fmt: skip
        rest = Derivation(steps, found.derivation.conditions, found.derivation.box)
        return replace(found, build=rest)

    return replace(law, name="other", variable=law.variable.xreplace(names), derive=derive)


@pytest.mark.parametrize("name", ["linear.time", "linear.data", "linear.model"])
def test_derivations_that_differ_in_names_only_are_equal(name):
    law = theory.law(name)
    names = {law.variable: S, sp.Symbol("kappa", positive=True): U}
    found = contrast(law, _renamed(law, names), {})
    assert (found.agree, found.difference) == (True, None)
    assert "the same, step by step" in str(found)
    # the time's other name is no news, that of another quantity is
    assert set(found.renaming) <= set(names) - {law.variable}


def test_two_symbols_are_not_taken_for_one():
    law = theory.law("linear.model")
    quantities = {str(entry.quantity): entry.quantity for entry in law.derivation.steps}
    merged = {quantities["df_1"]: quantities["K"]}
    found = contrast(law, _renamed(law, merged), {})
    assert found.difference is not None


def test_what_tau_is_is_said_in_words():
    found = theory.compare("linear.time", "feature_learning.time")
    assert found.difference == 4
    assert {str(one): str(two) for one, two in found.renaming.items()} == {"t": "tau"}
    text = str(found)
    assert "agree up to step 4, where feature_learning.time writes tau for t" in text
    assert "what tau is, in feature_learning.time: warped time at time t, tau = " in text
    assert "linear.time has t itself in its place" in text
    data = json.loads(json.dumps(found.to_dict()))
    assert data["renaming"] == {"t": "tau"}
    assert any(words.startswith("what tau is") for words in data["words"])
    back = theory.compare("feature_learning.time", "linear.time")
    assert back.difference == 4
    assert "what tau is, in feature_learning.time" in str(back)


def test_what_is_called_alike_and_means_something_else_is_told():
    found = theory.compare("linear.data", "percolation.data")
    assert "alpha stands for, in linear.data: capacity" in str(found)
    assert "; in percolation.data: " in str(found)
    same = theory.compare("linear.data", "linear.model")
    assert "stands for" not in str(same)


def test_every_form_says_the_same():
    found = theory.compare("linear.data", "linear.model")
    shown = found.to_terminal(80)
    assert "linear.data: P^-g, g = min(2α, αβ); valid for α > 1, β > 0" in shown
    assert max(map(len, shown.split("\n"))) <= 80
    for text in (shown, found.to_latex(), found._repr_html_(), str(found)):
        assert "the derivations part at step 5" in text
    assert r"$P^{- g}$" in found.to_latex()
    assert "<msup><mi>P</mi>" in found._repr_html_()

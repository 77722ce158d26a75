"""Where the package differs from print: the page is what the laws and the checks say, and every entry has something to stand on."""

import runpy

import numpy as np
import pytest
import sympy as sp

from scalinglaws import theory
from scalinglaws.theory import rendering
from scalinglaws.theory.asymptotics import ONE_MINUS_EXP, power_sum
from scalinglaws.theory.balance import allocate
from scalinglaws.theory.symbols import ALPHA, BETA
from scalinglaws.verify import registry

ENTRIES = [
    name for name in theory.laws() if theory.law(name).published or theory.law(name).misprints
]
PUBLISHED = [name for name in ENTRIES if theory.law(name).published]


@pytest.fixture(scope="module")
def writer(root):
    return runpy.run_path(str(root / "tests" / "write_errata.py"))


def test_the_page_is_what_laws_and_checks_say(writer, shared_report):
    written = writer["PAGE"].read_text(encoding="utf-8")
    found = writer["page"](shared_report(writer["checks"]()))
    assert written == found, f"the page is old: {writer['COMMAND']}"
    for name in ENTRIES:
        assert f"\n## `{name}`\n" in written
    assert written.count("\n**Misprint** ") == sum(
        len(theory.law(name).misprints) for name in ENTRIES
    )


def test_every_check_that_refutes_rejects_what_is_printed(writer, shared_report):
    report = shared_report(writer["checks"]())
    for name in writer["checks"]():
        against = [
            entry
            for entry in report.comparisons
            if entry.id.startswith(f"{name}/") and writer["about"](entry)
        ]
        assert against, f"{name}: no rival is named as published"
        for entry in against:
            assert (entry.verdict, entry.rival_verdict) == ("pass", "fail")


def test_every_entry_has_a_check_or_a_number(writer):
    refuted = {law for check in registry.registered().values() for law in check.refutes}
    assert refuted <= set(PUBLISHED)
    needed = {name for name in PUBLISHED if name not in refuted}
    needed |= {f"{name}/{slip.name}" for name in ENTRIES for slip in theory.law(name).misprints}
    assert set(writer["NUMBERS"]) == needed


@pytest.mark.parametrize("name", PUBLISHED)
def test_what_is_printed_differs_at_the_example(name):
    law = theory.law(name)
    if name == "patterns.unlearnability_bound":  # the constant differs everywhere
        assert law.expr == law.published_expr == 1
        assert law.constant != 1
        return
    values = law.published.point
    here, printed = law(**values), law.published_value(**values)
    if law.published.factor is None:
        assert here != printed
    else:
        factor = rendering.data(law.blocks(values))["published"]["factor_here"]
        assert here == printed
        assert abs(factor - 1) > 0.1


@pytest.mark.parametrize(
    "key",
    [f"{name}/{slip.name}" for name in ENTRIES for slip in theory.law(name).misprints]
    + ["patterns.three_layer"],
)
def test_numbers_that_decide_have_their_right_values(key, writer, reference):
    expected = reference("errata")[key]
    found = list(writer["NUMBERS"][key]().values())
    np.testing.assert_allclose(found, expected["values"], rtol=expected["relative"], atol=1e-12)


def test_the_flow_of_the_note_goes_down_with_a_plus_sign():
    """The gradient of one mode's loss, and the loss that the flow along it leaves, which is what `linear.time` sums."""
    w, best, rate, t = sp.symbols("w b lambda t", positive=True)
    down = -sp.diff(rate * (best - w) ** 2 / 2, w)
    assert sp.expand(down - rate * (best - w)) == 0  # +Sigma (w* - w)
    left = {}
    for sign in (1, -1):
        path = sp.Function("w")
        equation = sp.Eq(path(t).diff(t), sign * rate * (best - path(t)))
        solved = sp.dsolve(equation, path(t), ics={path(0): 0}).rhs
        left[sign] = sp.simplify((best - solved) ** 2 / best**2)
    assert sp.simplify(left[1] - sp.exp(-2 * rate * t)) == 0
    assert sp.simplify(left[-1] - sp.exp(2 * rate * t)) == 0  # grows
    summand = theory.law("linear.time").derivation.steps[0].value.args[0]
    k, beta = sp.Symbol("k", positive=True), sp.Symbol("beta", positive=True)
    modes = summand.subs({symbol: k for symbol in summand.free_symbols if symbol.name == "k"})
    alpha = sp.Symbol("alpha", positive=True)
    power = k ** (-alpha * beta - 1)
    assert sp.simplify(modes - power * left[1].subs(rate, k**-alpha)) == 0


def test_the_modes_that_the_note_has_learned_by_a_time():
    """Add up the parts of modes that are learned, by the calculus: proportional to K = (2 t)^(1/alpha)."""
    learned = power_sum(0, ONE_MINUS_EXP.compose(-ALPHA))
    assert learned.exponent() == 1
    assert "K = (2*t)**(1/alpha)" in theory.law("linear.time").derivation.steps[1].reason
    edge = (2 * 1e6) ** (1 / 1.5)
    k = np.arange(1, 10**6 + 1)
    # the tail of the sum beyond a million modes, where 1 - exp(-x) is x
    direct = -np.expm1(-2 * 1e6 * k**-1.5).sum() + 2 * 1e6 * 2 / np.sqrt(1e6 + 0.5)
    leading = float(learned.leading(sp.Float(edge)).subs(ALPHA, sp.Rational(3, 2)))
    assert leading == pytest.approx(direct, rel=1e-3)
    assert 1 < leading / edge < 3  # and nothing like t^alpha, 1e9
    assert (1e6) ** 1.5 / leading > 1e4


def test_the_loss_of_the_note_falls_with_compute():
    t, size, budget = sp.symbols("t N C", positive=True)
    (only,) = allocate(t**-BETA + size ** (-ALPHA * BETA), (size, t), budget=(size * t, budget))
    assert sp.simplify(only.exponent(budget) + ALPHA * BETA / (ALPHA + 1)) == 0
    law = theory.law("linear.compute")
    assert law(alpha=sp.Rational(3, 2), beta=sp.S.Half) == sp.Rational(3, 10)


def test_misprints_are_told_on_the_command_line_and_in_data():
    law = theory.law("linear.time")
    told = rendering.text(law.blocks())
    assert "no other formula for this law is known to be in print" in told
    assert told.count("misprint: ") == len(law.misprints) == 2
    assert [slip["name"] for slip in rendering.data(law.blocks())["misprints"]] == [
        "flow-sign",
        "modes-learned",
    ]
    assert "Printed elsewhere" in law.explain()
    assert "misprint" not in rendering.text(theory.law("linear.data").blocks())

"""Recipes against a reference: what is shared, the verdict in words, and how much room it takes."""

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.checks.empirical.groups import (
    BETTER,
    REFERENCE,
    STEEPER,
    apart_in_b,
    draw_recipes,
)
from scalinglaws.verify.empirical import compare_recipes


def drawn(candidate, seed=0):
    return draw_recipes(np.random.default_rng(seed), candidate)


@pytest.fixture(scope="module")
def better():
    return compare_recipes("surface", drawn(BETTER), "baseline", "recipe", bootstrap=300)


@pytest.fixture(scope="module")
def gadre():
    return empirical.example_runs("gadre")


def checked(found):
    """Return the report, which a person can read at once."""
    text = found.report()
    lines = text.split("\n")
    assert len(lines) <= 24
    assert max(map(len, lines)) <= 100
    assert text == text.rstrip()
    return text


def test_a_better_recipe(better):
    text = checked(better)
    assert text.startswith("B is better than baseline: the same loss with 0.6")
    assert "whether that grows is not known" in text
    assert better.fits.shared == ("a", "b")
    assert better.separate.shared == ()
    assert better.candidates == ("B",)
    assert better.largest == 1e21
    np.testing.assert_allclose(better.compute, [1e19, 1e21, 1e22, 1e23])
    assert "W-low-power" in [warning.code for warning in better.warnings]
    assert "! beyond the runs" in text
    again = better.fits.compute_multiplier("baseline", "B", better.compute)
    np.testing.assert_array_equal(again.low, better.multipliers["B"].low)
    alone = better.separate.compute_multiplier("baseline", "B", better.compute)
    np.testing.assert_array_equal(alone.high, better.separately["B"].high)
    assert f"{better.multipliers['B'].multiplier[2]:.2f}" in text
    assert "cause" not in text
    assert len(better.report(verbose=True)) > len(text)
    with pytest.raises(DomainError, match="verbose"):
        better.report(verbose=1)


def test_the_other_side_is_the_inverse():
    """Reference and candidate exchanged: the other verdict, and at the matching compute the inverse."""
    table = drawn(BETTER)
    one = compare_recipes("surface", table, "baseline", "recipe", bootstrap=100, compute=1e21)
    needed = 1e21 * one.multipliers["B"].multiplier[0]
    other = compare_recipes("surface", table, "B", "recipe", bootstrap=100, compute=needed)
    assert other.report().startswith("baseline is worse than B: the same loss needs 1.")
    product = one.multipliers["B"].multiplier[0] * other.multipliers["baseline"].multiplier[0]
    assert product == pytest.approx(1, rel=1e-6)


def test_exponents_that_differ_are_not_shared_unless_asked_for():
    table = drawn(apart_in_b(0.1))
    found = compare_recipes("surface", table, "baseline", "recipe", bootstrap=300)
    assert found.test.rejected
    assert found.fits.shared == ()
    text = checked(found)
    assert "they differ\n" in text
    assert "so nothing is shared" in text
    assert "its advantage grows with compute" in text
    asked = compare_recipes("surface", table, "baseline", "recipe", ("a", "b"), bootstrap=100)
    assert asked.fits.shared == ("a", "b")
    assert "the runs say otherwise" in checked(asked)
    none = compare_recipes("surface", drawn(BETTER), "baseline", "recipe", (), bootstrap=100)
    assert "nothing is shared, as you asked" in checked(none)


def test_one_factor_everywhere_is_said_to_be_assumed():
    found = compare_recipes(
        "surface", drawn(BETTER), "baseline", "recipe", ("E", "a", "b"), bootstrap=100
    )
    assert "because E, a, b are shared: assumed, not found" in checked(found)


def test_equal_recipes_and_worse_ones():
    same = compare_recipes("surface", drawn(REFERENCE), "baseline", "recipe", bootstrap=300)
    assert "no difference is shown" in checked(same)
    worse = compare_recipes(
        "surface", drawn(STEEPER | {"E": 1.95, "A": 300.0}), "baseline", "recipe", bootstrap=300
    )
    text = checked(worse)
    assert text.startswith("B is worse than baseline: the same loss needs 1.")
    assert "it falls behind with compute" in text
    assert (
        compare_recipes("surface", drawn(BETTER), "baseline", "recipe", bootstrap=0)
        .report()
        .startswith("B: the loss of baseline with 0.6")
    )


def test_a_floor_above_the_reference():
    """E of the candidate above what the reference reaches: no compute, said in words, and no number."""
    found = compare_recipes(
        "surface",
        drawn(BETTER | {"E": 2.31, "A": 200.0, "B": 900.0}),
        "baseline",
        "recipe",
        bootstrap=100,
        compute=[1e20, 1e24],
    )
    text = checked(found)
    assert "no compute gives it the loss" in text
    assert "none" in text
    assert "nan" not in text


def test_data_sets_of_over_trained_runs(gadre):
    found = compare_recipes("surface", gadre, "rpj", bootstrap=300)
    parts = [gadre.take(gadre.group == name) for name in found.fits.names]
    text = checked(found)
    assert found.candidates == ("c4_original", "rw_original")
    assert text.startswith("c4_original is better than rpj")
    assert "this rests on sharing a, b: with nothing shared" in text
    for (
        name
    ) in found.candidates:  # the largest compute of which all have runs, not the largest of any
        assert found.at[name].compute[-1] == pytest.approx(
            min(one.C.max() for one in parts), rel=0.05
        )
    power = compare_recipes("surface_power", gadre, "rpj", bootstrap=50)
    assert power.fits.shared == ("a", "b", "c")
    checked(power)


def test_many_recipes_with_long_names_fit_on_the_screen(gadre):
    names = np.char.add("a recipe with a rather long name, ", (np.arange(104) % 7).astype(str))
    data = {"N": gadre.N, "D": gadre.D, "loss": gadre.loss, "recipe": names}
    found = compare_recipes("surface", data, str(names[3]), "recipe", bootstrap=50)
    assert len(found) == 6
    text = checked(found)
    assert "the 3 best of 6 (--verbose for all):" in text
    for thing in (found, found.fits, found.at[found.candidates[0]]):
        assert len(repr(thing)) <= 120
    assert found.report(verbose=True).count("rather") > text.count("rather")


def test_files(better, tmp_path):
    assert empirical.RecipeComparison.load(better.save(tmp_path / "recipes.npz")) == better
    assert empirical.RecipeComparison.from_json(better.to_json()) == better
    assert "against baseline" in repr(better)


def test_refusals(gadre):
    with pytest.raises(
        DomainError, match="dataset = 'c5' is not there; there are c4_original, rpj"
    ):
        compare_recipes("surface", gadre, "c5", bootstrap=0)
    with pytest.raises(DomainError, match="compute"):
        compare_recipes("surface", gadre, "rpj", compute=[-1], bootstrap=0)
    with pytest.raises(DomainError, match="surface"):
        compare_recipes("power_offset", gadre, "rpj", bootstrap=0)
    table = drawn(BETTER)
    apart = table | {"tokens": np.where(table["recipe"] == "B", 1e4, 1.0) * table["tokens"]}
    with pytest.raises(DataError, match="no compute has runs of all recipes"):
        compare_recipes("surface", apart, "baseline", "recipe", bootstrap=0)

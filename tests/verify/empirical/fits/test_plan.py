"""Plans: printed numbers, closed forms, numerical minimization, several laws, intervals, and what is refused."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from scalinglaws import theory
from scalinglaws.errors import DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import Plan, example_runs, fit, from_parameters, plan
from scalinglaws.verify.empirical.fits._optimal_points import compute_for, optimal_point

BESIROGLU = {"E": 1.8172, "A": 482.01, "B": 2085.43, "a": 0.3478, "b": 0.3658}


@pytest.fixture(scope="module")
def known():
    return from_parameters("besiroglu")


@pytest.fixture(scope="module")
def table(reference):
    return reference("planning")


@pytest.fixture(scope="module")
def fitted():
    return fit("surface", example_runs("synthetic"), bootstrap=500)


@pytest.fixture(scope="module")
def both():
    found = fit("auto", example_runs("synthetic"), bootstrap=500)
    return replace(found, weights={"surface": 0.43, "surface_power": 0.57})


# -- printed numbers ------------------------------------------------------------------------------------------------------


def test_printed_plans(known):
    found = plan(known, compute=[1e21, 5.76e23])
    assert found.params == pytest.approx([2.778459463e9, 7.224870250e10], rel=5e-10)
    assert found.tokens == pytest.approx([5.998527921e10, 1.328743585e12], rel=5e-10)
    assert found.loss == pytest.approx([2.305528571, 1.974441108], abs=5.1e-10)
    found = plan(known, loss=[2.0, 1.9])
    assert found.compute == pytest.approx([2.474802447e23, 2.102401275e25], rel=5e-10)
    kaplan = from_parameters("kaplan", {"a_N": 0.076, "a_D": 0.103, "N_c": 6.4e13, "D_c": 1.8e13})
    found = plan(kaplan, compute=1e21)
    assert found.params == pytest.approx(6.231221193e9, rel=5e-10)
    assert found.tokens == pytest.approx(2.674703104e10, rel=5e-10)
    assert found.loss == pytest.approx(2.136012281, abs=5.1e-10)
    power = {"E": 1.7, "A": 4000, "B": 20000, "a": 0.45, "b": 0.46, "c": 0.75}
    found = plan(from_parameters("surface_power", power), compute=1e23)
    assert found.params == pytest.approx(2.847306232e10, rel=5e-10)
    assert found.tokens == pytest.approx(5.853485825e11, rel=5e-10)
    assert found.loss == pytest.approx(1.948534183, abs=5.1e-10)


def test_printed_plans_with_inference(known, table):
    for entry in table["inference"]:
        found = plan(known, loss=entry["loss"], inference_tokens=entry["inference_tokens"])
        assert found.params == pytest.approx(entry["params"], rel=5.1e-10)
        assert found.tokens == pytest.approx(entry["tokens"], rel=5e-10)
        assert found.total_cost == pytest.approx(entry["cost"], rel=5e-10)
        assert found.compute == pytest.approx(6 * found.params * found.tokens, rel=1e-14)
        # the same plan for its budget, its size and its data
        back = plan(known, compute=entry["cost"], inference_tokens=entry["inference_tokens"])
        assert back.params == pytest.approx(entry["params"], rel=1e-8)
        for target in ("params", "tokens"):
            back = plan(
                known,
                **{target: getattr(found, target)},
                inference_tokens=entry["inference_tokens"],
            )
            assert back.total_cost == pytest.approx(found.total_cost, rel=1e-9)
    first = table["inference"][0]
    usual = plan(known, loss=first["loss"])
    served = usual.compute + 2 * usual.params * first["inference_tokens"]
    saved = 1 - first["cost"] / served
    assert saved == pytest.approx(table["cheaper_than_the_train_optimal_model"], abs=0.005)


def test_printed_plan_on_few_unique_tokens(table):
    entry = table["data_constrained"]
    given_ = entry["parameters"]
    held = {name: np.exp(given_[f"log_{name}"]) for name in ("E", "A", "B")}
    law = from_parameters("surface", held | {"a": given_["a"], "b": given_["b"]})
    wanted = entry["plan"]
    found = plan(law, compute=wanted["compute"], unique_tokens=entry["unique_tokens"])
    assert found.params == pytest.approx(wanted["params"], rel=3e-6)
    assert found.epochs == pytest.approx(wanted["epochs"], rel=1e-6)
    assert found.loss == pytest.approx(wanted["loss"], abs=5.1e-10)
    assert plan(law, compute=wanted["compute"]).loss == pytest.approx(
        wanted["free_loss"], abs=5.1e-10
    )
    assert found.constants == {"R_D": entry["R_D"], "R_N": entry["R_N"]}
    assert "published constants R_D = 15.39, R_N = 5.31" in found.summary()


def test_printed_multipliers_of_models_that_are_off_size(known, table):
    entry = table["off_size"]
    best = plan(known, compute=entry["compute"])
    law = theory.law("empirical.chinchilla")
    bare = {name: value for name, value in BESIROGLU.items() if name in "ab"}
    for factor, excess, multiplier in zip(
        entry["factors"], entry["excess"], entry["multiplier"], strict=True
    ):
        cap = (
            {"max_params": best.params * factor}
            if factor < 1
            else {"max_tokens": best.tokens / factor}
        )
        found = plan(known, compute=entry["compute"], **cap)
        assert found.params == pytest.approx(best.params * factor, rel=1e-12)
        assert found.active == next(iter(cap))
        assert found.loss - best.loss == pytest.approx(excess, rel=1e-7)
        assert found.multiplier == pytest.approx(multiplier, rel=1e-9)
        assert law.evaluate("multiplier", ratio=factor, **bare) == pytest.approx(
            multiplier, rel=1e-9
        )
        # it has the loss of the best model of that much less compute
        cheaper = plan(known, compute=entry["compute"] / found.multiplier)
        assert cheaper.loss == pytest.approx(found.loss, rel=1e-12)


# -- limits, identities, independent search -------------------------------------------------------------------------------

surfaces = st.fixed_dictionaries(
    {
        "E": st.floats(0.5, 3),
        "A": st.floats(50, 5000),
        "B": st.floats(50, 50000),
        "a": st.floats(0.2, 0.7),
        "b": st.floats(0.2, 0.7),
        "c": st.floats(0.4, 1.5),
    }
)
budgets = st.floats(19, 26).map(lambda power: 10**power)


@settings(max_examples=25)
@given(surfaces, budgets)
def test_plain_plans_are_the_closed_forms(parameters, compute):
    law = from_parameters("surface_power", parameters)
    size, data, loss = optimal_point("surface_power", parameters, compute)
    found = plan(law, compute=compute)
    assert (found.params, found.tokens, found.loss) == pytest.approx((size, data, loss), rel=1e-12)
    for free in (
        plan(law, compute=compute, inference_tokens=0, max_params=1e40, max_ratio=1e40),
        plan(law, compute=compute, inference_tokens=1e-9),
        plan(law, compute=compute, cost="6*N*D"),
        plan(law, compute=compute, unique_tokens=2 * data),
    ):
        assert free.params == pytest.approx(size, rel=1e-9)
        assert (free.active, free.multiplier) == ("", pytest.approx(1, rel=1e-9))
    assert plan(law, loss=loss).compute == pytest.approx(
        compute_for("surface_power", parameters, loss), rel=1e-9
    )
    assert plan(law, params=size).tokens == pytest.approx(data, rel=1e-9)
    assert plan(law, tokens=data).params == pytest.approx(size, rel=1e-9)


@settings(max_examples=50)
@given(surfaces, budgets, st.floats(1.1, 1e3))
def test_more_compute_is_less_loss_and_caps_are_kept(parameters, compute, factor):
    law = from_parameters("surface_power", parameters)
    best = plan(law, compute=compute)
    caps = {
        "max_params": best.params * factor**0.3,
        "max_tokens": best.tokens * 3,
        "max_ratio": best.ratio / factor**0.1,
    }
    held = plan(law, compute=[compute, compute * factor], **caps)
    assert held.loss[1] <= held.loss[0] * (1 + 1e-12)
    assert np.all(held.loss >= plan(law, compute=[compute, compute * factor]).loss * (1 - 1e-12))
    assert np.all(held.params <= caps["max_params"] * (1 + 1e-9))
    assert np.all(held.tokens <= caps["max_tokens"] * (1 + 1e-9))
    assert np.all(held.ratio <= caps["max_ratio"] * (1 + 1e-9))
    assert np.all(held.total_cost <= np.array([compute, compute * factor]) * (1 + 1e-9))
    assert np.all(held.multiplier >= 1 - 1e-9)


@given(surfaces, budgets, st.floats(1.5, 1e3))
def test_plans_scale_as_their_exponents_say(parameters, compute, factor):
    law = from_parameters("surface_power", parameters)
    a, b, c = (parameters[name] for name in "abc")
    small, large = plan(law, compute=compute), plan(law, compute=compute * factor)
    assert large.params / small.params == pytest.approx(factor ** (b / (a + b)), rel=1e-9)
    assert large.tokens / small.tokens == pytest.approx(factor ** (a / (a + b)), rel=1e-9)
    excess = (large.loss - parameters["E"]) / (small.loss - parameters["E"])
    assert excess == pytest.approx(factor ** (-a * b * c / (a + b)), rel=1e-6)


COSTS = {
    "6*N*D": lambda N, D: 6 * N * D,
    "6*N*D + 1e-3*N**2": lambda N, D: 6 * N * D + 1e-3 * N**2,
    "3*N**0.8*D + 1e8*N + 1e11*D": lambda N, D: 3 * N**0.8 * D + 1e8 * N + 1e11 * D,
    "6*N*D*(1 + log(D)/10)": lambda N, D: 6 * N * D * (1 + np.log(D) / 10),
    "6*N*D + 1e3*D*log(N)*sqrt(N)": lambda N, D: 6 * N * D + 1e3 * D * np.log(N) * np.sqrt(N),
}


def least_loss(loss, cost, compute):
    """Minimize over ln N with the data that compute leaves, found by bisection; SciPy alone."""
    from scipy.optimize import brentq

    def data(u):
        return np.exp(
            brentq(
                lambda v: np.log(cost(np.exp(u), np.exp(v))) - np.log(compute), 0, 80, xtol=1e-13
            )
        )

    grid = np.linspace(14, 38, 97)
    values = [loss(np.exp(u), data(u)) if cost(np.exp(u), 1) < compute else np.inf for u in grid]
    at = int(np.argmin(values))
    found = minimize_scalar(
        lambda u: loss(np.exp(u), data(u)),
        bounds=(grid[at - 1], grid[at + 1]),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return float(np.exp(found.x)), float(found.fun)


@pytest.mark.parametrize("text", COSTS)
@pytest.mark.parametrize("inference", [0, 3e11])
def test_any_cost_is_minimized_as_scipy_does(known, text, inference):
    def loss(N, D):
        return (
            BESIROGLU["E"]
            + BESIROGLU["A"] * N ** -BESIROGLU["a"]
            + BESIROGLU["B"] * D ** -BESIROGLU["b"]
        )

    def cost(N, D):
        return COSTS[text](N, D) + 2 * N * inference

    for compute in (1e21, 1e24):
        found = plan(known, compute=compute, cost=text, inference_tokens=inference)
        size, least = least_loss(loss, cost, compute)
        assert cost(found.params, found.tokens) == pytest.approx(compute, rel=1e-9)
        assert found.loss == pytest.approx(least, rel=1e-13, abs=1e-13)
        assert found.params == pytest.approx(size, rel=1e-5)  # a minimum hides where it is
        assert found.total_cost == pytest.approx(compute, rel=1e-12)
        cheapest = plan(known, loss=found.loss, cost=text, inference_tokens=inference)
        assert cheapest.total_cost == pytest.approx(compute, rel=1e-9)
        assert cheapest.params == pytest.approx(found.params, rel=1e-7)


@pytest.mark.parametrize("unique", [1e10, 1e11])
def test_repetition_is_minimized_as_scipy_does(known, unique):
    R_D, R_N = 15.387756, 5.309743
    p = BESIROGLU
    G = (p["a"] * p["A"] / (p["b"] * p["B"])) ** (1 / (p["a"] + p["b"]))

    def worth(amount, enough, rate):
        extra = max(amount / enough - 1, 0)
        return min(amount, enough) + enough * rate * (1 - np.exp(-extra / rate))

    def loss(N, D):
        own = min(N, G * (unique * G) ** (p["b"] / p["a"]))
        return (
            p["E"]
            + p["A"] * worth(N, own, R_N) ** -p["a"]
            + p["B"] * worth(D, unique, R_D) ** -p["b"]
        )

    for compute in (1e21, 1e23):
        found = plan(known, compute=compute, unique_tokens=unique)
        size, least = least_loss(loss, lambda N, D: 6 * N * D, compute)
        assert found.loss == pytest.approx(least, rel=1e-13)
        assert found.params == pytest.approx(size, rel=1e-5)
        assert loss(found.params, found.tokens) == pytest.approx(found.loss, rel=1e-12)
        assert (found.multiplier > 1 + 1e-9) == (found.epochs > 1)
        back = plan(known, loss=found.loss, unique_tokens=unique)
        assert back.compute == pytest.approx(compute, rel=1e-8)


def test_other_laws_are_planned_with():
    same = {"E": 1.8, "A": 400, "B": 1500, "a": 0.35}
    one = from_parameters("E + A*N**-a + B*D**-a", same)
    other = from_parameters("surface", same | {"b": 0.35})
    for target in ({"compute": 1e22}, {"loss": 2.1}, {"params": 1e10}, {"tokens": 1e11}):
        for caps in ({}, {"max_ratio": 10}, {"inference_tokens": 1e12}):
            first, second = plan(one, **target, **caps), plan(other, **target, **caps)
            assert first.params == pytest.approx(second.params, rel=1e-9)
            assert first.loss == pytest.approx(second.loss, rel=1e-9)
    # a law of another form has plain plans, by search
    mixed = from_parameters("E + A*N**-a + B*D**-b + F*N**-a*D**-b", same | {"b": 0.36, "F": 1e-9})
    near = from_parameters("surface", same | {"b": 0.36})
    assert plan(mixed, compute=1e22).params == pytest.approx(
        plan(near, compute=1e22).params, rel=1e-6
    )
    assert plan(mixed, loss=2.1).compute == pytest.approx(plan(near, loss=2.1).compute, rel=1e-6)
    assert plan(mixed, compute=1e22).certificate == "search along the budget"
    with pytest.raises(DomainError, match="has not the form"):
        plan(mixed, compute=1e22, max_params=1e9)
    curve = from_parameters("power_offset", {"E": 1.8, "c": 30.0, "gamma": 0.1})
    with pytest.raises(DomainError, match="no law in both N and D"):
        plan(curve, compute=1e22)


# -- several laws, intervals ----------------------------------------------------------------------------------------------


def test_several_laws_are_weighted(both):
    one, other = (plan(both, compute=1e23, law=name) for name in ("surface", "surface_power"))
    found = plan(both, compute=1e23)
    assert np.log(found.params) == pytest.approx(
        0.43 * np.log(one.params) + 0.57 * np.log(other.params), rel=1e-12
    )
    assert found.compute == 1e23
    assert 6 * found.params * found.tokens == pytest.approx(1e23, rel=1e-12)
    assert found.weights == pytest.approx({"surface": 0.43, "surface_power": 0.57})
    assert min(one.loss, other.loss) < found.loss < max(one.loss, other.loss)


@pytest.mark.parametrize(
    "limits",
    [{}, {"max_params": 2e10}, {"inference_tokens": 1e12}, {"unique_tokens": 1e11}],
)
def test_a_loss_is_reached_by_the_weighted_forecast(both, limits):
    found = plan(both, loss=[2.2, 2.09], **limits)
    assert found.loss == pytest.approx([2.2, 2.09], rel=1e-12)
    back = plan(both, compute=found.total_cost, **limits)
    assert back.params == pytest.approx(found.params, rel=1e-8)


def test_intervals(fitted, both):
    found = plan(fitted, compute=[1e22, 1e24])
    for name in ("params", "tokens", "ratio", "loss_mean", "loss_run"):
        value = getattr(found, name.split("_")[0])
        low, high = getattr(found, f"{name}_low"), getattr(found, f"{name}_high")
        assert np.all(low < value)
        assert np.all(value < high)
    assert np.all(found.compute_low == found.compute_high)
    assert np.all(
        found.loss_run_high - found.loss_run_low > found.loss_mean_high - found.loss_mean_low
    )
    # percentiles of the closed form over the resampled fits
    drawn = {name: value[:, None] for name, value in fitted.sample_parameters.items()}
    size, _, _ = optimal_point("surface", drawn, np.array([1e22, 1e24]))
    assert found.params_low == pytest.approx(np.quantile(size, 0.025, axis=0), rel=2e-3)
    assert found.params_high == pytest.approx(np.quantile(size, 0.975, axis=0), rel=2e-3)
    wide, narrow = (plan(fitted, compute=1e24, level=level) for level in (0.99, 0.5))
    assert wide.params_low < narrow.params_low < narrow.params_high < wide.params_high
    # of a loss, of a size
    goal = plan(fitted, loss=2.05)
    assert goal.compute_low < goal.compute < goal.compute_high
    given_ = plan(fitted, params=1e10)
    assert given_.params_low == given_.params_high == 1e10
    assert given_.tokens_low < given_.tokens < given_.tokens_high
    # laws that disagree make intervals wider than either
    one, other, mix = (
        plan(both, compute=1e25, law=law) for law in ("surface", "surface_power", None)
    )
    assert mix.loss_mean_high - mix.loss_mean_low > min(
        part.loss_mean_high - part.loss_mean_low for part in (one, other)
    )


def test_plans_are_the_table_of_optima(fitted, both):
    compute = np.geomspace(1e20, 1e25, 4)
    for source in (fitted, both, replace(fitted, samples=np.zeros((0, 5)))):
        table, found = empirical.optimum(source, compute), plan(source, compute=compute)
        for name in ("params", "tokens", "ratio", "loss"):
            assert getattr(found, name) == pytest.approx(getattr(table, name), rel=1e-12)
        for name in ("params", "tokens", "ratio", "loss_mean", "loss_run", "loss_calibrated"):
            for end in ("low", "high"):
                assert getattr(found, f"{name}_{end}") == pytest.approx(
                    getattr(table, f"{name}_{end}"), rel=1e-12, nan_ok=True
                )
        # a cap that is far away changes nothing
        capped = plan(source, compute=compute, max_params=1e30)
        assert capped.params_low == pytest.approx(table.params_low, rel=0.02)


def test_a_covariance_stands_for_resampled_fits(fitted):
    bare = replace(fitted, samples=np.zeros((0, 5)))
    one, other = plan(fitted, compute=1e23), plan(bare, compute=1e23)
    assert np.log(other.params_high / other.params_low) == pytest.approx(
        np.log(one.params_high / one.params_low), rel=0.35
    )
    assert plan(bare, compute=1e23) == other  # drawn alike each time


def test_some_samples_may_not_reach_a_loss(fitted):
    low = fitted.interval("E", 0.9)[0]
    goal = plan(fitted, loss=fitted.parameters["E"] + 0.003)
    assert low < goal.loss
    assert goal.compute_high == np.inf
    assert np.isfinite(goal.compute)


def test_published_constants_have_no_intervals(known):
    found = plan(known, compute=1e23)
    for name in ("params", "loss_mean", "loss_calibrated"):
        assert np.isnan(getattr(found, f"{name}_low"))
    assert np.isnan(found.horizon)
    assert np.isnan(found.ratio_beyond)


def test_what_lies_beyond_the_runs(fitted):
    found = plan(fitted, compute=[1e20, 1e23])
    assert found.horizon == pytest.approx([0, 2], abs=1e-9)
    assert found.warnings == ()
    extreme = plan(fitted, params=1e9, max_ratio=1e9)
    assert extreme.ratio_beyond < 1
    extreme = plan(fitted, compute=1e24, max_params=5e9)
    largest = np.max(fitted.columns["D"] / fitted.columns["N"])
    assert extreme.ratio_beyond == pytest.approx(extreme.ratio / largest)
    assert [warning.code for warning in extreme.warnings] == ["W-far-ratio"]
    assert "times the largest fitted" in extreme.summary()


def test_many_epochs_are_warned_of(known):
    assert plan(known, compute=1e22, unique_tokens=1e11).warnings == ()
    found = plan(known, compute=1e24, unique_tokens=1e10)
    assert found.epochs > 16
    assert [warning.code for warning in found.warnings] == ["W-many-epochs"]
    kept = plan(known, compute=1e24, unique_tokens=1e10, max_tokens=1e11)
    assert kept.epochs <= 10 * (1 + 1e-12)


@pytest.mark.parametrize("target", [{"compute": [1e21, 1e24]}, {"params": 7e9}, {"tokens": 1e12}])
def test_epochs_that_no_run_ever_had_are_refused_and_what_is_advised_is_planned(known, target):
    wanted = r"unique_tokens = 1\.0 would be repeated .* known up to 1500 epochs: give unique_tokens >= ([\d.e+]+)"
    with pytest.raises(DomainError, match=wanted) as refused:
        plan(known, unique_tokens=1.0, **target)
    assert refused.value.argument == "unique_tokens"
    advised = float(re.search(wanted, str(refused.value))[1])
    assert 16 < np.max(plan(known, unique_tokens=advised, **target).epochs) <= 1500
    capped = re.search(r"max_tokens=([\d.e+]+)", str(refused.value))
    assert (capped is None) == ("tokens" in target)
    if "compute" in target:
        kept = plan(known, unique_tokens=1.0, max_tokens=float(capped[1]), **target)
        assert np.max(kept.epochs) <= 1500


# -- caps -----------------------------------------------------------------------------------------------------------------


def test_the_active_cap_is_named(known):
    found = plan(known, compute=[1e22, 1e23], max_params=1e10)
    assert found.active.tolist() == ["", "max_params"]
    assert found.params[1] == 1e10
    assert plan(known, compute=1e23, max_tokens=1e11).active == "max_tokens"
    assert plan(known, compute=1e23, max_ratio=5, max_tokens=5e12).active == "max_ratio"
    assert plan(known, loss=2.1, max_params=1e10).active == "max_params"
    assert plan(known, loss=2.1, max_ratio=5).ratio == pytest.approx(5, rel=1e-12)
    assert plan(known, params=1e10, max_tokens=1e11).tokens == 1e11
    assert plan(known, params=1e10, max_ratio=2).tokens == pytest.approx(2e10, rel=1e-12)
    assert plan(known, tokens=1e12, max_params=1e10).params == pytest.approx(1e10, rel=1e-12)
    assert plan(known, tokens=1e12, max_ratio=2).params == pytest.approx(5e11, rel=1e-12)
    full = plan(known, compute=1e24, max_params=1e10, max_tokens=1e12)
    assert (full.active, full.params, full.tokens) == (
        "all",
        pytest.approx(1e10),
        pytest.approx(1e12),
    )
    assert full.compute == pytest.approx(6e22)
    assert "less than the budget" in full.summary()


def test_the_shape_of_a_plan_is_that_of_its_target(known):
    assert isinstance(plan(known, compute=1e22).params, float)
    grid = np.array([[1e21, 1e22, 1e23], [1e22, 1e23, 1e24]])
    found = plan(known, compute=grid, max_params=1e10)
    assert found.params.shape == found.active.shape == (2, 3)
    assert found.params[0, 1] == found.params[1, 0]


def test_plans_are_saved(fitted, tmp_path):
    found = plan(fitted, compute=[1e22, 1e25], max_params=1e10)
    assert Plan.load(found.save(tmp_path / "plan.npz")) == found
    assert Plan.from_json(found.to_json()) == found


def test_tables_fit_a_page(both):
    for arguments in (
        {"compute": np.geomspace(1e20, 1e25, 6)},
        {"loss": [2.2, 2.1], "inference_tokens": 1e12},
        {"compute": 1e23, "unique_tokens": 1e10, "inference_tokens": 1e12, "max_params": 2e10},
        {"params": [1e10, 1e11]},
        {"tokens": 1e12},
    ):
        text = plan(both, **arguments).summary()
        assert max(map(len, text.splitlines())) <= 100
        assert "nan" not in text
    assert "! up to 4 decades above the largest run" in plan(both, compute=1e25).summary()


# -- what is refused ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "exactly one of compute, loss, params, tokens"),
        ({"compute": 1e22, "loss": 2.0}, "got compute, loss"),
        ({"compute": 5}, "below the cheapest candidate: one parameter and one token cost 6"),
        ({"compute": 100}, "leaves no run"),
        ({"compute": [1e22, 3]}, r"compute\[1\]"),
        ({"compute": 0}, "compute"),
        ({"compute": np.nan}, "compute"),
        ({"loss": 1.8}, r"not above the irreducible loss E = 1.8172, by 0.0172"),
        (
            {"loss": 2.0, "max_params": 1e7},
            "out of reach within max_params; the least there is 3.5",
        ),
        ({"loss": 2.0, "unique_tokens": 1e7}, "out of reach within unique_tokens"),
        ({"params": 1e10, "max_params": 1e9}, "above max_params"),
        ({"tokens": 1e12, "max_params": 1e9, "max_ratio": 10}, "max_params and max_ratio allow"),
        ({"compute": 1e22, "cost": "6*N*M"}, "M is neither"),
        ({"compute": 1e22, "cost": "6*N/D"}, "must grow with N and with D"),
        ({"compute": 1e22, "cost": "6*N"}, "must grow with N and with D"),
        ({"compute": 1e22, "cost": "N*D - N**2"}, "must be positive and grow"),
        ({"compute": 1e22, "cost": 6}, "cost"),
        ({"compute": 1e22, "max_params": 0}, "max_params"),
        ({"compute": 1e22, "max_ratio": -1}, "max_ratio"),
        ({"compute": 1e22, "unique_tokens": np.inf}, "unique_tokens"),
        ({"compute": 1e22, "inference_tokens": -1}, "inference_tokens"),
        ({"compute": 1e22, "level": 1}, "level"),
        ({"compute": 1e22, "law": "kaplan"}, "unknown law"),
    ],
)
def test_what_is_refused(known, arguments, words):
    with pytest.raises(DomainError, match=words):
        plan(known, **arguments)


def test_a_loss_below_the_floor_is_refused_with_its_interval(fitted, both):
    with pytest.raises(DomainError, match=r"95 % of E: 1\.\d+\.\.1\.\d+"):
        plan(fitted, loss=1.7)
    with pytest.raises(DomainError, match=r"95 % of E of surface_power"):
        plan(both, loss=1.7)


def test_no_fit_no_plan():
    with pytest.raises(DomainError, match="fit"):
        empirical.plan("besiroglu", compute=1e22)


@settings(max_examples=20)
@given(surfaces, st.floats(1e9, 1e13))
def test_more_inference_makes_smaller_models(parameters, tokens):
    law = from_parameters("surface_power", parameters)
    loss = plan(law, compute=1e22).loss
    few, many = (plan(law, loss=loss, inference_tokens=factor * tokens) for factor in (1.0, 4.0))
    assert many.params < few.params
    assert many.tokens > few.tokens
    assert many.loss == pytest.approx(few.loss, rel=1e-9)

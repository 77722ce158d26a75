"""Losses along schedules: reference values, identities, step by step against macro steps, instability, refusals."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import (
    AccuracyWarning,
    ConvergenceError,
    DomainError,
    ResourceError,
    StabilityWarning,
)
from scalinglaws.results import Result, Status
from scalinglaws.solvers import (
    EmpiricalSpectrum,
    PowerLawSpectrum,
    feature_learning,
    linear,
    schedules,
)
from scalinglaws.solvers.schedules import (
    DANA,
    EMA,
    SGD,
    HeavyBall,
    Nesterov,
    Schedule,
    TailAverage,
    _run,
    train,
)

INF = math.inf
TASK = PowerLawSpectrum.from_ab(2, 1.5)


def made(form, rate, steps, *parameters):
    """Build a schedule from a row of the reference values."""
    names = {
        "power": ("power",),
        "wsd": ("cooldown",),
        "inverse_power": ("power", "start"),
        "constant": (),
        "cosine": (),
    }[form]
    keywords = dict(zip(names, parameters, strict=True))
    if form == "constant":
        return Schedule.constant(rate, steps)
    return getattr(Schedule, form)(**keywords, rate=rate, steps=steps)


def early(t):
    """Batches that are large in the first steps."""
    return 1 + 1e6 * (1 + t) ** -1.125


def inputs(row):
    """Return the arguments of a row of the reference values."""
    schedule = made(*row["schedule"])
    batch = row.get("batch", 4)
    if batch == "early":
        batch = Schedule.from_function(early, steps=schedule.steps)
    elif isinstance(batch, list):
        batch = made(*batch)
    named = {"features": row.get("features", INF), "noise_variance": row.get("noise_variance", 0.1)}
    for name in ("method", "average"):
        if name in row:
            kind, *values = row[name]
            named[name] = getattr(schedules, kind)(*values)
    return (schedule, PowerLawSpectrum.from_ab(*row.get("task", [2, 1.5]))), named | {
        "batch": batch
    }


def test_reference_values_of_short_runs(reference):
    for row in reference("schedules")["direct"]:
        given_, named = inputs(row)
        found = train(*given_, **named, at=row["at"])
        # the deterministic equivalent rests on a contour
        tolerance = 1e-13 if "features" not in row else 1e-12
        assert found.test_loss == pytest.approx(row["test_loss"], rel=tolerance, abs=0), row["name"]
        if "averaged_loss" in row:
            assert found.averaged_loss == pytest.approx(row["averaged_loss"], rel=1e-13, abs=0)
        assert found.diagnostics.status.ok
        assert np.all(found.test_error <= 1e-10 * found.test_loss)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
def test_reference_values_of_long_runs(reference):
    for row in reference("schedules")["long"]:
        given_, named = inputs(row)
        found = train(*given_, **named, at=10**8)
        tolerance = row.get("tolerance", 1e-9)
        assert found.test_loss == pytest.approx(row["test_loss"], rel=tolerance, abs=0), row["name"]
        assert isinstance(found.test_loss, float)
        # the estimate covers what is left, but for the digits of the reference
        printed = 1e-9 if "tolerance" in row else 1e-11
        assert (
            abs(found.test_loss - row["test_loss"]) <= found.test_error + printed * found.test_loss
        )


@pytest.mark.parametrize("features", [1e3, 1e6, INF])
def test_a_constant_rate_is_online_sgd(features):
    t = [10**4, 10**6, 10**8, 10**10, 10**12]
    setting = {"features": features, "batch": 4, "noise_variance": 0.1}
    found = train(Schedule.constant(0.1, 10**12), TASK, **setting, at=t)
    known = linear.online_sgd(t, TASK, **setting, learning_rate=0.1)
    assert found.test_loss == pytest.approx(known.test_loss, rel=1e-10, abs=0)
    apart = np.abs(found.test_loss - known.test_loss)
    assert np.all(apart <= found.test_error + known.test_error)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
def test_descent_on_the_population_loss_is_a_product():
    task = PowerLawSpectrum.from_ab(2, 1.5, 200)
    lam, signal = task.explicit()
    for steps in (100, 1999, 20_000):
        schedule = Schedule.cosine(rate=0.5, steps=steps)
        factors = np.log1p(-np.minimum(schedule.values()[:, None] * lam, 0.999))
        known = float(signal @ np.exp(2 * np.sum(factors, axis=0)))
        found = train(schedule, task, batch=INF, at=steps)
        assert found.test_loss == pytest.approx(known, rel=1e-12 if steps < 2000 else 1e-8, abs=0)
        assert abs(found.test_loss - known) <= found.test_error


SHAPES = (
    Schedule.constant(0.2, 200_000),
    Schedule.power(1, rate=0.2, steps=200_000),
    Schedule.cosine(rate=0.2, steps=200_000),
    Schedule.wsd(rate=0.2, steps=200_000),
    Schedule.wsd(rate=0.2, steps=200_000, warmup=1000),
)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
@pytest.mark.parametrize("features", [1e6, INF])
def test_macro_steps_are_the_steps(features):
    for schedule in SHAPES:
        setting = {"features": features, "batch": 4, "noise_variance": 0.1}
        fast = train(schedule, TASK, **setting)
        slow = train(Schedule.from_array(schedule.values()), TASK, **setting, at=fast.steps)
        apart = np.abs(fast.test_loss / slow.test_loss - 1)
        assert apart[-1] < 5e-9
        assert np.max(apart) < 5e-8
        assert np.all(apart * slow.test_loss <= fast.test_error + slow.test_error)
        assert fast.intrinsic_time == pytest.approx(slow.intrinsic_time, rel=1e-9)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
@pytest.mark.parametrize(
    "method", [HeavyBall(0.9), HeavyBall(0.5, polyak=True), Nesterov(0.9), DANA(0.3, 2 / 3)]
)
def test_macro_steps_with_memory_are_the_steps(method):
    schedule = Schedule.wsd(rate=0.02, steps=30_000, warmup=500)
    setting = {"batch": 4, "noise_variance": 0.1, "method": method}
    task = PowerLawSpectrum.from_ab(2, 1.5, 2000)
    fast = train(schedule, task, **setting)
    slow = train(Schedule.from_array(schedule.values()), task, **setting, at=fast.steps)
    apart = np.abs(fast.test_loss / slow.test_loss - 1)
    assert apart[-1] < 5e-9
    assert np.max(apart) < 2e-7
    assert np.all(apart * slow.test_loss <= fast.test_error + slow.test_error)


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
@pytest.mark.parametrize("features", [1e3, INF])
@pytest.mark.parametrize(
    "average", [TailAverage(0), TailAverage(0.7), TailAverage(12_345), EMA(1e-3)]
)
def test_macro_averages_are_the_averages(average, features):
    schedule = Schedule.wsd(rate=0.2, steps=20_000)
    setting = {"features": features, "batch": 4, "noise_variance": 0.1, "average": average}
    fast = train(schedule, TASK, **setting)
    slow = train(Schedule.from_array(schedule.values()), TASK, **setting, at=fast.steps)
    apart = np.abs(fast.averaged_loss / slow.averaged_loss - 1)
    assert apart[-1] < 1e-8
    assert np.max(apart) < 5e-8
    assert np.all(apart * slow.averaged_loss <= fast.test_error + slow.test_error)


def test_the_average_of_everything_at_a_rate_is_known_mode_by_mode():
    # without noise and at B = inf the mean of e_0 ... e_T is a geometric sum
    task = EmpiricalSpectrum([1.0, 0.3], [0.5, 0.5])
    found = train(Schedule.constant(0.1, 50), task, batch=INF, average=TailAverage(0), at=[0, 50])
    sums = [(1 - (1 - 0.1 * x) ** 51) / (0.1 * x) / 51 for x in (1.0, 0.3)]
    assert found.averaged_loss[1] == pytest.approx(0.5 * sum(s**2 for s in sums), rel=1e-13)
    assert found.averaged_loss[0] == found.test_loss[0] == 1.0


def test_batches_act_as_rates_where_both_are_small():
    # equal theta as a function of tau, equal losses up to O(eta): halving both halves the difference
    apart = []
    for eta in (0.02, 0.01):
        steps = round(2000 / eta)
        decay = Schedule.power(1, rate=eta, steps=steps)
        serial = steps // 2
        ramp = Schedule.from_function(
            lambda s, serial=serial: 4 * ((serial - s) / serial) ** -0.5, steps=serial
        )
        setting = {"noise_variance": 0.1}
        one = train(decay, TASK, batch=4, **setting, at=steps)
        two = train(Schedule.constant(eta, serial), TASK, batch=ramp, **setting, at=serial)
        apart.append(abs(two.test_loss / one.test_loss - 1))
    assert apart[0] < 1e-2
    assert apart[1] < 0.6 * apart[0]


def test_momentum_without_memory_is_sgd():
    schedule = Schedule.wsd(rate=0.1, steps=300)
    one = train(schedule, TASK, batch=4, noise_variance=0.1)
    for method in (HeavyBall(0), Nesterov(0), HeavyBall(0, polyak=True)):
        two = train(schedule, TASK, batch=4, noise_variance=0.1, method=method)
        assert two.test_loss == pytest.approx(one.test_loss, rel=1e-13, abs=0)


@pytest.mark.parametrize(
    ("a", "b", "stated"),
    [
        (2, 1.5, {30: 1e-11, 1e4: 1e-11, 1e6: 5e-10, 1e8: 2e-7}),
        (1.6, 2, {1e6: 1.1e-7}),
        (1.4, 3, {1e8: 6e-5}),
    ],
)
def test_real_nodes_serve_as_complex_ones(a, b, stated):
    task, schedule = PowerLawSpectrum.from_ab(a, b), Schedule.wsd(rate=0.1, steps=10**8)
    for features, most in stated.items():
        setting = {"features": features, "batch": 4, "noise_variance": 0.1}
        setting["at"] = [100, 10**4, 10**6, 10**7, 10**8]
        one = train(schedule, task, **setting)
        two = train(schedule, task, **setting, method=HeavyBall(0))
        apart = np.abs(one.test_loss - two.test_loss)
        assert np.all(apart <= one.test_error + two.test_error)
        assert np.all(apart <= most * one.test_loss)


def test_momentum_is_a_larger_rate_to_leading_order():
    at = 20_000
    apart = []
    for effective in (0.1, 0.01):
        plain = train(Schedule.constant(effective, at), TASK, batch=4, noise_variance=0.1, at=at)
        ball = train(
            Schedule.constant(0.1 * effective, at),
            TASK,
            batch=4,
            noise_variance=0.1,
            method=HeavyBall(0.9),
            at=at,
        )
        apart.append(ball.test_loss / plain.test_loss - 1)
    assert apart == pytest.approx([-0.012, 3e-6], rel=0.2)


def recursion(lam, signal, rates, batch, noise):
    """The energies in 30 digits."""
    with mpmath.workdps(30):
        rho = [mpmath.mpf(s) for s in signal]
        for eta in map(mpmath.mpf, rates):
            loss = mpmath.fsum(rho)
            rho = [
                r * ((1 - eta * x) ** 2 + (eta * x) ** 2 / batch)
                + (eta * x) ** 2 / batch * (loss + noise)
                for r, x in zip(rho, map(mpmath.mpf, lam), strict=True)
            ]
        return float(mpmath.fsum(rho))


@settings(max_examples=25)
@given(
    a=st.floats(1.1, 6),
    b=st.floats(0.5, 4),
    modes=st.integers(1, 30),
    rate=st.floats(1e-4, 0.25),
    batch=st.sampled_from([1, 2, 7.5, 100]),
    noise=st.sampled_from([0.0, 1e-3, 2.0]),
    steps=st.integers(1, 80),
    power=st.floats(0, 3),
)
def test_short_runs_in_thirty_digits(a, b, modes, rate, batch, noise, steps, power):
    task = PowerLawSpectrum.from_ab(a, b, modes)
    schedule = Schedule.power(power, rate=rate, steps=steps)
    if not schedules.stability(schedule, task, batch=batch).stable:
        with pytest.raises(DomainError, match="unstable"):
            train(schedule, task, batch=batch, noise_variance=noise, at=steps)
        return
    found = train(schedule, task, batch=batch, noise_variance=noise, at=steps)
    lam, signal = task.explicit()
    known = recursion(lam, signal, schedule.values(), batch, noise)
    assert abs(found.test_loss - known) <= found.test_error
    assert found.test_error <= 1e-12 * known


@settings(max_examples=12)
@given(
    a=st.floats(1.2, 5),
    b=st.floats(1.1, 3),
    features=st.sampled_from([30.0, 1e3, 1e7, INF]),
    batch=st.floats(1, 50),
    noise=st.floats(0, 2),
    cooldown=st.floats(0.01, 1),
    log_steps=st.floats(3.5, 11),
)
@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
def test_what_holds_for_all_runs(a, b, features, batch, noise, cooldown, log_steps):
    task, steps = PowerLawSpectrum.from_ab(a, b), round(10**log_steps)
    bound = schedules.stability(
        Schedule.constant(1e-3, steps), task, features=features, batch=batch
    ).max_rate
    schedule = Schedule.wsd(rate=bound / 4, steps=steps, cooldown=cooldown)
    setting = {"features": features, "batch": batch}
    found = train(schedule, task, **setting, noise_variance=noise)
    assert found.diagnostics.status is not Status.UNRESOLVED
    assert np.all(found.test_loss > found.floor)
    assert found.steps[0] == 0
    assert found.steps[-1] == steps
    assert np.all(np.diff(found.intrinsic_time) >= 0)
    # more noise is never less loss, and the loss is affine in the noise
    middle = train(schedule, task, **setting, noise_variance=noise + 1, at=steps)
    high = train(schedule, task, **setting, noise_variance=noise + 2, at=steps)
    assert found.test_loss[-1] < middle.test_loss < high.test_loss
    assert middle.test_loss == pytest.approx(0.5 * (found.test_loss[-1] + high.test_loss), rel=1e-7)


def test_unstable_runs_are_refused():
    for method, rates in (
        (SGD(), (1.02, 1.2)),
        (HeavyBall(0.9), (1.02, 1.2)),
        (Nesterov(0.9), (1.1,)),
    ):
        edge = schedules.stability(
            Schedule.constant(0.01, 10), TASK, batch=4, method=method
        ).max_rate
        for factor in rates:
            for steps in (100, 10**6):
                with pytest.raises(DomainError, match="is unstable at step 0.*must be below"):
                    train(Schedule.constant(factor * edge, steps), TASK, batch=4, method=method)
        below = train(Schedule.constant(0.98 * edge, 10**6), TASK, batch=4, method=method, at=10**6)
        assert below.diagnostics.stability_margin > 0


def test_meshes_tell_of_instability_by_themselves(monkeypatch):
    # implicit steps hide it: with the criterion out of the way both meshes are needed
    monkeypatch.setattr("scalinglaws.solvers.schedules._train._margin", lambda *_: 0.5)
    edge = schedules.stability(Schedule.constant(0.01, 10), TASK, batch=4).max_rate
    for factor in (1.02, 1.05, 1.1, 1.2):
        with pytest.raises((ConvergenceError, DomainError)):
            train(Schedule.constant(factor * edge, 10**6), TASK, batch=4, at=10**6)


def test_rates_that_resonate_are_refused():
    rates = np.tile([0.38] * 3 + [0.038] * 5, 50)
    task = EmpiricalSpectrum([1.0], [1.0])
    with pytest.raises(DomainError, match="grown beyond 1e\\+06 times its start at step 9"):
        train(Schedule.from_array(rates), task, batch=1e12, method=HeavyBall(0.9))


def test_acceleration_that_explodes_is_refused():
    task = PowerLawSpectrum.from_ab(1.75, 1.5)
    schedule = Schedule.constant(0.1, 10**10)
    with pytest.raises((ConvergenceError, DomainError)):
        train(schedule, task, batch=1, method=DANA(3, 0.3 / 1.5), at=10**10)
    found = train(schedule, task, batch=1, method=DANA(0.3, 1 / 1.5), at=10**10)
    assert found.diagnostics.stability_margin is None


def test_unresolved_runs_keep_their_result(monkeypatch):
    monkeypatch.setattr("scalinglaws.solvers.schedules._train._UNRESOLVED", 1e-14)
    setting = {"batch": 4, "noise_variance": 0.1, "at": 10**6}
    schedule = Schedule.cosine(rate=0.1, steps=10**6)
    with pytest.raises(ConvergenceError, match="two meshes disagree") as caught:
        train(schedule, TASK, **setting)
    assert caught.value.result.diagnostics.status is Status.UNRESOLVED
    kept = train(schedule, TASK, **setting, on_failure="return")
    assert kept == caught.value.result


def test_an_array_that_is_unstable_for_a_moment_is_followed():
    rates = np.full(300, 0.1)
    rates[100] = 2.0
    with pytest.warns(StabilityWarning, match="rate = 2 is unstable at step 100"):
        found = train(Schedule.from_array(rates), TASK, batch=4)
    lam, signal = TASK.modes().eigenvalues, TASK.modes().signal
    many = TASK.modes().multiplicities
    rho = signal.copy()
    for eta in rates:
        loss = rho.sum()
        rho = (
            rho * ((1 - eta * lam) ** 2 + (eta * lam) ** 2 / 4) + (eta * lam) ** 2 / 4 * many * loss
        )
    assert found.test_loss[-1] == pytest.approx(rho.sum(), rel=1e-9)


def test_lost_accuracy_is_told_or_mended_by_a_finer_mesh(monkeypatch):
    task = PowerLawSpectrum.from_ab(4.4, 1.6)
    batch = Schedule.from_function(early, steps=10**8)
    found = train(Schedule.constant(0.1, 10**8), task, batch=batch)
    assert found.diagnostics.mesh_error < 1e-8
    monkeypatch.setattr(_run, "_REFINED", 0)
    with pytest.warns(AccuracyWarning, match="train"):
        worse = train(Schedule.constant(0.1, 10**8), task, batch=batch)
    assert 2 * worse.diagnostics.macro_steps < 3 * found.diagnostics.macro_steps


@pytest.mark.parametrize("features", [1e6, math.inf])
def test_finer_meshes_are_what_every_step_gives(features, monkeypatch):
    schedule = Schedule.cosine(rate=0.1, steps=400_000, warmup=4000)
    given = {"features": features, "batch": 4, "noise_variance": 0.1}
    at = np.unique(np.geomspace(1, 400_000, 40).round())
    found = train(schedule, TASK, **given, at=at)
    assert found.diagnostics.macro_steps < 4000
    monkeypatch.setattr(Schedule, "pace", lambda schedule, low: 1.0)
    finer = train(schedule, TASK, **given, at=at)
    assert found.diagnostics.macro_steps < 0.8 * finer.diagnostics.macro_steps
    direct = train(Schedule.from_array(schedule.values()), TASK, **given, at=at)
    assert direct.diagnostics.macro_steps == 400_000
    for one in (found, finer):
        off = np.abs(one.test_loss - direct.test_loss)
        assert np.all(off <= one.test_error + direct.test_error)
        assert np.max(off / direct.test_loss) < 1e-8


def test_results_are_kept(tmp_path):
    found = train(
        Schedule.wsd(rate=0.1, steps=5000), TASK, features=100, batch=4, average=EMA(0.01)
    )
    assert Result.load(found.save(tmp_path / "run.npz")) == found
    assert found.floor == pytest.approx(linear.ridge(TASK, features=100).test_loss, rel=1e-12)


def test_scalars_in_floats_out():
    schedule = Schedule.constant(0.1, 100)
    found = train(schedule, TASK, batch=4, at=100)
    for name in ("steps", "learning_rate", "batch", "intrinsic_time", "test_loss", "test_error"):
        assert isinstance(getattr(found, name), float), name
    assert train(schedule, TASK, batch=4, at=[7]).test_loss.shape == (1,)
    assert train(schedule, TASK, batch=4).test_loss.shape == (101,)


@pytest.mark.parametrize(
    ("named", "complaint"),
    [
        ({"batch": 0.5}, "batch = 0.5 must be at least 1"),
        ({"batch": Schedule.constant(4, 7)}, "batch has 7 steps, the learning rate 100"),
        ({"batch": [1, 2]}, "use Schedule.from_array"),
        ({"features": 0.5}, "features"),
        ({"noise_variance": -1}, "noise_variance"),
        ({"at": 101}, "at = 101.0 must be at most the 100 steps"),
        ({"at": [3, 2]}, "less than the one before"),
        ({"method": "sgd"}, "method = 'sgd' must be"),
        ({"method": HeavyBall(0.5), "average": EMA(0.1)}, "goes with SGD"),
        ({"average": TailAverage(101)}, "start = 101.0 is beyond the last of 100 steps"),
        ({"average": 0.5}, "average = 0.5 must be"),
        ({"on_failure": "ignore"}, "on_failure"),
    ],
)
def test_refusals(named, complaint):
    with pytest.raises(DomainError, match=complaint):
        train(Schedule.constant(0.1, 100), TASK, **{"batch": 4, **named})


def test_order_of_arguments_is_told():
    with pytest.raises(DomainError, match="schedule comes first"):
        train(TASK, Schedule.constant(0.1, 100), batch=4)
    with pytest.raises(DomainError, match="schedule"):
        train(0.1, TASK, batch=4)


def test_arrays_too_long_are_refused(monkeypatch):
    monkeypatch.setattr("scalinglaws.solvers.schedules._run._MOST_WORK", 1e5)
    with pytest.raises(ResourceError, match="give rates and batches as functions"):
        train(Schedule.from_array(np.full(5000, 0.1)), TASK, batch=4)


@pytest.mark.parametrize("modes", [1, 10, 30, 100, 1000])
@pytest.mark.parametrize("batch", [4, INF])
def test_finite_spectra_are_followed_until_nothing_is_left(modes, batch):
    task = PowerLawSpectrum.from_ab(2, 1.5, modes)
    for steps in (5000, 10**5, 10**6, 10**8):
        schedule = Schedule.constant(0.1, steps)
        found = train(schedule, task, batch=batch, at=steps)
        known = linear.online_sgd(steps, task, batch=batch, learning_rate=0.1)
        # a loss that has fallen by many decades remembers the rounding of its rate
        bound = found.test_error + known.test_error + 1e-10 * known.test_loss
        assert abs(found.test_loss - known.test_loss) <= bound, steps
    if modes == 10:
        best = schedules.tuned_rate(Schedule.constant(1, 10**5), task, batch=4)
        assert best.test_loss < 1e-250


@pytest.mark.filterwarnings("ignore::scalinglaws.errors.AccuracyWarning")
@pytest.mark.parametrize(
    ("task", "rate", "method", "batch"),
    [
        ((6, 1.5), 0.005, HeavyBall(0.99), 4),
        ((4, 1.2), 5e-4, HeavyBall(0.99), INF),
        ((2, 1.5), 1e-4, HeavyBall(0.999), 4),
        ((2, 1.5), 1e-4, Nesterov(0.999), 4),
    ],
)
def test_long_memories(task, rate, method, batch):
    spectrum = PowerLawSpectrum.from_ab(*task)
    schedule = Schedule.wsd(rate=rate, steps=60_000, warmup=500)
    setting = {"batch": batch, "noise_variance": 0.1, "method": method}
    found = train(schedule, spectrum, **setting)
    known = train(Schedule.from_array(schedule.values()), spectrum, **setting, at=found.steps)
    apart = np.abs(found.test_loss - known.test_loss)
    assert np.all(apart <= 3 * (found.test_error + known.test_error))


def test_narrow_features_of_a_function_are_seen():
    for steps, place, width in ((20_000, 12_345, 30), (10**6, 765_432, 3)):
        for height in (1.0, 3.0):
            schedule = Schedule.from_function(
                lambda t, h=height, m=place, w=width: 0.01 + h * np.exp(-(((t - m) / w) ** 2) / 2),
                steps=steps,
            )
            setting = {"batch": 4, "noise_variance": 0.1, "at": steps}
            verdict = schedules.stability(schedule, TASK, batch=4)
            assert verdict.worst_step == place
            if height > 1:
                assert not verdict.stable
                with pytest.raises(DomainError, match=f"unstable at step {place}"):
                    train(schedule, TASK, **setting)
            elif steps == 20_000:  # every step is taken
                known = train(Schedule.from_array(schedule.values()), TASK, **setting)
                assert train(schedule, TASK, **setting) == known
            else:
                with pytest.raises((DomainError, ConvergenceError), match="breaks|meshes"):
                    train(schedule, TASK, **setting)
    wide = Schedule.from_function(
        lambda t: 0.01 + np.exp(-(((t - 12_345_678) / 1e6) ** 2) / 2), steps=10**8
    )
    with pytest.raises((DomainError, ConvergenceError), match="breaks|meshes"):
        train(wide, TASK, batch=4, noise_variance=0.1, at=10**8)


def test_meshes_have_a_bound():
    for make in (
        lambda: train(Schedule.constant(1e-9, 10**12), TASK, batch=4, method=HeavyBall(1 - 1e-9)),
        lambda: train(
            Schedule.from_function(
                np.ones_like, 1000 * np.arange(1, 30_000), steps=10**9, rate=0.01
            ),
            TASK,
            batch=4,
        ),
    ):
        with pytest.raises(ResourceError, match="use fewer breaks, a shorter memory"):
            make()


def test_the_functional_law_and_long_runs_see_narrow_features():
    spike = Schedule.from_function(
        lambda t: 0.01 + 0.5 * np.exp(-(((t - 765_432) / 3) ** 2) / 2), steps=10**6
    )
    with pytest.raises(DomainError, match="give breaks there"):
        schedules.functional_law(spike, TASK, batch=4, noise_variance=0.1)
    long_run = {"learning_rate": spike, "batch": 10, "richness": 1}
    with pytest.raises(DomainError, match="learning_rate varies within some steps"):
        feature_learning.online_dmft(10**6, TASK, **long_run)
    few = Schedule.from_function(lambda t: np.where(np.abs(t - 777) < 2, 0.5, 4.0), steps=10**6)
    with pytest.raises(DomainError, match=r"batch\[776\] = 0.5 must be >= 1"):
        feature_learning.online_dmft(
            10**6, TASK, **long_run | {"learning_rate": 0.01, "batch": few}
        )

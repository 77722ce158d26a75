"""Repetition as a fitted law: values, starts, what few epochs say, what plans make of it, and files and commands."""

import json
import math
from pathlib import Path

import mpmath
import numpy as np
import pytest

from scalinglaws.cli import run
from scalinglaws.errors import DataError
from scalinglaws.verify.empirical import compare_laws, fit, from_parameters, plan, read_runs
from scalinglaws.verify.empirical.fits import Fit, fit_law
from scalinglaws.verify.empirical.fits._reference import reference_solve
from scalinglaws.verify.empirical.fits._repetition import half_value
from scalinglaws.verify.empirical.fits._repetition_panels import repetition_panels
from scalinglaws.verify.empirical.fits._solve import solve
from scalinglaws.verify.plots.empirical import repeated_tokens

REFERENCE = json.loads(
    (Path(__file__).parents[3] / "reference" / "repetition.json").read_text(encoding="utf-8")
)
_KNOWN = REFERENCE["constants"]
TRUTH = {
    **{name: math.exp(_KNOWN[f"log_{name}"]) for name in "EAB"},
    **dict.fromkeys("ab", _KNOWN["exponent"]),
    "R_D": _KNOWN["R_D"],
    "R_N": _KNOWN["R_N"],
}
LAW = fit_law("repetition")
AT = LAW.coordinates(TRUTH)


def grid(epochs, first=0):
    """Return three corpora, three sizes, and epochs doubled from one to the largest."""
    repeated = 2.0 ** np.arange(first, math.log2(epochs) + 0.01)
    meshed = np.meshgrid((3e8, 3e9, 3e10), (1e8, 1e9, 8e9), repeated)
    unique, size, times = (entry.ravel() for entry in meshed)
    return {"N": size, "D": times * unique, "U": unique}


def drawn(epochs, seed=0, truth=AT, first=0):
    points = grid(epochs, first)
    logs = LAW.predict(truth, points)
    errors = REFERENCE["sigma"] * np.random.default_rng(seed).normal(size=logs.size)
    return {**points, "loss": np.exp(logs + errors)}


@pytest.fixture(scope="module")
def measured():
    return fit("repetition", drawn(32), bootstrap=200)


@pytest.fixture(scope="module")
def short():
    return fit("repetition", drawn(4), bootstrap=0)


@pytest.mark.parametrize("case", REFERENCE["losses"])
def test_losses_to_all_printed_digits(case):
    found = np.exp(LAW.predict(AT, {name: [case[name]] for name in "NDU"}))[0]
    assert f"{found:.9f}" == f"{case['loss']:.9f}"


def exact(x, N, D, U):
    """Return ln L in 30 digits, as the law is written."""
    E, A, B = (mpmath.exp(value) for value in x[:3])
    a, b, (R_D, R_N) = x[3], x[4], (mpmath.exp(value) for value in x[5:])
    D_counts = U + U * R_D * (1 - mpmath.exp(-(D / U - 1) / R_D)) if D > U else D
    G = (a * A / (b * B)) ** (1 / (a + b))
    best = G * (U * G) ** (b / a)
    N_counts = N
    if best < N:
        N_counts = best + best * R_N * (1 - mpmath.exp(-(N / best - 1) / R_N))
    return mpmath.log(E + A / N_counts**a + B / D_counts**b)


def test_value_gradient_and_hessian_in_30_digits():
    """Fewer and more tokens than are unique, models below and above what they fill; a step of 1e-10 leaves 20 digits."""
    rng = np.random.default_rng(0)
    with mpmath.workdps(60):
        for N, D, U in ((1e8, 5e9, 1e10), (1e11, 5e9, 1e10), (1e8, 2e11, 1e10), (3e10, 2e12, 1e11)):
            x = AT + 0.1 * rng.normal(size=7)
            point = [mpmath.mpf(value) for value in (N, D, U)]
            jacobian, outer, curvature = np.zeros(7), np.zeros(28), np.zeros(28)
            logs = LAW.logarithms({"N": [N], "D": [D], "U": [U]})
            value = LAW.kernel(x, logs, 0, jacobian, outer, curvature)
            there = [mpmath.mpf(float(entry)) for entry in x]
            assert value == pytest.approx(float(exact(there, *point)), rel=1e-12)
            step = mpmath.mpf(10) ** -15

            def moved(*steps, there=there, point=point, step=step):
                y = list(there)
                for j, sign in steps:
                    y[j] += sign * step
                return exact(y, *point)

            for j in range(7):
                slope = (moved((j, 1)) - moved((j, -1))) / (2 * step)
                assert jacobian[j] == pytest.approx(float(slope), rel=1e-10, abs=1e-12)
                for k in range(j + 1):
                    signs = ((1, 1), (1, -1), (-1, 1), (-1, -1))
                    bend = sum(s * t * moved((j, s), (k, t)) for s, t in signs) / (4 * step**2)
                    found = curvature[j * (j + 1) // 2 + k]
                    assert found == pytest.approx(float(bend), rel=1e-9, abs=1e-10)


def test_without_repetition_it_is_the_surface():
    points = {"N": [1e8, 3e9], "D": [1e9, 7e10], "U": [1e60, 1e60]}
    surface = fit_law("surface")
    np.testing.assert_allclose(
        LAW.predict(AT, points), surface.predict(AT[:5], points), rtol=1e-15, atol=1e-15
    )


def test_random_starts_do_not_beat_the_start_and_scipy_agrees():
    rng = np.random.default_rng(0)
    for epochs, first in (
        (32, 0),
        (8, 0),
        (4, -2),
        (8, 2),
    ):  # the last has no run without repetition
        data = drawn(epochs, first=first)
        points = {name: data[name] for name in "NDU"}
        best = solve(LAW, points, data["loss"], delta=np.inf)
        assert best.converged
        other = reference_solve(LAW, points, data["loss"], delta=np.inf)
        assert best.objective <= other.objective * (1 + 1e-9)
        for _ in range(10):
            start = AT + rng.normal(size=7) * (0.3, 1, 1, 0.06, 0.06, 1.2, 1.2)
            found = solve(LAW, points, data["loss"], delta=np.inf, start=start)
            assert best.objective <= found.objective * (1 + 1e-9)


@pytest.mark.parametrize("case", REFERENCE["scatter"], ids=lambda case: f"{case['epochs']}")
def test_scatter_of_the_rates_is_that_of_the_reference(case):
    """Within 30 %: its budgets are not stated. A robust scatter: at four epochs a few fits see no decay."""
    fits = [
        fit("repetition", drawn(case["epochs"], seed), delta=np.inf, bootstrap=0)
        for seed in range(100)
    ]
    logs = np.log([[found.parameters[name] for name in ("R_D", "R_N")] for found in fits])
    low, high = np.quantile(logs, (0.16, 0.84), axis=0)
    scatter = (high - low) / 2
    assert scatter[0] == pytest.approx(case["log_R_D"], rel=0.3)
    assert scatter[1] == pytest.approx(case["log_R_N"], rel=0.35)
    truth = np.log([TRUTH["R_D"], TRUTH["R_N"]])
    assert np.all(np.abs(np.median(logs, axis=0) - truth) < 4 * 1.25 * scatter / 10)
    condition = np.median([found.identifiability.raw_condition for found in fits])
    assert REFERENCE["condition"][0] < condition < REFERENCE["condition"][1]


def test_report_says_when_a_token_is_worth_half(measured, short):
    at = half_value(measured.parameters["R_D"])
    told = measured.report()
    assert f"a token is worth half after 1 + R_D ln 2 = {at:.3g} epochs" in told
    assert "runs of up to 32 epochs" in told
    assert "R_D needs 8" not in told
    assert "runs of up to 4 epochs (R_D needs 8)" in short.report()
    assert max(map(len, told.splitlines())) <= 100
    # and there it is: the slope of what counts, to that of the first epoch
    rate, unique = measured.parameters["R_D"], 1.0
    ends = np.array([at, at + 1e-6])
    counts = unique + unique * rate * (1 - np.exp(-(ends - 1) / rate))
    assert np.diff(counts)[0] / 1e-6 == pytest.approx(0.5, rel=1e-6)


def test_no_decay_seen():
    """Tokens that keep their worth: R_D lies at its bound, and the record says so."""
    forever = AT.copy()
    forever[5] = 12.0
    points = grid(16)
    data = {**points, "loss": np.exp(LAW.predict(forever, points))}
    found = fit("repetition", data, bootstrap=0)
    assert found.parameters["R_D"] == pytest.approx(math.exp(6))
    (told,) = [entry for entry in found.warnings if entry.code == "W-no-decay"]
    assert "no decay seen: R_D" in told.message
    assert "W-at-bound" not in [entry.code for entry in found.warnings]
    assert "no decay seen: a repeated token is worth as much as a new one" in found.report()


def test_intervals_profile_and_files(measured, tmp_path):
    for name in ("R_D", "R_N"):
        low, high = measured.interval(name)
        assert low < TRUTH[name] < high
    profile = measured.profile("R_D")
    assert profile.values.min() < TRUTH["R_D"] < profile.values.max()
    for end in ("npz", "json"):
        assert Fit.load(measured.save(tmp_path / f"fit.{end}")) == measured
    inside = measured.predict(N=1e9, D=1.2e10, U=3e9)
    assert (
        inside.low < np.exp(LAW.predict(AT, {"N": [1e9], "D": [1.2e10], "U": [3e9]})) < inside.high
    )
    assert measured.rolling_origin().laws == ("repetition",)


def test_it_is_told_from_a_surface():
    assert set(compare_laws(["surface", "repetition"], drawn(32)).best.values()) == {"repetition"}


def test_what_cannot_be_fitted():
    data = drawn(32)
    once = drawn(1, first=-3)
    with pytest.raises(DataError, match="no run sees more tokens than are unique"):
        fit("repetition", once, bootstrap=0)
    renamed = {"params": data["N"], "tokens": data["D"], "loss": data["loss"]}
    with pytest.raises(DataError, match="needs a column unique_tokens.*unique="):
        fit("repetition", renamed, bootstrap=0)
    holes = {
        **renamed,
        "unique_tokens": np.where(np.arange(data["U"].size) == 4, np.nan, data["U"]),
    }
    with pytest.raises(DataError, match="unique_tokens of every run: row 5"):
        fit("repetition", holes, bootstrap=0)


def test_unique_tokens_are_read(measured):
    data = drawn(32)
    table = {"params": data["N"], "tokens": data["D"], "loss": data["loss"]}
    for runs in (
        read_runs({**table, "unique_tokens": data["U"]}, counts="total"),
        read_runs({**table, "U": data["U"]}, counts="total"),
        read_runs({**table, "epochs": data["D"] / data["U"]}, counts="total"),
        read_runs({**table, "corpus": data["U"]}, counts="total", unique="corpus"),
    ):
        found = fit("repetition", runs, bootstrap=0)
        np.testing.assert_allclose(found.x, measured.x, rtol=1e-9)


def test_one_corpus_is_enough():
    data = drawn(32)
    one = {name: column[data["U"] == 3e9] for name, column in data.items()}
    found = fit("repetition", one, bootstrap=0)
    assert found.parameters["R_D"] == pytest.approx(TRUTH["R_D"], rel=0.5)
    assert not any("U spans" in entry.message for entry in found.warnings)


def test_plans_use_fitted_constants_and_say_so(measured):
    own = plan(measured, compute=1e22, unique_tokens=1e10)
    assert own.constants == {
        name: pytest.approx(measured.parameters[name]) for name in ("R_D", "R_N")
    }
    assert own.constants_from == "fit"
    assert "repeated tokens by the fit's constants R_D" in own.summary()
    assert own.tokens_low < own.tokens < own.tokens_high
    surface = from_parameters("surface", {name: TRUTH[name] for name in ("E", "A", "B", "a", "b")})
    published = plan(surface, compute=1e23, unique_tokens=1e11)
    assert published.constants_from == "published"
    assert "by published constants" in published.summary()
    same = plan(from_parameters("repetition", TRUTH), compute=1e23, unique_tokens=1e11)
    for name in ("params", "tokens", "loss", "epochs"):
        assert getattr(same, name) == pytest.approx(getattr(published, name), rel=1e-9)
    free = plan(measured, compute=1e22)
    assert (free.constants, free.constants_from) == ({}, "")
    assert free.params_low < free.params < free.params_high
    plain = from_parameters("surface", {name: measured.parameters[name] for name in "EABab"})
    assert free.params == pytest.approx(plan(plain, compute=1e22).params, rel=1e-9)


def test_the_plan_is_the_least_of_a_scan(measured):
    found = plan(measured, compute=1e22, unique_tokens=1e10)
    sizes = np.geomspace(found.params / 3, found.params * 3, 4001)
    data = 1e22 / (6 * sizes)
    losses = LAW.predict(measured.x, {"N": sizes, "D": data, "U": np.full(4001, 1e10)})
    assert sizes[np.argmin(losses)] == pytest.approx(found.params, rel=1e-3)
    assert np.exp(losses.min()) == pytest.approx(found.loss, rel=1e-9)


def test_many_epochs_by_runs_of_few_are_refused(short, measured):
    with pytest.raises(
        DataError, match="R_D is not measured: the runs see .* up to 4 times.*8 epochs"
    ):
        plan(short, tokens=1.6e11, unique_tokens=1e10)
    some = plan(short, tokens=8e10, unique_tokens=1e10)
    assert "W-many-epochs" in [entry.code for entry in some.warnings]
    few = plan(short, tokens=3e10, unique_tokens=1e10)
    assert "W-many-epochs" not in [entry.code for entry in few.warnings]
    assert plan(measured, tokens=1.6e11, unique_tokens=1e10).epochs == pytest.approx(16)
    eight = fit("repetition", drawn(8), bootstrap=0)
    assert plan(eight, tokens=1.6e11, unique_tokens=1e10).epochs == pytest.approx(16)


def test_pictures_and_page(measured, short, tmp_path):
    for found in (measured, short):
        losses, worth = repetition_panels(found)
        half = half_value(found.parameters["R_D"])
        (told,) = [mark for mark in worth.marks if mark.label.startswith("half after")]
        assert (told.x[0], told.y[0]) == (half, 0.5)
        assert {mark.label for mark in worth.marks} >= {
            "fit",
            "published constant",
            "beyond the runs",
        }
        assert sum(mark.kind == "points" for mark in losses.marks) == 4
    figure = repeated_tokens(measured)
    figure.savefig(tmp_path / "picture.png")
    assert [axes.get_xlabel() for axes in figure.axes] == ["epochs D/U", "epochs D/U"]
    page = measured.to_html(tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Repeated tokens" in page
    with pytest.raises(DataError, match="no picture of repetition"):
        repeated_tokens(from_parameters("besiroglu"))


def test_commands(tmp_path, capsys):
    data = drawn(32)
    file = tmp_path / "runs.csv"
    rows = zip(*(data[name].tolist() for name in ("N", "D", "U", "loss")), strict=True)
    lines = ["params,tokens,corpus,loss", *(",".join(map(repr, row)) for row in rows)]
    file.write_text("\n".join(lines), encoding="utf-8")
    given = [str(file), "--law", "repetition", "--unique", "corpus", "--bootstrap", "0"]
    assert run(["fit", *given]) == 0
    assert "a token is worth half after" in capsys.readouterr().out
    assert run(["plan", *given, "--compute", "1e22", "--unique-tokens", "1e10"]) == 0
    assert "by the fit's constants" in capsys.readouterr().out
    assert run(["plan", "besiroglu", "--compute", "1e22", "--unique-tokens", "1e10"]) == 0
    assert "by published constants" in capsys.readouterr().out
    assert run(["fit", *given[:3], "--bootstrap", "0"]) != 0
    assert "--unique" in capsys.readouterr().err

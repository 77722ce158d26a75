"""Laws of a person's own: their columns, what runs cannot tell apart in them, and three from the literature on synthetic runs."""

import json

import numpy as np
import pytest

from scalinglaws.errors import DataError, DomainError
from scalinglaws.verify.empirical import Fit, fit, read_runs
from scalinglaws.verify.empirical.fits import fit_law
from scalinglaws.verify.empirical.fits._identifiability import _decomposed, _unseen

MIXTURE = "c + k*exp(t_1*r_1 + t_2*r_2 + t_3*r_3)"
SHARES = ("r_1", "r_2", "r_3")
SIGNS = {f"t_{j}": (-10.0, 10.0) for j in (1, 2, 3)}
EXPERTS = (
    "c + a*experts**delta*N**(gamma*log(experts) - alpha)"
    " + b*experts**omega*D**(zeta*log(experts) - beta)"
)
EITHER = dict.fromkeys(("delta", "gamma", "omega", "zeta"), (-5.0, 5.0))
PRECISION = "E + A*(N*(1 - exp(-bits/gamma)))**-a + B*D**-b"


def crossed(*columns):
    return [entry.ravel() for entry in np.meshgrid(*columns, indexing="ij")]


def mixed(count=40, seed=0):
    """Return runs on mixtures of three sources; five of them leave one out."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet([1, 1, 1], count)
    shares[:5, 0] = 0.0
    shares /= shares.sum(axis=1, keepdims=True)
    loss = 2 + np.exp(shares @ [0.3, -0.5, -1.2])
    noise = np.exp(0.001 * rng.standard_normal(count))
    return {**dict(zip(SHARES, shares.T, strict=True)), "loss": loss * noise}


def sparse(seed=0):
    """Return runs of models with experts."""
    N, D, G = crossed(np.geomspace(1e8, 3e9, 5), np.geomspace(1e9, 1e11, 5), 2.0 ** np.arange(6))
    q = np.log(G)
    loss = (
        1.7 + 300 * G**-0.05 * N ** (-0.34 - 0.004 * q) + 1500 * G**0.1 * D ** (-0.35 - 0.006 * q)
    )
    noise = np.exp(0.003 * np.random.default_rng(seed).standard_normal(N.size))
    return {"N": N, "D": D, "experts": G, "loss": loss * noise}


def rounded(seed=0):
    """Return runs at several precisions of the weights."""
    bits = np.array([3.0, 4, 5, 6, 8, 12, 16])
    N, D, bits = crossed(np.geomspace(3e7, 3e8, 4), np.geomspace(1e9, 3e10, 4), bits)
    loss = 1.8 + 400 * (N * (1 - np.exp(-bits / 2.7))) ** -0.34 + 2000 * D**-0.37
    noise = np.exp(0.003 * np.random.default_rng(seed).standard_normal(N.size))
    return {"N": N, "D": D, "bits": bits, "loss": loss * noise}


def message(found, code="W-not-identifiable"):
    (told,) = [entry.message for entry in found.warnings if entry.code == code]
    return told


# -- a mixture ----------------------------------------------------------------------------------------------------------


def test_shares_that_add_up_to_one_leave_a_gauge_and_it_is_named():
    found = fit(MIXTURE, mixed(), variables=SHARES, bounds=SIGNS, bootstrap=0)
    assert not found.identifiability.identifiable
    assert set(found.identifiability.weakest) == {"k", "t_1", "t_2", "t_3"}
    assert message(found) == (
        "a gauge: the loss stays the same when one adds x to t_1, x to t_2, x to t_3 and "
        "multiplies k by exp(-x), whatever x"
    )
    # it is one: losses at any point of it are the same to the last digits
    moved = dict(found.parameters)
    moved |= {name: moved[name] + 0.7 for name in ("t_1", "t_2", "t_3")}
    moved["k"] *= np.exp(-0.7)
    law, columns = found.model, found.columns
    np.testing.assert_allclose(
        law.predict(law.coordinates(moved), columns), law.predict(found.x, columns), atol=1e-13
    )


def test_one_amplitude_settles_the_gauge_without_changing_the_fit():
    free = fit(MIXTURE, mixed(), variables=SHARES, bounds=SIGNS, bootstrap=0)
    found = fit(MIXTURE, mixed(), variables=SHARES, bounds=SIGNS, fixed={"k": 1}, bootstrap=0)
    assert found.identifiability.condition < 250
    assert found.objective == pytest.approx(free.objective, rel=1e-6)
    np.testing.assert_allclose(found.residuals, free.residuals, atol=1e-7)
    for name, true in {"t_1": 0.3, "t_2": -0.5, "t_3": -1.2, "c": 2.0}.items():
        deviation = np.sqrt(found.cov[found.names.index(name), found.names.index(name)])
        assert abs(found.parameters[name] - true) < 4 * deviation
    # differences of the t are the same in every gauge
    for one, other in (("t_1", "t_2"), ("t_2", "t_3")):
        assert free.parameters[one] - free.parameters[other] == pytest.approx(
            found.parameters[one] - found.parameters[other], abs=1e-5
        )
    # decades are no measure of shares
    assert "W-short-range" not in {entry.code for entry in found.warnings}


def test_shares_that_are_zero_are_fitted_saved_and_predicted(tmp_path):
    found = fit(MIXTURE, mixed(), variables=SHARES, bounds=SIGNS, fixed={"k": 1}, bootstrap=20)
    assert np.any(found.columns["r_1"] == 0)
    for suffix in ("json", "npz"):
        again = Fit.load(found.save(tmp_path / f"fit.{suffix}"))
        assert again == found
        assert again.model.variables == SHARES
    at = found.parameters
    expected = at["c"] + np.exp(0.4 * at["t_2"] + 0.6 * at["t_3"])
    assert float(found.predict(r_1=0, r_2=0.4, r_3=0.6).loss) == pytest.approx(expected, rel=1e-12)
    assert np.isfinite(found.samples).all()
    with pytest.raises(DomainError, match="r_1"):
        found.predict(r_1=-0.1, r_2=0.4, r_3=0.7)
    spoiled = json.loads(found.to_json())
    text = json.dumps(spoiled).replace(
        json.dumps(found.columns["r_2"].tolist()[0]), json.dumps(-0.5)
    )
    with pytest.raises(DataError, match="r_2 must hold numbers >= 0"):
        Fit.from_json(text)


def test_two_gauges_are_told_one_by_one():
    jacobian = np.random.default_rng(1).standard_normal((20, 5))
    jacobian[:, 1] = 2 * jacobian[:, 0]
    jacobian[:, 4] = jacobian[:, 2] - jacobian[:, 3]
    rows = _unseen(jacobian)
    assert rows.shape == (2, 5)
    np.testing.assert_allclose(jacobian @ rows.T, 0, atol=1e-12)
    nonzero = sorted(tuple(np.flatnonzero(np.abs(row) > 1e-9).tolist()) for row in rows)
    assert nonzero == [(0, 1), (2, 3, 4)]
    assert _decomposed(jacobian)[0] > 1e7


# -- experts and precision ------------------------------------------------------------------------------------------------


def test_centering_makes_experts_easy_to_tell_apart_and_is_the_same_fit():
    """ln E and both log sizes over their means: the family is the same, its condition falls by much (literature: 997 to 198)."""
    data = sparse()
    middles = {name: np.exp(np.mean(np.log(data[name]))) for name in ("N", "D", "experts")}
    centered = data | {name: data[name] / middle for name, middle in middles.items()}
    plain, found = (
        fit(EXPERTS, given, variables="experts", bounds=EITHER, bootstrap=0)
        for given in (data, centered)
    )
    assert found.objective == pytest.approx(plain.objective, rel=1e-6)
    assert 300 < plain.identifiability.condition < 1000
    assert found.identifiability.condition < plain.identifiability.condition / 5
    assert found.identifiability.condition < 198
    assert found.parameters["zeta"] == pytest.approx(plain.parameters["zeta"], rel=1e-4)
    assert plain.identifiability.identifiable
    at = {"N": 1e10, "D": 1e12, "experts": 8.0}
    shifted = {name: value / middles[name] for name, value in at.items()}
    assert float(plain.predict(**at).loss) == pytest.approx(
        float(found.predict(**shifted).loss), rel=1e-5
    )


def test_the_weakest_of_a_law_of_precision_are_amplitude_and_exponent():
    """Condition between 400 and 600 (literature: 444 to 499); the scale of bits is well known."""
    found = fit(PRECISION, rounded(), variables="bits", bootstrap=0)
    said = found.identifiability
    assert 400 < said.condition < 600
    assert set(said.weakest) == {"A", "a"}
    place = found.names.index("gamma")
    assert found.model.logs[place]
    deviation = np.sqrt(found.cov[place, place])  # of ln gamma
    assert deviation < 0.02
    assert abs(np.log(found.parameters["gamma"] / 2.7)) < 4 * deviation


def test_a_parameter_that_divides_a_variable_is_fitted_by_its_logarithm():
    law = fit_law(PRECISION, None, ["bits"])
    boxes = dict(law.boxes)
    assert boxes[law.names.index("gamma")] == law.variables.index("bits")
    assert fit_law("c + k*exp(-g*x)").logs[1] is False  # a rate may be 0
    at = {"E": 1.8, "A": 400.0, "B": 2000.0, "a": 0.34, "b": 0.37, "gamma": 2.7}
    columns = {"N": [1e8, 1e12], "D": [1e9, 1e12], "bits": [0.01, 900.0]}
    N, D, bits = (np.array(columns[name]) for name in ("N", "D", "bits"))
    expected = 1.8 + 400 * (N * -np.expm1(-bits / 2.7)) ** -0.34 + 2000 * D**-0.37
    x = law.coordinates(at)
    np.testing.assert_allclose(np.exp(law.predict(x, columns)), expected, rtol=1e-11)
    step = 1e-6 * np.eye(x.size)
    slopes = (law.predict(x + step, columns) - law.predict(x - step, columns)) / 2e-6
    np.testing.assert_allclose(law.gradient(x, columns), slopes.T, rtol=1e-5, atol=1e-8)


# -- columns --------------------------------------------------------------------------------------------------------------


def test_columns_of_a_file_are_kept_where_they_are_asked_for(tmp_path):
    data = rounded()
    path = tmp_path / "runs.csv"
    rows = zip(data["N"], data["D"], data["bits"], data["loss"], strict=True)
    lines = ["params,tokens,config/bits,loss", *(",".join(map(repr, map(float, r))) for r in rows)]
    path.write_text("\n".join(lines))
    runs = read_runs(path, variables=["bits"])
    np.testing.assert_array_equal(runs.variables["bits"], data["bits"])
    assert runs.take([3, 5]).variables["bits"].tolist() == [6.0, 12.0]
    assert set(runs.columns) == {"N", "D", "loss"}
    direct = fit(PRECISION, data, variables="bits", bootstrap=0)
    for source in (runs, path):
        found = fit(PRECISION, source, variables="bits", bootstrap=0)
        assert found.parameters == direct.parameters
    assert read_runs(path).variables == {}
    with pytest.raises(DataError, match=r"variables=\['bits'\]"):
        fit(PRECISION, read_runs(path), variables="bits", bootstrap=0)
    with pytest.raises(DomainError, match="did you mean .bits."):
        read_runs(path, variables=["bitz"])


@pytest.mark.parametrize(
    ("law", "variables", "words"),
    [
        ("c + k*exp(-g*bits)", "bytes", "does not occur"),
        ("surface", "bits", "surface has its own"),
        ("c + k*exp(-g*bits)", (), "named by variables="),
        ("c + k*exp(-g*bits)", 3, "variables = 3"),
    ],
)
def test_other_variables_are_refused(law, variables, words):
    with pytest.raises(DomainError, match=words):
        fit(law, rounded(), variables=variables, bootstrap=0)


def test_negative_columns_are_refused():
    data = rounded()
    with pytest.raises(DomainError, match="bits"):
        fit(PRECISION, data | {"bits": -data["bits"]}, variables="bits", bootstrap=0)

"""Tasks that are drawn: moments, the tail against exact sums, reproducibility and the refusals."""

import mpmath
import numpy as np
import pytest
from scipy.special import zeta

from scalinglaws.errors import DomainError, ResourceError
from scalinglaws.verify.simulate.empirical import draw_task


@pytest.mark.parametrize(
    ("alpha", "decay", "modes"), [(1.2, 0.36, 50), (1.03, 0.05, 300), (3.0, 0.9, 20)]
)
def test_the_rest_of_the_modes_has_its_mean_and_its_variance(alpha, decay, modes):
    """Against 30 digits; the same draw with one mode less, which then belongs to the rest, shows what stands on the diagonal."""
    with mpmath.workdps(30):
        rest = float(mpmath.zeta(mpmath.mpf(alpha), modes + 1))
        noise = float(mpmath.zeta(mpmath.mpf(decay) + 1, modes + 1))
    n = 600
    task = draw_task(n, alpha=alpha, decay=decay, modes=modes, rng=3)
    values = np.linalg.eigvalsh(task.gram)
    assert values[: n - modes] == pytest.approx(rest, rel=1e-9)  # the null space of the others
    # what the features do not explain of the labels is the noise, with n - modes degrees of freedom
    vectors = np.linalg.eigh(task.gram)[1][:, : n - modes]
    found = np.mean((vectors.T @ task.labels) ** 2)
    assert found == pytest.approx(noise, rel=5 * np.sqrt(2 / (n - modes)))


def test_scipy_has_the_zeta_function_to_the_promised_digits():
    with mpmath.workdps(30):
        for s in (1.0000001, 1.03, 1.2, 2.0, 3.75, 20.0):
            for start in (2, 4001, 1_000_001):
                assert zeta(s, start) == pytest.approx(float(mpmath.zeta(s, start)), rel=1e-13)


def test_rest_and_modes_add_up_to_the_sum_over_all():
    task = draw_task(2, alpha=1.5, decay=0.75, modes=10_000)
    many = [draw_task(400, alpha=1.5, decay=0.75, modes=m, rng=m) for m in (1, 100, 3000)]
    assert task.beta == 0.5
    for each in many:
        diagonal = np.diagonal(each.gram)
        error = diagonal.std() / np.sqrt(diagonal.size)
        assert diagonal.mean() == pytest.approx(zeta(1.5), abs=5 * error)
        squares = each.labels**2
        assert squares.mean() == pytest.approx(zeta(1.75), abs=5 * squares.std() / 20)


def test_a_cut_sum_would_be_no_power_law():
    """The trace of what is left out is a quarter of all for a capacity of 1.2: no rounding error."""
    assert zeta(1.2, 4001) / zeta(1.2) == pytest.approx(0.17, abs=0.01)
    task = draw_task(200, alpha=1.2, decay=0.36, rng=0)
    values = np.linalg.eigvalsh(task.gram)
    assert values[0] > zeta(1.2, 4001)


def test_gram_and_labels_belong_together():
    """The first mode carries most of both: labels lie along the first eigenvector as they should."""
    task = draw_task(500, alpha=3.0, decay=2.0, rng=1)
    vector = np.linalg.eigh(task.gram)[1][:, -1]
    share = (vector @ task.labels) ** 2 / np.sum(task.labels**2)
    assert share == pytest.approx(1 / zeta(3.0), abs=0.1)


def test_symmetric_reproducible_and_as_long_as_asked_for():
    first, again, other = (draw_task(65, alpha=1.5, decay=0.75, rng=r) for r in (4, 4, 5))
    assert np.array_equal(first.gram, first.gram.T)
    assert np.array_equal(first.gram, again.gram)
    assert np.array_equal(first.labels, again.labels)
    assert not np.array_equal(first.gram, other.gram)
    assert first == again
    single = draw_task(1, alpha=2, decay=1, modes=1)
    assert single.gram.shape == (1, 1)
    steep = draw_task(4, alpha=1e300, decay=1e300, rng=0)  # one mode is left
    assert np.linalg.matrix_rank(steep.gram) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"alpha": 1.0}, "alpha = 1.0 must be > 1 and finite"),
        ({"alpha": np.nan}, "alpha = nan must be > 1 and finite"),
        ({"decay": 0.0}, "decay = 0.0 must be >= 1e-12 and finite"),
        ({"modes": 0}, "modes = 0 must be a whole number from 1 to 1e\\+06"),
        ({"modes": True}, "modes = True must be a whole number"),
        ({"samples": 2.5}, "samples = 2.5 must be a whole number >= 1"),
        ({"rng": None}, "rng = None must be a Generator or a seed"),
    ],
)
def test_refusals(given, message):
    with pytest.raises(DomainError, match=message):
        draw_task(**({"samples": 3, "alpha": 2.0, "decay": 1.0} | given))


def test_a_gram_matrix_beyond_the_budget_is_refused(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="the Gram matrix would hold .* use fewer samples"):
        draw_task(400, alpha=2.0, decay=1.0)

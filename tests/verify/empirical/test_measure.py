"""Measuring a task: the same from features, Gram matrix, kernel or modes; digits; labels of all kinds; what is refused."""

import numpy as np
import pytest
from scipy import special

from scalinglaws.errors import DataError, DomainError, ResourceError
from scalinglaws.results import Result
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import TaskMeasurement, measure
from scalinglaws.verify.empirical._labels import read_labels
from scalinglaws.verify.simulate.empirical import draw_task

TASK = draw_task(260, alpha=1.7, decay=0.8, modes=1000, rng=11)
FOUND = measure(gram=TASK.gram, labels=TASK.labels, held_out=False)
RNG = np.random.default_rng(0)
INPUTS = RNG.standard_normal((260, 3))


def _same(one, other, rel=1e-8):
    for name in ("capacity", "decay", "source"):
        a, b = getattr(one, name), getattr(other, name)
        assert a.verdict == b.verdict
        assert a.value == pytest.approx(b.value, rel=rel)
        assert a.interval == pytest.approx(b.interval, rel=max(rel, 1e-7))


def test_what_a_measurement_holds():
    assert FOUND.samples == 260
    assert FOUND.source_of_data == "a Gram matrix of 260 points"
    assert FOUND.outputs == 1
    assert FOUND.verdict.keys() == {"capacity", "source", "decay"}
    assert FOUND.spectrum.samples == 260
    assert all(half.samples == 130 for half in FOUND.half_samples)
    assert FOUND.held_out is None
    assert FOUND.dimension is None
    assert FOUND.split_decay == pytest.approx(FOUND.decay.value, abs=0.25)


def test_the_same_seed_has_the_same_answer_and_another_seed_another():
    again = measure(gram=TASK.gram, labels=TASK.labels, held_out=False, rng=0)
    assert again == FOUND
    by_generator = measure(
        gram=TASK.gram, labels=TASK.labels, held_out=False, rng=np.random.default_rng(0)
    )
    assert by_generator == FOUND
    other = measure(gram=TASK.gram, labels=TASK.labels, held_out=False, rng=1)
    assert other.capacity.value == FOUND.capacity.value
    assert other.capacity.statistical != FOUND.capacity.statistical


def test_a_saved_measurement_is_the_same(tmp_path):
    path = FOUND.save(tmp_path / "task.npz")
    assert TaskMeasurement.load(path) == FOUND
    assert Result.load(path) == FOUND
    few = measure(features=INPUTS, labels=INPUTS[:, 0], held_out=False)
    assert few.dimension is not None
    assert Result.load(few.save(tmp_path / "few.npz")) == few


@pytest.mark.parametrize("columns", [300, 120])
@pytest.mark.parametrize("center", [False, True])
def test_features_and_their_gram_matrix(columns, center):
    """Few features and many: those that are fewer than the samples are known to end, which shortens the window at most."""
    rng, k = np.random.default_rng(1), np.arange(1.0, columns + 1)
    features = rng.standard_normal((260, columns)) * k**-0.9 + (0.2 if center else 0.0)
    labels = features @ k**-0.2
    one = measure(features=features, labels=labels, held_out=False, center=center)
    other = measure(gram=features @ features.T, labels=labels, held_out=False, center=center)
    assert one.decay.value == pytest.approx(other.decay.value, rel=1e-6)
    if columns > 260:
        _same(one, other, rel=1e-6)
    else:
        assert one.spectrum.rank == 120
        assert np.all(np.isinf(other.spectrum.rank))
    assert ("Features are centered on their mean." in one.notes) == center


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("linear", {}, "linear of 260"),
        ("rbf", {"length": 1.5}, "rbf (length 1.5)"),
        ("laplace", {}, "laplace of 260"),
        ("relu_ntk", {"depth": 2}, "relu_ntk (depth 2, weight variance 2, bias variance 0)"),
        ("erf_nngp", {"bias_variance": 0.1}, "bias variance 0.1"),
    ],
)
def test_kernels_by_name(name, options, words):
    kernels = pytest.importorskip("scalinglaws.solvers.kernels")
    labels = np.sin(3 * INPUTS[:, 0])
    found = measure(kernel=name, inputs=INPUTS, labels=labels, held_out=False, **options)
    given = options | ({"depth": 1} if "_" in name and "depth" not in options else {})
    gram = kernels.kernel_matrix(name, INPUTS, **given)
    other = measure(gram=gram, labels=labels, held_out=False)
    assert found.capacity == other.capacity
    assert found.decay == other.decay
    assert words in found.source_of_data
    assert found.dimension.interval[0] < 3.5


def test_a_kernel_of_low_rank_has_too_few_modes():
    found = measure(kernel="linear", inputs=INPUTS, labels=INPUTS[:, 0], held_out=False)
    assert found.verdict["capacity"] == "too few samples"
    assert "only 3 modes" in found.capacity.reason
    narrow = measure(features=INPUTS, labels=INPUTS[:, 0], held_out=False)
    assert "only 3 modes" in narrow.capacity.reason


def test_digits_of_scikit_learn(reference):
    _check_digits(reference("empirical_measure")["digits"][0])


@pytest.mark.slow
@pytest.mark.parametrize("place", range(1, 6))
def test_digits_of_scikit_learn_by_other_kernels(place, reference):
    _check_digits(reference("empirical_measure")["digits"][place])


def _check_digits(entry):
    """Recorded values, within the 4 % by which another implementation may differ, or their own intervals where those are wider."""
    data = pytest.importorskip("sklearn.datasets")
    inputs, labels = data.load_digits(return_X_y=True)
    found = measure(
        kernel=entry["kernel"],
        inputs=inputs / 16,
        labels=labels,
        held_out=False,
        **entry["options"],
    )
    for name in ("capacity", "decay", "source"):
        value, half = entry[name]
        assert getattr(found, name).value == pytest.approx(value, abs=max(0.04 * value, half))
    assert found.outputs == 10
    assert any("10 classes" in note for note in found.notes)
    # honest: over the window local exponents differ by more than their errors
    assert found.verdict["source"] == "not a power law"
    assert 8 < found.dimension.value < 14


def test_modes_of_a_population():
    k = np.arange(1.0, 501)
    power = float(special.zeta(1.9))
    found = measure(eigenvalues=k**-1.5, coefficients=k**-0.95, power=power)
    assert found.capacity.value == pytest.approx(1.5, abs=1e-9)
    assert found.decay.value == pytest.approx(0.9, rel=2e-3)
    assert set(found.verdict.values()) == {"power law"}
    assert found.samples == np.inf
    assert found.half_samples == ()
    assert found.capacity.statistical == found.capacity.drift == 0
    assert "nothing was corrected" in found.notes[0]
    order = np.random.default_rng(0).permutation(500)
    again = measure(eigenvalues=k[order] ** -1.5, coefficients=k[order] ** -0.95, power=power)
    assert again == found
    # what the list lacks bends the residual, and that is told
    cut = measure(eigenvalues=k**-1.5, coefficients=k**-0.95)
    assert cut.verdict["decay"] == "not a power law"
    assert cut.capacity.window == (5, 250)
    two = np.stack([k**-0.95, k**-0.95], axis=1)
    double = measure(eigenvalues=k**-1.5, coefficients=two, power=2 * power)
    assert double.decay.value == pytest.approx(found.decay.value, rel=1e-12)
    assert double.outputs == 2


def test_modes_of_a_sample_are_corrected_as_those_of_its_gram_matrix():
    n = 260
    values, vectors = np.linalg.eigh(TASK.gram / n)
    away = TASK.labels - TASK.labels.mean()
    found = measure(eigenvalues=values, coefficients=vectors.T @ away, samples=n)
    for name in ("capacity", "decay", "source"):
        one, other = getattr(found, name), getattr(FOUND, name)
        assert one.value == pytest.approx(other.value, rel=1e-8)
        assert one.window == other.window
        assert one.statistical == 0
        assert one.systematic == pytest.approx(other.systematic, rel=1e-6)
    assert found.spectrum.power == pytest.approx(FOUND.spectrum.power)
    assert "no halves" in found.notes[0]
    top = slice(-60, None)
    part = measure(
        eigenvalues=values[top],
        coefficients=vectors[:, top].T @ away,
        samples=n,
        power=float(away @ away),
    )
    assert part.decay.value == pytest.approx(FOUND.decay.value, rel=1e-8)
    with pytest.raises(DomainError, match="power must be given|power = None must be given"):
        measure(eigenvalues=values[top], coefficients=vectors[:, top].T @ away, samples=n)


# -- labels -------------------------------------------------------------------------------------------------------------


def test_classes_become_columns():
    columns, notes = read_labels([2, 0, 2, 1], 4)
    np.testing.assert_array_equal(columns, [[0, 0, 1], [1, 0, 0], [0, 0, 1], [0, 1, 0]])
    assert "taken for 3 classes" in notes[0]
    for labels in (
        ["a", "b", "a"],
        np.array(["a", "b", "a"], object),
        [True, False, True],
        [[1], [2], [1]],
    ):
        columns, notes = read_labels(labels, 3)
        assert columns.shape == (3, 2)
        assert "the same as +1 and -1" in notes[0]
    columns, notes = read_labels([1.0, 2.0, 1.0], 3)
    assert columns.shape == (3, 1)
    assert notes == ()
    columns, notes = read_labels(np.eye(3, dtype=int), 3)
    assert columns.shape == (3, 3)
    assert "taken as numbers" in notes[0]


def test_two_classes_are_the_same_as_signs():
    classes = (TASK.labels > 0).astype(int)
    one = measure(gram=TASK.gram, labels=classes, held_out=False)
    other = measure(gram=TASK.gram, labels=2.0 * classes - 1, held_out=False)
    _same(one, other, rel=1e-9)
    assert one.outputs == 2


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        ([1.0, 1.0, 1.0], DataError, "labels are constant"),
        (["a", "a", "a"], DataError, "labels are constant"),
        ([1e9, 1e9, 1e9 + 1e-7], DataError, "labels are constant"),
        ([1.0, np.nan, 2.0], DomainError, r"labels\[1\] = nan"),
        ([1.0, 2.0], DomainError, "one row for each of the 3 samples"),
        (np.ones((3, 0)), DomainError, "one row for each"),
        (np.ones((3, 1, 1)), DomainError, "one row for each"),
        ([1j, 2j, 3j], DomainError, "must be a number"),
        ([["a", "b"], ["c", "d"], ["e", "f"]], DomainError, "must be a number"),
        (np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), DomainError, "masked"),
    ],
)
def test_labels_that_are_refused(labels, error, words):
    with pytest.raises(error, match=words):
        measure(gram=np.eye(3), labels=labels, held_out=False)


def test_classes_may_be_too_many():
    with pytest.raises(DataError, match="1001 different values.*as floats"):
        read_labels(np.arange(1001), 1001)


# -- the door -----------------------------------------------------------------------------------------------------------

Y = [1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"labels": Y}, "must be given in one way.*none of them"),
        ({"gram": np.eye(3), "features": np.eye(3), "labels": Y}, "got features and gram"),
        ({"gram": np.eye(3)}, "labels = None must be given"),
        ({"gram": np.eye(3), "labels": Y, "samples": 3}, "samples = 3 belongs to eigenvalues"),
        ({"gram": np.eye(3), "labels": Y, "power": 3.0}, "power = 3.0 belongs to eigenvalues"),
        ({"gram": np.eye(3), "labels": Y, "length": 3.0}, "length = 3.0 belongs to kernel="),
        ({"gram": np.eye(3), "labels": Y, "inputs": np.eye(3)}, "inputs belongs to kernel="),
        ({"gram": np.eye(3), "labels": Y, "coefficients": Y}, "coefficients belongs to eigen"),
        ({"kernel": "rbf", "labels": Y}, "inputs = None must be given with kernel="),
        ({"kernel": "rbff", "inputs": np.eye(3), "labels": Y}, "did you mean 'rbf'"),
        ({"kernel": 3, "inputs": np.eye(3), "labels": Y}, "unknown kernel 3"),
        ({"kernel": "rbf", "inputs": np.eye(3), "labels": Y, "depth": 2}, "depth = 2 is no option"),
        ({"kernel": "erf_ntk", "inputs": np.eye(3), "labels": Y, "length": 2.0}, "length = 2.0"),
        ({"kernel": "erf_ntk", "inputs": np.eye(3), "labels": Y, "depth": 1.5}, "depth = 1.5"),
        ({"gram": np.ones((2, 3)), "labels": Y}, "gram must be a square matrix"),
        ({"gram": np.full((3, 3), np.nan), "labels": Y}, r"gram\[0, 0\] = nan"),
        ({"features": [1.0, 2.0, 3.0], "labels": Y}, "one row for each sample"),
        ({"features": np.ones((3, 0)), "labels": Y}, "one row for each sample"),
        ({"eigenvalues": [1.0, 0.5]}, "coefficients = None must be given with eigenvalues="),
        ({"eigenvalues": [1.0, 0.5], "coefficients": Y}, "one row for each of the 2"),
        ({"eigenvalues": [1.0, -0.5, 0.1], "coefficients": Y}, r"eigenvalues\[1\] = -0.5"),
        ({"eigenvalues": [3.0, 2.0, 1.0], "coefficients": Y, "labels": Y}, "labels have no place"),
        ({"eigenvalues": [3.0, 2.0, 1.0], "coefficients": Y, "center": True}, "center = True"),
        ({"eigenvalues": [3.0, 2.0, 1.0], "coefficients": Y, "power": 2.0}, "must not be less"),
        ({"eigenvalues": [3.0, 2.0, 1.0], "coefficients": Y, "samples": 2}, "samples = 2"),
        ({"gram": np.eye(3), "labels": Y, "rng": -1}, "rng = -1"),
        ({"gram": np.eye(3), "labels": Y, "center": 1}, "center = 1 must be True or False"),
        ({"gram": np.eye(3), "labels": Y, "held_out": "no"}, "held_out = 'no'"),
    ],
)
def test_refusals(given, words):
    with pytest.raises(DomainError, match=words):
        measure(**given)


def test_matrices_that_are_no_gram_matrices():
    lopsided = TASK.gram.copy()
    lopsided[0, 1] += 0.1
    with pytest.raises(DataError, match="gram is not symmetric"):
        measure(gram=lopsided, labels=TASK.labels)
    negative = TASK.gram - 0.2 * np.eye(260)
    with pytest.raises(DataError, match="no Gram matrix of any features"):
        measure(gram=negative, labels=TASK.labels)
    with pytest.raises(DataError, match="only 1 of 3 rows differ"):
        measure(gram=np.zeros((3, 3)), labels=Y)
    with pytest.raises(DataError, match="all eigenvalues"):
        measure(eigenvalues=[0.0, 0.0], coefficients=[1.0, 1.0])
    with pytest.raises(DataError, match="all coefficients are 0"):
        measure(eigenvalues=[1.0, 0.5], coefficients=[0.0, 0.0])
    single = measure(gram=TASK.gram.astype(np.float32), labels=TASK.labels, held_out=False)
    assert single.capacity.value == pytest.approx(FOUND.capacity.value, rel=1e-4)


def test_repeated_rows():
    rng, k = np.random.default_rng(0), np.arange(1.0, 101)
    features, labels = rng.standard_normal((200, 100)) * k**-0.8, rng.standard_normal(200)
    features[:5] = features[5:10]
    found = measure(features=features, labels=labels, held_out=False)
    assert any("5 of 200 rows repeat others" in note for note in found.notes)
    with pytest.raises(DataError, match="only 40 of 120 rows differ"):
        measure(features=np.tile(features[10:50], (3, 1)), labels=labels[:120], held_out=False)


def test_memory_is_asked_for(monkeypatch):
    monkeypatch.setenv("SCALINGLAWS_MEMORY", "1MB")
    with pytest.raises(ResourceError, match="use fewer"):
        measure(gram=TASK.gram, labels=TASK.labels)
    with pytest.raises(ResourceError, match="the Gram matrix of 400 points"):
        measure(features=np.ones((400, 400)), labels=np.arange(400.0))


def test_held_out_curves_come_with_a_measurement():
    task = draw_task(320, alpha=1.8, decay=0.8, modes=1000, rng=2)
    found = measure(gram=task.gram, labels=task.labels)
    assert found.held_out.samples.size == found.held_out.measured.size
    without = measure(gram=task.gram, labels=task.labels, held_out=False)
    assert found.capacity == without.capacity  # halves are drawn first
    noise = np.random.default_rng(0).standard_normal(100)
    small = measure(gram=draw_task(100, alpha=2.0, decay=1.0, rng=1).gram, labels=noise)
    assert small.held_out is None
    assert any("was not checked" in note for note in small.notes)


def test_the_split_is_told_where_it_disagrees():
    from dataclasses import replace

    from scalinglaws.verify.empirical._measure import _split_note

    decay = replace(FOUND.decay, interval=(0.7, 0.9), value=0.8)
    assert _split_note(0.85, decay, 130) == []
    assert _split_note(0.92, decay, 130) == []  # with the smaller correction inside
    assert "one of the corrections" in _split_note(1.2, decay, 130)[0]
    assert "one of the corrections" in _split_note(0.6, decay, 130)[0]
    assert _split_note(1.2, replace(decay, verdict="not a power law"), 130) == []
    assert _split_note(None, decay, 130) == []


def test_public_names():
    for name in empirical.__all__:
        assert getattr(empirical, name).__doc__


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_labels_whose_squares_are_out_of_range_are_refused(size):
    rng, k = np.random.default_rng(0), np.arange(1, 201)
    features = rng.standard_normal((100, 200)) * k**-0.75
    with pytest.raises(DataError, match="largest of the labels is .* give them in other units"):
        measure(features=features, labels=size * rng.standard_normal(100))
    with pytest.raises(DataError, match="largest of the coefficients"):
        measure(eigenvalues=k**-1.5, coefficients=size * k**-0.9)


@pytest.mark.parametrize("size", [1e-130, 1e130])
def test_units_of_labels_do_not_matter(size):
    rng, k = np.random.default_rng(0), np.arange(1, 201)
    features = rng.standard_normal((200, 200)) * k**-0.75
    labels = features @ k**-0.5
    found, scaled = (
        measure(features=features, labels=factor * labels, held_out=False) for factor in (1, size)
    )
    assert scaled.decay.value == pytest.approx(found.decay.value, rel=1e-9)
    assert scaled.decay.interval == pytest.approx(found.decay.interval, rel=1e-6)

"""Ladders of learnability: crossings with their errors, slopes, gated points, and work that is kept."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scalinglaws.errors import DomainError
from scalinglaws.verify.estimate import LearnabilityLadder, MeasuredComplexity, learnability_ladder
from scalinglaws.verify.simulate.kernel_adaptation import LearnabilityPoint, gaussian_process_point

CALLS = []


def made(dimension, samples, mean, error=0.01, *, good=True):
    """Build a point of four data sets with a given mean and standard error."""
    shape = np.array([1.0, -1.0, 1.0, -1.0]) * math.sqrt(3)  # of unit standard error
    values = mean + error * shape
    row = np.ones(4)
    return LearnabilityPoint(
        "made",
        dimension,
        samples,
        values,
        0 * row,
        values,
        values,
        0.01 * row,
        row if good else 2 * row,
    )


def counted(samples, *, dimension, rng, height=0.0):
    """Stand in for a simulation that says how often it ran."""
    CALLS.append((dimension, samples))
    found = made(dimension, samples, math.log(samples / dimension) / 10 + height)
    noise = rng.normal(0, 1e-3, 4)
    return LearnabilityPoint(
        "counted", dimension, samples, found.values + noise, found.lazy, *(np.zeros(0),) * 4
    )


def two(dimension, low, high, samples=(100, 400)):
    return tuple(made(dimension, p, v) for p, v in zip(samples, (low, high), strict=True))


def test_interpolation_is_linear_in_the_logarithm():
    found = LearnabilityLadder(two(8, 0.1, 0.3)).samples_at(0.2)
    assert found.samples[0] == pytest.approx(200)  # halfway in log P
    assert found.missing == ()


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.02, 0.19),
    st.floats(0.21, 0.9),
    st.floats(1e-4, 0.05),
    st.floats(1e-4, 0.05),
)
def test_errors_are_those_of_shifted_points(low, high, first, second):
    points = (made(8, 100, low, first), made(8, 400, high, second))
    found = LearnabilityLadder(points).samples_at(0.2)

    def shifted(up, down):
        a, b = low + up, high + down
        return math.log(100) + (0.2 - a) / (b - a) * math.log(4)

    step = 1e-7
    slopes = [
        (shifted(step, 0) - shifted(-step, 0)) / (2 * step) * first,
        (shifted(0, step) - shifted(0, -step)) / (2 * step) * second,
    ]
    assert found.errors[0] / found.samples[0] == pytest.approx(math.hypot(*slopes), rel=1e-4)
    assert 3 - 1e-9 <= found.freedom[0] <= 6 + 1e-9


def test_a_single_noisy_end_has_its_own_degrees_of_freedom():
    points = (made(8, 100, 0.1, 1e-9), made(8, 400, 0.3, 0.01))
    assert LearnabilityLadder(points).samples_at(0.2).freedom[0] == pytest.approx(3)


def test_powers_have_their_slope():
    points = tuple(
        point
        for d in (8, 16, 32)
        for point in two(d, 0.1, 0.3, (round(100 * d**1.5), round(400 * d**1.5)))
    )
    found = LearnabilityLadder(points).samples_at(0.2)
    assert found.slope == pytest.approx(1.5, abs=1e-3)
    # three equal relative errors e: e / sqrt(sum of squared distances in log d)
    relative = found.errors / found.samples
    np.testing.assert_allclose(relative, relative[0], rtol=1e-4)
    assert found.slope_error == pytest.approx(relative[0] / math.sqrt(2) / math.log(2), rel=1e-4)
    assert found.slope_freedom == pytest.approx(2 * found.freedom[0], rel=1e-3)


def test_a_noisy_dimension_weighs_little():
    found = MeasuredComplexity(
        0.2,
        np.array([8.0, 16, 32]),
        np.array([100.0, 200, 4000]),
        np.array([1.0, 2, 4000]),
        np.full(3, 5.0),
        (),
    )
    assert found.slope == pytest.approx(1, abs=1e-3)


def test_slope_errors_cover():
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(300):
        samples = 100 * np.array([8.0, 16, 32]) * np.exp(rng.normal(0, [0.02, 0.05, 0.03]))
        errors = samples * np.array([0.02, 0.05, 0.03])
        found = MeasuredComplexity(
            0.2, np.array([8.0, 16, 32]), samples, errors, np.full(3, 9.0), ()
        )
        inside.append(abs(found.slope - 1) < 1.96 * found.slope_error)
    assert np.mean(inside) == pytest.approx(0.95, abs=0.05)


def test_nothing_is_extrapolated():
    ladder = LearnabilityLadder((*two(8, 0.1, 0.15), *two(16, 0.25, 0.3), *two(32, 0.1, 0.3)))
    found = ladder.samples_at(0.2)
    np.testing.assert_array_equal(np.isnan(found.samples), [True, True, False])
    assert (
        found.missing[0] == "d = 8: no two points around 0.2 (0.100 at P = 100, 0.150 at P = 400)"
    )
    assert math.isnan(found.slope)
    assert math.isnan(found.slope_error)
    assert math.isnan(found.slope_freedom)


def test_points_that_do_not_count_are_listed_and_not_used():
    points = (made(8, 100, 0.1), made(8, 200, 0.19, good=False), made(8, 400, 0.3))
    ladder = LearnabilityLadder(points)
    assert ladder.left_out == ("d = 8, P = 200: R-hat 2.000",)
    assert ladder.samples_at(0.2).samples[0] == pytest.approx(200)
    only = LearnabilityLadder(points[:2]).samples_at(0.15)
    assert math.isnan(only.samples[0])


def test_the_order_of_samples_does_not_matter():
    points = two(8, 0.1, 0.3)
    assert LearnabilityLadder(points[::-1]).samples_at(0.2) == LearnabilityLadder(
        points
    ).samples_at(0.2)


# running


def test_points_come_in_order_and_do_not_depend_on_one_another():
    whole = learnability_ladder(counted, [2, 3], [[40, 80], [60]], rng=7)
    assert [(p.dimension, p.samples) for p in whole.points] == [(2, 40), (2, 80), (3, 60)]
    part = learnability_ladder(counted, [3], [[60]], rng=7)
    assert part.points[0] == whole.points[2]
    assert learnability_ladder(counted, [3], [[60]], rng=8).points[0] != part.points[0]


def test_workers_change_nothing():
    given = {"dimensions": [2, 3], "samples": [[40, 80], [60, 90]], "datasets": 2, "rng": 0}
    one = learnability_ladder(gaussian_process_point, **given)
    assert learnability_ladder(gaussian_process_point, workers=2, **given) == one


def test_a_generator_is_a_source_too():
    one, two = (
        learnability_ladder(counted, [2], [[40]], rng=np.random.default_rng(3)) for _ in range(2)
    )
    assert one == two


def test_finished_points_are_found_again(tmp_path):
    CALLS.clear()
    first = learnability_ladder(counted, [2, 3], [[40, 80], [60]], rng=0, folder=tmp_path)
    assert len(CALLS) == 3
    # one more point, the others from the folder
    again = learnability_ladder(counted, [2, 3], [[40, 80], [60, 90]], rng=0, folder=tmp_path)
    assert CALLS[3:] == [(3, 90)]
    assert again.points[:3] == first.points


@pytest.mark.parametrize(
    "changed", [{"rng": 1}, {"height": 0.1}, {"samples": [[41]]}, {"dimensions": [5]}]
)
def test_other_settings_are_run_anew(tmp_path, changed):
    given = {"dimensions": [2], "samples": [[40]], "rng": 0, "folder": tmp_path}
    learnability_ladder(counted, **given)
    CALLS.clear()
    learnability_ladder(counted, **given | changed)
    assert len(CALLS) == 1


def test_other_sources_are_run_anew(tmp_path, monkeypatch):
    given = {"dimensions": [2], "samples": [[40]], "rng": 0, "folder": tmp_path}
    learnability_ladder(counted, **given)
    CALLS.clear()
    monkeypatch.setattr("scalinglaws.verify.finished.source_digest", lambda: "another")
    monkeypatch.setattr("scalinglaws.provenance.source_digest", lambda: "another")
    learnability_ladder(counted, **given)
    assert len(CALLS) == 1


def test_every_point_is_kept_as_it_ends(tmp_path):
    def dies(samples, *, dimension, rng):
        if samples == 40:
            raise KeyboardInterrupt
        return counted(samples, dimension=dimension, rng=rng)

    with pytest.raises(KeyboardInterrupt):
        learnability_ladder(dies, [2], [[40, 80]], rng=0, folder=tmp_path)
    assert [path.name.split("-")[:2] for path in tmp_path.glob("*.npz")] == [["d2", "P80"]]


def test_a_damaged_file_is_no_point(tmp_path):
    given = {"dimensions": [2], "samples": [[40]], "rng": 0, "folder": tmp_path}
    first = learnability_ladder(counted, **given)
    (path,) = tmp_path.glob("*.npz")
    path.write_bytes(path.read_bytes()[:50])
    assert learnability_ladder(counted, **given) == first


def test_a_folder_that_cannot_be_written_loses_no_point(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert learnability_ladder(counted, [2], [[40]], rng=0, folder=blocked).points


def test_a_ladder_survives_a_file(tmp_path):
    ladder = LearnabilityLadder(two(8, 0.1, 0.3))
    assert LearnabilityLadder.load(ladder.save(tmp_path / "ladder.npz")) == ladder
    found = ladder.samples_at(0.2)
    assert MeasuredComplexity.from_json(found.to_json()) == found


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"point": 3}, "point"),
        ({"dimensions": []}, "dimensions"),
        ({"dimensions": [2, 2], "samples": [[1], [2]]}, "different"),
        ({"samples": [[1], [2]]}, "one row for each of 1 dimensions"),
        ({"samples": [[0]]}, "samples"),
        ({"rng": -1}, "rng"),
        ({"folder": 3}, "folder"),
        ({"workers": 0}, "workers"),
    ],
)
def test_bad_arguments_are_named(changed, complaint):
    given = {"point": counted, "dimensions": [2], "samples": [[40]], "rng": 0}
    with pytest.raises(DomainError, match=complaint):
        learnability_ladder(**given | changed)


@pytest.mark.parametrize("level", [0, 1.1, math.nan, "x"])
def test_levels_lie_between_zero_and_one(level):
    with pytest.raises(DomainError, match="level"):
        LearnabilityLadder(two(8, 0.1, 0.3)).samples_at(level)

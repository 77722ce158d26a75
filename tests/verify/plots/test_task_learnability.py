"""The picture of what a kernel learns of a task."""

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify.empirical import learnability
from scalinglaws.verify.plots.empirical import task_learnability

FOUND = learnability(
    eigenvalues=[1.0, 0.1, 0.01], coefficients=[1.0, 0.3, 0.1], samples=[1, 10, 100]
)


def test_curves_and_modes_are_what_was_found():
    left, right = task_learnability(FOUND).axes
    curves = {line.get_gid(): line for axis in (left, right) for line in axis.get_lines()}
    np.testing.assert_array_equal(curves["learnability"].get_ydata(), FOUND.learnability)
    np.testing.assert_array_equal(curves["test loss"].get_ydata(), FOUND.test_loss)
    np.testing.assert_array_equal(curves["bound"].get_ydata(), FOUND.mode_bound[::-1])
    (half,) = [found for found in right.collections if found.get_gid() == "half"]
    np.testing.assert_allclose(
        half.get_offsets(), np.column_stack([FOUND.eigenvalues, FOUND.mode_half])[::-1]
    )
    areas = half.get_sizes()
    np.testing.assert_allclose(np.argsort(areas), np.argsort(FOUND.shares[::-1]))


def test_something_else():
    with pytest.raises(DomainError, match="found"):
        task_learnability([1.0])


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"eigenvalues": [1.0, 0.1], "coefficients": [1.0, 0.3]}, "is learned with"),
        ({"features": [[1.0], [-1.0], [0.5]], "labels": [1.0, 0.9, -1.0]}, "No number of samples"),
        (
            {"eigenvalues": [1e-220], "coefficients": [1.0], "ridge": 1e90},
            "more samples than floating-point numbers hold",
        ),
    ],
)
def test_samples_for_half_in_words(task, said):
    found = learnability(**task, samples=[1])
    assert np.isfinite(found.half) == (said == "is learned with")
    words = [text.get_text() for text in task_learnability(found).texts]
    assert said in " ".join(" ".join(words).split())

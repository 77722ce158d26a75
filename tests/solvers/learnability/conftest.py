"""Handwritten digits on a sphere, and the arcsine kernel of them."""

from types import SimpleNamespace

import numpy as np
import pytest


@pytest.fixture(scope="session")
def digits():
    """Return inputs of norm 8, their Gram matrix, labels of unit power, and the kernel's modes on all of them."""
    x, number = pytest.importorskip("sklearn.datasets").load_digits(return_X_y=True)
    x = x - x.mean(axis=0)
    x = 8 * x / np.linalg.norm(x, axis=1, keepdims=True)
    gram = 2 / np.pi * np.arcsin(2 * (x @ x.T / 64) / 3)
    labels = np.where(number >= 5, 1.0, -1.0)
    values, vectors = np.linalg.eigh(gram)
    n = len(x)
    return SimpleNamespace(
        inputs=x,
        gram=gram,
        labels=(labels - labels.mean()) / labels.std(),
        eigenvalues=values[::-1] / n,
        modes=vectors[:, ::-1] * np.sqrt(n),
    )

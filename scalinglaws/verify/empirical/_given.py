"""What people give of a task: features, a Gram matrix or a kernel of inputs, and labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import linalg

from ...arguments import afford, floats, number, numbers, one_row, whole
from ...equality import by_value
from ...errors import DataError, DomainError, refusal
from ...reprs import short_repr
from ._eigenpairs import MOST_DIRECT
from ._labels import read_labels
from ._sample import Sample, refuse_extreme

Array = NDArray[np.float64]

_ASYMMETRY = (
    1e-6  # of a Gram matrix, over its largest entry; negative eigenvalues, over the largest
)
_WAYS = "features=, gram=, kernel= with inputs=, or eigenvalues= with coefficients="


@short_repr
@by_value
@dataclass(frozen=True)
class Given:
    """A sample as it was given.

    Attributes
    ----------
    sample : Sample
        Its Gram matrix or features, and labels.
    points : ndarray or None
        Features or inputs, where not only their Gram matrix is known.
    words : str
        What it is, for people.
    notes : tuple of str
        What was made of it.
    """

    sample: Sample
    points: Array | None
    words: str
    notes: tuple[str, ...]


_DEFAULTS = {"depth": 1, "length": None, "weight_variance": 2.0, "bias_variance": 0.0}


def kernel_settings(
    kernel: Any, depth: Any, length: Any, weight_variance: Any, bias_variance: Any
) -> dict[str, Any]:
    """Check the options of kernels; without a kernel they must be as they are by default."""
    options = {
        "depth": whole("depth", depth),
        "length": None if length is None else number("length", length, low=0.0, strict=True),
        "weight_variance": number("weight_variance", weight_variance, low=0.0, strict=True),
        "bias_variance": number("bias_variance", bias_variance, low=0.0),
    }
    for option, value in options.items():
        if kernel is None and value != _DEFAULTS[option]:
            raise refusal(option, value, "belongs to kernel=, which is not given")
    return options


def read_sample(
    features: Any,
    gram: Any,
    kernel: Any,
    inputs: Any,
    labels: Any,
    options: dict[str, Any],
    center: bool,
) -> Given:
    """Read a sample that is given in one way; arguments are those of `measure`, checked by `one_description` and `belongs`."""
    if labels is None:
        raise refusal("labels", None, "must be given: one row for each sample")
    points: Array | None = None
    if gram is not None:
        matrix, precision = _gram(gram)
        words = f"a Gram matrix of {matrix.shape[0]} points"
    elif features is not None:
        points = _rows("features", features)
        n, d = points.shape
        matrix, precision = points, float(np.finfo(float).eps)
        words = f"{n} rows of {d} features"
        if d >= n:
            afford(2.0 * n * n, f"the Gram matrix of {n} points", "use fewer of them")
            matrix = points @ points.T
    else:
        points = _rows("inputs", inputs)
        matrix, precision = _kernel(kernel, points, options)
        words = f"the kernel {_described(kernel, options)} of {points.shape[0]} inputs with {points.shape[1]} coordinates"
    targets, notes = read_labels(labels, matrix.shape[0])
    is_gram = matrix.shape[0] == matrix.shape[1]
    told = [*notes, *_repeated(matrix if points is None else points)]
    if center:
        told.append("Features are centered on their mean.")
    return Given(Sample(matrix, targets, is_gram, center, precision), points, words, tuple(told))


def read_modes(
    eigenvalues: Any, coefficients: Any, power: Any = None
) -> tuple[Array, Array, int, float]:
    """Read modes that are given by their eigenvalues and the coefficients of the target in them.

    Returns
    -------
    eigenvalues, squares : ndarray, shape (m,)
        In falling order; squared coefficients, summed over outputs.
    outputs : int
        How many.
    power : float
        Of the target, which may have more than these modes hold.
    """
    values = one_row("eigenvalues", eigenvalues, low=0.0)
    weights = floats("coefficients", coefficients)
    if weights.ndim not in (1, 2) or weights.shape[0] != values.size or weights.size == 0:
        complaint = f"must have one row for each of the {values.size} eigenvalues; got shape {weights.shape}"
        raise refusal("coefficients", coefficients, complaint, shown=False)
    weights = numbers("coefficients", weights).reshape(values.size, -1)
    if np.any(weights):
        refuse_extreme("coefficients", float(np.max(np.abs(weights))))
    order = np.argsort(-values, kind="stable")
    values, squares = values[order], np.sum(weights[order] ** 2, axis=1)
    if not values[0] > 0:
        raise DataError("all eigenvalues are 0")
    listed = float(np.sum(squares))
    total = listed if power is None else number("power", power, low=0.0, strict=True)
    if not listed > 0:
        raise DataError("all coefficients are 0: there is nothing to learn")
    if listed > total * (1 + 1e-9):
        raise refusal(
            "power",
            power,
            f"must not be less than the sum of the squared coefficients, {listed:.6g}",
        )
    return values, squares, weights.shape[1], total


def one_description(*given: object) -> None:
    """Refuse data that are given in several ways, or in none: of features, a Gram matrix, a kernel and eigenvalues, in this order."""
    names = [
        name
        for name, value in zip(("features", "gram", "kernel", "eigenvalues"), given, strict=True)
        if value is not None
    ]
    if len(names) != 1:
        got = " and ".join(names) or "none of them"
        raise DomainError(
            f"the data must be given in one way, as {_WAYS}; got {got}",
            argument=names[1] if names else "features",
            value=got,
        )


def belongs(name: str, value: object, other: str, its: object) -> None:
    """Refuse one of two arguments without the other."""
    if value is not None and its is None:
        raise refusal(name, value, f"belongs to {other}=, which is not given", shown=False)
    if value is None and its is not None:
        raise refusal(name, None, f"must be given with {other}=")


def _rows(name: str, value: Any) -> Array:
    found = numbers(name, value)
    if found.ndim != 2 or 0 in found.shape:
        complaint = f"must be a matrix with one row for each sample; got shape {found.shape}"
        raise refusal(name, value, complaint, shown=False)
    return found


def _gram(value: ArrayLike) -> tuple[Array, float]:
    """Return a Gram matrix and the rounding errors of its entries; refuse what cannot be one."""
    given = np.asarray(value).dtype
    found = numbers("gram", value)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or found.size == 0:
        raise refusal(
            "gram", value, f"must be a square matrix; got shape {found.shape}", shown=False
        )
    n = found.shape[0]
    afford(3.0 * n * n, f"what a Gram matrix of {n} points needs", "use fewer points")
    largest = float(np.max(np.abs(found)))
    apart = float(np.max(np.abs(found - found.T)))
    if apart > _ASYMMETRY * largest:
        raise DataError(
            f"gram is not symmetric: two entries that should be equal differ by {apart:.2g}, the largest entry is {largest:.2g}"
        )
    return found, float(np.finfo(given if given.kind == "f" else float).eps)


def refuse_negative(gram: Array, largest: float, source: np.random.Generator) -> None:
    """Refuse a matrix with a negative eigenvalue; of a large one, a principal submatrix stands for the whole."""
    n = gram.shape[0]
    if n > MOST_DIRECT:
        rows = np.sort(source.choice(n, MOST_DIRECT, replace=False))
        gram = gram[np.ix_(rows, rows)]
    shifted = np.array(gram, order="F")
    shifted[np.diag_indices_from(shifted)] += _ASYMMETRY * largest
    if linalg.lapack.dpotrf(shifted, lower=1, clean=0, overwrite_a=1)[1]:
        raise DataError(
            f"gram has an eigenvalue below {-_ASYMMETRY:g} of the largest: it is no Gram matrix of any features"
        )


def _kernel(name: Any, inputs: Array, options: dict[str, Any]) -> tuple[Array, float]:
    from ...solvers.kernels import kernel_matrix, kernel_options  # compiles

    known = kernel_options(name)
    for option, value in options.items():
        if option not in known and value != _DEFAULTS[option]:
            raise refusal(option, value, f"is no option of the kernel {name}")
    given = {option: value for option, value in options.items() if option in known}
    return kernel_matrix(name, inputs, **given), float(np.finfo(float).eps)


def _described(name: Any, options: dict[str, Any]) -> str:
    from ...solvers.kernels import kernel_options

    shown = [
        f"{option} {options[option]:g}"
        for option in kernel_options(name)
        if options[option] is not None
    ]
    return f"{name} ({', '.join(shown)})".replace(" ()", "").replace("_variance", " variance")


def _repeated(rows: Array) -> list[str]:
    """Say how many rows repeat others, of which less is learned than their number tells; refuse it if most do."""
    distinct = len({row.tobytes() for row in np.ascontiguousarray(rows)})
    total = rows.shape[0]
    if 2 * distinct < total:
        raise DataError(
            f"only {distinct} of {total} rows differ: repeated samples are none; give each once"
        )
    if distinct == total:
        return []
    return [
        f"{total - distinct} of {total} rows repeat others; they count as samples in the corrections, which are therefore too small."
    ]

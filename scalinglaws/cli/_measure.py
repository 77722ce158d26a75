"""The command that measures capacity and source of somebody's data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter
from numpy.typing import NDArray

from ..errors import DataError, DomainError
from ..files import ARRAYS, SUFFIXES, matrix, read_arrays
from ..results import jsonable
from ._app import Json, Output, Whole, app
from ._figures import FIGURES
from ._formats import TEXT_FORMATS, Answer, check_suffix, emit, wrote

if TYPE_CHECKING:
    from ..verify.empirical import TaskMeasurement

Arrays = dict[str, NDArray[Any]]

_NAMES = {
    "features": ("features", "inputs", "X", "x"),
    "gram": ("gram", "kernel", "K"),
    "labels": ("labels", "label", "targets", "target", "class", "Y", "y"),
    "eigenvalues": ("eigenvalues",),
    "coefficients": ("coefficients",),
}
_SAVED = ".npz"


@app.command
def measure(
    data: Path,
    labels: str | None = None,
    /,
    *,
    kernel: str | None = None,
    gram: Annotated[bool, Parameter(negative=())] = False,
    depth: Whole | None = None,
    length: float | None = None,
    weight_variance: float | None = None,
    bias_variance: float | None = None,
    center: Annotated[bool, Parameter(negative=())] = False,
    samples: Whole | None = None,
    seed: Whole = 0,
    html: Annotated[Path | None, Parameter(name="--html")] = None,
    json: Json = False,
    output: Output = None,
) -> int:
    """Measure capacity and source of a task, whether they are power laws, and what the theories predict from them.

    Parameters
    ----------
    data : Path
        Features, one row an example (.npy, .npz, .csv, .tsv, .txt, .parquet); with --kernel inputs; with --gram kernel values.
        A file may hold the labels too, as an array or a column labels, targets or y; or eigenvalues and coefficients.
    labels : str
        A file of labels, or columns of the table: target, or a,b. Words and whole numbers are classes.
    kernel : str
        Take the kernel of this name: linear, rbf, laplace, relu_nngp, relu_ntk, erf_nngp, erf_ntk.
    gram : bool
        The file holds a matrix of kernel values.
    depth : int
        Hidden layers of the kernel, 1 by default.
    length : float
        Length of an rbf or laplace kernel, the median distance by default.
    weight_variance : float
        Variance of a network's weights, for its kernel.
    bias_variance : float
        Variance of its biases.
    center : bool
        Center the features or the kernel; labels always are.
    samples : float
        Of which given eigenvalues were measured; without it they are exact.
    seed : int
        Root of all random streams.
    html : Path
        Page to write, with the pictures.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt; all that was measured as .npz; two pictures as .png, .svg or .pdf, the learning
        curve as FILE-curve).
    """
    if output is not None:
        check_suffix(output, (*TEXT_FORMATS, *FIGURES, _SAVED))
    if html is not None:
        check_suffix(html, (".html",), option="--html")
    options = {
        "depth": depth,
        "length": length,
        "weight_variance": weight_variance,
        "bias_variance": bias_variance,
        "samples": samples,
    }
    given = given_data(data, labels, kernel, gram) | {
        name: value for name, value in options.items() if value is not None
    }
    from ..verify import empirical
    from ..verify.empirical._report import report_blocks

    found = empirical.measure(**given, center=center, rng=seed)
    if html is not None:
        found.to_html(html)
        wrote(html)
    answer = Answer(jsonable(found.to_dict()), list(report_blocks(found)))
    if output is not None and output.suffix in (*FIGURES, _SAVED):
        _keep(found, output)
        output = None
    emit(answer, json, output)
    return 0


def _keep(found: TaskMeasurement, output: Path) -> None:
    """Save what was measured, or draw it in two pictures, of the spectrum and of the learning curve."""
    if output.suffix == _SAVED:
        found.save(output)
        wrote(output)
        return
    from ..verify.plots.empirical import learning_curve, spectrum_and_residual

    curve = output.with_stem(f"{output.stem}-curve")
    for picture, target in ((spectrum_and_residual, output), (learning_curve, curve)):
        picture(found).savefig(target, dpi=150)
        wrote(target)


def given_data(data: Path, labels: str | None, kernel: str | None, gram: bool) -> dict[str, Any]:
    """Read what the files of features and labels hold, as arguments of `scalinglaws.verify.empirical.measure`."""
    if kernel is not None and gram:
        raise DomainError(
            "--kernel makes a matrix of inputs, --gram says that the file holds one: give one of them",
            argument="gram",
            value=gram,
        )
    arrays = read_arrays(data, words=True)
    archive = data.suffix.lower() in ARRAYS
    if archive and (spectrum := _picked(arrays, "eigenvalues")):
        coefficients = _picked(arrays, "coefficients")
        if not coefficients or labels is not None or kernel is not None or gram:
            raise DomainError(
                f"{data} holds eigenvalues: it needs coefficients beside them, and no labels, --kernel or --gram",
                argument="data",
                value=data,
            )
        return {"eigenvalues": arrays[spectrum], "coefficients": arrays[coefficients]}
    targets, arrays = _labels(data, labels, arrays)
    what = "gram" if gram else "inputs" if kernel is not None else "features"
    if archive:
        rows, square = _picked(arrays, "features"), _picked(arrays, "gram")
        chosen = (square or rows) if gram else rows
        if what == "features" and not rows and square:
            what, chosen = "gram", square
        if not chosen and len(arrays) == 1:
            (chosen,) = arrays
        if chosen not in arrays:
            wanted = _NAMES["gram" if gram else "features"][0]
            raise DataError(f"{data} has arrays {', '.join(arrays)}; name one of them {wanted}")
        arrays = {chosen: arrays[chosen]}
    values = matrix(data, arrays)
    if values.dtype.kind not in "iuf":
        words = [name for name, column in arrays.items() if column.dtype.kind == "U"]
        raise DataError(
            f"{data}: {', '.join(words) or 'it'} must hold numbers; words are allowed as labels only"
        )
    given: dict[str, Any] = {what: values, "labels": targets}
    return given if kernel is None else given | {"kernel": kernel}


def _picked(arrays: Arrays, what: str) -> str:
    return next((name for name in _NAMES[what] if name in arrays), "")


def _labels(data: Path, labels: str | None, arrays: Arrays) -> tuple[NDArray[Any], Arrays]:
    """Return the labels, and what is left of the file of features."""
    if labels is not None and Path(labels).suffix.lower() in SUFFIXES:
        other = Path(labels)
        found = read_arrays(other, words=True)
        if len(found) > 1 and other.suffix.lower() in ARRAYS:
            if not (name := _picked(found, "labels")):
                raise DataError(
                    f"{other} has arrays {', '.join(found)}; name one of them {_NAMES['labels'][0]}"
                )
            found = {name: found[name]}
        return matrix(other, found), arrays
    if labels is None:
        names = [name] if (name := _picked(arrays, "labels")) and len(arrays) > 1 else []
    else:
        names = [part.strip() for part in labels.split(",")]
    if not names or (unknown := [name for name in names if name not in arrays]):
        held = ", ".join(list(arrays)[:12]) + (", ..." if len(arrays) > 12 else "")
        holds = f"{data} holds {held}" if "" not in arrays else f"{data} holds one array"
        said = (
            "labels are missing: give a second file, or columns of the first"
            if not names
            else f"there are no labels {', '.join(unknown)}: it must be a file ({', '.join(SUFFIXES)}), or columns of the first"
        )
        raise DomainError(f"{said}; {holds}", argument="labels", value=labels)
    rest = {name: array for name, array in arrays.items() if name not in names}
    if not rest:
        raise DataError(f"{data} holds nothing but labels")
    return matrix(data, {name: arrays[name] for name in names}), rest

"""The command that says what a Gaussian process learns of somebody's task, and how many samples that takes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from ..formatting import number, short
from ..results import jsonable
from ..tables import Block, Table
from ._app import Json, Output, Whole, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote
from ._measure import given_data

if TYPE_CHECKING:
    from ..verify.empirical import TaskLearnability

Sizes = Annotated[tuple[float, ...] | None, Parameter(consume_multiple=True, negative=())]
_SAVED = ".npz"
_ROUNDING = 1e-9  # a share of the target that is none
_MODES = ("mode", "eigenvalue", "share of target", "samples for half", "lower bound")


@app.command
def learnability(
    data: Path,
    labels: str | None = None,
    /,
    *,
    kernel: str | None = None,
    gram: Annotated[bool, Parameter(negative=())] = False,
    ridge: float | None = None,
    samples: Sizes = None,
    modes: Whole = 10,
    depth: Whole | None = None,
    length: float | None = None,
    weight_variance: float | None = None,
    bias_variance: float | None = None,
    center: Annotated[bool, Parameter(negative=())] = False,
    json: Json = False,
    output: Output = None,
) -> int:
    """Say what a kernel that does not adapt learns of a task, mode by mode, and how many samples that takes.

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
    ridge : float
        Added to the diagonal of the kernel of the samples, as the variance of label noise is; a hundredth of the trace by default.
    samples : tuple of float
        Sizes of training sets: 30 100 300; half decades by default.
    modes : int
        How many modes are shown, those that hold most of the target.
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
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt; everything as .npz; a picture as .png, .svg or .pdf).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES, _SAVED))
    options = {
        "ridge": ridge,
        "samples": samples,
        "depth": depth,
        "length": length,
        "weight_variance": weight_variance,
        "bias_variance": bias_variance,
    }
    given = given_data(data, labels, kernel, gram) | {
        name: value for name, value in options.items() if value is not None
    }
    from ..verify import empirical

    found = empirical.learnability(**given, modes=modes, center=center)
    if output is not None and output.suffix in (*FIGURES, _SAVED):
        _keep(found, output)
        output = None
    header = ("samples", "kappa", "learnability", "test_loss")
    rows = list(zip(*(getattr(found, name).tolist() for name in header), strict=True))
    emit(Answer(jsonable(found.to_dict()), list(_blocks(found)), (header, rows)), json, output)
    return 0


def _keep(found: TaskLearnability, output: Path) -> None:
    """Save everything, or draw it."""
    if output.suffix == _SAVED:
        found.save(output)
    else:
        from ..verify.plots.empirical import task_learnability

        task_learnability(found).savefig(output, dpi=150)
    wrote(output)


def _blocks(found: TaskLearnability) -> Iterator[Block]:
    from ..verify.empirical._learnability import half_in_words

    outside = (
        f", {short(100 * found.unlearnable)} % of the target outside all modes"
        if found.unlearnable > _ROUNDING
        else ""
    )
    yield (
        f"{found.source_of_data[0].upper()}{found.source_of_data[1:]}: trace {number(found.trace)}, ridge {number(found.ridge)}"
        f"{outside}."
    )
    yield Table(
        ("samples", "kappa", "learnability", "test loss over power"),
        [
            tuple(number(float(entry)) for entry in row)
            for row in zip(
                found.samples, found.kappa, found.learnability, found.test_loss, strict=True
            )
        ],
    )
    yield f"{half_in_words(found)}."
    yield Table(
        _MODES,
        [
            (str(int(mode)), *(short(float(entry)) for entry in row))
            for mode, *row in zip(
                found.modes,
                found.eigenvalues,
                found.shares,
                found.mode_half,
                found.mode_bound,
                strict=True,
            )
        ],
        title="Modes that hold most of the target",
    )
    yield from found.notes

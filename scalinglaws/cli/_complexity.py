"""The command that measures the spectral complexity of saved weights, of one network or along its training."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import DataError, DomainError
from ..files import read_arrays
from ..formatting import number
from ..tables import Block, Table
from ._app import Json, Output, app
from ._figures import FIGURES, draw
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit
from ._picture import Picture
from ._solver_help import documented

if TYPE_CHECKING:
    from ..solvers.perceptron import SpectralComplexity

Shape = Annotated[tuple[int, int] | None, Parameter(name="--shape", negative=())]
_ARRAYS = ".npz"
_TOTALS = ("complexity", "product_of_norms", "effective_rank")


@app.command
def complexity(
    path: Path,
    /,
    *,
    shape: Shape = None,
    convolution: str = "operator",
    norm: str = "complexity",
    lipschitz: float = 1.0,
    reference: Annotated[Path | None, Parameter(name="--reference")] = None,
    json: Json = False,
    output: Output = None,
) -> int:
    """Measure the spectral complexity of a network's weights, layer by layer, or along its training.

    Parameters
    ----------
    path : Path
        A .npz file of weights by name, in order, as a state dictionary; or a folder of such files, one for each checkpoint.
    shape : tuple of int
        Rows and columns of the images that convolutions see: 28 28.
    convolution : str
        operator: convolutions on periodic images; zero: padded with zeros; reshape: kernels as matrices.
    norm : str
        Another norm to show: spectral, group, l1 or l2.
    lipschitz : float
        Lipschitz constant of the activations, 1 for ReLU.
    reference : Path
        A .npz file of the weights from which distances are measured, as those before training.
    json : bool
        Print JSON.
    output : Path
        File to write (.csv, .json, .md, .txt; for a folder also a picture as .png, .svg, .pdf).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *(FIGURES if path.is_dir() else ())))
    from ..solvers.perceptron import spectral_complexity

    start = None if reference is None else _weights(reference)

    def measured(file: Path) -> SpectralComplexity:
        return spectral_complexity(
            _weights(file),
            lipschitz=lipschitz,
            reference=start,
            convolution=convolution,
            shape=shape,
            norm=norm,
        )

    if not path.is_dir():
        emit(_layers(path, measured(path)), json, output)
        return 0
    files = sorted(path.glob("*.npz"), key=_order)
    if not files:
        raise DomainError(f"{path} holds no .npz file", argument="path", value=path)
    found = [measured(file) for file in files]
    if output is not None and output.suffix in FIGURES:
        _draw(path, files, found, norm, output)
    else:
        emit(_training(path, files, found, norm), json, output)
    return 0


def _weights(path: Path) -> dict[str, Any]:
    """Read arrays by name."""
    if path.suffix.lower() != _ARRAYS:
        raise DataError(f"{path} must be a {_ARRAYS} file of arrays by name, as numpy.savez writes")
    return read_arrays(path)


def _order(path: Path) -> tuple[Any, ...]:
    """Sort names by the numbers in them: step-9 before step-10."""
    parts = re.split(r"(\d+)", path.stem)
    return tuple((part.isdigit(), int(part) if part.isdigit() else part) for part in parts if part)


def _shown(norm: str) -> tuple[str, ...]:
    return _TOTALS if norm == "complexity" else (*_TOTALS, "value")


def _heads(norm: str) -> list[str]:
    names = {"spectral": "product_of_norms", "group": "sum of (2,1)-norms"}
    return [names.get(norm, norm) if key == "value" else key for key in _shown(norm)]


def _layers(path: Path, found: SpectralComplexity) -> Answer:
    """Show the layers of one network."""
    header = ("layer", "spectral_norm", "group_norm", "contribution")
    columns = (found.spectral_norms, found.group_norms, found.contributions)
    table: list[tuple[Any, ...]] = [
        (name, *(float(column[i]) for column in columns)) for i, name in enumerate(found.layers)
    ]
    totals = {key: getattr(found, key) for key in _shown(found.norm)}
    words = ", ".join(
        f"{head.replace('_', ' ')} {number(value)}"
        for head, value in zip(_heads(found.norm), totals.values(), strict=True)
    )
    rows = [(row[0], *map(number, row[1:])) for row in table]
    data = {
        "file": str(path),
        "norm": found.norm,
        "convolution": found.convolution,
        **totals,
        "columns": {name: [row[i] for row in table] for i, name in enumerate(header)},
    }
    blocks: list[Block] = [path.name, Table(header, rows), words]
    return Answer(data, blocks, (header, table))


def _training(path: Path, files: list[Path], found: list[SpectralComplexity], norm: str) -> Answer:
    """Show the checkpoints of one network."""
    header = ("checkpoint", *_shown(norm))
    table: list[tuple[Any, ...]] = [
        (file.stem, *(getattr(each, key) for key in header[1:]))
        for file, each in zip(files, found, strict=True)
    ]
    rows = [(row[0], *map(number, row[1:])) for row in table]
    data = {
        "folder": str(path),
        "norm": norm,
        "convolution": found[0].convolution,
        "columns": {name: [row[i] for row in table] for i, name in enumerate(header)},
    }
    blocks: list[Block] = [
        f"{path.name}: {len(files)} checkpoints",
        Table(("checkpoint", *_heads(norm)), rows),
    ]
    return Answer(data, blocks, (header, table))


def _draw(
    path: Path, files: list[Path], found: list[SpectralComplexity], norm: str, output: Path
) -> None:
    """Draw the complexity along training, against the last number in the names of the files if each has its own."""
    from ..solvers.catalogue import Shown

    numbers = [re.findall(r"\d+", file.stem) for file in files]
    steps = [float(each[-1]) for each in numbers if each]
    if len(set(steps)) < len(files):
        steps = [float(i + 1) for i in range(len(files))]
    columns: dict[str, list[Any]] = {
        key: [getattr(each, key) for each in found] for key in _shown(norm)
    }
    meanings = documented(type(found[0])) if found else {}
    table = {"checkpoint": steps} | columns
    picture = Picture(path.name, table, Shown(_shown(norm)), ["checkpoint"], meanings=meanings)
    draw(picture, output)

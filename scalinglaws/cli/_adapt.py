"""The command that adapts the kernels of a network to somebody's data."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from ..errors import DataError
from ..files import matrix, read_arrays
from ..formatting import number, short
from ..results import jsonable
from ..tables import Block, Table
from ._app import Json, Output, Whole, app
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, heard, wrote
from ._measure import given_data

if TYPE_CHECKING:
    from ..solvers.kernel_adaptation import AdaptedKernels

Array = NDArray[np.float64]
Widths = Annotated[tuple[Whole, ...], Parameter(consume_multiple=True, negative=())]
Variances = Annotated[tuple[float, ...], Parameter(consume_multiple=True, negative=())]

_LARGE = ("kernels", "output_kernel", "inputs")  # n by n, or what was given
_DIRECTIONS = 5  # of the first layer's weights that are shown
_SAVED = ".npz"


@app.command
def adapt(
    data: Path,
    labels: str | None = None,
    /,
    *,
    layers: Widths,
    activation: str = "erf",
    scale: float | None = None,
    ridge: float = 0.1,
    readout_variance: float = 1.0,
    weight_variance: Variances = (1.0,),
    annealing_steps: Whole = 8,
    predict: Annotated[Path | None, Parameter(name="--predict")] = None,
    json: Json = False,
    output: Output = None,
) -> int:
    """Adapt the kernels of a Bayesian network to a data set: what it learns, and which of its layers do.

    Parameters
    ----------
    data : Path
        Inputs, one row an example (.npy, .npz, .csv, .tsv, .txt, .parquet); a file may hold the targets too, as an array or a column
        labels, targets or y.
    labels : str
        A file of targets, or columns of the table: target, or a,b.
    layers : tuple of int
        Widths of the hidden layers: 100 100.
    activation : str
        erf or linear.
    scale : float
        chi: the width of the last layer, as by default, is mean-field scaling, and 1 the standard one.
    ridge : float
        Added to the kernel of the outputs; the likelihood has the variance ridge/scale.
    readout_variance : float
        Of the readout weights, times width and scale.
    weight_variance : tuple of float
        Of the hidden weights, times the fan-in; one, or one for each layer.
    annealing_steps : int
        Of the second descent, along rising scales; 0 leaves it out.
    predict : Path
        New inputs: the answer is what the network says there.
    json : bool
        Print JSON, without kernels of all inputs.
    output : Path
        File to write (.csv, .json, .md, .tex, .txt; everything, kernels included, as .npz).
    """
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, _SAVED))
    given = given_data(data, labels, None, False)
    if "features" not in given:
        raise DataError(f"{data} must hold inputs, one row an example")
    new = None if predict is None else matrix(predict, read_arrays(predict))
    from ..solvers import kernel_adaptation

    with heard() as said:
        found = kernel_adaptation.adapt(
            given["features"],
            given["labels"],
            layers=layers,
            activation=activation,
            scale=float(layers[-1]) if scale is None else scale,
            ridge=ridge,
            readout_variance=readout_variance,
            weight_variance=weight_variance[0] if len(weight_variance) == 1 else weight_variance,
            annealing_steps=annealing_steps,
        )
    predicted = None if new is None else found.predict(new)
    if output is not None and output.suffix == _SAVED:
        found.save(output)
        wrote(output)
        output = None
    elif output is not None:
        for warning in said:
            print(f"warning: {warning}", file=sys.stderr)
    emit(_answer(found, predicted, said), json, output)
    return 0


def _answer(found: AdaptedKernels, predicted: Array | None, said: list[str]) -> Answer:
    content = {name: value for name, value in found.to_dict().items() if name not in _LARGE}
    content["warnings"] = said
    columns: dict[str, Array] = {}
    if predicted is None:
        named = {"target": found.targets, "mean": found.mean, "nngp_mean": found.nngp_mean}
    else:
        content["predictions"] = predicted
        named = {"prediction": predicted}
    for name, values in named.items():
        several = values.reshape(len(values), -1)
        for i, column in enumerate(several.T, start=1):
            columns[name if several.shape[1] == 1 else f"{name}_{i}"] = column
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    return Answer(
        jsonable(content), list(_blocks(found, predicted, said, columns)), (tuple(columns), rows)
    )


def _blocks(
    found: AdaptedKernels, predicted: Array | None, said: list[str], columns: dict[str, Array]
) -> Iterator[Block]:
    count, dimension = found.inputs.shape
    yield (
        f"{count} inputs of dimension {dimension}, {found.activation}, scale {number(found.scale)}, ridge {number(found.ridge)}: "
        f"free energy {number(found.free_energy)}, residual {found.diagnostics.residual:.0e} after {found.diagnostics.iterations} steps."
    )
    yield Table(
        ("layer", "width", "divergence from its prior, per neuron"),
        [
            (str(layer), number(width), short(divergence))
            for layer, (width, divergence) in enumerate(
                zip(found.layers.tolist(), found.divergences.tolist(), strict=True), start=1
            )
        ],
    )
    prior = found.weight_variance[0] / dimension
    values, vectors = np.linalg.eigh(found.weight_covariance)
    order = np.argsort(-np.abs(np.log(np.maximum(values, 1e-300) / prior)))[:_DIRECTIONS]
    yield Table(
        ("variance over the prior's", "direction, largest components"),
        [(short(float(values[i] / prior)), _largest(vectors[:, i])) for i in order],
        title="First-layer weights, the directions that changed most",
    )
    size = float(np.sqrt(np.mean(found.targets**2)))
    rows = [
        (name, short(float(np.sqrt(np.mean((found.targets - mean) ** 2)))))
        for name, mean in (("adapted", found.mean), ("infinite width", found.nngp_mean))
    ]
    yield Table(
        ("kernels", "root mean square error on these targets"), [*rows, ("none", short(size))]
    )
    yield from (f"warning: {warning}" for warning in said)
    if predicted is not None:
        yield Table(
            ("row", *columns),
            [
                (str(i), *(number(float(value), 6) for value in row))
                for i, row in enumerate(zip(*columns.values(), strict=True))
            ],
            title="New inputs",
        )


def _largest(direction: Array) -> str:
    """Write the three largest components of a unit vector, whose first one is positive."""
    places = np.argsort(-np.abs(direction))[:3]
    sign = np.sign(direction[places[0]]) or 1.0
    return ", ".join(f"x{place + 1}: {sign * direction[place]:.2f}" for place in places)

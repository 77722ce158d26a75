"""The experiments on clusters of a Bethe lattice: losses of models and of samples, random divisions, and single clusters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..arguments import choice, root_seed, whole, whole_numbers
from ..errors import DomainError, refusal
from ..formatting import number
from ..tables import Block, Table
from ._app import Json, Latex, Whole
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote
from ._grammar import floats
from ._simulate import Kept, percolation

WHAT = ("model", "data", "allocation", "clusters", "width")
_TRIED = "100,300,1000"  # degrees of freedom, for random divisions
_MODEL, _DATA = "30,100,300,1000,3000", "100,300,1000,3000,10000"
_PANELS = 4
_MOST_DATASETS = 10_000

Shown = tuple[str, tuple[str, ...], list[tuple[Any, ...]], list[str], Callable[[], Any]]


@percolation.command
def experiment(
    what: str,
    /,
    *,
    clusters: Whole = 100,
    coordination: Whole = 12,
    smallest: Whole = 1000,
    largest: Whole = 10**5,
    datasets: Whole = 4,
    sizes: str | None = None,
    candidates: Whole = 2000,
    seed: Whole = 0,
    latex: Latex = False,
    json: Json = False,
    output: Kept = None,
) -> int:
    """Learn clusters of a critical Bethe lattice, and compare with what theory says of clusters of these sizes.

    Parameters
    ----------
    what : str
        model: losses of models that are divided at the best; data: of sites drawn at random; allocation: of random divisions of
        a model; clusters: of single clusters, with fitted scales; width: that of the Chinchilla models against their size.
    clusters : int
        In each dataset.
    coordination : int
        z, neighbors of a site; 2d stands for a lattice in d dimensions.
    smallest : int
        Clusters with fewer sites are dropped.
    largest : int
        Clusters with more sites are dropped.
    datasets : int
        Over which model and data are averaged.
    sizes : str
        Of models or datasets, as 100,300,1000 or 1e2:1e4:5.
    candidates : int
        Random divisions tried.
    seed : int
        Of the random numbers.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        A picture as .png, .svg or .pdf, or the table as .csv, .json, .md, .tex or .txt.
    """
    choice("what", what, WHAT)
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES))
    given = {"clusters": clusters, "coordination": coordination, "smallest": smallest}
    given |= {"largest": largest, "seed": root_seed(seed, name="seed")}
    if what == "width":
        title, header, rows, lines, drawn = _width()
    elif what == "clusters":
        title, header, rows, lines, drawn = _single(given)
    elif what == "allocation":
        title, header, rows, lines, drawn = _divisions(given, _sizes(sizes or _TRIED), candidates)
    else:
        asked = _sizes(sizes or (_MODEL if what == "model" else _DATA))
        title, header, rows, lines, drawn = _losses(what, given, datasets, asked)
    cells = [tuple(number(value, 4) for value in row) for row in rows]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(header)}
    blocks: list[Block] = [title, Table(header, cells), "\n".join(lines)]
    told = {} if what == "width" else given
    told = told | ({"datasets": datasets} if what in ("model", "data") else {})
    told = told | ({"candidates": candidates} if what == "allocation" else {})
    answer = Answer(
        {"experiment": what, **told, "columns": columns, "notes": lines}, blocks, (header, rows)
    )
    if output is None or output.suffix in TABLE_FORMATS:
        emit(answer, json, output, latex=latex)
        return 0
    try:
        drawn().savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)
    emit(answer, json, None, latex=latex)
    return 0


def _sizes(text: str) -> list[float]:
    """Read sizes, of which a range is rounded."""
    found = floats("sizes", text)
    if ":" in text:
        found = list(dict.fromkeys(float(round(x)) for x in found))
    return [float(size) for size in whole_numbers("sizes", found)]


def _drawn(given: dict[str, Any], which: int = 0) -> Any:
    """Grow a dataset; each number gives another."""
    from ..verify.simulate.percolation import bethe_dataset

    return bethe_dataset(
        given["clusters"],
        coordination=given["coordination"],
        smallest=given["smallest"],
        largest=given["largest"],
        rng=np.random.default_rng([given["seed"], which]),
    )


def _told(given: dict[str, Any]) -> str:
    return (
        f"{given['clusters']} clusters of {given['smallest']} to {given['largest']} sites, "
        f"z = {given['coordination']}, seed {given['seed']}"
    )


def _losses(what: str, given: dict[str, Any], datasets: int, sizes: Sequence[float]) -> Shown:
    """Simulate losses of models, or of samples, and what theory says with no free parameter."""
    from ..solvers.percolation import allocate, cluster_scale, data_loss
    from ..verify.simulate.percolation import data_losses, model_loss

    asked = np.array(sizes)
    drawn = [_drawn(given, i) for i in range(whole("datasets", datasets, high=_MOST_DATASETS))]
    fewest = min(int(data.sizes.sum()) for data in drawn)
    if asked.size and asked.max() >= fewest:
        raise refusal(
            "sizes", float(asked.max()), f"must be below {fewest}, the sites of a dataset"
        )
    simulated, expected = np.empty((2, datasets, asked.size))
    for row, data in enumerate(drawn):
        rng = np.random.default_rng([given["seed"], row, 1])
        scales = cluster_scale(
            data.sizes, variance=data.raw_variance, coordination=data.coordination
        )
        if what == "model":
            best = allocate(
                data.sizes / data.sizes.sum(), asked, exponents=0.5, scales=scales, law="tree"
            )
            assert best.allocation is not None
            sites = np.minimum(np.rint(best.allocation), data.sizes - 1).astype(np.int64)
            expected[row], simulated[row] = best.loss, model_loss(data, sites, rng=rng)
        else:
            found = data_loss(
                asked, weights=data.sizes, exponent=0.5, scales=scales, law="tree", distinct=True
            )
            expected[row], simulated[row] = found.loss, data_losses(data, asked, rng=rng)
    ratio = np.median(simulated / expected, axis=0)
    rows = [
        (size, float(np.exp(np.log(one).mean())), float(np.exp(np.log(other).mean())), float(r))
        for size, one, other, r in zip(asked.tolist(), simulated.T, expected.T, ratio, strict=True)
    ]

    def picture() -> Any:
        from ..verify.plots.percolation import dataset_losses

        # the other half of the picture has the same sizes
        fewest = min(data.parent.size for data in drawn)
        return dataset_losses(drawn, units=asked, samples=asked[asked <= fewest])

    variable = "n" if what == "model" else "P"
    return (
        f"losses against {'model' if what == 'model' else 'data'} size: {datasets} datasets, {_told(given)}",
        (variable, "simulation", "theory", "ratio"),
        rows,
        [
            "geometric means over datasets, and the median of their ratios; theory: sizes and variances of the clusters, no free parameter"
        ],
        picture,
    )


def _divisions(given: dict[str, Any], sizes: Sequence[float], candidates: int) -> Shown:
    """Try random divisions of models, for fitted scales."""
    from ..solvers.percolation import allocate
    from ..verify.simulate.percolation import fitted_scale, learning_curves, random_allocations

    if len(sizes) > _PANELS:
        raise DomainError(f"at most {_PANELS} sizes are tried", argument="sizes", value=list(sizes))
    data = _drawn(given)
    rng = np.random.default_rng([given["seed"], 0, 1])
    curves = learning_curves(data, rng=rng)
    scales = np.asarray(fitted_scale(curves.training_counts, curves.test_loss))
    found, exact, rows = {}, {}, []
    for n in sizes:
        tried = random_allocations(data, curves, n, scales=scales, candidates=candidates, rng=rng)
        best = allocate(data.sizes / data.sizes.sum(), n, exponents=0.5)
        found[n], exact[n] = tried, (int(best.included), float(best.loss))
        rows.append((n, tried.exponent, tried.break_rank, tried.loss, *exact[n]))

    def picture() -> Any:
        from ..verify.plots.percolation import tried_allocations

        return tried_allocations(found, exact=exact)

    return (
        f"best of {candidates} random divisions k^-a between the first k_b clusters: {_told(given)}",
        ("n", "a", "k_b", "loss", "k_b by rule", "loss by rule"),
        rows,
        [
            "losses have scales fitted to single clusters; rule: the optimum if all had the scale 1, a = (1 + alpha)/(1 + beta)"
        ],
        picture,
    )


def _single(given: dict[str, Any]) -> Shown:
    """Learn clusters one by one."""
    from ..solvers.percolation import cluster_scale
    from ..verify.simulate.percolation import fitted_scale, learning_curves

    data = _drawn(given)
    curves = learning_curves(data, rng=np.random.default_rng([given["seed"], 0, 1]))
    fitted = np.asarray(fitted_scale(curves.training_counts, curves.test_loss))
    law = np.asarray(
        cluster_scale(data.sizes, variance=data.raw_variance, coordination=data.coordination)
    )
    ranks = np.unique(np.rint(np.geomspace(1, fitted.size, 14))).astype(int) - 1
    rows = [(int(k) + 1, int(data.sizes[k]), float(fitted[k]), float(law[k])) for k in ranks]

    def picture() -> Any:
        from ..verify.plots.percolation import cluster_curves

        return cluster_curves(data, curves)

    return (
        f"single clusters: {_told(given)}",
        ("rank", "size", "n_0 fitted", "n_0 by its law"),
        rows,
        [
            f"median n_0 fitted {number(np.median(fitted), 3)}, by its law {number(np.median(law), 3)}"
        ],
        picture,
    )


def _width() -> Shown:
    """Say how the width of models grows with their size."""
    from ..theory.percolation import chinchilla_width

    fit = chinchilla_width()

    def picture() -> Any:
        from ..verify.plots.percolation import width_against_size

        return width_against_size()

    return (
        f"width of {fit.models} Chinchilla models against their parameters, A N^x",
        ("x", "standard error", "A"),
        [(fit.exponent, fit.standard_error, fit.amplitude)],
        [
            f"a loss that falls as the width to the power -alpha falls as N^-{number(fit.exponent, 3)} alpha ({fit.reference})"
        ],
        picture,
    )

"""Commands that simulate, and keep what they drew."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import App, Parameter

from ..arguments import whole
from ..errors import DomainError, refusal
from ..formatting import number, uncertain
from ..tables import Block, Table
from ._app import Json, Latex, Whole, app
from ._figures import FIGURES
from ._formats import TABLE_FORMATS, Answer, check_suffix, emit, wrote

if TYPE_CHECKING:
    from ..verify.simulate.percolation import BetheDataset, LatticeEstimate, LatticeSamples

_SAVED = ".npz"
_MOST_SITES = 31  # of a lattice, as a power of 2
_SHOWN = 14  # clusters in a summary

simulate = App(
    name="simulate",
    help="Draw data from a theory's own world, show what came out, and keep it.",
    help_format="plaintext",
)
percolation = App(
    name="percolation",
    help="Clusters of a Bethe lattice with targets, or of a hypercubic lattice.",
    help_format="plaintext",
)
app.command(simulate)


@simulate.default
def what_there_is(
    *,
    listed: Annotated[bool, Parameter(name="--list", negative="")] = False,
    json: Json = False,
) -> int:
    """Draw data from a theory's own world, show what came out, and keep it.

    Parameters
    ----------
    listed : bool
        List what can be drawn.
    json : bool
        Print JSON.
    """
    if not listed:
        app.help_print(["simulate"])
        return 0
    rows = [
        (f"{world} {name}", simulate[world][name].help.partition("\n")[0])
        for world in simulate.resolved_commands()
        if not world.startswith("-")
        for name in simulate[world].resolved_commands()
        if not name.startswith("-")
    ]
    header = ("simulation", "what it does")
    data = [dict(zip(header, row, strict=True)) for row in rows]
    hint = "scalinglaws simulate NAME --help says what its options mean"
    emit(Answer(data, [Table(header, rows), hint], (header, rows)), json, None)
    return 0


simulate.command(percolation)


def chance(kind: Any, tokens: Sequence[Any]) -> float:
    """Read a probability, fractions included."""
    text = tokens[0].value
    try:
        return float(Fraction(text)) if "/" in text else float(text)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text} is not a probability: write 0.3 or 1/3") from None


def axes(kind: Any, tokens: Sequence[Any]) -> tuple[int, ...]:
    """Read numbers of axes, as 1,3."""
    text = tokens[0].value
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise ValueError(f"{text} names no axes: write 1 or 1,3") from None


Chance = Annotated[float | None, Parameter(converter=chance)]
Axes = Annotated[tuple[int, ...] | None, Parameter(converter=axes, n_tokens=1, negative="")]
Kept = Annotated[
    Path | None, Parameter(name="--output", help="File to write; its suffix picks the format.")
]


@percolation.command
def bethe(
    *,
    clusters: Whole = 316,
    coordination: Whole = 12,
    occupation: Chance = None,
    smallest: Whole = 100,
    largest: Whole = 10**7,
    seed: Whole = 0,
    latex: Latex = False,
    json: Json = False,
    output: Kept = None,
) -> int:
    """Grow clusters around random sites of a Bethe lattice, each with a target that varies along its branches.

    Parameters
    ----------
    clusters : int
        How many are kept.
    coordination : int
        z, neighbors of a site; 2d stands for a lattice in d dimensions.
    occupation : float
        p; by default the threshold 1/(z - 1).
    smallest : int
        Clusters with fewer sites are dropped.
    largest : int
        Clusters with more sites are dropped (1e6 is understood).
    seed : int
        Of the random numbers.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        The dataset as .npz, the largest cluster of at most 100000 sites as .png, .svg or .pdf, or the summary as .csv, .json,
        .md, .tex or .txt.
    """
    _checked(output)
    from ..verify.simulate.percolation import bethe_dataset

    data = bethe_dataset(
        clusters,
        coordination=coordination,
        occupation=occupation,
        smallest=smallest,
        largest=largest,
        rng=seed,
    )
    answer = _bethe_answer(
        data, smallest, largest, seed, brief=output is None or output.suffix not in TABLE_FORMATS
    )

    def drawn() -> Any:
        from ..verify.plots.percolation import MOST_SITES, cluster_tree

        small = np.flatnonzero(data.sizes <= MOST_SITES)
        if not small.size:
            raise DomainError(
                f"at most {MOST_SITES} sites are drawn; all clusters are larger",
                argument="output",
                value=output,
            )
        if small[0]:
            print(
                f"drawn is rank {small[0] + 1}, the largest cluster of at most {MOST_SITES} sites",
                file=sys.stderr,
            )
        return cluster_tree(data, rank=int(small[0]))

    _give(answer, json, output, latex, data, drawn)
    return 0


@percolation.command
def lattice(
    *,
    dimension: Whole = 2,
    length: Whole = 512,
    occupation: Chance = None,
    kind: str = "site",
    samples: Whole = 1,
    free: Annotated[bool, Parameter(negative="")] = False,
    free_axes: Axes = None,
    seed: Whole = 0,
    latex: Latex = False,
    json: Json = False,
    output: Kept = None,
) -> int:
    """Occupy sites or bonds of a hypercubic lattice at random, and count the clusters.

    Parameters
    ----------
    dimension : int
        Number of axes.
    length : int
        Sites along each of them.
    occupation : float
        p; by default the threshold, from 2 to 7 dimensions.
    kind : str
        site or bond: what is occupied.
    samples : int
        Number of lattices, over which is averaged.
    free : bool
        Free boundaries instead of periodic ones.
    free_axes : tuple of int
        Axes along which boundaries are free, counted from 1, as 1,3; along the others they are periodic.
    seed : int
        Of the random numbers.
    latex : bool
        Print LaTeX, for a document of yours; a file that ends in .tex is a whole document.
    json : bool
        Print JSON.
    output : Path
        The clusters as .npz (of one lattice with the label of every site), a slice of one lattice as .png, .svg or .pdf, or the
        summary as .csv, .json, .md, .tex or .txt.
    """
    _checked(output)
    picture = output is not None and output.suffix in FIGURES
    if picture and samples > 1:
        raise DomainError(
            "a picture shows one lattice: leave out --samples", argument="samples", value=samples
        )
    if picture and dimension < 2:
        raise DomainError(
            "a picture needs two dimensions or more", argument="dimension", value=dimension
        )
    periodic = _boundaries(dimension, free, free_axes)
    from ..theory.percolation import critical_threshold
    from ..verify.simulate.percolation import (
        LatticeClusters,
        LatticeSamples,
        lattice_clusters,
        sample_lattices,
    )

    threshold = occupation is None
    try:
        p = float(critical_threshold(dimension, kind)) if occupation is None else occupation
    except DomainError as failure:
        if failure.argument != "dimension":
            raise
        raise DomainError(
            f"no threshold is on record in {dimension} dimensions: give --occupation",
            argument="occupation",
            value=occupation,
        ) from failure
    length = whole("length", length)
    if dimension * math.log2(length) >= _MOST_SITES:
        raise refusal("length", length, f"must make less than 2^{_MOST_SITES} sites")
    found: LatticeClusters | LatticeSamples
    if samples == 1:
        labels = output is not None and output.suffix not in TABLE_FORMATS
        found = lattice_clusters(
            (length,) * dimension, p, kind=kind, periodic=periodic, labels=labels, rng=seed
        )
        tails = LatticeSamples.of(found)
    else:
        found = tails = sample_lattices(
            length, dimension, occupation=p, kind=kind, periodic=periodic, samples=samples, rng=seed
        )
    answer = _lattice_answer(tails, threshold, seed)

    def drawn() -> Any:
        from ..verify.plots.percolation import lattice_slice

        assert isinstance(found, LatticeClusters)
        return lattice_slice(found)

    _give(answer, json, output, latex, found, drawn)
    return 0


# -- what is written ----------------------------------------------------------------------------------------------------


def _checked(output: Path | None) -> None:
    """Refuse a file that could not be written, before the work."""
    if output is not None:
        check_suffix(output, (*TABLE_FORMATS, *FIGURES, _SAVED))


def _boundaries(dimension: int, free: bool, along: tuple[int, ...] | None) -> bool | list[bool]:
    """Return whether boundaries are periodic, one flag per axis if axes were named."""
    if along is None:
        return not free
    if free:
        raise DomainError(
            "--free is about all axes: leave it out, or --free-axes", argument="free", value=free
        )
    if not all(1 <= axis <= dimension for axis in along):
        raise refusal("free_axes", along, f"must name axes from 1 to {dimension}")
    return [axis + 1 not in along for axis in range(dimension)]


def _give(
    answer: Answer, json: bool, output: Path | None, latex: bool, data: Any, drawn: Any
) -> None:
    """Write a file if asked for, and show the summary unless it is what was written."""
    if output is None or output.suffix in TABLE_FORMATS:
        emit(answer, json, output, latex=latex)
        return
    try:
        if output.suffix == _SAVED:
            data.save(output)
        else:
            drawn().savefig(output, dpi=150)
    except OSError as failure:
        raise DomainError(
            f"cannot write {output}: {failure.strerror}", argument="output", value=output
        ) from failure
    wrote(output)
    emit(answer, json, None, latex=latex)


def _chosen(size: int) -> list[int]:
    """Choose ranks evenly in the logarithm, the first and the last among them."""
    ends = np.geomspace(1, size, _SHOWN) if size > _SHOWN else np.arange(1, size + 1)
    return [int(i) - 1 for i in np.unique(np.rint(ends))]


def _share(part: float) -> str:
    return number(part, 4)


# -- summaries ----------------------------------------------------------------------------------------------------------


def _bethe_answer(
    data: BetheDataset, smallest: int, largest: int, seed: int, *, brief: bool
) -> Answer:
    """Sum up a dataset of the Bethe lattice."""
    from ..solvers.percolation import cluster_scale
    from ..theory.percolation import critical_exponents
    from ..theory.percolation.relations import UPPER_DIMENSION
    from ..verify.simulate.percolation import rooted_exponent

    sizes, sites, critical = data.sizes, int(data.sizes.sum()), data.at_threshold
    scales = np.asarray(
        cluster_scale(sizes, variance=data.raw_variance, coordination=data.coordination)
    )
    given = {
        "coordination": data.coordination,
        "occupation": data.occupation,
        "at_threshold": critical,
        "smallest": smallest,
        "largest": largest,
        "seed": seed,
    }
    summary: dict[str, Any] = {
        "clusters": int(sizes.size),
        "sites": sites,
        "largest_share": float(sizes[0] / sites),
    }
    lines = [
        f"{sizes.size} clusters, {sites} sites; the largest has {_share(sizes[0] / sites)} of them"
    ]
    if critical and sizes.size > 1 and smallest < largest:
        tau = rooted_exponent(
            sizes, smallest=smallest, largest=largest, coordination=data.coordination
        )
        summary |= {
            "tau": tau.value,
            "tau_standard_error": tau.standard_error,
            "tau_systematic_error": tau.systematic_error,
        }
        known = float(critical_exponents(UPPER_DIMENSION).tau)  # of trees, too
        lines.append(f"tau = {_with_errors(tau)} from the sizes; {known:g} on the infinite lattice")
    summary["median_scale"] = float(np.median(scales))
    lines.append(
        f"median n_0 = {number(np.median(scales), 3)} training sites from which on a cluster is learned"
    )
    table = [
        (
            k + 1,
            int(sizes[k]),
            float(sizes[k] / sites),
            float(data.raw_variance[k]),
            float(scales[k]),
        )
        for k in range(sizes.size)
    ]
    header = ("rank", "size", "share", "V", "n_0")
    kept = _chosen(sizes.size) if brief else range(sizes.size)
    if len(kept) < sizes.size:
        lines.append(
            f"{len(kept)} of {sizes.size} ranks shown; --json has all of them, --output FILE.csv too"
        )
    rows = [
        (str(rank), str(size), _share(share), number(v, 5), number(scale, 4))
        for rank, size, share, v, scale in (table[k] for k in kept)
    ]
    where = "the threshold" if critical else "not the threshold"
    title = f"Bethe lattice: z = {data.coordination}, p = {number(data.occupation)} ({where}), sizes {smallest} to {largest}, seed {seed}"
    columns = {name: [row[i] for row in table] for i, name in enumerate(header)}
    blocks: list[Block] = [title, Table(header, rows), "\n".join(lines)]
    return Answer(
        {"lattice": "bethe", **given, "summary": summary, "columns": columns},
        blocks,
        (header, table),
    )


def _lattice_answer(tails: LatticeSamples, threshold: bool, seed: int) -> Answer:
    """Sum up clusters of hypercubic lattices."""
    many, volume = tails.largest.size, tails.length**tails.dimension
    sites, clusters = tails.tail_sites.sum(axis=0) / many, tails.tail_clusters.sum(axis=0) / many
    occupied = float(sites[0])
    summary: dict[str, Any] = {
        "occupied_share": occupied / volume,
        "clusters": float(clusters[0]),
        "largest": float(tails.largest.mean()),
        "largest_share": float(tails.largest.mean()) / occupied if occupied else 0.0,
    }
    each = "" if many == 1 else " on average"
    lines = [
        f"{number(clusters[0])} clusters{each} on {volume} sites, {_share(occupied / volume)} of them occupied",
        f"largest cluster{each}: {number(summary['largest'])} sites, {_share(summary['largest_share'])} of the occupied ones",
    ]
    if threshold:
        lines += _exponents(tails, summary)
    header = ("at least", "clusters", "share of sites")
    table = [
        (4**j, float(clusters[j]), float(sites[j] / occupied))
        for j in range(sites.size)
        if clusters[j] > 0
    ]
    rows = [(str(s), number(n), _share(share)) for s, n, share in table]
    if isinstance(tails.periodic, tuple):
        wrapped = [str(axis + 1) for axis, flag in enumerate(tails.periodic) if flag]
        boundaries = (
            f"periodic along {'axis' if len(wrapped) == 1 else 'axes'} {', '.join(wrapped)} only"
        )
    else:
        boundaries = "periodic" if tails.periodic else "free"
    drawn = "" if many == 1 else f", {many} samples"
    where = " (the threshold)" if threshold else ""
    title = (
        f"{tails.dimension}-dimensional lattice, length {tails.length}, {boundaries}{drawn}: "
        f"{tails.kind}s occupied with p = {number(tails.occupation)}{where}, seed {seed}"
    )
    given = {
        name: getattr(tails, name)
        for name in ("dimension", "length", "kind", "occupation", "periodic")
    }
    columns = {name.replace(" ", "_"): [row[i] for row in table] for i, name in enumerate(header)}
    blocks: list[Block] = [title, *([Table(header, rows)] if rows else []), "\n".join(lines)]
    data = {
        "lattice": "hypercubic",
        **given,
        "samples": many,
        "at_threshold": threshold,
        "seed": seed,
        "summary": summary,
    }
    return Answer(data | {"columns": columns}, blocks, (tuple(columns), table))


def _exponents(tails: LatticeSamples, summary: dict[str, Any]) -> list[str]:
    """Measure tau where the lattice is large enough, and say what is known."""
    from ..theory.percolation import critical_exponents
    from ..verify.simulate.percolation import fisher_exponent, fisher_windows

    known = critical_exponents(tails.dimension)
    tau = float(known.tau)
    value = number(tau, 7) if known.tau.exact else uncertain(tau, known.tau.standard_error)
    accepted = f"known: {value}"
    try:
        first, last = fisher_windows(tails, dimension=float(known.D))
    except DomainError as reason:
        return [f"{reason} ({accepted})"]
    found = fisher_exponent(tails, powers=(first, last))
    summary |= {"tau": found.value, "tau_windows": [4**first, 4 ** (last + 1)]}
    if math.isfinite(found.standard_error):
        summary["tau_standard_error"] = found.standard_error
    if found.systematic_error is not None:
        summary["tau_systematic_error"] = found.systematic_error
    where = f"from the share of sites in clusters of {4**first} to {4 ** (last + 1)} sites and more"
    more = "" if math.isfinite(found.standard_error) else "; --samples gives an error"
    return [f"tau = {_with_errors(found)} {where}{more} ({accepted})"]


def _with_errors(found: LatticeEstimate) -> str:
    """Write an estimate with its statistical and its systematic error."""
    written = uncertain(found.value, found.standard_error)
    if found.systematic_error is None:
        return written
    return f"{written} +- {number(found.systematic_error, 2)} (systematic)"

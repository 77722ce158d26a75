"""The command that compares training recipes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from ..errors import refusal
from ._app import Json, Output, Whole, app
from ._figures import FIGURES
from ._formats import TEXT_FORMATS, Answer, check_suffix, emit, wrote
from ._runs import (
    RunOptions,
    Source,
    as_options,
    in_options,
    is_saved_fit,
    plain_json,
    positive_numbers,
    read_runs,
)

if TYPE_CHECKING:
    from ..verify.empirical import ComputeMultiplier, RecipeComparison

_SAVED = ".npz"
_NOTHING = ("none", "nothing")
_FLAG = Parameter(negative=())


@app.command
def recipes(
    file: Source,
    /,
    *,
    reference: str | None = None,
    group: str | None = None,
    shared: str | None = None,
    law: str = "surface",
    compute: str | None = None,
    reading: RunOptions = RunOptions(),  # noqa: B008  # frozen
    bootstrap: Whole = 2000,
    seed: Whole = 0,
    json: Json = False,
    output: Output = None,
    verbose: Annotated[bool, _FLAG] = False,
    strict: Annotated[bool, _FLAG] = False,
) -> int:
    """Compare training recipes: is one better than the reference, by what factor of compute, and does that grow?

    Parameters
    ----------
    file : str
        A table of runs (.csv, .tsv, .json, .jsonl, .parquet, packed as .gz; - for standard input), or an example: gadre.
    reference : str
        The recipe that the others are compared with.
    group : str
        Column with the recipe, or data set, of each run; recognized by itself if it is called group, recipe or dataset.
    shared : str
        Parameters that all recipes share: a,b or E,a,b, or none. By default the exponents, unless a test rejects that.
    law : str
        surface or surface_power.
    compute : str
        Of the reference, in FLOP: 1e22,1e24 or a range 1e21:1e24:4. By default the least and largest of which all recipes have runs,
        and 10 and 100 times that.
    bootstrap : int
        Fits to resampled runs, for the intervals; 0 for none.
    seed : int
        Root of the random streams of the resampling.
    json : bool
        Print JSON.
    output : Path
        File to write (.json, .md, .tex, .txt; everything as .npz; a picture as .png, .svg or .pdf).
    verbose : bool
        All recipes, and all warnings with their causes and cures.
    strict : bool
        End with exit code 1 if there are warnings.
    """
    if output is not None:
        check_suffix(output, (*TEXT_FORMATS, *FIGURES, _SAVED))
    asked = None if compute is None else positive_numbers("compute", compute)
    names = None if shared is None else _names(shared)
    if is_saved_fit(file):
        raise refusal("file", file, "is a fit already: recipes are compared from a table of runs")
    runs = read_runs(file, group=group, **reading.given())
    from ..verify import empirical

    if reference is None:
        known = [] if runs.group is None else list(dict.fromkeys(runs.group.tolist()))
        said = f", one of {', '.join(known[:12])}" if known else ""
        raise refusal(
            "reference", None, f"is missing: name the recipe to compare with{said}", shown=False
        )
    with in_options():
        found = empirical.compare_recipes(
            law, runs, reference, shared=names, compute=asked, bootstrap=bootstrap, rng=seed
        )
    if output is not None and output.suffix in (*FIGURES, _SAVED):
        _keep(found, output)
        output = None
    words = as_options(found.report(verbose=verbose))
    if json or output is not None:
        emit(Answer(_as_data(found), [words]), json, output)
    else:
        sys.stdout.write(words + "\n")
    return 1 if strict and found.warnings else 0


def _names(shared: str) -> tuple[str, ...]:
    """Read ``E,a,b``, or ``none``."""
    if shared.strip().lower() in _NOTHING:
        return ()
    return tuple(name.strip() for name in shared.split(",") if name.strip())


def _keep(found: RecipeComparison, output: Path) -> None:
    """Save the comparison, or draw it."""
    if output.suffix == _SAVED:
        found.save(output)
    else:
        from ..verify.plots.empirical import compute_multipliers

        compute_multipliers(found).savefig(output, dpi=150)
    wrote(output)


def _as_data(found: RecipeComparison) -> dict[str, Any]:
    """Return what is printed, with all digits, for JSON."""
    test = found.test
    return plain_json(  # type: ignore[no-any-return]
        {
            "law": found.fits.law,
            "group": found.fits.group,
            "reference": found.reference,
            "shared": list(found.fits.shared),
            "test": {**test.to_dict(), "rejected": test.rejected},
            "recipes": {
                name: {
                    "in_runs": _multiplier(found.at[name]),
                    "multipliers": _multiplier(found.multipliers[name]),
                    "nothing_shared": _multiplier(found.separately[name]),
                }
                for name in found.candidates
            },
            "parameters": {
                name: {"runs": len(one), "rms": one.rms, **one.parameters}
                for name, one in found.fits.fits.items()
            },
            "warnings": [
                {"code": one.code, "message": one.message, "cause": one.cause, "cure": one.cure}
                for one in found.warnings
            ],
        }
    )


def _multiplier(found: ComputeMultiplier) -> dict[str, Any]:
    return found.to_dict()

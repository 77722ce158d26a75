"""The table of checks, and the run that makes a report of them."""

from __future__ import annotations

import hashlib
import pkgutil
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np

from ..arguments import choice, flag, function, instance, path, root_seed, text
from ..errors import DomainError, WorkerError, known_name, refusal, unknown_name
from ..reprs import short_repr
from ..rooms import NO_THEORY, submodules
from ..sweep import MapLike, run_many
from ..theory.catalogue import CATALOGUE
from . import checks
from .comparison import EVIDENCE, Comparison, Crash
from .compiling import timed_compilation
from .finished import Finished, FinishedChecks, default_folder
from .provenance import environment
from .report import Report
from .rule import FAIL, INCONCLUSIVE, PASS

EFFORTS = ("quick", "full")

Expectation = str | tuple[str, str, str]


@short_repr
@dataclass(frozen=True)
class Context:
    """What a check is given.

    Attributes
    ----------
    check : str
        Its name.
    effort : str
        ``"quick"`` or ``"full"``.
    root : int
        Seed of the whole report.
    folder : Path, optional
        Where a long check keeps pieces of its work as they end, and finds those of a run that is resumed; nowhere by default.
    """

    check: str
    effort: str
    root: int
    folder: Path | None = None

    def pick(self, quick: int, full: int) -> int:
        """Return the first number for a quick run and the second for a full one."""
        return quick if self.effort == "quick" else full

    def generator(self, name: str, replicate: int) -> np.random.Generator:
        """Return the random stream of one replicate of one comparison.

        The stream depends on the root, the names and the number alone: adding a comparison changes no other.
        """
        digest = hashlib.sha256(f"{self.check}/{name}".encode()).digest()
        return np.random.default_rng(
            np.random.SeedSequence(
                self.root, spawn_key=(int.from_bytes(digest[:8], "big"), replicate)
            )
        )


@short_repr
@dataclass(frozen=True)
class Check:
    """A registered recipe.

    Attributes
    ----------
    name : str
        ``theory.subject``.
    theory : str
        Which theory it tests.
    statement : str
        What it tests, in one line.
    effort : str
        Least effort at which it runs.
    expect : str or tuple of str
        ``"pass"``, or a known disagreement with its reason and evidence.
    function : callable
        From `Context` to comparisons.
    laws : tuple of str
        Names of the laws whose exponents, constants or regimes it tests.
    no_law : str
        Why it tests none, as where the theory's equations are solved and no power law follows.
    demo : bool
        Whether the check is the one of its theory that a demonstration runs.
    compiles : float
        Seconds of compilation in a first run, roughly.
    refutes : tuple of str
        Names of laws of which another formula is in print that this check puts to the test: as the rival of a comparison.
    evidence : dict of str
        For each of `laws`, the best kind of evidence that the check brings: of simulation, data, exact, literature.
    """

    name: str
    theory: str
    statement: str
    effort: str
    expect: Expectation
    function: Callable[[Context], Iterable[Comparison]]
    laws: tuple[str, ...] = ()
    no_law: str = ""
    demo: bool = False
    compiles: float = 0.0
    refutes: tuple[str, ...] = ()
    evidence: Mapping[str, str] = field(default_factory=dict)

    def effort_at(self, asked: str) -> str:
        """Return the effort of a run that asks for one: never less than the check's own."""
        return max(asked, self.effort, key=EFFORTS.index)


_CHECKS: dict[str, Check] = {}


def check(
    name: str,
    *,
    statement: str,
    laws: Sequence[str] = (),
    no_law: str = "",
    effort: str = "quick",
    expect: Expectation = PASS,
    demo: bool = False,
    compiles: float = 0.0,
    refutes: Sequence[str] = (),
    evidence: str | Mapping[str, str] = "simulation",
) -> Callable[
    [Callable[[Context], Iterable[Comparison]]], Callable[[Context], Iterable[Comparison]]
]:
    """Register a function as a check.

    Parameters
    ----------
    name : str
        ``theory.subject``, unique.
    statement : str
        What is tested, in one line.
    laws : sequence of str
        Names of the laws that are tested, as `scalinglaws.theory.laws` lists them: those whose exponent, constant, formula or
        regime is what is predicted, not those that lend a rival.
    no_law : str
        In place of `laws`, why none is tested. A check of the package gives one of the two, your own may leave out both.
    effort : {"quick", "full"}
        Least effort at which the check runs.
    expect : str or tuple of str
        ``"pass"`` (default), or ``("fail" | "inconclusive", reason, evidence)`` for a known, documented disagreement.
    demo : bool
        Whether ``scalinglaws verify --demo`` runs it: a fast check, one for each theory.
    compiles : float
        Seconds of compilation in a first run, roughly (``benchmarks/cold.py --kernels``). What compiles longest is begun first, so
        that workers do not compile the same kernels at the same time.
    refutes : sequence of str
        Names of laws of which another formula is in print (`Law.published`) that is the rival of one of the comparisons; such a
        rival's name has the word "published" in it. ``docs/errata.md`` lists the check as evidence.
    evidence : str or dict of str
        The best kind of evidence that the check brings for its laws: ``"simulation"`` (default), ``"data"``, ``"exact"``, where
        only our solver stands against the law, or ``"literature"``; a dictionary where it is not the same for all, with the
        laws that differ from the default. ``scalinglaws verify --evidence`` counts by it.

    Returns
    -------
    callable
        A decorator that returns the function unchanged.

    Raises
    ------
    DomainError
        If the name is taken, a law is not known, or the expectation or the evidence is not of this form.
    """
    if not isinstance(name, str):
        raise refusal("name", name, "must be a text")
    if name in _CHECKS:
        raise DomainError(
            f"a check named {name!r} is registered already", argument="name", value=name
        )
    choice("effort", effort, EFFORTS)
    flag("demo", demo)
    for argument, given in (("laws", laws), ("refutes", refutes)):
        if not isinstance(given, (list, tuple)):
            raise refusal(argument, given, "must be a sequence of names")
        for law in given:
            _known_law(law)
    if laws and no_law:
        raise refusal("no_law", no_law, "does not go with laws")
    documented = (
        isinstance(expect, tuple)
        and len(expect) == 3
        and expect[0] in (FAIL, INCONCLUSIVE)
        and all(expect)
    )
    if expect != PASS and not documented:
        raise DomainError(
            f"expect = {expect!r} must be 'pass' or ('fail' | 'inconclusive', reason, evidence)",
            argument="expect",
            value=expect,
        )

    instance("evidence", evidence, str, Mapping)
    differing = dict.fromkeys(laws, evidence) if isinstance(evidence, str) else dict(evidence)
    for law, kind in differing.items():
        choice("evidence", kind, EVIDENCE)
        if law not in laws:
            raise refusal("evidence", law, "must name laws that the check tests")
    brought = dict.fromkeys(laws, "simulation") | differing

    def register(
        function: Callable[[Context], Iterable[Comparison]],
    ) -> Callable[[Context], Iterable[Comparison]]:
        theory = name.split(".")[0]
        about = (tuple(laws), no_law, demo, compiles, tuple(refutes), brought)
        _CHECKS[name] = Check(name, theory, statement, effort, expect, function, *about)
        return function

    return register


def _known_law(law: str) -> None:
    known_name("law", law, CATALOGUE, "if it is new, run python tests/write_catalogue.py")


def theories() -> tuple[str, ...]:
    """List the theories: whatever has a module or a folder of checks, or a law whose name begins with it."""
    found = {*submodules(checks.__name__), *(law.split(".")[0] for law in CATALOGUE)}
    return tuple(sorted(found - set(NO_THEORY)))


@cache
def _load_shipped() -> None:
    for info in pkgutil.walk_packages(checks.__path__, f"{checks.__name__}."):
        import_module(info.name)


def registered() -> dict[str, Check]:
    """Return all registered checks by name."""
    _load_shipped()
    return dict(sorted(_CHECKS.items()))


def available() -> tuple[str, ...]:
    """List the names of all checks, in alphabetical order."""
    return tuple(registered())


def checks_of(law: str) -> tuple[str, ...]:
    """List the checks that test a law.

    Parameters
    ----------
    law : str
        Its name, as `scalinglaws.theory.laws` lists it.

    Returns
    -------
    tuple of str
        Names of checks, your own included, in alphabetical order; none where nothing tests the law.

    Raises
    ------
    DomainError
        If there is no such law.

    Examples
    --------
    >>> checks_of("linear.optimal_ridge")
    ('linear.optimal-ridge',)
    """
    _known_law(law)
    return tuple(name for name, entry in registered().items() if law in entry.laws)


def select(names: Sequence[str] | str | None, effort: str) -> list[Check]:
    """Choose checks by name, by theory, by pattern or by the law that they test.

    Parameters
    ----------
    names : sequence of str or None
        Names, leading parts of names (``"linear"``, ``"linear.data"``), shell patterns (``"linear.*"``), or names of laws, for
        the checks that test them; None for all.
    effort : {"quick", "full"}
        A quick run leaves out checks that need full effort, unless they are named in full; those run at full effort.

    Returns
    -------
    list of Check
        In alphabetical order.

    Raises
    ------
    DomainError
        If a name matches nothing.
    """
    choice("effort", effort, EFFORTS)
    known = registered()
    chosen: set[str] = set()
    if isinstance(names, (str, list, tuple)) and not names:
        raise DomainError("names is empty: give None for all checks", argument="names", value=names)
    listed = ["*"] if names is None else [names] if isinstance(names, str) else names
    if not isinstance(listed, (list, tuple, set, frozenset)):
        raise refusal("names", names, "must be a name or a sequence of names")
    for entry in listed:
        wanted = text("names", entry)
        found = {
            name
            for name, entry in known.items()
            if name == wanted
            or name.startswith(wanted + ".")
            or fnmatchcase(name, wanted)
            or wanted in entry.laws
        }
        if not found and wanted in CATALOGUE:
            raise refusal("names", wanted, f"{wanted} is a law that no check tests", named=False)
        if not found:
            raise unknown_name("check", wanted, known)
        chosen |= {
            name
            for name in found
            if name == wanted or effort == "full" or known[name].effort == "quick"
        }
    if not chosen:
        raise DomainError(
            f"{names} names only checks that need full effort; use effort='full'",
            argument="effort",
            value=effort,
        )
    return [known[name] for name in sorted(chosen)]


def run(
    names: Sequence[str] | str | None = None,
    effort: str = "quick",
    workers: int | MapLike = 1,
    rng: np.random.Generator | int = 0,
    *,
    resume: bool = False,
    folder: str | Path | None = None,
    on_done: Callable[[str], None] | None = None,
) -> Report:
    """Run checks and report on them.

    Parameters
    ----------
    names : sequence of str, optional
        Which checks, as for `select`; all by default.
    effort : {"quick", "full"}
        How large the simulations are. A check that exists at full effort only, and is named in full, runs at full effort in a
        quick run, too; its comparisons say so.
    workers : int or map-like
        Processes; the numbers do not depend on it.
    rng : int or Generator
        Root of all random streams.
    resume : bool
        Use what an earlier run has finished: of the same checks, effort and root, by the same version of everything.
    folder : str or Path, optional
        Where finished checks are kept, each written as soon as it ends, so that an interrupted run can be resumed;
        ``verify`` in the user's cache folder by default.
    on_done : callable, optional
        Called with the name of every check as it ends.

    Returns
    -------
    Report
        Every comparison made, in alphabetical order of checks.

    Raises
    ------
    DomainError
        If a name, the effort or the seed is not valid. A check that crashes does not raise: it is reported as an error.
    WorkerError
        If a worker process dies; what is finished is kept, and `resume` goes on from there.

    Examples
    --------
    >>> from scalinglaws import verify
    >>> verify.run(["linear.statics"]).as_expected
    True
    """
    flag("resume", resume)
    chosen = select(names, effort)
    if on_done is not None:
        function("on_done", on_done)
    place = default_folder() if folder is None else path("folder", folder)
    root = root_seed(rng)
    start = time.perf_counter()
    store = FinishedChecks(place)
    store.tidy()
    jobs = [
        _Job(entry, own, root, store, kept, store.pieces(kept, resume=resume))
        for entry in chosen
        for own in (entry.effort_at(effort),)
        for kept in (store.path(entry.name, entry.function, own, root),)
    ]
    finished = {
        job.entry.name: found
        for job in jobs
        if resume and (found := store.read(job.path)) is not None
    }
    todo = sorted(
        (job for job in jobs if job.entry.name not in finished),
        key=lambda job: -job.entry.compiles,
    )
    if on_done is not None:
        for name in finished:
            on_done(name)
    try:
        outcomes = run_many(
            _run_one,
            todo,
            workers=workers,
            on_done=None if on_done is None else lambda i: on_done(todo[i].entry.name),
        )
    except WorkerError as failure:
        finished |= {todo[i].entry.name: outcome for i, outcome in failure.finished.items()}
        complaint = str(failure).rpartition("; ")[0]
        raise WorkerError(
            f"{complaint}; {len(finished)} of {len(chosen)} checks are finished and kept: run again with resume=True "
            "(--resume) to go on from there",
            finished=finished,
        ) from failure
    finished |= {job.entry.name: outcome for job, outcome in zip(todo, outcomes, strict=True)}
    return Report(
        tuple(
            comparison if entry.effort_at(effort) == effort else _at_least_effort(entry, comparison)
            for entry in chosen
            for comparison in finished[entry.name].comparisons
        ),
        {entry.name: entry.statement for entry in chosen},
        root,
        effort,
        environment(
            time.perf_counter() - start,
            run_s=sum(entry.run_s for entry in finished.values()),
            compile_s=sum(entry.compile_s for entry in finished.values()),
        ),
        crashes=tuple(crash for entry in chosen for crash in finished[entry.name].crashes),
        seconds={
            entry.name: (finished[entry.name].run_s, finished[entry.name].compile_s)
            for entry in chosen
        },
    )


def _at_least_effort(entry: Check, comparison: Comparison) -> Comparison:
    """Say that a comparison was made at more effort than was asked for."""
    note = f"run at {entry.effort} effort, the least of {entry.name}"
    return replace(comparison, notes=(*comparison.notes, note))


@dataclass(frozen=True)
class _Job:
    entry: Check
    effort: str
    root: int
    store: FinishedChecks
    path: Path | None
    pieces: Path | None


def _run_one(job: _Job) -> Finished:
    """Run one check and keep what it found; a crash hides no comparison made before."""
    entry = job.entry
    expect, reason = (
        (entry.expect, None)
        if isinstance(entry.expect, str)
        else (entry.expect[0], "; ".join(entry.expect[1:]))
    )
    context = Context(entry.name, job.effort, job.root, job.pieces)
    start = time.perf_counter()
    found: list[Comparison] = []
    error = None
    with timed_compilation(job.store.folder) as compiled:
        try:
            for comparison in entry.function(context):
                # judged here, so that what cannot be judged is this check's error and not the report's
                comparison.outcome, comparison.rival_verdict  # noqa: B018
                found.append(comparison)
            if not found:
                error = "the check made no comparison"
        except Exception as failure:
            error = "".join(traceback.format_exception(failure)[-2:]).strip()
    seconds = time.perf_counter() - start - sum(compiled)
    share = seconds / (len(found) + (error is not None))
    crashes = () if error is None else (Crash(entry.name, error, expect, reason, share),)
    own = [
        comparison.expect != PASS for comparison in found
    ]  # a comparison may declare its own expectation
    comparisons = tuple(
        replace(comparison, wall_s=share)
        if declared
        else replace(comparison, expect=expect, expect_reason=reason, wall_s=share)
        for comparison, declared in zip(found, own, strict=True)
    )
    finished = Finished(comparisons, seconds, sum(compiled), crashes)
    job.store.write(job.path, finished)
    return finished

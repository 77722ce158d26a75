"""Write ``docs/evidence.md``: what stands behind every law, the rivals that were rejected, and known disagreements.

Run it as ``python tests/write_evidence.py`` after laws or checks have changed: it runs the quick checks, which takes a minute or two, and
keeps what they found of their rivals in ``tests/reference/evidence.json``. Reports of other runs are taken up along with them, as
``python tests/write_evidence.py report.json``, after ``scalinglaws verify NAMES --effort full --output report.json``; those of full effort
stay until another one replaces them. ``python tests/write_evidence.py --page`` runs nothing. It also writes what laws cite into
``docs/sources/index.md``.
"""

import ast
import inspect
import json
import re
import sys
from collections import Counter
from pathlib import Path

# of the checkout that this file belongs to, whichever is installed
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from scalinglaws import theory, verify
from scalinglaws.verify import evidence, registry
from scalinglaws.verify.rule import FAIL

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python tests/write_evidence.py"
PAGE = ROOT / "docs" / "evidence.md"
SOURCES = ROOT / "docs" / "sources" / "index.md"
MARK = f"<!-- papers: {COMMAND} -->"
FOUND = ROOT / "tests" / "reference" / "evidence.json"
KINDS = ("simulation", "data", "exact", "literature", "none")
SHOWN = 3  # rivals of a check in a table, so that a row can be read

HEAD = f"""# What stands behind each law

Every law of the package, the best evidence that a check brings for it, and the wrong alternatives that the same data reject.
[What a verdict means](verdicts.md) says how that is decided. `scalinglaws verify --evidence` prints the same on the command line, and
`scalinglaws verify NAME`, with the name of a law or a check, does it again. This page is written by `{COMMAND}`; a test
compares it with the laws and the checks."""

WORDS = """**Standing**
: *derived*: every step is checked by machine; *exact*: an identity; *asymptotic*: the leading order of a limit, stated, not derived;
  *heuristic*: an argument of scaling; *numerical*: read off a solver; *ansatz*: a form that people fit.

**Evidence**
: *simulation* or *data*: something that knows no theory agrees; *exact*: our own solver agrees, that is, both hold the same equation;
  *literature*: published numbers; *none*.

**Rivals**
: what the check would have found if a neighboring theory were right, in italics where the data reject it. Checks marked *full* are run by
  `scalinglaws verify NAME`, too, and take longer: seconds to minutes.

Names in the table of a theory are short: `linear.time` is `time` among the linear ones. Names with a point are whole.

A **known disagreement** is a comparison whose failure, or indecision, is declared in the source with its reason. A run in which one
disappears is not as expected, either."""


# -- what checks found of their rivals ----------------------------------------------------------------------------------


def summary(report):
    """Return what is kept of a report: for each check its effort, and in how many comparisons each rival was rejected."""
    known, found = registry.registered(), {}
    for entry in report.comparisons:
        kept = found.setdefault(
            entry.check,
            {
                "effort": known[entry.check].effort_at(report.effort),
                "comparisons": 0,
                "rivals": {},
                "disagreements": [],
            },
        )
        kept["comparisons"] += 1
        if entry.rival is not None:
            count = kept["rivals"].setdefault(entry.rival.name, [0, 0])
            count[0] += entry.rival_verdict == FAIL
            count[1] += 1
        if entry.expect != "pass":
            kept["disagreements"].append([part(entry), entry.expect, entry.expect_reason])
    return dict(sorted(found.items()))


def part(comparison):
    """Return a comparison's name within its check."""
    return comparison.id.removeprefix(f"{comparison.check}/")


def quick():
    """Name the package's checks that a quick run makes."""
    return [name for name, entry in shipped().items() if entry.effort == "quick"]


def shipped():
    """Return the checks that come with the package."""
    return {
        name: entry
        for name, entry in registry.registered().items()
        if entry.function.__module__.startswith("scalinglaws.")
    }


def merged(old, *summaries):
    """Join what runs found: the later one counts; what is old stays where it needs full effort."""
    known = shipped()
    joined = {
        name: kept for name, kept in old.items() if name in known and kept["effort"] == "full"
    }
    for found in summaries:
        joined.update(found)
    return dict(sorted(joined.items()))


def dumps(found):
    """Return the text of the file, a check a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(kept)}" for name, kept in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


# -- disagreements that sources declare ---------------------------------------------------------------------------------


def disagreements(name, found):
    """Return expected verdicts and reasons of a check: those of its last run, and those that its source declares."""
    check, listed = registry.registered()[name], {}
    if check.expect != "pass":
        verdict, reason, numbers = check.expect
        listed[f"{reason}; {numbers}"] = (verdict, [])
    for where, verdict, reason in found.get(name, {}).get("disagreements", ()):
        if check.expect == "pass":
            listed.setdefault(reason, (verdict, []))[1].append(where)
    for verdict, reason in declared(check):
        listed.setdefault(reason, (verdict, []))
    return [(verdict, reason, parts) for reason, (verdict, parts) in listed.items()]


def declared(check):
    """Read verdicts and reasons of single comparisons from the source of a check and of the functions that it calls.

    Full effort alone shows some of them, and the page is written without it.
    """
    module = sys.modules[check.function.__module__]
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.FunctionDef)
    }
    waiting, seen = [check.function.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        body = functions[name]
        waiting += [node.id for node in ast.walk(body) if isinstance(node, ast.Name)]
        for call in ast.walk(body):
            given = {entry.arg: entry.value for entry in getattr(call, "keywords", ())}
            if "expect_reason" in given:
                names = set(_names(given["expect"], body))
                verdict = "fail" if "FAIL" in names else "inconclusive"
                yield from (
                    (verdict, text) for text in _texts(given["expect_reason"], body, module)
                )


def _names(node, body):
    """Return the names in an expression, and those in what they were set to in the function."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
            yield from (
                inner.id
                for value in _set_to(part.id, body)
                for inner in ast.walk(value)
                if isinstance(inner, ast.Name)
            )


def _set_to(name, body):
    return [
        node.value
        for node in ast.walk(body)
        if isinstance(node, ast.Assign)
        and any(
            name in {part.id for part in ast.walk(target) if isinstance(part, ast.Name)}
            for target in node.targets
        )
    ]


def _texts(node, body, module):
    """Return the reasons that an expression can be: its texts, or those of the module's constants that it names."""
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if ast.unparse(node).startswith("'; '.join("):
        return ["; ".join(getattr(module, node.args[0].id))]
    found = []
    for name in _names(node, body):
        value = getattr(module, name, None)
        values = value.values() if isinstance(value, dict) else [value]
        found += [text for text in values if isinstance(text, str) and " " in text]
    return list(dict.fromkeys(found))


# -- the page -----------------------------------------------------------------------------------------------------------


def page(found):
    """Return the text of the page, from the declarations and what is kept of runs."""
    entries = evidence.laws_by_evidence()
    grouped = {}
    for entry in entries:
        grouped.setdefault(entry.law.split(".")[0], []).append(entry)
    blocks = [HEAD, counts(entries, grouped, found), WORDS]
    for name, group in grouped.items():
        blocks += section(name, group, found)
    return "\n\n".join(blocks) + "\n"


def counts(entries, grouped, found):
    """Return the sentence and the table at the top."""
    known = shipped()
    rivals = rejected(known, found)
    rows = [
        [
            f"[{words(name).capitalize()}](#{anchor(name)})",
            len(group),
            *(
                sum(entry.kind == kind for entry in group) or ""
                for kind in KINDS
                if any(entry.kind == kind for entry in entries)
            ),
            sum(check.theory == name for check in known.values()) or "",
            rejected(of(name), found) or "",
            sum(len(disagreements(check, found)) for check in of(name)) or "",
        ]
        for name, group in grouped.items()
    ]
    present = [kind for kind in KINDS if any(entry.kind == kind for entry in entries)]
    head = ["theory", "laws", *present, "checks", "rivals rejected", "known disagreements"]
    total = [
        "**all**",
        *(sum(row[column] or 0 for row in rows) for column in range(1, len(head))),
    ]
    standings = Counter(entry.standing for entry in entries)
    told = ", ".join(f"{count} {standing}" for standing, count in standings.most_common())
    away = [name for name, entry in known.items() if entry.effort == "full" and name not in found]
    return "\n\n".join(
        [
            f"{evidence.count_evidence(entries)}. By standing: {told}. {len(known)} checks, of which "
            f"{sum(entry.effort == 'full' for entry in known.values())} need full effort; in their last runs {rivals} rivals were "
            "rejected in every comparison that names them"
            + (f" ({len(away)} checks of full effort are not among these runs)." if away else "."),
            table(head, [*rows, total]),
        ]
    )


def of(name):
    """Name the checks of a theory."""
    return [check for check, entry in shipped().items() if entry.theory == name]


def rejected(names, found):
    """Count the rivals that were rejected wherever they stood."""
    return sum(
        count[0] == count[1]
        for name in names
        for count in found.get(name, {}).get("rivals", {}).values()
    )


def section(name, group, found):
    """Return the blocks of a theory."""
    yield f"## {words(name).capitalize()}"
    yield table(
        ["law", "standing", "evidence", "checks, and rivals that they reject"],
        [[law_cell(e.law), e.standing, e.kind, checks_cell(e.law, found)] for e in group],
    )
    without = {}
    for entry in group:
        if entry.reason:
            without.setdefault(entry.reason, []).append(entry.law)
    if without:
        yield "Why no simulation:"
        yield "\n".join(
            f"* {', '.join(f'`{law}`' for law in laws)}: {plain(reason)}."
            for reason, laws in without.items()
        )
    known = [(check, *entry) for check in of(name) for entry in disagreements(check, found)]
    if known:
        yield "Known disagreements:"
        yield "\n".join(
            f"* `{check}`{at(parts)}, expected {'to fail' if verdict == FAIL else 'to be inconclusive'}: {plain(reason)}."
            for check, verdict, reason, parts in known
        )


def at(parts):
    """Say which comparisons disagree."""
    return f" ({', '.join(f'`{part}`' for part in parts)})" if parts else ""


def law_cell(name):
    """Return a law's name, with what else is in print."""
    law = theory.law(name)
    differs = law.published is not None or law.misprints
    return f"`{short(name, name)}`" + (
        f"<br>[differs from print](errata.md#{anchor(name)})" if differs else ""
    )


def checks_cell(law, found):
    """Return the checks of a law, each with its kind of evidence where it is not a simulation, and its rivals."""
    lines = []
    for name in registry.checks_of(law):
        check = registry.registered()[name]
        if name not in shipped():
            continue
        marks = [
            *([] if check.evidence[law] == "simulation" else [check.evidence[law]]),
            *(["full"] if check.effort == "full" else []),
        ]
        rivals = [
            f"*{plain(rival)}*" if no == all_ else f"{plain(rival)} ({no} of {all_} times)"
            for rival, (no, all_) in found.get(name, {}).get("rivals", {}).items()
        ]
        more = [f"{len(rivals) - SHOWN} more"] if len(rivals) > SHOWN else []
        told = f": {'; '.join([*rivals[:SHOWN], *more])}" if rivals else ""
        marked = f" ({', '.join(marks)})" if marks else ""
        lines.append(f"`{short(name, law)}`{marked}{told}")
    return "<br>".join(lines) or "none"


def short(name, law):
    """Return a name without the theory of a law in front, if it is of that theory and has no other part."""
    theory, _, rest = name.partition(".")
    return rest if theory == law.split(".")[0] and "." not in rest else name


def papers(text):
    """Return the page of the sources with the table of what laws cite as it is now."""
    cited = {}
    for name in theory.laws():
        for source in theory.law(name).reference:
            cited.setdefault(source.key, (source, []))[1].append(name)
    rows = [
        [
            f"{plain(source.authors)}, *{plain(source.title)}* ({source.year}), {link(source)}<br>`{key}`",
            by_theory(laws),
        ]
        for key, (source, laws) in sorted(
            cited.items(), key=lambda entry: (-len(entry[1][1]), entry[0])
        )
    ]
    before, _, rest = text.partition(MARK)
    _, end, after = rest.partition("<!-- end -->")
    return (
        f"{before}{MARK}\n\n{table(['paper, and key', 'laws that cite it'], rows)}\n\n{end}{after}"
    )


def link(source):
    """Return the identifier of a source, with its address where it has one."""
    kind, _, number = source.identifier.partition(":")
    sites = {"arXiv": "https://arxiv.org/abs/", "doi": "https://doi.org/"}
    return f"[{source.identifier}]({sites[kind]}{number})" if kind in sites else source.identifier


def by_theory(laws):
    """Return names of laws without what they have in common."""
    groups = {}
    for name in laws:
        begin, _, rest = name.partition(".")
        groups.setdefault(begin, []).append(rest)
    return "<br>".join(f"`{begin}.` {plain(', '.join(group))}" for begin, group in groups.items())


def table(head, rows):
    """Return a table."""
    return "\n".join(
        "| " + " | ".join(str(cell) for cell in row) + " |"
        for row in [head, ["---"] * len(head), *rows]
    )


def plain(text):
    """Escape what Markdown would read as markup."""
    return re.sub(r"([\\*_<>$|])", r"\\\1", text.rstrip("."))


def words(name):
    """Return a theory's name as a heading."""
    return name.replace("_", " ")


def anchor(name):
    """Return the anchor of a heading as the site makes it."""
    return name.replace(".", "") if "." in name else name.replace("_", "-")


if __name__ == "__main__":
    kept = json.loads(FOUND.read_text(encoding="utf-8")) if FOUND.exists() else {}
    given = sys.argv[1:]
    if given != ["--page"]:
        reports = [
            verify.Report.from_json(Path(name).read_text(encoding="utf-8")) for name in given
        ]
        seen = {entry.check for report in reports for entry in report.comparisons}
        missing = [name for name in quick() if name not in seen]
        if missing:
            reports.append(verify.run(missing, rng=0))
        kept = merged(kept, *map(summary, reports))
        FOUND.write_text(dumps(kept), encoding="utf-8")
    PAGE.write_text(page(kept), encoding="utf-8")
    SOURCES.write_text(papers(SOURCES.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {PAGE} and the table of {SOURCES}")

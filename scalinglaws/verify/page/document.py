"""A report as one page for the browser: no network, no scripts, nothing beside the file itself."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from ..comparison import PASS, Comparison
from .figures import (
    GLYPHS,
    MEASURED,
    curve_axes,
    curve_figure,
    forest_figure,
    percent,
    shortened,
    tone,
)
from .style import STYLE
from .svg import MINUS, number_parts, number_text

if TYPE_CHECKING:
    from ..report import Report

_COLUMNS = (
    ("comparison", 15),
    ("prediction", 13),
    ("measured", 17),
    ("difference", 12),
    ("tolerance", 7),
    ("verdict", 11),
    ("rival", 13),
    ("runs", 4),
    ("window", 8),
)

_RULE = """<details class="rule"><summary>How to read the verdicts</summary>
<p>With <i>d</i> the difference between measurement and prediction, <i>s</i> its standard error and <i>q</i> the 95 % quantile of
Student’s t: <b class="pass">pass</b> if |<i>d</i>| + <i>q s</i> ≤ tolerance, <b class="fail">fail</b> if |<i>d</i>| − <i>q s</i> &gt;
tolerance, <b class="open">inconclusive</b> otherwise. A curve passes if every point does; it fails if some point fails after
correction for their number. A ranking passes if the claimed winner wins at level 5 %. Tolerances were fixed before the run, so noisy
data cannot pass. Intervals and bars show ± <i>q s</i>, or the numerical error of a deterministic computation; bands show the tolerance.
The same data must reject a wrong but plausible rival, or the comparison is no evidence.</p></details>"""


def report_page(report: Report) -> str:
    """Write a report as one self-contained HTML page, with a figure for every curve and an overview of every theory.

    Parameters
    ----------
    report : Report
        From a run, or read back.

    Returns
    -------
    str
        The page: styles and figures are inside it, light and dark, for screens of any width and for paper. The same report
        gives the same text.

    Examples
    --------
    >>> from scalinglaws import verify
    >>> page = report_page(verify.run(["linear.data.saturated"]))
    >>> page[:15], page.count("<svg"), "http" in page
    ('<!DOCTYPE html>', 1, False)
    """
    anchors = {
        id(comparison): f"c{number}"
        for number, comparison in enumerate(report.comparisons, start=1)
    }
    body = [
        _head(report),
        _unexpected(report, anchors),
        *_theories(report, anchors),
        _families(report),
        _disagreements(report, anchors),
        _remarks(report, anchors),
        _provenance(report),
        _references(report),
    ]
    title = f"scalinglaws verify, {report.effort} effort"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(title)}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(part for part in body if part)
        + "\n</main>\n</body>\n</html>\n"
    )


def _check_of(comparison: Comparison) -> str:
    return comparison.id.split("/")[0]


def _theory_of(comparison: Comparison) -> str:
    return comparison.id.split("/")[0].split(".")[0]


def _grouped(comparisons: Iterable[Comparison], by: Any) -> dict[str, list[Comparison]]:
    groups: dict[str, list[Comparison]] = {}
    for comparison in comparisons:
        groups.setdefault(by(comparison), []).append(comparison)
    return groups


def _badge(verdict: str, words: str | None = None) -> str:
    return f'<span class="badge {tone(verdict)}">{GLYPHS.get(verdict, "?")}&nbsp;{escape(words or verdict)}</span>'


def _link(comparison: Comparison, anchors: Mapping[int, str], name: str | None = None) -> str:
    return f'<a href="#{anchors[id(comparison)]}">{_breakable(name or comparison.id)}</a>'


def _breakable(name: str) -> str:
    """Let a long name break after its dots and slashes."""
    return re.sub(r"([./_])(?=.)", r"\1<wbr>", escape(name))


def _head(report: Report) -> str:
    counts = report.summary
    badges = " ".join(
        _badge(verdict, f"{counts[verdict]} {verdict}") for verdict in GLYPHS if counts.get(verdict)
    )
    if not report.comparisons:
        badges = '<span class="badge open">nothing compared</span>'
    if counts.get("non_discriminating"):
        badges += f' <span class="badge open">{counts["non_discriminating"]} without power to reject their rival</span>'
    ending = (
        '<strong class="pass">every verdict as expected</strong>'
        if report.as_expected
        else f'<strong class="fail">{counts["unexpected"]} NOT AS EXPECTED</strong>'
    )
    facts = [
        f"scalinglaws {report.environment.get('version', '')}".strip(),
        f"{report.effort} effort",
        f"seed {report.seed_root}",
    ]
    facts.append(report.created)
    theories = _grouped(report.comparisons, _theory_of)
    links = "".join(
        f'<li><a href="#t{number}">{escape(name)}</a></li>'
        for number, name in enumerate(theories, start=1)
    )
    rest = (
        ("families", bool(report.families)),
        ("disagreements", any(c.expect != PASS for c in report.comparisons)),
        ("provenance", True),
    )
    links += "".join(f'<li><a href="#{name}">{name}</a></li>' for name, there in rest if there)
    count = len(report.comparisons)
    return (
        f'<header>\n<h1>Theory against measurement</h1>\n<p class="facts">{escape(" · ".join(facts))}</p>\n'
        f'<p class="summary"><span class="count">{count} comparison{"" if count == 1 else "s"}</span> {badges} {ending}</p>\n'
        f'<nav aria-label="Sections"><ul>{links}</ul></nav>\n{_RULE}\n</header>'
    )


def _unexpected(report: Report, anchors: Mapping[int, str]) -> str:
    found = [comparison for comparison in report.comparisons if not comparison.as_expected]
    if not found:
        return ""
    items = "".join(
        f"<li>{_badge(c.verdict)} {_link(c, anchors)}: expected {escape(c.expect)}</li>"
        for c in found
    )
    return f'<section class="alarm">\n<h2>Not as expected</h2>\n<ul class="plain">{items}</ul>\n</section>'


def _theories(report: Report, anchors: Mapping[int, str]) -> Iterable[str]:
    number = 0
    for place, (theory, comparisons) in enumerate(
        _grouped(report.comparisons, _theory_of).items(), start=1
    ):
        checks = _grouped(comparisons, _check_of)
        overview, sections = [], []
        for name, members in checks.items():
            number += 1
            short = name.removeprefix(theory + ".")
            statement = report.statements.get(name, "")
            signs = "".join(
                f'<a class="sign {tone(c.verdict)}" href="#{anchors[id(c)]}" title="{escape(f"{c.id}: {c.verdict}")}">'
                f"{GLYPHS.get(c.verdict, '?')}</a>"
                for c in members
            )
            overview.append(
                f'<li><a href="#k{number}">{_breakable(short)}</a> <span class="signs">{signs}</span><br>'
                f'<span class="minor">{escape(statement)}</span></li>'
            )
            sections.append(_check_section(name, statement, members, anchors, f"k{number}"))
        forests = "".join(_forests(theory, comparisons, anchors))
        yield (
            f'<section id="t{place}">\n<h2>{escape(theory)}</h2>\n<div class="overview">\n<div>{forests}</div>\n'
            f'<ul class="plain checks">{"".join(overview)}</ul>\n</div>\n'
            + "\n".join(sections)
            + "\n</section>"
        )


def _forests(
    theory: str, comparisons: Sequence[Comparison], anchors: Mapping[int, str]
) -> Iterable[str]:
    """Draw what is a difference, and apart from it rankings: their numbers are advantages."""
    rankings = [
        c for c in comparisons if c.prediction is not None and c.prediction.kind == "ranking"
    ]
    others = [c for c in comparisons if c not in rankings]
    what = (
        (others, "measured minus predicted, in units of the tolerance"),
        (rankings, "advantage of the first, in units of the tolerance (band: a tie)"),
    )
    for members, axis_name in what:
        entries = []
        for c in members:
            worst = (
                ", worst point" if c.prediction is not None and c.prediction.kind == "curve" else ""
            )
            entries.append((c.id.removeprefix(theory + ".") + worst, anchors[id(c)], c))
        if entries:
            verdicts = ", ".join(f"{name} {c.verdict}" for name, _, c in entries)
            yield f'<figure class="drawing">{forest_figure(entries, f"{theory}: {axis_name}. {verdicts}", axis_name)}</figure>'


def _check_section(
    name: str, statement: str, members: Sequence[Comparison], anchors: Mapping[int, str], key: str
) -> str:
    seconds = sum(comparison.wall_s for comparison in members)
    widths = "".join(f'<col style="width:{width}%">' for _, width in _COLUMNS)
    header = "".join(f'<th scope="col">{title}</th>' for title, _ in _COLUMNS)
    rows = "\n".join(_row(comparison, name, anchors[id(comparison)]) for comparison in members)
    figures = "".join(
        _curve(c, anchors[id(c)])
        for c in members
        if c.outcome is not None and c.prediction and c.prediction.kind == "curve"
    )
    return (
        f'<article id="{key}">\n<h3>{_breakable(name)} <span class="minor">{_duration(seconds)}</span></h3>\n'
        + (f"<p>{escape(statement)}</p>\n" if statement else "")
        + f'<div class="scroll" tabindex="0" role="region" aria-label="{escape(name)}: comparisons"><table class="wide">'
        f"<colgroup>{widths}</colgroup><thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n"
        + (f'<div class="figures">{figures}</div>\n' if figures else "")
        + "</article>"
    )


def _curve(comparison: Comparison, anchor: str) -> str:
    outcome = comparison.outcome
    assert comparison.prediction is not None
    assert outcome is not None
    caption = f"<b>{escape(comparison.prediction.name)}</b> {_badge(comparison.verdict)}"
    own = comparison.id.partition("/")[2]
    caption += f'<br><span class="minor">{escape(own)}</span>' if own else ""
    if outcome.worst is not None:
        x = comparison.prediction.x
        x_name = curve_axes(comparison)[0]
        where = (
            f"{x_name} {outcome.worst + 1}"
            if x is None
            else f"{x_name} = {number_text(float(np.asarray(x)[outcome.worst]))}"
        )
        caption += f'<span class="minor">{", " if own else "<br>"}worst at {escape(where)}: {_relative(outcome.difference)}</span>'
    return f'<figure class="drawing">{curve_figure(comparison, f"{anchor}-figure")}<figcaption>{caption}</figcaption></figure>'


def _row(comparison: Comparison, check: str, anchor: str) -> str:
    own = comparison.id.removeprefix(check).removeprefix("/") or comparison.id
    outcome, predicted, measured = comparison.outcome, comparison.prediction, comparison.measurement
    verdict = _badge(comparison.verdict)
    if not comparison.as_expected:
        verdict += f'<br><strong class="fail">expected {escape(comparison.expect)}</strong>'
    elif comparison.expect != PASS:
        verdict += '<br><span class="minor">as expected</span>'
    if outcome is None or predicted is None or measured is None:
        message = escape(
            shortened(((comparison.error or "").strip().splitlines() or [""])[-1], 200)
        )
        rest = f'<td colspan="4">{message}</td><td>{verdict}</td><td colspan="3"></td>'
        return f'<tr id="{anchor}"><th scope="row">{_breakable(own)}</th>{rest}</tr>'
    low, high = measured.window
    window = (
        "–<wbr>".join(number_html(end, 2 if end >= 1e5 else 4) for end in (low, high))
        if low < high
        else "—"
    )
    cells = [
        _prediction(comparison) + f'<br><span class="minor">{_breakable(predicted.source)}</span>',
        _measured(comparison) + f'<br><span class="minor">{escape(measured.method)}</span>',
        _difference(comparison),
        f"±&nbsp;{number_html(comparison.tolerance)}"
        if comparison.tolerance_kind == "absolute"
        else f"±&nbsp;{_relative_size(comparison)}",
        verdict + f'<br><span class="minor">{_evidence(comparison)}</span>',
        _rival(comparison),
        str(measured.n_rep),
        window,
    ]
    quantity = f'<br><span class="minor">{escape(predicted.name)}</span>'
    return (
        f'<tr id="{anchor}"><th scope="row">{_breakable(own)}{quantity}</th>'
        + "".join(f"<td>{cell}</td>" for cell in cells)
        + "</tr>"
    )


def _counted(number: int) -> str:
    return f"{number} point{'' if number == 1 else 's'}"


def _prediction(comparison: Comparison) -> str:
    predicted = comparison.prediction
    assert predicted is not None
    if predicted.kind == "curve":
        return _counted(np.size(predicted.value))
    value = float(predicted.value)
    if predicted.kind == "ranking":
        return (
            "the first is better" if value > 0 else "the second is better" if value < 0 else "a tie"
        )
    return uncertain_html(value, predicted.se) if predicted.se > 0 else number_html(value, 6)


def _measured(comparison: Comparison) -> str:
    measured = comparison.measurement
    assert measured is not None
    if comparison.prediction is not None and comparison.prediction.kind == "curve":
        return _counted(np.size(measured.value))
    return uncertain_html(float(measured.value), float(measured.se))


def _difference(comparison: Comparison) -> str:
    outcome = comparison.outcome
    assert outcome is not None
    low, high = outcome.interval
    if outcome.worst is not None:
        return f'{_relative(outcome.difference)} at worst<br><span class="minor">{_relative(low)} to {_relative(high)}</span>'
    reach = max((high - low) / 2, 1e-300)
    shown = [_decimal(value, reach) for value in (outcome.difference, low, high)]
    return f'{shown[0]}<br><span class="minor">{shown[1]} to {shown[2]}</span>'


def _decimal(value: float, reach: float) -> str:
    """Write a signed number to the second digit of its uncertainty; a tiny one with a power of ten."""
    decimals = max(1 - math.floor(math.log10(reach)), 0)
    if decimals > 6 or abs(value) >= 1e5:
        return ("+" if value > 0 else "") + number_html(value, 2)
    return f"{value:+.{decimals}f}".replace("-", MINUS)


def _relative(share: float) -> str:
    return ("+" if share > 0 else "") + percent(share, 2 if abs(share) < 1 else 3)


def _relative_size(comparison: Comparison) -> str:
    return percent(comparison.tolerance)


def _evidence(comparison: Comparison) -> str:
    return (
        "published, no evidence for the code"
        if comparison.evidence == "literature"
        else MEASURED.get(comparison.evidence, comparison.evidence)
    )


def _rival(comparison: Comparison) -> str:
    rival = comparison.rival
    if rival is None:
        return '<span class="open">none</span>'
    shown = f" = {number_html(float(rival.value))}" if np.ndim(rival.value) == 0 else ""
    rejected = (
        f'<span class="pass">{GLYPHS[PASS]}&nbsp;rejected</span>'
        if comparison.discriminating
        else f'<strong class="open">NOT rejected ({escape(str(comparison.rival_verdict))})</strong>'
    )
    return f'{rejected}<br><span class="minor">{escape(rival.name)}{shown}</span>'


def number_html(value: float, digits: int = 4) -> str:
    """Write a number for HTML, its power of ten raised.

    Examples
    --------
    >>> number_html(2.5e-7), number_html(1e8), number_html(float("inf"))
    ('<span class="n">2.5·10<sup>−7</sup></span>', '<span class="n">10<sup>8</sup></span>', '∞')
    """
    mantissa, power = number_parts(value, digits)
    if power is None:
        return mantissa
    head = {"1": "", MINUS + "1": MINUS}.get(mantissa, mantissa + "·")
    return f'<span class="n">{head}10<sup>{str(power).replace("-", MINUS)}</sup></span>'


def uncertain_html(value: float, se: float) -> str:
    """Write a number with its error, to the second digit of the error.

    Examples
    --------
    >>> uncertain_html(2.95873, 0.0142), uncertain_html(5.0, 0.0)
    ('2.959 ±&nbsp;0.014', '5 ±&nbsp;0')
    """
    decimals = 1 - math.floor(math.log10(se)) if se > 0 else 99
    if 0 <= decimals <= 6 and abs(value) < 1e6:
        return f"{value:.{decimals}f}".replace("-", MINUS) + f" ±&nbsp;{se:.{decimals}f}"
    return f"{number_html(value, 7)} ±&nbsp;{number_html(se, 1)}"


def _duration(seconds: float) -> str:
    return (
        "below 0.1&nbsp;s"
        if seconds < 0.1
        else f"{seconds:.1f}&nbsp;s"
        if seconds < 10
        else f"{seconds:.0f}&nbsp;s"
    )


def _families(report: Report) -> str:
    families = report.families
    if not families:
        return ""
    rows = []
    for entry in families:
        ratio = "" if entry.ratio is None else uncertain_html(*entry.ratio[:2])
        chance = (
            f"p&nbsp;=&nbsp;{number_html(entry.p, 2)}"
            if entry.p > 1e-12
            else f"p&nbsp;&lt;&nbsp;{number_html(1e-12)}"
        )
        cells = [
            str(len(entry.members)),
            f"{entry.chi2:.1f} on {entry.df}, {chance}",
            uncertain_html(*entry.bias),
            ratio,
            ", ".join(map(_breakable, entry.failures)) or "none",
            ", ".join(map(_breakable, entry.detectable)) or "none",
        ]
        rows.append(
            f'<tr><th scope="row">{_breakable(entry.name)}</th>'
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
        )
    header = (
        "family",
        "members",
        "chi-square",
        "common difference",
        "common ratio",
        "failures that stand",
        "detectable differences",
    )
    return (
        '<section id="families">\n<h2>Families</h2>\n<p>Numbers with standard errors, judged together: simulations by theory, published '
        "numbers by check. Failures and detectable differences are those that stand after Holm’s correction at 5 %; a difference can be "
        "detectable and still within tolerance.</p>\n"
        '<div class="scroll" tabindex="0" role="region" aria-label="Families"><table><thead><tr>'
        + "".join(f'<th scope="col">{title}</th>' for title in header)
        + "</tr></thead>\n<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>\n</section>"
    )


def _disagreements(report: Report, anchors: Mapping[int, str]) -> str:
    found = [comparison for comparison in report.comparisons if comparison.expect != PASS]
    if not found:
        return ""
    rows = "\n".join(
        f'<tr><th scope="row">{_link(c, anchors)}</th><td>{_badge(c.verdict)}</td><td>{escape(c.expect)}</td>'
        f"<td>{escape(c.expect_reason or 'no reason given')}</td><td>{_evidence(c)}</td></tr>"
        for c in found
    )
    header = "".join(
        f'<th scope="col">{title}</th>'
        for title in ("comparison", "verdict", "expected", "reason", "kind of evidence")
    )
    return (
        '<section id="disagreements">\n<h2>Known disagreements</h2>\n<p>Documented before the run; a pass would be a surprise.</p>\n'
        '<div class="scroll" tabindex="0" role="region" aria-label="Known disagreements"><table>'
        f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>\n</section>"
    )


def _remarks(report: Report, anchors: Mapping[int, str]) -> str:
    errors = "".join(
        f"<li>{_badge(c.verdict)} {_link(c, anchors)}<pre>{escape(c.error)}</pre></li>"
        for c in report.comparisons
        if c.error
    )
    notes = "".join(
        f"<li>{_link(c, anchors)}: {escape(note)}</li>"
        for c in report.comparisons
        for note in c.notes
    )
    left_out = [c for c in report.comparisons if c.excluded]
    total = sum(c.excluded for c in left_out)
    where = ", ".join(f"{_link(c, anchors)} ({c.excluded})" for c in left_out)
    excluded = f"Outside the domain of a theory, hence not judged: {_counted(total)}, in {where}."
    parts = [f'<h3>Errors</h3>\n<ul class="plain">{errors}</ul>'] if errors else []
    parts += [f'<h3>Notes</h3>\n<ul class="notes">{notes}</ul>'] if notes else []
    parts.append(f"<h3>Exclusions</h3>\n<p>{excluded if total else 'No point was left out.'}</p>")
    return '<section id="remarks">\n<h2>Remarks</h2>\n' + "\n".join(parts) + "\n</section>"


def _provenance(report: Report) -> str:
    rows = [
        ("seed root", str(report.seed_root)),
        ("effort", report.effort),
        ("created", report.created),
    ]
    rows += [(str(key), _plain(value)) for key, value in report.environment.items()]
    body = "\n".join(
        f'<tr><th scope="row">{escape(key)}</th><td>{escape(value)}</td></tr>'
        for key, value in rows
    )
    return f'<section id="provenance">\n<h2>Provenance</h2>\n<div class="scroll"><table class="facts">\n{body}\n</table></div>\n</section>'


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_plain, value))
    return str(value)


def _references(report: Report) -> str:
    sources = dict.fromkeys(
        c.prediction.source for c in report.comparisons if c.prediction is not None
    )
    named = {source: re.match(r"[a-z]\w*(\.\w+)+", source) for source in sources}
    if not any(named.values()):
        return ""
    from ... import theory
    from ...theory.references import bibtex_of

    known = set(theory.laws())
    laws = {
        found.group(): theory.law(found.group())
        for found in named.values()
        if found and found.group() in known
    }
    if not laws:
        return ""
    items = "".join(
        f"<li><b>{_breakable(name)}</b>: {escape(law.statement)}"
        f'<br><span class="minor">{escape("; ".join(map(str, law.reference)))}</span></li>'
        for name, law in laws.items()
    )
    used = {entry.key: entry for law in laws.values() for entry in law.reference}
    used |= {
        law.published.reference.key: law.published.reference
        for law in laws.values()
        if law.published is not None
    }
    entries = "\n\n".join(map(bibtex_of, used.values()))
    return (
        f'<section id="references">\n<h2>Laws compared, and their sources</h2>\n<ul class="notes">{items}</ul>\n'
        f"<details><summary>BibTeX, {len(used)} {'entry' if len(used) == 1 else 'entries'}</summary>\n<pre>{escape(entries)}</pre>"
        "</details>\n</section>"
    )

"""The page: well-formed, complete, escaped, self-contained, and drawn to scale."""

import math
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from scalinglaws.verify import Comparison, Crash, Measurement, Prediction, Report, Rival
from scalinglaws.verify.page.figures import curve_figure, forest_figure, in_tolerances
from scalinglaws.verify.rule import quantile

VOID = {"meta", "br", "wbr", "col"}
Q = float(quantile(0.95, 9))


class _Reader(HTMLParser):
    """Checks the balance of tags, and collects words, attributes and the text of each kind of element."""

    def __init__(self):
        super().__init__()
        self.open, self.words, self.attributes, self.wrong, self.inside = [], [], [], [], {}

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += attrs

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append((tag, self.getpos()))

    def handle_data(self, data):
        self.words.append(data)
        for tag in set(self.open):
            self.inside.setdefault(tag, []).append(data)


def _read(page):
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.wrong == []
    assert reader.open == []
    return reader


def _svgs(page):
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, flags=re.S)]


def _curve(
    name,
    x,
    predicted,
    ratio,
    relative_error,
    *,
    rival=2.0,
    tolerance=0.05,
    quantity="loss against time",
    **other,
):
    p = np.asarray(predicted, float)
    return Comparison(
        name,
        Prediction(
            quantity,
            "curve",
            p,
            "solver",
            x=None if x is None else np.asarray(x, float),
            domain={"time": (1.0, math.inf)},
        ),
        Measurement(
            p * ratio,
            np.abs(p) * relative_error * np.ones(p.size),
            9,
            10,
            "mean of ten",
            (1.0, math.inf),
        ),
        tolerance,
        rival=Rival("twice as much", rival * p),
        **other,
    )


def _number(name, value, se=0.02, *, kind="exponent", predicted=2.0, **other):
    return Comparison(
        name,
        Prediction("exponent g", kind, predicted, "linear.time: t^-beta"),
        Measurement(value, se, 9, 10, "fit", (10.0, 1e8)),
        0.1,
        **{"rival": Rival("wrong", -5.0), **other},
    )


TIMES = [1, 10, 100, 1000]
SPECIMENS = (
    _curve(
        "a.curve/decades", TIMES, [1, 0.1, 0.01, 0.001], np.array([1.0, 1.02, 0.99, 1.01]), 0.004
    ),
    _curve(
        "a.curve/ends", [0, 1, 10, 100, math.inf], [2, 1, 0.5, 0.3, 0.2], 1.01, 0.004, excluded=3
    ),
    _curve("a.curve/far", TIMES, [1, 0.1, 0.01, 0.001], np.array([1.0, 2.0, 0.2, 1.01]), 0.004),
    _curve("a.curve/noisy", TIMES, [1, 0.1, 0.01, 0.001], 1.0, 0.25, rival=1.2),
    _curve("a.curve/negative", [-1, 0, 1], [-2, 1, 3], 1.01, 0.004),
    _curve("a.curve/without-x", None, [2, 1], 1.0, 0.004, quantity="loss"),
    _curve("a.curve/point", [3], [5], 1.0, 0.004),
    _number("a.numbers/pass", 2.01, notes=("a remark <b> & \"q\" 'r'",)),
    _number("a.numbers/fail", 2.9),
    _number("a.numbers/noisy", 2.0, 0.2),
    _number("a.numbers/known", 2.2, expect="fail", expect_reason="because; a figure"),
    _number("b.rank/winner", 0.3, kind="ranking", predicted=1.0, rival=Rival("the other", -1.0)),
    _number("b.rank/tie", 0.01, kind="ranking", predicted=0.0, rival=None),
    _number('b.<x>&"y"/<z>', 2.0, evidence="literature"),
)
CRASH = Crash("b.crash", "  File, line 3\n    1 < 2 & 3\nValueError: no <b>luck</b>")


@pytest.fixture
def report():
    environment = {
        "version": "0.1",
        "numpy": None,
        "wall_s": 1.5,
        "compile_s": 2.25,
        "kernels": {"a": 1, "b": [2, 3]},
    }
    return Report(
        SPECIMENS,
        {"a.curve": "falls as <t>"},
        7,
        "quick",
        environment,
        created="2020-01-01T00:00:00+00:00",
        crashes=(CRASH,),
    )


def test_well_formed_and_self_contained(report):
    page = report.to_html()
    reader = _read(page)
    assert {svg.get("role") for svg in _svgs(page)} == {"img"}
    assert all(svg[0].tag == "title" and svg[0].text for svg in _svgs(page))
    loads = [
        value
        for name, value in reader.attributes
        if name in ("src", "href", "srcset", "data", "action", "style")
    ]
    assert all(value.startswith(("#", "width:")) for value in loads)
    assert set(re.findall(r"url\(.", page)) == {"url(#"}
    assert "http" not in page
    assert "@import" not in page
    assert "<script" not in page
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page
    assert ("name", "viewport") in reader.attributes
    for anchor in (value[1:] for name, value in reader.attributes if name == "href"):
        assert [value for name, value in reader.attributes if name == "id"].count(anchor) == 1


def test_ids_are_unique(report):
    ids = [value for name, value in _read(report.to_html()).attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_every_comparison_has_a_row_and_a_place_in_an_overview(report):
    page = report.to_html()
    rows = "".join(_read(page).inside["th"])
    forests = " ".join(
        title.text
        for svg in _svgs(page)
        if "forest" in svg.get("class")
        for title in svg.iter("title")
    )
    for number, comparison in enumerate(report.entries, start=1):
        assert f'<tr id="c{number}">' in page
        assert comparison.id.split("/")[-1] in rows
        assert f"{comparison.id.partition('.')[2]}" in forests.replace(", worst point", "")
    curves = {svg.get("id") for svg in _svgs(page) if "forest" not in svg.get("class")}
    assert curves == {
        f"c{n}-figure" for n, c in enumerate(report.comparisons, 1) if c.prediction.kind == "curve"
    }


def test_sections_say_what_the_report_says(report):
    page = report.to_html()
    words = "".join(_read(page).words)
    counts = report.summary
    assert f"{counts['unexpected']} NOT AS EXPECTED" in words
    for verdict in ("pass", "fail", "inconclusive", "error"):
        assert f"{counts[verdict]} {verdict}" in words
    for text in (
        "falls as <t>", "a remark <b> & \"q\" 'r'", "ValueError: no <b>luck</b>", "because; a figure", "NOT rejected", "mean of ten",
        "compile_s", "2.25", "a: 1, b: 2, 3", "the first is better", "a tie", "published, no evidence for the code",
        "a.curve/ends (3)", "2020-01-01", "<x>&\"y\"/<z>",
    ):  # fmt: skip
        assert text in words
    assert "1 < 2 & 3" in "".join(_read(page).inside["pre"])
    assert "@misc{bordelon2024dynamical," in "".join(
        _read(page).inside["pre"]
    )  # the source of linear.time
    assert "<b>luck" not in page
    assert "<z>" not in page


def test_only_known_disagreements_are_listed_as_such(report):
    section = report.to_html().split('<section id="disagreements">')[1].split("</section>")[0]
    assert "a.<wbr>numbers/<wbr>known" in section
    assert section.count("<tr>") == 2


def test_a_good_report_raises_no_alarm(report):
    page = replace(report, comparisons=(SPECIMENS[7],), crashes=()).to_html()
    assert "every verdict as expected" in page
    assert "Not as expected" not in page
    assert "disagreements" not in page
    assert "No point was left out" in page


def test_a_report_of_nothing_and_of_an_error():
    empty = Report((), {}, 0, "quick", {}, created="").to_html()
    assert "nothing compared" in "".join(_read(empty).words)
    assert "<svg" not in empty
    crashed = Report((), {}, 0, "quick", {}, created="", crashes=(Crash("c.check", ""),))
    words = "".join(_read(crashed.to_html()).words)
    assert "1 error" in words
    assert "0 comparisons" in words
    assert "nothing compared" not in words


class _Underpowered(Comparison):
    verdict = "underpowered"


def test_underpowered_looks_inconclusive():
    refused = _Underpowered(
        **{name: getattr(SPECIMENS[9], name) for name in Comparison.__dataclass_fields__}
    )
    page = Report((refused,), {}, 0, "quick", {}, created="").to_html()
    assert "1 underpowered" in "".join(_read(page).words)
    assert '<span class="badge open">?&nbsp;underpowered</span>' in page
    assert {"mark open", "bar open", "end open"} <= {
        node.get("class") for node in _svgs(page)[0].iter()
    }


def test_theory_is_not_asked_for_sources_of_no_law(report):
    page = replace(report, comparisons=SPECIMENS[:1]).to_html()
    assert "BibTeX" not in page


def test_same_report_same_text(report):
    again = replace(report, comparisons=tuple(replace(entry) for entry in SPECIMENS))
    assert report.to_html() == again.to_html()


def test_real_checks_fit_a_small_page(shared_report):
    page = shared_report(["linear.statics", "manifold", "perceptron.published-exponents"]).to_html()
    _read(page)
    assert len(_svgs(page)) == 7
    assert len(page) < 100_000


@pytest.mark.parametrize(
    "comparison",
    [entry for entry in SPECIMENS if entry.prediction.kind == "curve"],
)
def test_curves_are_small_and_stay_within_their_frame(comparison):
    text = curve_figure(comparison, "k")
    assert len(text) < 20_000
    svg = ElementTree.fromstring(text)
    assert len(_data(svg)) == np.size(comparison.prediction.value)
    width, height = map(float, svg.get("viewBox").split()[2:])
    for circle in svg.iter("circle"):
        assert 0 < float(circle.get("cx")) < width
        assert 0 < float(circle.get("cy")) < height


def test_twenty_points_are_small_too():
    x = np.logspace(0, 9, 20)
    assert len(curve_figure(_curve("a.b/c", x, x**-0.7, 1.001, 0.004), "k")) < 20_000


def _of(svg, tag, kind):
    return [node for node in svg.iter(tag) if (node.get("class") or "").split()[:1] == [kind]]


def _data(svg):
    """Return the points of the upper panel, not the one of the legend."""
    (group,) = svg.iter("g")
    return [(float(c.get("cx")), float(c.get("cy"))) for c in group.iter("circle")]


def _path(node):
    return [tuple(map(float, pair.split())) for pair in node.get("d")[1:].split("L")]


def test_upper_panel_is_to_scale():
    p, ratio, error = np.array([1, 0.1, 0.01, 0.001]), np.array([1.0, 1.3, 0.6, 1.01]), 0.04
    svg = ElementTree.fromstring(curve_figure(_curve("a.b/c", TIMES, p, ratio, error), "k"))
    (group,) = svg.iter("g")
    theory, rival = (_path(_of(group, "path", kind)[0]) for kind in ("theory", "rival"))
    decade = theory[1][1] - theory[0][1]
    assert decade > 20
    assert np.diff([x for x, _ in theory]) == pytest.approx(
        [theory[1][0] - theory[0][0]] * 3, abs=0.03
    )
    assert np.diff([y for _, y in theory]) == pytest.approx([decade] * 3, abs=0.03)
    data = _data(svg)
    for (x, y), (x_data, y_data), r, (_, y_rival) in zip(theory, data, ratio, rival, strict=True):
        assert x_data == pytest.approx(x, abs=0.01)
        assert y_data == pytest.approx(y - decade * math.log10(r), abs=0.03)
        assert y_rival == pytest.approx(y - decade * math.log10(2), abs=0.03)
    ends = re.findall(r"M(\S+) (\S+)V([^M]+)", _of(group, "path", "bar")[0].get("d"))
    for (x, _), r, (at, low, high) in zip(theory, ratio, ends, strict=True):
        assert float(at) == pytest.approx(x, abs=0.01)
        assert float(low) - float(high) == pytest.approx(
            decade * math.log10((r + Q * error) / (r - Q * error)), abs=0.03
        )
    # ticks: the label of a power of ten stands at its place
    labels = {"".join(node.itertext()): node for node in svg.iter("text")}
    assert float(labels["10−1"].get("y")) - 4 == pytest.approx(theory[1][1], abs=0.03)
    assert float(labels["102"].get("x")) == pytest.approx(theory[2][0], abs=0.03)


def _residual_panel(comparison):
    svg = ElementTree.fromstring(curve_figure(comparison, "k"))
    band = _of(svg, "rect", "band")[0]
    top, half = float(band.get("y")), float(band.get("height")) / 2
    return svg, top + half, half


def test_residual_panel_is_to_scale_and_colored_by_the_rule():
    tolerance, error = 0.04, 0.01
    deviation = np.array([0.0, 0.03, -0.08, 0.02])
    svg, zero, half = _residual_panel(
        _curve("a.b/c", TIMES, [1, 0.1, 0.01, 0.001], 1 + deviation, error, tolerance=tolerance)
    )
    line = next(node for node in _of(svg, "path", "theory") if node.get("class") == "theory thin")
    assert float(re.match(r"M\S+ (\S+)H", line.get("d"))[1]) == pytest.approx(zero, abs=0.06)
    disks = [node for node in svg.iter("circle") if (node.get("class") or "").startswith("mark")]
    assert [node.get("class") for node in disks] == ["mark pass", "mark open", "mark pass"]
    for node, e in zip(disks, deviation[[0, 1, 3]], strict=True):
        assert zero - float(node.get("cy")) == pytest.approx(half * e / tolerance, abs=0.02)
    (diamond,) = [node for node in svg.iter("path") if node.get("class") == "mark fail"]
    heights = [float(y) for y in re.findall(r" (-?[\d.]+)", diamond.get("d"))]
    assert zero - (min(heights) + max(heights)) / 2 == pytest.approx(
        half * -0.08 / tolerance, abs=0.02
    )
    bars = [
        node
        for node in svg.iter("path")
        if re.match("bar (pass|open|fail)", node.get("class") or "")
    ]
    for node, e in zip(bars, deviation, strict=True):
        low, high = map(float, re.fullmatch(r"M\S+ (\S+)V(\S+)", node.get("d")).groups())
        assert zero - low == pytest.approx(half * (e - Q * error) / tolerance, abs=0.02)
        assert zero - high == pytest.approx(half * (e + Q * error) / tolerance, abs=0.02)


def test_deviations_far_away_become_arrows():
    svg, zero, half = _residual_panel(SPECIMENS[2])
    arrows = [node.get("d") for node in svg.iter("path") if node.get("class") == "mark fail"]
    tips = [float(re.match(r"M\S+ (\S+?)L", d)[1]) for d in arrows]
    assert [zero - tip for tip in tips] == pytest.approx([5 * half, -5 * half], abs=0.03)


def test_zero_and_infinity_have_places_of_their_own():
    svg = ElementTree.fromstring(curve_figure(SPECIMENS[1], "k"))
    labels = {
        "".join(node.itertext()): float(node.get("x"))
        for node in svg.iter("text")
        if node.get("class") == "mid"
    }
    xs = [x for x, _ in _data(svg)]
    assert xs == sorted(xs)
    assert xs[0] == labels["0"]
    assert xs[-1] == labels["∞"]
    assert len(_of(svg, "path", "break")) == 4
    (group,) = svg.iter("g")
    assert [len(_path(node)) for node in _of(group, "path", "theory")] == [
        3,
        2,
        2,
    ]  # not connected across the breaks


def test_differences_in_units_of_the_tolerance():
    relative = replace(_number("a.b/c", 2.1), tolerance_kind="relative")
    assert in_tolerances(relative) == pytest.approx((0.5, 0.5 - Q * 0.1, 0.5 + Q * 0.1))
    assert in_tolerances(_number("a.b/c", 2.05)) == pytest.approx(
        (0.5, 0.5 - Q * 0.2, 0.5 + Q * 0.2)
    )
    assert in_tolerances(_curve("a.b/c", TIMES, [1, 1, 1, 1], [1, 1.02, 1, 1], 1e-3))[
        0
    ] == pytest.approx(0.4)
    assert in_tolerances(CRASH) is None


def test_forest_is_to_scale():
    entries = [
        (c.id, f"c{n}", c)
        for n, c in enumerate([_number("pass", 2.03), _number("fail", 2.3), _number("far", 7.0)])
    ]
    svg = ElementTree.fromstring(forest_figure(entries, "title", "axis"))
    band = _of(svg, "rect", "band")[0]
    half = float(band.get("width")) / 2
    middle = float(band.get("x")) + half
    (disk,) = svg.iter("circle")
    assert disk.get("class") == "mark pass"
    assert float(disk.get("cx")) - middle == pytest.approx(0.3 * half, abs=0.02)
    (bar,) = [node for node in svg.iter("path") if node.get("class") == "bar pass"]
    low, high = map(float, re.fullmatch(r"M(\S+) \S+H(\S+)", bar.get("d")).groups())
    assert (low - middle, high - middle) == pytest.approx(
        ((0.3 - Q * 0.2) * half, (0.3 + Q * 0.2) * half), abs=0.02
    )
    diamond, arrow = [
        node.get("d") for node in svg.iter("path") if node.get("class") == "mark fail"
    ]
    assert float(re.match(r"M(\S+) ", diamond)[1]) - middle == pytest.approx(3 * half, abs=0.02)
    assert float(re.match(r"M(\S+) ", arrow)[1]) - middle == pytest.approx(4 * half, abs=0.02)
    assert [node.get("href") for node in svg.iter("a")] == ["#c0", "#c1", "#c2"]
    ticks = {
        node.text: float(node.get("x")) for node in svg.iter("text") if node.get("class") == "mid"
    }
    assert ticks["2"] - middle == pytest.approx(2 * half, abs=0.02)
    assert "+50.00   ✗ fail" in [node.text for node in svg.iter("text")]

"""Reports of measured tasks: as text, and as a page that is well-formed, complete and self-contained."""

import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from scalinglaws.errors import DomainError
from scalinglaws.verify.empirical import measure, predicted_loss
from scalinglaws.verify.empirical._records import NO_POWER_LAW, TOO_FEW
from scalinglaws.verify.simulate.empirical import draw_task

sys.path.insert(0, str(Path(__file__).parent))
from tasks import exponent, held_out, measured

VOID = {"meta", "br", "wbr", "col"}


class _Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.wrong, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def _page(task, path):
    text = task.to_html(path).read_text(encoding="utf-8")
    reader = _Balance()
    reader.feed(text)
    reader.close()
    assert reader.wrong == []
    assert reader.open == []
    assert not re.search(r"<script|<link|src=|https?://(?!www.w3.org)|@import|url\((?!#)", text)
    for outside in ("nan", "NaN", "inf"):
        assert not re.search(rf'="[^"]*\b{outside}\b', text)
    figures = [ElementTree.fromstring(part) for part in re.findall(r"<svg.*?</svg>", text, re.S)]
    return text, " ".join(reader.words), figures


def _checked(ratio, **changes):
    task = measured(1.5, 0.5, errors=(0.02, 0.03), samples=1000, **changes)
    sizes = [20.0, 80.0, 300.0]
    return replace(task, held_out=held_out(sizes, predicted_loss(task.spectrum, sizes), ratio))


def test_text_and_page_say_the_same_numbers(tmp_path):
    task = _checked([1.0, 1.02, 1.04])
    text = task.report()
    page, words, figures = _page(task, tmp_path / "task.html")
    assert "prefers-color-scheme: dark" in page
    assert len(figures) == 3
    for part in (
        "made up", "linear.time", "feature_learning.compute", "source-limited", "extrapolated", "1.040", "power law",
        "Held-out data agree with the predicted curve from P = 20 to 300",
    ):  # fmt: skip
        assert part in " ".join(text.split())
        assert part in words
    for entry in task.predict().exponents:
        assert f"{entry.value:.4g}" in text
        assert f"{entry.value:.4g}" in words
    assert all(len(line) <= 160 for line in text.splitlines())


def test_points_are_drawn_where_the_numbers_are(tmp_path):
    *_, figures = _page(_checked([1.0, 1.0, 1.5]), tmp_path / "task.html")
    curve = figures[-1]
    points = [circle for circle in curve.iter("circle") if circle.get("class") == "datum"]
    # a legend's, three losses and three ratios; the last one above the others
    heights = [float(circle.get("cy")) for circle in points]
    across = [float(circle.get("cx")) for circle in points]
    losses, ratios = heights[:3], heights[3:6]
    assert len(points) == 7
    assert across[:3] == across[3:6]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.02)
    assert ratios[2] < ratios[0]  # upwards
    assert losses[0] < losses[1] < losses[2]


def test_a_page_of_data_that_were_not_checked(tmp_path):
    _, words, figures = _page(measured(1.5, 0.5), tmp_path / "task.html")
    assert "learning curve not checked" in words
    assert "The predicted curve is not checked" in words
    assert len(figures) == 3


def test_a_page_that_disagrees_says_so(tmp_path):
    _, words, _ = _page(_checked([1.0, 1.0, 2.5]), tmp_path / "task.html")
    assert "held-out data do not agree with the curve" in words
    assert "optimistic" in words


def test_a_measurement_without_power_laws_has_reasons_and_no_figures(tmp_path):
    none = exponent(None, verdict=TOO_FEW, reason="30 samples resolve modes up to <4>")
    task = measured(
        1.5, 0.5, capacity=none, source=none, decay=none, spectrum=None, half_samples=()
    )
    text = task.report()
    page, words, figures = _page(task, tmp_path / "task.html")
    assert figures == []
    assert "&lt;4&gt;" in page
    for part in (
        "too few samples",
        "30 samples resolve modes up to <4>",
        "No learning curve is predicted",
    ):
        assert part in " ".join(text.split())
        assert part in words


def test_straddled_boundaries_and_verdicts_stand_in_the_report():
    bent = exponent(1.5, 0.01, verdict=NO_POWER_LAW, reason="Local exponents differ.")
    text = measured(1.5, 0.97, errors=(0.01, 0.03), capacity=bent).report()
    assert "a boundary is within the errors: hard or easy" in text
    assert "not a power law" in text
    assert "Local exponents differ." in text


def test_real_measurements_have_reports(tmp_path):
    task = draw_task(400, alpha=1.5, decay=0.75, rng=0)
    found = measure(gram=task.gram, labels=task.labels)
    text = found.report()
    assert "Held-out data" in text
    assert f"{found.capacity.value:.4g}" in text
    _, words, figures = _page(found, tmp_path / "task.html")
    assert len(figures) == 3
    assert "Exponents over shorter windows" in words
    assert found.predict().agrees
    again = type(found).load(found.save(tmp_path / "task.npz"))
    assert again.report() == text


def test_known_modes_have_a_report_that_is_not_checked():
    k = np.arange(1.0, 2001)
    text = measure(eigenvalues=k**-1.5, coefficients=k**-0.875).report()
    assert "is not checked" in text
    assert "no statistical error" in text


def test_refuses_other_files(tmp_path):
    with pytest.raises(DomainError, match="must end in .html"):
        measured(1.5, 0.5).to_html(tmp_path / "task.txt")

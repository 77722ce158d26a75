"""Results in a notebook: a table with a small figure, without a script, a style of the page or the network."""

from html.parser import HTMLParser

import numpy as np
import pytest

from scalinglaws import solvers, verify
from scalinglaws.tables import Table

SPECTRUM = solvers.PowerLawSpectrum(1.5, 0.5)
VOID = {"br", "wbr"}


class _Tags(HTMLParser):
    """Reads a document, and refuses one whose tags do not close."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def _read(markup):
    reader = _Tags()
    reader.feed(markup)
    assert reader.open == []
    assert not {"script", "link", "img", "iframe"} & set(reader.seen)
    assert "http" not in markup
    return reader


def test_a_curve_is_a_table_with_a_figure():
    found = solvers.linear.ridge(SPECTRUM, samples=np.geomspace(1, 1e8, 40))
    reader = _read(found._repr_html_())
    assert reader.seen.count("table") == reader.seen.count("svg") == 1
    words = " ".join(reader.words)
    for shown in ("RidgeSolution", "samples", "test_loss", "8 of 40 rows", "features = ∞"):
        assert shown in words
    assert "estimated relative error" in words
    assert reader.seen.count("tr") == 9


def test_curves_of_several_inputs_are_told_apart():
    features = np.array([[1e3], [1e6]])
    found = solvers.linear.gradient_flow(np.geomspace(1, 1e8, 9), SPECTRUM, features=features)
    words = " ".join(_read(found._repr_html_()).words)
    assert "solid: test loss, dashed: train loss" in words
    assert "features = 1000" in words
    assert "features = 10⁶" in words


def test_one_number_needs_no_table_and_nothing_that_varies_no_figure():
    alone = _read(solvers.linear.ridge(SPECTRUM, samples=100)._repr_html_())
    assert "table" not in alone.seen
    assert "test_loss = " in " ".join(alone.words)
    same = _read(solvers.linear.ridge(SPECTRUM, samples=[100, 100])._repr_html_())
    assert ("table" in same.seen, "svg" in same.seen) == (True, False)


@pytest.mark.parametrize("samples", [[0.0, 10.0, np.inf], [1.0, np.inf]])
def test_zero_and_infinity_do_not_stop_the_figure(samples):
    times = np.array(samples)
    _read(solvers.linear.gradient_flow(times, SPECTRUM)._repr_html_())


def test_reports_show_the_pages_summary():
    found = verify.run(["linear.data.saturated"])
    reader = _read(found._repr_html_())
    words = " ".join(" ".join(reader.words).split())
    assert "every verdict as expected" in words
    assert found.provenance_line() in words
    for entry in found.comparisons:
        assert entry.id.rsplit("/", 1)[1] in words
    assert "every verdict as expected" in found.to_html()


def test_words_in_tables_are_escaped():
    assert "&lt;b&gt;" in Table(("<b>",), [("a & b",)], "x < y").to_html()
    _read(Table(("<b>",), [("a & b",)], "x < y").to_html())

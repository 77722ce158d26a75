"""Published exponents: literature, judged like everything else and never counted as evidence."""


def test_published_pairs_are_compatible_and_four_are_verified(shared_report):
    report = shared_report(["perceptron.published-exponents"])
    assert report.as_expected
    assert report.summary["pass"] == 4
    assert report.summary["inconclusive"] == 5
    assert report.summary["unexpected"] == 0
    assert {comparison.evidence for comparison in report.comparisons} == {"literature"}
    (family,) = report.families
    assert family.name == "perceptron.published-exponents, published"
    assert round(family.chi2, 4) == 13.1312
    assert family.failures == family.detectable == ()
    assert report.to_dict()["families"][0]["members"] == [
        f"perceptron.published-exponents/pair-{k}" for k in range(1, 10)
    ]

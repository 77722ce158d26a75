"""What N and C are: printed counts, a transformer that is built matrix by matrix, and what is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scalinglaws import theory
from scalinglaws.cli import run
from scalinglaws.errors import DomainError
from scalinglaws.verify import empirical
from scalinglaws.verify.empirical import ParameterCount, count


def test_printed_counts(reference):
    for entry in reference("planning")["counts"]:
        found = count(**entry["dimensions"])
        assert (found.non_embedding, found.embedding, found.flops_per_token) == tuple(
            entry["counts"]
        )
    small = count(n_layer=12, d_model=768, d_ff=3072, vocab=50257, context=1024)
    assert 6 * small.total / small.flops_per_token == pytest.approx(0.867, abs=5e-4)
    assert 6 * small.non_embedding / small.flops_per_token == pytest.approx(0.596, abs=5e-4)


dimensions = st.fixed_dictionaries(
    {
        "n_layer": st.integers(1, 30),
        "d_ff": st.integers(1, 500),
        "vocab": st.integers(1, 2000),
        "context": st.integers(1, 500),
        "gated": st.booleans(),
        "tied": st.booleans(),
    }
)


@given(dimensions, st.integers(1, 12), st.integers(1, 16), st.data())
def test_the_matrices_of_a_transformer_have_as_many_entries(given_, heads, size, data):
    groups = data.draw(st.sampled_from([k for k in range(1, heads + 1) if heads % k == 0]))
    width, inner = heads * size, given_["d_ff"]
    layer = [(width, heads * size), (heads * size, width)]  # queries, output
    layer += [(width, groups * size)] * 2  # keys, values
    layer += [(width, inner)] * (2 if given_["gated"] else 1) + [(inner, width)]
    tables = [(given_["vocab"], width)] * (1 if given_["tied"] else 2)
    found = count(d_model=width, kv_ratio=groups / heads, **given_)
    per_layer = sum(rows * columns for rows, columns in layer)
    assert found.non_embedding == given_["n_layer"] * per_layer
    assert found.embedding == sum(rows * columns for rows, columns in tables)
    assert found.total == found.non_embedding + found.embedding
    # forward: 2 per multiplying entry, 4 n_ctx d per layer for scores and their sums; three times that in training
    attention = given_["n_layer"] * 4 * given_["context"] * width
    forward = 2 * (given_["n_layer"] * per_layer + given_["vocab"] * width) + attention
    assert found.flops_per_token == 3 * forward


def test_the_default_width_of_the_feed_forward_part_is_four_times_the_other():
    given_ = {"n_layer": 3, "d_model": 10, "vocab": 7, "context": 5}
    assert count(**given_) == count(d_ff=40, **given_)


def test_a_third_of_the_heads_leaves_whole_widths():
    found = count(n_layer=1, d_model=768, d_ff=1, vocab=1, context=1, kv_ratio=1 / 3)
    assert found.attention == 2 * 768 * (768 + 256)
    assert (
        count(n_layer=1, d_model=768, d_ff=1, vocab=1, context=1, kv_ratio=0.333333).attention
        == found.attention
    )


def test_omega_is_that_of_the_law():
    found = count(n_layer=12, d_model=768, vocab=50257, context=1024)
    law = theory.law("empirical.kaplan_reconciliation")
    total = law.evaluate("N", n=float(found.non_embedding), omega=found.omega)
    assert total == pytest.approx(found.total, rel=1e-12)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("n_layer", 0),
        ("n_layer", 1.5),
        ("d_model", -3),
        ("d_ff", 0),
        ("vocab", np.nan),
        ("context", True),
        ("kv_ratio", 0),
        ("kv_ratio", 2),
        ("kv_ratio", 1 / 3),
        ("gated", 1),
        ("tied", "yes"),
    ],
)
def test_what_is_refused(argument, value):
    good = {"n_layer": 2, "d_model": 64, "d_ff": 256, "vocab": 100, "context": 32}
    with pytest.raises(DomainError, match=argument):
        count(**(good | {argument: value}))


def test_counts_are_saved(tmp_path):
    found = count(n_layer=2, d_model=64, vocab=100, context=32)
    assert ParameterCount.load(found.save(tmp_path / "count.npz")) == found
    assert ParameterCount.from_json(found.to_json()) == found


# -- what counting otherwise does to a fit ---------------------------------------------------------------------------------


def test_no_residual_shows_that_embeddings_were_left_out(reference):
    table = reference("planning")["fitted_without_embeddings"]
    law = theory.law("empirical.kaplan_reconciliation")
    counting = reference("empirical")["counting"]
    given_, omega = counting["parameters"], counting["omega"]
    doublings = round(np.log2(table["ratios"][1] / table["ratios"][0]))
    ratios = table["ratios"][0] * 2.0 ** np.arange(doublings + 1)
    for (low, high), exponent, size, rms in zip(
        table["ranges"],
        table["model_exponent"],
        table["optimal_size_at_1e23"],
        table["residual_rms"],
        strict=True,
    ):
        n = np.repeat(np.geomspace(low, high, table["sizes_per_set"]), ratios.size)
        total = law.evaluate("N", n=n, omega=omega)
        data = total * np.tile(ratios, table["sizes_per_set"])
        loss = given_["E"] + given_["A"] / total ** given_["a"] + given_["B"] / data ** given_["b"]
        columns = {"D": data, "loss": loss}
        right = empirical.fit("surface", columns | {"N": total}, delta=np.inf, bootstrap=0)
        assert right.parameters["a"] == pytest.approx(given_["a"], rel=1e-6)
        best = empirical.plan(right, compute=1e23).params
        assert best == pytest.approx(table["true_optimal_size_at_1e23"], rel=0.02)
        wrong = empirical.fit("surface", columns | {"N": n}, delta=np.inf, bootstrap=0)
        share = wrong.parameters["b"] / (wrong.parameters["a"] + wrong.parameters["b"])
        assert share == pytest.approx(exponent, abs=5.1e-4)
        assert wrong.rms == pytest.approx(rms, rel=0.07)
        assert float(f"{empirical.plan(wrong, compute=1e23).params:.1e}") == size


# -- the command --------------------------------------------------------------------------------------------------------


def call(capsys, *arguments):
    code = run(list(map(str, arguments)))
    out, err = capsys.readouterr()
    return code, out, err


def test_the_command_says_the_same(capsys, tmp_path):
    large = ["--layers", 80, "--width", 8192, "--ff", 28672, "--vocab", 128256]
    large += ["--context", 8192, "--kv-ratio", "1/8", "--gated", "--untied"]
    code, out, _ = call(capsys, "count", *large, "--json")
    data = json.loads(out)
    same = empirical.count(
        n_layer=80,
        d_model=8192,
        d_ff=28672,
        vocab=128256,
        context=8192,
        kv_ratio=1 / 8,
        gated=True,
        tied=False,
    )
    assert code == 0
    assert data["non_embedding"] == same.non_embedding == 68451041280
    assert data["total"] == same.total
    code, out, _ = call(capsys, "count", *large)
    assert out.strip() == same.summary()
    code, _, _err = call(capsys, "count", *large, "--output", tmp_path / "count.md")
    assert code == 0
    assert "68451041280" in (tmp_path / "count.md").read_text()


def test_the_command_needs_layers_and_width_alone(capsys):
    code, out, _ = call(capsys, "count", "--layers", 32, "--width", 4096)
    assert code == 0
    assert "feed-forward 16384, vocabulary 50257 (tied), context 2048" in out
    code, _, err = call(capsys, "count", "--layers", 0, "--width", 4096)
    assert (code, "--layers = 0 must be a whole number >= 1" in err) == (2, True)
    code, _, err = call(capsys, "count", "--layers", 2, "--width", 4096, "--kv-ratio", "1/5000")
    assert (code, "--kv-ratio" in err) == (2, True)

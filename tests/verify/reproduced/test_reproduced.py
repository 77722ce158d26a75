"""The framework of reproduced figures: registration, files, pages, what is kept, and the command."""

import json
import re

import pytest

from scalinglaws.cli import run
from scalinglaws.errors import DomainError
from scalinglaws.verify import reproduced
from scalinglaws.verify.reproduced import _registry

PLAIN = {"title": "A line", "claim": "It is straight.", "shown": "a line."}


@pytest.fixture
def line(monkeypatch):
    """Register a figure that costs nothing, and count how often it is drawn."""
    monkeypatch.setattr(_registry, "_FIGURES", dict(_registry.registered()))
    drawn = []

    @reproduced.figure(
        source="atanasov", name="line", laws=("linear.time",), uses=("nothing",), **PLAIN
    )
    def function(context):
        from matplotlib.figure import Figure

        drawn.append(context)
        figure = Figure(figsize=(3, 2))
        slope = context.pick(1, 2)
        figure.subplots().plot([0, 1], [0, slope])
        return figure, f"The slope is {slope}, <surely> & {context.generator('x', 0).random():.6f}."

    return drawn


def draw(tmp_path, **options):
    options = {"names": ["line"], "cache": tmp_path / "cache", **options}
    return reproduced.write_figures("atanasov", tmp_path / "out", **options)


def test_a_figure_is_written_with_its_caption_and_two_pages(line, tmp_path):
    done = []
    (written,) = draw(tmp_path, on_done=done.append)
    assert done == ["line"]
    assert written.file.read_bytes().startswith(b"\x89PNG")
    assert written.caption.startswith("It is straight. Shown: a line. The slope is 1, ")
    page = (tmp_path / "out" / "index.html").read_text()
    assert "&lt;surely&gt; &amp;" in page
    assert 'src="line.png"' in page
    assert not re.search(r"https?://", page)  # readable without a network
    text = (tmp_path / "out" / "figures.md").read_text()
    assert "![A line](line.png)" in text
    assert written.caption in text
    assert "laws: linear.time" in text
    assert not written.kept


def test_what_is_kept_is_not_drawn_again(line, tmp_path):
    (first,) = draw(tmp_path)
    picture = first.file.read_bytes()
    (again,) = draw(tmp_path)
    assert (len(line), again.kept, again.caption) == (1, True, first.caption)
    assert again.file.read_bytes() == picture
    draw(tmp_path, fresh=True)
    (other,) = draw(tmp_path, rng=1)
    assert other.caption != first.caption
    (full,) = draw(tmp_path, effort="full")
    assert "slope is 2" in full.caption
    assert len(line) == 4
    kept = next((tmp_path / "cache").rglob("*.json"))
    kept.write_text("broken")
    draw(tmp_path, rng=0), draw(tmp_path, rng=1), draw(tmp_path, effort="full")
    assert len(line) == 5


@pytest.mark.parametrize(
    ("kind", "start"), [("svg", b"<?xml"), ("pdf", b"%PDF"), ("png", b"\x89PNG")]
)
def test_formats_are_reproducible_and_a_page_can_show_them(line, tmp_path, kind, start):
    (written,) = draw(tmp_path, kind=kind)
    first = written.file.read_bytes()
    assert first.startswith(start)
    draw(tmp_path, kind=kind, fresh=True)
    assert written.file.read_bytes() == first
    picture = "line.png" if kind == "pdf" else f"line.{kind}"
    assert f'src="{picture}"' in (tmp_path / "out" / "index.html").read_text()
    assert (tmp_path / "out" / picture).is_file()


def test_the_index_keeps_what_an_earlier_run_has_drawn(line, tmp_path):
    draw(tmp_path)
    listing = tmp_path / "out" / "figures.json"
    kept = json.loads(listing.read_text())
    entry = kept["figures"]["line"]
    (tmp_path / "out" / "bottlenecks.png").write_bytes(b"")
    kept["figures"]["bottlenecks"] = entry | {
        "file": "bottlenecks.png",
        "picture": "bottlenecks.png",
    }
    kept["figures"]["compute-frontier"] = entry | {"file": "gone.png"}
    listing.write_text(json.dumps(kept))
    draw(tmp_path)
    assert list(json.loads(listing.read_text())["figures"]) == ["bottlenecks", "line"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": "nobody"}, "unknown source 'nobody'; known: .*atanasov"),
        ({"names": ["lime"]}, "unknown figure 'lime'; did you mean 'line'"),
        ({"names": []}, "names"),
        ({"names": "line"}, "names"),
        ({"kind": "gif"}, "kind"),
        ({"effort": "some"}, "effort"),
        ({"fresh": 1}, "fresh"),
        ({"on_done": 3}, "on_done"),
        ({"folder": 3}, "folder"),
    ],
)
def test_refusals(line, tmp_path, arguments, said):
    given = {"source": "atanasov", "folder": tmp_path, "cache": tmp_path, **arguments}
    with pytest.raises(DomainError, match=said):
        reproduced.write_figures(given.pop("source"), given.pop("folder"), **given)


def test_a_folder_that_cannot_be_made_is_refused(line, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(DomainError, match="cannot write to"):
        draw(tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "nobody"},
        {"name": "bottlenecks"},
        {"name": "No Name"},
        {"laws": ("linear.nothing",)},
        {"title": 3},
        {"seconds": -1},
    ],
)
def test_what_cannot_be_registered(line, wrong):
    with pytest.raises(DomainError):
        reproduced.figure(**({"source": "atanasov", "name": "another", **PLAIN} | wrong))


def test_sources_have_the_keys_that_cite_prints():
    from scalinglaws import theory

    printed = theory.cite()
    for name, reference in _registry.SOURCES.items():
        assert f"{{{reference.key}," in printed
        assert reference.key.startswith(name)
    for name in reproduced.sources():
        key = _registry.SOURCES[name].key
        assert reproduced.figures_of(key) == reproduced.figures_of(name) != ()


def test_every_figure_says_what_it_shows():
    for source in reproduced.sources():
        for entry in reproduced.figures_of(source):
            assert entry.function.__doc__
            assert entry.claim.endswith(".")
            assert entry.shown.endswith(".")
            assert not entry.shown[0].isupper()  # it follows on "Shown: "
            assert entry.laws or entry.uses


def test_the_command_lists_and_draws(line, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(["figures", "atanasov", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "atanasov bottlenecks" in shown
    assert "linear.time, linear.data, linear.model" in shown
    assert run(["figures", "--list", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {entry["source"] for entry in listed} == set(reproduced.sources())
    monkeypatch.chdir(tmp_path)
    command = ["figures", "atanasov2024scaling", "--only", "line", "--workers", "1"]
    assert run([*command, "--format", "svg", "--json"]) == 0
    captured = capsys.readouterr()
    (entry,) = json.loads(captured.out)
    assert entry["file"] == "figures/atanasov/line.svg"
    assert (tmp_path / entry["file"]).is_file()
    assert "wrote figures/atanasov/index.html" in captured.err
    assert "\x1b" not in captured.err  # nothing moves in a pipe


def test_what_needs_a_package_that_is_missing_is_left_out(line, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(_registry, "_FIGURES", {})
    for name, requires in (("plain", ()), ("rich", ("a_package_that_nobody_has",))):

        @reproduced.figure(source="brill", name=name, requires=requires, **PLAIN)
        def function(context):
            from matplotlib.figure import Figure

            return Figure(), "Found 1."

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(["figures", "brill", "--output", str(tmp_path), "--workers", "1"]) == 0
    captured = capsys.readouterr()
    assert "rich is left out: a_package_that_nobody_has is not installed" in captured.err
    assert "plain.png" in captured.out
    assert not (tmp_path / "rich.png").exists()
    (written,) = reproduced.write_figures("brill", tmp_path, cache=tmp_path)
    assert written.entry.name == "plain"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["figures"], "which source"),
        (["figures", "nobody"], "known: "),
        (["figures", "--only", "line"], "--only needs a source"),
        (["figures", "atanasov", "--format", "gif"], "format"),
        (["figures", "atanasov", "--only", "lime"], "unknown figure"),
    ],
)
def test_the_command_refuses(command, said, capsys):
    assert run(command) == 2
    assert said in capsys.readouterr().err


def test_an_interrupted_run_says_what_is_kept(line, monkeypatch, capsys, tmp_path):
    def interrupted(*arguments, on_done, **options):
        on_done("line")
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduced, "write_figures", interrupted)
    assert run(["figures", "atanasov", "--output", str(tmp_path)]) == 130
    assert "1 of " in capsys.readouterr().err

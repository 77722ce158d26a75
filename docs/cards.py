"""The picture of runs on the first page: the gallery has none, and a file would grow old."""

from __future__ import annotations

from pathlib import Path


def draw(app) -> None:
    """Draw fitted isoFLOP curves of the runs that come with the package, once."""
    path = Path(app.srcdir) / "gallery" / "cards" / "runs.png"
    if path.exists():
        return
    from thumbnails import save_panel

    from scalinglaws.verify import empirical
    from scalinglaws.verify.plots.empirical import isoflop_curves

    path.parent.mkdir(parents=True, exist_ok=True)
    fit = empirical.fit("surface", empirical.example_runs("synthetic"), bootstrap=0)
    save_panel(isoflop_curves(fit), path)


def setup(app):
    app.connect("builder-inited", draw, priority=950)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

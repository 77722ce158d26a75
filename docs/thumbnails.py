"""Thumbnails of the gallery: the first panel of a figure, drawn anew at their size, so that 200 pixels say something.

A picture of four panels with its legend is a page; made small, it is dust. While an example's figures are still there, the first axes of
each are drawn alone, without legend and captions. When all examples have run, the panel of the figure that an example names
(``# sphinx_gallery_thumbnail_number = 2``; otherwise of its first) replaces its thumbnail.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

SIZE, DPI = (3.2, 2.24), 125  # 400 by 280 pixels


def scrape(block, block_vars, gallery_conf, **options):
    """Save figures as sphinx-gallery does, and the first panel of each."""
    import matplotlib.pyplot as plt
    from sphinx_gallery.scrapers import matplotlib_scraper

    paths = block_vars["image_path_iterator"]
    figures = [plt.figure(number) for number in plt.get_fignums()]
    before = len(paths)
    text = matplotlib_scraper(block, block_vars, gallery_conf, **options)
    for path, figure in zip(paths.paths[before:], figures, strict=True):
        panel = panel_of(Path(path))
        panel.parent.mkdir(exist_ok=True)
        save_panel(figure, panel)
    return text


def panel_of(picture: Path) -> Path:
    """Return where the panel of a picture is kept."""
    return picture.parent / "panels" / picture.name


def save_panel(figure, path: Path) -> None:
    """Draw the first axes of a figure alone; the figure is not to be used again."""
    from matplotlib.ticker import LogLocator, NullFormatter

    if not figure.axes:
        return
    axes = figure.axes[0]
    figure.set_layout_engine("none")
    for other in figure.axes[1:]:
        other.set_visible(False)
    for said in [*figure.texts, *figure.legends, axes.get_legend()]:
        if said is not None:
            said.set_visible(False)
    for title in (axes.title, axes._left_title, axes._right_title):
        title.set_visible(False)
    figure.set_size_inches(*SIZE)
    axes.set_axes_locator(None)
    left = 0.28 if any(label.get_text().isalpha() for label in axes.get_yticklabels()) else 0.2
    bottom = 0.21
    if not (len(axes.get_yticks()) or axes.get_ylabel()):  # a picture without scales: in the middle
        left, bottom = 0.04, 0.04
    axes.set_position((left, bottom, 0.96 - left, 0.95 - bottom))
    for axis, scale in ((axes.xaxis, axes.get_xscale()), (axes.yaxis, axes.get_yscale())):
        low, high = sorted(axis.get_view_interval())
        if scale == "log" and high > 10 * low > 0:
            axis.set_major_locator(LogLocator(numticks=4))
            axis.set_minor_formatter(NullFormatter())
        axis.label.set_fontsize(10 if len(axis.label.get_text()) < 30 else 7)
    axes.tick_params(labelsize=9, labelbottom=True, labelleft=True)
    figure.savefig(path, dpi=DPI, bbox_inches=None)


def replace(app) -> None:
    """Put panels where thumbnails are."""
    source = Path(app.srcdir)
    for script in sorted((source.parent / "examples").rglob("plot_*.py")):
        found = re.search(r"sphinx_gallery_thumbnail_number = (\d+)", script.read_text("utf-8"))
        number = int(found[1]) if found else 1
        images = source / "gallery" / script.parent.name / "images"
        panel = panel_of(images / f"sphx_glr_{script.stem}_{number:03d}.png")
        if panel.exists():
            shutil.copyfile(panel, images / "thumb" / f"sphx_glr_{script.stem}_thumb.png")


def setup(app):
    app.connect("builder-inited", replace, priority=900)  # after the gallery
    return {"parallel_read_safe": True, "parallel_write_safe": True}

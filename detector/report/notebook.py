"""Show an alignment in a notebook: its counts, a map, and its beads one by one.

The fragment holds places alone, no word of either text. `register` makes it the notebook view of
`Alignment`, so that the records need not know of HTML.
"""

from __future__ import annotations

from detector.records import Alignment, Bead
from detector.report.html import style

MAX_LISTED = 500
"""Beads listed one by one; the map shows all."""

_SIDE = 320  # units of the map's longer side


def register() -> None:
    """Make every alignment show itself in a notebook."""
    Alignment._repr_html_ = fragment  # type: ignore[attr-defined]


def fragment(alignment: Alignment) -> str:
    """Return an alignment as one HTML element with its own style, without a script.

    In the map the source runs from left to right and the copy from top to bottom. A bead is the
    darker, the closer its sides; what only one side holds is a stroke at its edge.
    """
    beads = alignment.beads
    rows = "".join(map(_row, beads[:MAX_LISTED]))
    more = len(beads) - MAX_LISTED
    rest = f'<p class="soft">{more:,} more are not listed.</p>' if more > 0 else ""
    return (
        f'<style>{style()}</style>\n<div class="rtd fragment">\n<p>{_counts(alignment)}</p>\n'
        f"{_map(alignment)}\n<details><summary>{len(beads):,} beads one by one</summary>\n"
        "<table><thead><tr><th>Source sentences</th><th>Copy sentences</th><th>Cosine</th></tr>"
        f"</thead><tbody>{rows}</tbody></table>{rest}</details>\n</div>"
    )


def _counts(alignment: Alignment) -> str:
    plain = sum(len(bead.source) == len(bead.copy) == 1 for bead in alignment.beads)
    omitted = sum(len(bead.source) for bead in alignment.beads if not bead.copy)
    added = sum(len(bead.copy) for bead in alignment.beads if not bead.source)
    joined = len(alignment.aligned) - plain
    return (
        f"{alignment.n_source:,} source and {alignment.n_copy:,} copy sentences: {plain:,} beads "
        f"of one and one, {joined:,} of more; {omitted:,} source sentences left out, "
        f"{added:,} copy sentences added"
    )


def _map(alignment: Alignment) -> str:
    longer = max(alignment.n_source, alignment.n_copy)
    if not longer:
        return ""
    scale = _SIDE / longer
    width, height = alignment.n_source * scale, alignment.n_copy * scale
    marks = "".join(_mark(bead, scale) for bead in alignment.beads)
    return (
        f'<svg class="map" viewBox="0 0 {max(width, 8):.1f} {max(height, 8):.1f}" role="img" '
        f'aria-label="Map of the beads">{marks}</svg>'
    )


def _mark(bead: Bead, scale: float) -> str:
    x, y = bead.source.start * scale, bead.copy.start * scale
    width, height = len(bead.source) * scale, len(bead.copy) * scale
    kind = "bead"
    if not bead.copy:
        kind, y, height = "lone", 0.0, 6.0
    elif not bead.source:
        kind, x, width = "lone", 0.0, 6.0
    shade = 1.0 if bead.similarity is None else 0.15 + 0.85 * max(0.0, bead.similarity) ** 2
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1.5):.1f}" '
        f'height="{max(height, 1.5):.1f}" opacity="{shade:.2f}"><title>{_tip(bead)}</title></rect>'
    )


def _tip(bead: Bead) -> str:
    cosine = "" if bead.similarity is None else f", cosine {bead.similarity:.2f}"
    return f"source {_range(bead.source)}, copy {_range(bead.copy)}{cosine}"


def _row(bead: Bead) -> str:
    cosine = "–" if bead.similarity is None else f"{bead.similarity:.2f}"
    return f"<tr><td>{_range(bead.source)}</td><td>{_range(bead.copy)}</td><td>{cosine}</td></tr>"


def _range(sentences: range) -> str:
    """Return sentences as a reader counts them, from 1, both ends included."""
    if not sentences:
        return "–"
    first, last = sentences.start + 1, sentences.stop
    return f"{first}" if first == last else f"{first}–{last}"

"""The picture of `Benchmarks/map`: a panel for each kind of flow, a line for each cell, a coloured ratio for each part."""

import math

TITLES = {
    "affine": "affine couplings",
    "masked": "masked autoregressive flows",
    "spline": "rational-quadratic spline couplings",
    "linear": "ActNorm and invertible matrices",
}
NUMBERS = {"dimension": "D", "depth": "layers", "hidden": "units", "rows": "rows"}
PARTS = {"step": "step", "logPDF": "density", "sample": "draws"}
PANEL, COLUMN, LABEL, SQUARE, LINE, TOP = 404, 52, 220, 54, 23, 66
WIDTH = 2 * PANEL + 10
# From far behind over equal to far ahead; both ends differ for every kind of colour vision.
BEHIND, EQUAL, AHEAD = (179, 77, 0), (243, 243, 240), (16, 84, 158)


def colour(ratio):
    """The fill of a ratio and the colour of its text; the ends are reached at a half and at 4."""
    end, share = (AHEAD, math.log(ratio) / math.log(4)) if ratio >= 1 else (BEHIND, -math.log(ratio) / math.log(2))
    # A ratio just under 1 is told from one just over it.
    share = min(1, 0.12 + 0.88 * share) if ratio != 1 else 0
    mixed = [round(a + share * (b - a)) for a, b in zip(EQUAL, end)]
    return "#%02x%02x%02x" % tuple(mixed), "#fff" if share > 0.6 else "#111"


def short(ratio):
    """A ratio with three digits at most, never rounded up to 1."""
    if ratio < 1:
        return f"{min(ratio, 0.99):.2f}"
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}" if ratio < 99.95 else f"{ratio:.0f}"


def numbers(x, y, cell, base):
    """A cell's numbers in columns; those that differ from the base are bold."""
    out = []
    for i, key in enumerate(NUMBERS):
        weight = ' font-weight="bold"' if cell[key] != base[key] else ""
        text = f"{cell[key]:,}" if cell[key] else "–"
        out.append(f'<text x="{x + COLUMN * (i + 1)}" y="{y}" text-anchor="end"{weight}>{text}</text>')
    return out


def square(x, y, found):
    """A part's ratio in its colour, or a dash."""
    ratio = found.get("ratio")
    fill, ink = colour(ratio) if ratio else ("none", "currentColor")
    frame = f'<rect x="{x + 1}" y="{y + 1}" width="{SQUARE - 2}" height="{LINE - 2}" rx="2" fill="{fill}" stroke="#8886"/>'
    middle = f'x="{x + SQUARE / 2}" y="{y + LINE / 2 + 4}" text-anchor="middle"'
    return [frame, f'<text {middle} fill="{ink}">{short(ratio) if ratio else "–"}</text>']


def panel(x, y, kind, cells):
    """The cells of a kind, one under the other."""
    out = [f'<text x="{x}" y="{y + 14}" font-size="14" font-weight="bold">{TITLES[kind]}</text>']
    for i, title in enumerate(NUMBERS.values()):
        out.append(f'<text x="{x + COLUMN * (i + 1)}" y="{y + 36}" text-anchor="end" fill="#888">{title}</text>')
    for i, title in enumerate(PARTS.values()):
        out.append(f'<text x="{x + LABEL + SQUARE * (i + 0.5)}" y="{y + 36}" text-anchor="middle" fill="#888">{title}</text>')
    for j, cell in enumerate(cells):
        top = y + 42 + j * LINE
        out += numbers(x, top + LINE / 2 + 4, cell, cells[0])
        for i, part in enumerate(PARTS):
            out += square(x + LABEL + SQUARE * i, top, cell["parts"].get(part, {}))
    return out


def legend(about):
    """What the colours and the letters mean."""
    out = ['<text x="8" y="22">the fastest peer\'s time over ours: behind</text>']
    ratios = [0.5, 0.75, 0.95, 1.05, 1.5, 2, 4]
    for i, ratio in enumerate(ratios):
        out += square(262 + SQUARE * i, 6, {"ratio": ratio})
    out.append(f'<text x="{268 + SQUARE * len(ratios)}" y="22">ahead</text>')
    machine = f"{about['processor']}, {about['instruction set']}, {about['threads']} threads, float32, {about['date']}"
    out.append(f'<text x="8" y="48" fill="#888">{machine}. –: no peer measured</text>')
    return out


def drawn(about, cells):
    """The SVG document of measured cells by their names."""
    kinds = [(kind, [cell for cell in cells.values() if cell["kind"] == kind]) for kind in TITLES]
    out, y = legend(about), TOP
    for pair in (kinds[:2], kinds[2:]):
        for i, (kind, of_kind) in enumerate(pair):
            if of_kind:
                out += panel(8 + i * PANEL, y, kind, of_kind)
        y += max(len(of_kind) for _, of_kind in pair) * LINE + 66
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - 14}" font-family="sans-serif" font-size="12"'
        ' fill="currentColor">',
        "<style>svg{color:#222;background:#fff}@media(prefers-color-scheme:dark){svg{color:#ddd;background:#181818}}</style>",
        "<title>The fastest peer's time over ours by kind, dimension, depth, width and batch</title>", *out, "</svg>\n",
    ])

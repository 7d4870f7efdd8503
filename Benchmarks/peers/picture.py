"""The picture of `Benchmarks/map`: a panel for each kind of flow, a line for each cell, a coloured ratio for each part."""

import math

TITLES = {
    "affine": "affine couplings",
    "masked": "masked autoregressive flows",
    "spline": "rational-quadratic spline couplings",
    "linear": "ActNorm and invertible matrices",
}
PARTS = {"step": "step", "logPDF": "density", "sample": "draws"}
PANEL, LABEL, SQUARE, LINE, TOP = 428, 262, 52, 23, 62
WIDTH = 2 * PANEL + 10
# From far behind over equal to far ahead; both ends differ for every kind of colour vision.
BEHIND, EQUAL, AHEAD = (179, 77, 0), (243, 243, 240), (16, 84, 158)


def colour(ratio):
    """The fill of a ratio and the colour of its text; the ends are reached at a half and at 4."""
    end, share = (AHEAD, math.log(ratio) / math.log(4)) if ratio >= 1 else (BEHIND, -math.log(ratio) / math.log(2))
    # A ratio just under 1 is told from one just over it.
    share = min(1, 0.12 + 0.88 * share) if ratio != 1 else 0
    mixed = [round(a + share * (b - a)) for a, b in zip(EQUAL, end)]
    return "#%02x%02x%02x" % tuple(mixed), "#fff" if share > 0.5 else "#111"


def short(ratio):
    """A ratio with three digits at most, never rounded up to 1."""
    if ratio < 1:
        return f"{min(ratio, 0.99):.2f}"
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}" if ratio < 99.95 else f"{ratio:.0f}"


def label(cell, base):
    """A cell's numbers; those that differ from the base are bold."""
    texts = {"dimension": "D = {}", "depth": "{} layers", "hidden": "{} units", "rows": "{} rows"}
    out = []
    for key, text in texts.items():
        if cell[key]:
            weight = ' font-weight="bold"' if cell[key] != base[key] else ""
            out.append(f"<tspan{weight}>{text.format(f'{cell[key]:,}')}</tspan>")
    return " · ".join(out)


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
    for i, title in enumerate(PARTS.values()):
        out.append(f'<text x="{x + LABEL + SQUARE * (i + 0.5)}" y="{y + 14}" text-anchor="middle">{title}</text>')
    for j, cell in enumerate(cells):
        top = y + 22 + j * LINE
        out.append(f'<text x="{x}" y="{top + LINE / 2 + 4}">{label(cell, cells[0])}</text>')
        for i, part in enumerate(PARTS):
            out += square(x + LABEL + SQUARE * i, top, cell["parts"].get(part, {}))
    return out


def legend(about):
    """What the colours and the letters mean."""
    out = ['<text x="8" y="22">fastest peer\'s time / ours:</text>']
    for i, ratio in enumerate([0.5, 0.75, 0.95, 1.05, 1.5, 2, 4]):
        out += square(162 + SQUARE * i, 6, {"ratio": ratio})
    out.append(f'<text x="{172 + SQUARE * 7}" y="22">orange: behind, blue: ahead, –: no peer measured</text>')
    machine = f"{about['processor']}, {about['instruction set']}, {about['threads']} threads, float32, {about['date']}"
    out.append(f'<text x="8" y="46" fill="#888">{machine}. Bold: differs from the kind\'s first line.</text>')
    return out


def drawn(about, cells):
    """The SVG document of measured cells by their names."""
    kinds = [(kind, [cell for cell in cells.values() if cell["kind"] == kind]) for kind in TITLES]
    out, y = legend(about), TOP
    for pair in (kinds[:2], kinds[2:]):
        for i, (kind, of_kind) in enumerate(pair):
            if of_kind:
                out += panel(8 + i * PANEL, y, kind, of_kind)
        y += max(len(of_kind) for _, of_kind in pair) * LINE + 40
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - 10}" font-family="sans-serif" font-size="12"'
        ' fill="currentColor">',
        "<style>svg{color:#222;background:#fff}@media(prefers-color-scheme:dark){svg{color:#ddd;background:#181818}}</style>",
        "<title>The fastest peer's time over ours by kind, dimension, depth, width and batch</title>", *out, "</svg>\n",
    ])

"""Line plots as SVG, without a library: panels side by side, both axes logarithmic, a legend below each.

Light and dark pages both show it: the background is white, as paper."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 220, 52, 44, 64
COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#b91c1c")


def short(number):
    for factor, letter in ((1_000_000, "M"), (1000, "k")):
        if number >= factor:
            return f"{number / factor:g}{letter}"
    return f"{number:g}"


def steps(low, high):
    """1, 2 and 5 times powers of ten from at most `low` to at least `high`."""
    values = [factor * 10 ** power for power in range(-3, 9) for factor in (1, 2, 5)]
    first = max(i for i, value in enumerate(values) if value <= low)
    last = min(i for i, value in enumerate(values) if value >= high)
    return values[first:last + 1]


def text(x, y, words, size=11, anchor="middle", colour="#333", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}"{extra}>{escape(words)}</text>'


def panel(title, lines, sizes, ticks, at):
    low, high = math.log(ticks[0]), math.log(ticks[-1])

    def x_of(size):
        share = (math.log(size) - math.log(sizes[0])) / ((math.log(sizes[-1]) - math.log(sizes[0])) or 1)
        return at + LEFT + share * (WIDTH - LEFT)

    def y_of(cost):
        return TOP + HEIGHT - (math.log(max(cost, ticks[0])) - low) / ((high - low) or 1) * HEIGHT

    out = [text(at + LEFT, TOP - 12, title, 13, "start", extra=' font-weight="bold"')]
    for tick in ticks:
        out.append(f'<line x1="{at + LEFT}" x2="{at + WIDTH}" y1="{y_of(tick):.1f}" y2="{y_of(tick):.1f}" stroke="#ddd"/>')
        out.append(text(at + LEFT - 6, y_of(tick) + 4, short(tick), 10, "end"))
    for size in sizes:
        out.append(text(x_of(size), TOP + HEIGHT + 16, short(size), 10))
    for number, (name, costs) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        points = " ".join(f"{x_of(size):.1f},{y_of(cost):.1f}" for size, cost in zip(sizes, costs))
        out.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x_of(size):.1f}" cy="{y_of(cost):.1f}" r="3" fill="{colour}"/>' for size, cost in zip(sizes, costs)]
        below = TOP + HEIGHT + 52 + number * 16
        out.append(f'<line x1="{at + LEFT}" x2="{at + LEFT + 18}" y1="{below - 4}" y2="{below - 4}" stroke="{colour}" stroke-width="2"/>')
        out.append(text(at + LEFT + 24, below, name, 11, "start"))
    return out


def panels(parts, sizes, ordinate, abscissa):
    """parts: (title, {line: [a value for each size]}); all panels share their scale."""
    values = [max(cost, 1) for _, lines in parts for costs in lines.values() for cost in costs]
    ticks = steps(min(values), max(values))
    width = len(parts) * (WIDTH + GAP) - GAP + 28
    height = TOP + HEIGHT + 52 + 16 * max(len(lines) for _, lines in parts)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>', text(12, 16, ordinate, 11, "start", "#666"),
           text(width / 2, TOP + HEIGHT + 33, abscissa, 11, colour="#666")]
    for number, (title, lines) in enumerate(parts):
        out += panel(title, lines, sizes, ticks, 4 + number * (WIDTH + GAP))
    return "\n".join([*out, "</svg>"]) + "\n"

"""What is judged from the results: the goals that were set before anything was measured, and every row that Headrace loses.

Both are computed, so that neither can be forgotten. The goals are for a machine of two cores that are shared with the load
generator; for other machines they are only marks to compare with. What nobody can reach is computed, too: from the best rounds of
a server that does nothing but answer, and of one that does the least that libmicrohttpd and SQLite can (peers.Ceiling)."""
import statistics

from peers import NOTHING, STACK

OURS = "headrace"
POWER, VERIFY = "headrace --durability power", "headrace --auth verify"
MARGIN = 1.02  # less than this is a tie
POWER_SHARE = 2 / 3  # what of a goal remains when every acknowledged write is synced

MORE, LESS = "at least", "at most"
MET, OUT, STACK_OUT = "met", "**out of reach**", "**out of the stack's reach**"

GOALS = (  # what, cell, metric, most or least, number, unit, and whether writes are synced in it
    ("SQS SendMessage, 64 connections", "send-64", "rate", MORE, 35_000, "/s", True),
    ("SQS ReceiveMessage + DeleteMessage, 64 connections", "pair-64", "rate", MORE, 18_000, " pairs/s", True),
    ("SQS SendMessageBatch x 10, 64 connections", "batch-64", "rate", MORE, 150_000, " messages/s", True),
    ("S3 PutObject 4 KiB, 64 connections", "put-64", "rate", MORE, 18_000, "/s", True),
    ("S3 GetObject 4 KiB, 64 connections", "get-64", "rate", MORE, 50_000, "/s", False),
    ("S3 PutObject, one large stream", "large-put-1", "rate", MORE, 450, " MB/s", True),
    ("S3 GetObject, one large stream", "large-get-1", "rate", MORE, 2500, " MB/s", False),
    ("pipeline, 4 KiB files", "pipeline", "rate", MORE, 6000, " files/s", True),
    ("upload to result, idle, p50", "upload-result", "p50", LESS, 1, " ms", False),
    ("SQS SendMessage, 64 connections, p99", "send-64", "p99", LESS, 8, " ms", False),
    ("SQS ReceiveMessage + DeleteMessage, 64 connections, p99", "pair-64", "p99", LESS, 8, " ms", False),
    ("S3 PutObject 4 KiB, 64 connections, p99", "put-64", "p99", LESS, 8, " ms", False),
    ("S3 GetObject 4 KiB, 64 connections, p99", "get-64", "p99", LESS, 8, " ms", False),
)


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def middle(results, cell, name, metric):
    got = results["cells"].get(cell, {}).get(name)
    values = [entry[metric] for entry in got or [] if metric in entry]
    return statistics.median(values) if values else None


def peers_of(results):
    return [name for name in results["servers"] if not name.startswith(OURS)]


def ceiling(results, cell, kind):
    """The most that it reached in any round; when noise kept it below another server of whom it is the ceiling, what that one reached."""
    measured = results["cells"].get(cell, {})
    below = [name for name in measured if kind == NOTHING or name == STACK or name.startswith(OURS)]
    return max(entry["rate"] for name in below for entry in measured[name]) if kind in measured else None


def verdict(value, direction, bound):
    if value is None:
        return "not measured", ""
    met = value >= bound if direction == MORE else value <= bound
    return number(value), MET if met else f"**missed** by {abs(value - bound) / bound * 100:.0f} %"


def plain_goals(results):
    for what, cell, metric, direction, bound, unit, synced in GOALS:
        yield what, direction, bound, unit, middle(results, cell, OURS, metric)
        if synced:
            yield f"{what}, `--durability power`", direction, bound * POWER_SHARE, unit, middle(results, cell, POWER, metric)
    start, idle = results["start"].get(OURS), results["idle"].get(OURS)
    yield "start to the first correct answer", LESS, 8, " ms", start and statistics.median(start) * 1000
    yield "memory, idle", LESS, 8, " MiB", idle and idle["memory"]
    yield "wake-ups a second, idle", LESS, 0, "", idle and idle["wakeups"]


def best_peer(results, cell):
    rates = [(middle(results, cell, name, "rate"), name) for name in peers_of(results)]
    return max((pair for pair in rates if pair[0]), default=None)


def within(results, cell, times, best):
    """What is left to any server, and to one of libmicrohttpd and SQLite, of a goal of so many times the best peer's rate."""
    nothing, stack = (ceiling(results, cell, kind) for kind in (NOTHING, STACK))
    shares = [f"libmicrohttpd and SQLite alone reach {number(stack / best)} x"] if stack else []
    shares += [f"a server that does nothing {number(nothing / best)} x"] if nothing else []
    out = OUT if nothing and nothing < times * best else STACK_OUT if stack and stack < times * best else ""
    return "".join(f"; {part}" for part in (out, ", ".join(shares)) if part)


def goal_rows(results, cells):
    """Rows of the table of goals, those against the best peer last."""
    for what, direction, bound, unit, value in plain_goals(results):
        shown, judged = verdict(value, direction, bound)
        if value is not None:
            yield what, f"{direction} {bound:,.0f}{unit}", f"{shown}{unit}", judged
    for cell, (title, group, _) in cells.items():
        times = 10 if group in ("send", "pair", "fifo") else 3 if group == "small" else None
        ours, best = middle(results, cell, OURS, "rate"), best_peer(results, cell)
        if times and ours and best:
            shown, judged = verdict(ours / best[0], MORE, times)
            if judged != MET:
                judged += within(results, cell, times, best[0])
            yield f"{title}: against the best peer", f"at least {times} x", f"{shown} x {best[1]}", judged


def contests(results, cells):
    """Everything with a winner: what, its unit, less or more is better, and a number for each server. CPU time is a cost of its own."""
    names = list(results["servers"])
    for cell, (title, _, unit) in cells.items():
        for metric, shown, better in (("rate", unit.strip(), MORE), ("p50", "ms p50", LESS), ("p99", "ms p99", LESS), ("cpu", "us of CPU", LESS)):
            yield title, shown, better, {name: middle(results, cell, name, metric) for name in names}
    for cell, title in (("wake", "Send to the wake-up of a parked receive"), ("event", "Upload to its S3 event")):
        for metric in ("p50", "p99"):
            yield title, f"ms {metric}", LESS, {name: middle(results, cell, name, metric) for name in names}
    yield "Start", "ms", LESS, {name: statistics.median(values) * 1000 for name, values in results["start"].items()}
    yield "Memory, idle", "MiB", LESS, {name: entry["memory"] for name, entry in results["idle"].items()}
    yield "Memory after the load", "MiB", LESS, dict(results["loaded"])
    yield "CPU while idle", "ms/s", LESS, {name: entry["cpu_ms"] for name, entry in results["idle"].items()}
    for operation, rates in results["sdk"].items():
        yield f"boto3 {operation}", "calls/s", MORE, {name: statistics.median(values) for name, values in rates.items()}


def ahead_of(mine, rivals, values, better):
    """(number, name) of the rivals that do better, best first."""
    ahead = [(values[name], name) for name in rivals if values.get(name) is not None]
    ahead = [pair for pair in ahead if (pair[0] > mine * MARGIN if better == MORE else pair[0] * MARGIN < mine)]
    return sorted(ahead, reverse=better == MORE)


def losses(results, cells):
    """Lines of what Headrace loses: by itself against all; synced against those that sync; checking signatures against those that do."""
    servers = results["servers"]
    sides = ((OURS, peers_of(results), ""),
             (POWER, [n for n in peers_of(results) if servers[n]["syncs"] != "no"], " (both sync writes)"),
             (VERIFY, [n for n in peers_of(results) if servers[n]["signs"] == "yes"], " (both check signatures)"))
    for ours, rivals, note in sides:
        lines = {}
        for what, unit, better, values in contests(results, cells):
            mine = values.get(ours)
            ahead = ahead_of(mine, rivals, values, better) if mine is not None else []
            if ahead:
                lines.setdefault(what, []).append(f"{number(mine)} {unit} against " + ", ".join(f"{number(value)} of {name}" for value, name in ahead))
        yield from (f"{what}{note}: {'; '.join(parts)}" for what, parts in lines.items())

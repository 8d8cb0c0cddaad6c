"""The results as Markdown: always the same sections in the same order, whatever was measured; what has no number says why in a footnote."""
import statistics

import growth
from goals import MET, MORE, OURS, OUT, STACK_OUT, best_peer, contests, goal_rows, losses, middle, number, peers_of
from peers import CEILINGS, NOTHING, STACK
from workloads import CELLS, MANY, SWITCH_CELLS

BEGIN, END = "<!-- tables -->", "<!-- /tables -->"


CEILING_TEXT = """What a server reaches that does nothing but answer (`tests/bench/hrnull.c`): it learned the answers from Headrace, and sends
them at once. What is left to the machine and to the load generator is the same for all. And the least that a server made of libmicrohttpd and
SQLite can do (`tests/bench/hrstack.c`): the same answers, after one row for each written message or object was committed.

"""


class Notes:
    """Footnotes, numbered as they come; the same text has one number."""

    def __init__(self):
        self.texts = []

    def mark(self, text):
        if text not in self.texts:
            self.texts.append(text)
        return f"<sup>{self.texts.index(text) + 1}</sup>"

    def lines(self):
        return [f"{i + 1}. {clean(text)}" for i, text in enumerate(self.texts)]


def clean(text):
    return text.replace("|", "/").replace("<", "&lt;").replace("`", "'")


def spread(values):
    return f"{number(statistics.median(values))} ({number(min(values))}–{number(max(values))})"


def table(head, rows, right=1):
    return "\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * right + "---:|" * (len(head) - right), *("| " + " | ".join(row) + " |" for row in rows)])


def servers_table(results):
    rows = [[f"**{name}**", s["version"], s["state"], s["syncs"], s["signs"], f"`{s['flags']}`"] for name, s in results["servers"].items()
            if s["services"] != ["switches"]]
    return table(["server", "version", "keeps state in", "syncs", "checks signatures", "started as"], rows, 6)


RATIOS = ("us of CPU", "ms p99")  # of the contests, what the table at a glance leaves out: it is in the tables of the workloads


def ratios(results):
    """How many times better Headrace is (more of what should be much, less of what should be little): at a glance."""
    peers = [name for name in peers_of(results) if name in results["start"]]
    rows = []
    for what, unit, better, values in contests(results, CELLS):
        ours = values.get(OURS)
        if ours and unit not in RATIOS and not (unit == "ms p50" and any(what == title for title, _, _ in CELLS.values())):
            theirs = [values.get(name) for name in peers]
            shares = [value and (ours / value if better == MORE else value / ours) for value in theirs]
            rows.append([what, f"{number(ours)} {unit}", *(f"{number(share)} x" if share else "–" for share in shares)])
    return table(["", "headrace", *peers], rows)


def cpu_ratios(results):
    """How many times the CPU time the peers take for the same request, at 64 connections or as many as there are."""
    peers = [name for name in peers_of(results) if name in results["start"]]
    rows = []
    for cell, (title, _, _) in CELLS.items():
        ours = middle(results, cell, OURS, "cpu")
        if ours and (cell.endswith("-64") or cell.startswith("large")):
            theirs = [middle(results, cell, name, "cpu") for name in peers]
            rows.append([title, f"{number(ours)} us", *(f"{number(cost / ours)} x" if cost else "–" for cost in theirs)])
    return table(["", "headrace", *peers], rows)


def remarks(entries, notes):
    done, errors, wrong = (sum(entry[key] for entry in entries) for key in ("done", "errors", "wrong"))
    marks = ""
    if errors:
        marks += notes.mark(f"{errors / max(done, 1) * 100:.2g} % of the answers were errors or broken connections; they are not counted in the rate")
    if wrong:
        marks += notes.mark(f"{wrong / max(done, 1) * 100:.2g} % of the answers were wrong; they are not counted in the rate")
    if "objects" in entries[0] and entries[0]["objects"] != MANY:
        marks += notes.mark(f"from {entries[0]['objects']:,} objects: what it took in while it was filled for a few seconds")
    return marks


def cell_table(results, cell, notes):
    measured, failed = results["cells"].get(cell, {}), results["failed"].get(cell, {})
    ours, unit, rows = middle(results, cell, OURS, "rate"), CELLS[cell][2], []
    for name in [*results["servers"], *CEILINGS]:
        entries = measured.get(name)
        if entries:
            rate = statistics.median(entry["rate"] for entry in entries)
            rows.append([f"*{CEILINGS[name]}*" if name in CEILINGS else name, spread([entry["rate"] for entry in entries]) + remarks(entries, notes),
                         *(number(statistics.median(entry[metric] for entry in entries)) for metric in ("p50", "p99", "cpu")),
                         f"{number(ours / rate)} x" if ours else ""])
        elif name in failed:
            rows.append([name, "–" + notes.mark(f"{name}: {failed[name]}"), "–", "–", "–", "–"])
    return table(["server", unit.strip(), "p50 ms", "p99 ms", "CPU us", "headrace is"], rows)


def cells_section(results, notes):
    for cell, (title, _, _) in CELLS.items():
        if results["cells"].get(cell) or results["failed"].get(cell):
            yield f"#### {title}\n\n{cell_table(results, cell, notes)}"


def ceiling_table(results):
    """What the machine and the load generator leave to any server, and the stack to ours; how much of it Headrace and the best peer reach."""
    rows = []
    for cell, (title, _, unit) in CELLS.items():
        measured, ours, best = results["cells"].get(cell, {}), middle(results, cell, OURS, "rate"), best_peer(results, cell)
        if NOTHING in measured and STACK in measured and ours:
            most, stack = (middle(results, cell, name, "rate") for name in CEILINGS)
            rows.append([title, *(spread([entry["rate"] for entry in measured[name]]) for name in CEILINGS), f"{ours / most * 100:.0f} %",
                         f"{ours / stack * 100:.0f} %", f"{best[0] / most * 100:.0f} % {best[1]}" if best else "–",
                         *(f"{middle(results, cell, name, 'busy') * 100:.0f} %" for name in (NOTHING, OURS))])
    return table(["a second", *CEILINGS.values(), "Headrace, of nothing", "of the two alone", "the best peer, of nothing",
                  "load generator's share of a core, nothing", "Headrace"], rows)


def latency_table(results, notes):
    rows = []
    for name in results["servers"]:
        row = [name]
        for cell in ("wake", "event", "upload-result"):
            entries = results["cells"].get(cell, {}).get(name)
            failed = results["failed"].get(cell, {}).get(name)
            row.append(" / ".join(number(statistics.median(entry[p] for entry in entries)) for p in ("p50", "p99")) if entries
                       else "–" + (notes.mark(f"{name}: {failed}") if failed else ""))
        if any(cell != "–" for cell in row[1:]):
            rows.append(row)
    return table(["p50 / p99, ms", "SendMessage to a parked receive", "PutObject to its S3 event in a parked receive", "PutObject to the pipeline's result"], rows)


def standing_table(results, notes):
    """Start, and what it costs to be there."""
    rows = []
    for name in results["servers"]:
        start, idle = results["start"].get(name), results["idle"].get(name)
        if start and idle and results["servers"][name]["services"] != ["switches"]:
            died = results["deaths"].get(name)
            mark = notes.mark(f"{name} died {died} times and was started again") if died else ""
            rows.append([name + mark, spread([s * 1000 for s in start]), f"{idle['memory']:.1f}", f"{results['loaded'].get(name, 0):.0f}" if name in results["loaded"] else "–",
                         f"{idle['cpu_ms']:.1f}", f"{idle['wakeups']:.0f}"])
    return table(["server", "start to the first correct answer, ms", "memory idle, MiB", "memory after the load, MiB", "CPU idle, ms/s", "wake-ups idle, /s"], rows)


def sdk_table(results, notes):
    operations = list(results["sdk"])
    rows = []
    for name in results["servers"]:
        failed = results["failed"].get("sdk", {}).get(name)
        cells = [number(statistics.median(results["sdk"][o][name])) if name in results["sdk"][o] else "–" for o in operations]
        if failed or any(cell != "–" for cell in cells):
            rows.append([name + (notes.mark(f"{name}, {failed}") if failed else ""), *cells])
    return table([f"boto3 {results.get('boto3') or ''}, calls/s", *operations], rows)


def pipeline_table(results):
    rows = []
    for name, entries in results["cells"].get("pipeline", {}).items():
        rows.append([name, spread([e["rate"] for e in entries]), *(number(statistics.median(e[m] for e in entries)) for m in ("p50", "p99", "cpu"))])
    return table(["4 KiB .txt uploaded at 64 connections, until all results are there", "files/s", "PutObject p50 ms", "p99 ms", "CPU us a file"], rows)


def switches_table(results):
    rows = []
    for name in results["servers"]:
        costs = [middle(results, cell, name, "cpu") for cell in SWITCH_CELLS]
        if all(costs):
            rows.append([name, *(f"{cost:.1f}" for cost in costs)])
    return table(["CPU us of one request, 64 connections", *SWITCH_CELLS.values()], rows)


def machine_text(results):
    m, o = results["machine"], results["options"]
    text = (f"Machine: {m['cores']} cores ({m['cpu']}), {m['memory_gib']} GiB, {m['system']}, Linux {m['kernel']}; {m['date']}; load average {m['load']:.2f} at the start. "
            f"{o['rounds']} rounds of {o['seconds']:g} s, each after {o['warm']:g} s that do not count; large objects of {o['large']} MiB; took {results['took'] / 60:.0f} minutes.")
    if results.get("interrupted"):
        text += " **Interrupted**: some of it is missing."
    if results["hurried"]:
        text += f" Time ran out: only {', '.join(f'{rounds} of {name}' for name, rounds in results['hurried'].items())}."
    if m["load"] > 1:
        text += "\n\n**The machine was not quiet**: other work took part of both cores, so rates are too low and latencies too high. CPU times suffer least."
    return text


def goals_table(results):
    rows = [list(row) for row in goal_rows(results, CELLS)]
    met, (out, stack_out) = sum(row[3] == MET for row in rows), (sum(what in row[3] for row in rows) for what in (OUT, STACK_OUT))
    text = f"{met} of {len(rows)} are met."
    if out:
        text += f" {out} are out of any server's reach here: one that does nothing but answer stays below them, too."
    if stack_out:
        text += f" {stack_out} more are out of reach of libmicrohttpd and SQLite, which Headrace is made of: a server of the two alone stays below them."
    return text + "\n\n" + table(["goal", "set", "measured", ""], rows, 4)


def losses_text(results):
    lines = [f"- {line}" for line in losses(results, CELLS)]
    return "\n".join(lines) if lines else "No row of this run."


def absent_text(results):
    lines = [f"- {name}: {clean(why)}" for name, why in results["absent"].items()]
    return "\n\nNot measured:\n" + "\n".join(lines) if lines else ""


def tables(results):
    notes = Notes()
    parts = [machine_text(results), "### Servers\n\n" + servers_table(results) + absent_text(results)]
    if any(results["cells"].get(cell) for cell in CELLS):
        parts += ["### Goals\n\n" + goals_table(results), "### Headrace is so many times better\n\n" + ratios(results),
                  "### The peers take so many times the CPU time\n\n" + cpu_ratios(results)]
    if any(NOTHING in measured and STACK in measured for measured in results["cells"].values()):
        parts.append("### The ceiling\n\n" + CEILING_TEXT + ceiling_table(results))
    parts.append("### Where Headrace loses\n\n" + losses_text(results))
    parts.append("### Start, memory, idleness\n\n" + standing_table(results, notes))
    if results["cells"].get("wake") or results["cells"].get("event"):
        parts.append("### Latency of one message, nothing else going on\n\n" + latency_table(results, notes))
    if results["sdk"]:
        parts.append("### What a user of boto3 feels\n\nOne client, one call after the other; most of the time is spent in the SDK.\n\n" + sdk_table(results, notes))
    if results["cells"].get("pipeline"):
        parts.append("### The built-in pipeline\n\n" + pipeline_table(results))
    if results["cells"].get("switch-send"):
        parts.append("### What tracing and lint cost\n\n" + switches_table(results))
    if results["growth"]:
        parts.append("### Growth\n\n![growth](growth.svg)\n\n" + growth.table(results["growth"]))
    parts += ["### Every workload", *cells_section(results, notes)]
    if notes.texts:
        parts.append("### Footnotes\n\n" + "\n".join(notes.lines()))
    return "\n\n".join(parts)


def write(path, text, results):
    """Replaces what is between the marks; the text around them is written by hand. A new document gets the tables alone."""
    before, _, rest = (path.read_text() if path.exists() else "").partition(BEGIN)
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}")
    if results["growth"]:
        path.with_name("growth.svg").write_text(growth.drawing(results["growth"]))

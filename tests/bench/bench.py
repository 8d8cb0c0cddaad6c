#!/usr/bin/env python3
"""Measures Headrace and the installed peers with one load generator, and writes docs/benchmarks.md.

    tests/bench/run.sh [--peers] [--quick] [--only GROUP,...] [--servers NAME,...] [--json FILE] [--output FILE]

All servers are started once; the one that is measured runs, the others are stopped (SIGSTOP). In every round each group of workloads
goes through all servers before the next group begins, so that a noisy minute hits all alike. A number is the median of the rounds.
The groups of short workloads go through their rounds together, for at most --minutes; what is longer comes after them.
Answers are checked, each one (hrload.c). What a server refuses, gets wrong or does not survive becomes a footnote."""
import argparse
import json
import os
import pathlib
import platform
import signal
import subprocess
import sys
import tempfile
import time

import growth
import report
from goals import OURS
from load import Failed, Run
from peers import CEILINGS, PEERS, ROOT, TARGETS
from workloads import CELLS, GROUPS, takes_part

IDLE = 4  # seconds over which an idle server is watched
SHORT = ("send", "pair", "fifo", "small")  # the groups whose rounds go on together, and after which memory is looked at


class Progress:
    """One line a step on the terminal: the share done and the time since the start."""

    def __init__(self, steps):
        self.steps, self.done, self.began = steps, 0, time.monotonic()

    def step(self, text):
        self.done += 1
        spent = time.monotonic() - self.began
        print(f"[{min(99, 100 * self.done // self.steps):2d}% {int(spent) // 60}:{int(spent) % 60:02d}] {text}", file=sys.stderr, flush=True)


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "?")
    return {"cores": os.cpu_count(), "cpu": cpu, "kernel": platform.release().split("-")[0], "system": distribution(),
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") / 2**30),
            "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), "load": os.getloadavg()[0]}


def distribution():
    for line in open("/etc/os-release"):
        if line.startswith("PRETTY_NAME="):
            return line.split("=", 1)[1].strip().strip('"')
    return "?"


def footnote(results, name, cells, error):
    text = " ".join(str(error).split())[:160]
    for cell in cells:
        if name not in results["cells"].get(cell, {}):
            results["failed"].setdefault(cell, {})[name] = text


def start_all(targets, options, folder, results, progress):
    """Start times, then one instance of each that stays; those that do not start are left out."""
    alive, starts = [], results["start"]
    for number in range(options.starts):
        for target in targets:
            if number and target.name not in starts or len(starts.get(target.name, [])) and starts[target.name][0] > 3 and number > 1:
                continue
            try:
                starts.setdefault(target.name, []).append(target.start(folder / f"start-{number}-{target.name.replace(' ', '')}"))
            except (RuntimeError, OSError) as error:
                results["absent"][target.name] = " ".join(str(error).split())[-200:]
                starts.pop(target.name, None)
            target.stop()
        progress.step(f"started every server once ({number + 1} of {options.starts})")
    for target in targets:
        if target.name in starts:
            target.start(folder / target.name.replace(" ", ""))
            alive.append(target)
    return alive


def watch_idle(targets, results):
    """All at once: a server that does nothing when nothing is asked disturbs nobody."""
    time.sleep(1)
    before = {t.name: (t.cpu_seconds(), t.wakeups()) for t in targets}
    time.sleep(IDLE)
    for target in targets:
        cpu, woken = before[target.name]
        results["idle"][target.name] = {"memory": target.memory_mib(), "cpu_ms": (target.cpu_seconds() - cpu) * 1000 / IDLE,
                                        "wakeups": (target.wakeups() - woken) / IDLE}
        target.pause()


def revive(target, folder, results):
    """A server that died starts again, with what it had lost; it is said."""
    results["deaths"][target.name] = results["deaths"].get(target.name, 0) + 1
    target.stop()
    target.start(folder / f"again-{results['deaths'][target.name]}-{target.name.replace(' ', '')}")
    target.pause()


def run_group(name, number, targets, options, folder, results, progress):
    """One round of one group, all servers in turn. Who failed an earlier round is not asked again."""
    function, _, most = GROUPS[name]
    cells = [cell for cell, (_, group, _) in CELLS.items() if group == name] or [name]
    for target in targets:
        if any(target.name in results["failed"].get(cell, {}) for cell in cells) or not takes_part(target, name):
            continue
        began = time.monotonic()
        target.resume()
        run = Run(target, options, number, folder, results["cells"])
        try:
            function(run)
            run.rest(5)
        except Exception as error:  # noqa: BLE001: a peer may fail in any way; ours must show it as well
            footnote(results, target.name, cells, error)
            print(f"    {target.name}: {name}: {error}", file=sys.stderr)
        target.pause()
        if not target.alive():
            revive(target, folder, results)
        progress.step(f"{name}, round {number + 1} of {min(options.rounds, most)}: {target.name} ({time.monotonic() - began:.1f} s)")


def run_groups(names, targets, options, folder, results, progress):
    """All rounds of these groups: a round goes through all of them before the next, so that all have as many when time runs out."""
    for number in range(options.rounds):
        if number and time.monotonic() - progress.began > options.minutes * 60:
            results["hurried"].update({name: number for name in names if number < GROUPS[name][2]})
            return
        for name in names:
            if number < GROUPS[name][2]:
                run_group(name, number, targets, options, folder, results, progress)


def run_sdk(targets, options, results, progress):
    python = PEERS / "sdk/bin/python"
    python = str(python) if python.exists() else sys.executable
    if subprocess.run([python, "-c", "import boto3"], capture_output=True).returncode:
        results["failed"]["sdk"] = {"all": "no Python with boto3"}
        return
    for target in targets:
        if not takes_part(target, "sdk"):
            continue
        target.resume()
        done = subprocess.run([python, str(pathlib.Path(__file__).with_name("sdk_client.py")), str(target.port), target.access_key,
                               target.secret_key, str(1.5 * options.seconds), ",".join(target.services)], capture_output=True, text=True)
        target.pause()
        answer = json.loads(done.stdout) if done.stdout else {"rates": {}, "failed": [done.stderr.strip()[-200:]]}
        results["boto3"] = answer.get("boto3", results.get("boto3"))
        for operation, rate in answer["rates"].items():
            results["sdk"].setdefault(operation, {}).setdefault(target.name, []).append(rate)
        for text in answer["failed"]:
            results["failed"].setdefault("sdk", {})[target.name] = text
        progress.step(f"boto3: {target.name}")


def measure(targets, options, folder, results):
    order = list(GROUPS)
    order.insert(order.index("large"), "sdk")  # what is heavy comes last
    names = [name for name in order if not options.only or name in options.only or name == "warm"]
    progress = Progress(options.starts + sum(min(options.rounds, GROUPS[n][2]) for n in names if n != "sdk" for t in targets if takes_part(t, n))
                        + sum(takes_part(t, "sdk") for t in targets) * ("sdk" in names) + (12 if options.growth else 0))
    alive = []
    try:
        alive = start_all(targets, options, folder, results, progress)
        watch_idle(alive, results)
        run_groups(["warm"], alive, options, folder, results, progress)
        run_groups([name for name in names if name in SHORT], alive, options, folder, results, progress)
        note_memory(alive, results)
        for name in names:
            if name == "sdk":
                run_sdk(alive, options, results, progress)
            elif name not in ("warm", *SHORT):
                run_groups([name], alive, options, folder, results, progress)
    finally:
        for target in targets:
            target.stop()
    if options.growth:
        late = time.monotonic() - progress.began > 1.8 * options.minutes * 60
        try:
            results["growth"] = growth.measure(options.sizes[:-1] if late else options.sizes, options.sample, progress.step)
        except (Failed, RuntimeError, OSError) as error:
            results["failed"]["growth"] = {OURS: str(error)}
            print(f"    growth: {error}", file=sys.stderr)


def note_memory(targets, results):
    for target in targets:
        target.resume()
        results["loaded"][target.name] = target.memory_mib()
        target.pause()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=0.4, help="of one measurement [0.4]")
    parser.add_argument("--warm", type=float, default=0.12, metavar="SECONDS", help="of the same before each measurement, not counted [0.12]")
    parser.add_argument("--rounds", type=int, default=5, help="[5]")
    parser.add_argument("--minutes", type=float, default=11, help="after so many no further round begins, but every group has one [11]")
    parser.add_argument("--quick", action="store_true", help="one short round, smaller objects, no growth: does everything work?")
    parser.add_argument("--only", type=lambda text: text.split(","), help=f"groups: {', '.join([*GROUPS, 'sdk', 'growth'])}")
    parser.add_argument("--servers", type=lambda text: text.split(","), help=f"of: {', '.join(t.name for t in TARGETS)}")
    parser.add_argument("--large", type=int, default=256, metavar="MIB", help="size of the large object [256]")
    parser.add_argument("--files", type=int, default=20_000, help="through the pipeline in one round [20000]")
    parser.add_argument("--fill", type=float, default=5, help="seconds for which a peer's listed bucket is filled [5]")
    parser.add_argument("--sizes", type=lambda text: [int(n) for n in text.split(",")], default=[1000, 10_000, 100_000, 1_000_000],
                        help="of the growth [1000,10000,100000,1000000]")
    parser.add_argument("--json", metavar="FILE", help="write every single result there")
    parser.add_argument("--render", metavar="FILE", help="measure nothing: write the documents from such a file")
    parser.add_argument("--output", metavar="FILE", help="the document whose tables are replaced, or made; a full run writes docs/benchmarks.md")
    options = parser.parse_args()
    options.starts, options.sample = 4, 5000
    if options.quick:
        options.seconds, options.warm, options.rounds, options.large, options.files, options.starts, options.fill = 0.2, 0.05, 1, 16, 1000, 1, 2
    options.growth = not options.quick and (not options.only or "growth" in options.only)
    if not options.output and not options.quick and not options.only and not options.servers:
        options.output = str(ROOT / "docs/benchmarks.md")
    return options


def main():
    options = arguments()
    if options.render:
        results = json.loads(pathlib.Path(options.render).read_text())
    else:
        targets = [t for t in TARGETS if not options.servers or t.name in options.servers]
        results = {"machine": machine(), "cells": {}, "failed": {}, "start": {}, "idle": {}, "loaded": {}, "sdk": {}, "deaths": {}, "hurried": {}, "growth": None,
                   "absent": {t.name: t.absence for t in targets if not t.installed()}, "options": {
                       "seconds": options.seconds, "warm": options.warm, "rounds": options.rounds, "large": options.large, "fill": options.fill, "files": options.files}}
        targets = [t for t in targets if t.installed()]
        if results["machine"]["load"] > 1:
            print(f"warning: this machine is not quiet (load {results['machine']['load']:.1f}); numbers will be too low", file=sys.stderr)
        began = time.monotonic()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with tempfile.TemporaryDirectory(prefix="headrace-bench-") as folder:
            try:
                measure(targets, options, pathlib.Path(folder), results)
            except KeyboardInterrupt:
                print("interrupted: reporting what there is", file=sys.stderr)
                results["interrupted"] = True
        results["took"] = time.monotonic() - began
        results["servers"] = {t.name: {"version": t.version(), "flags": t.flags(), "state": t.state, "syncs": t.syncs,
                                       "signs": "yes" if "sign" in t.services else "no", "services": t.services}
                              for t in targets if t.name not in CEILINGS}
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(results, indent=1))
    text = report.tables(results)
    if options.output:
        report.write(pathlib.Path(options.output), text, results)
        print(f"wrote {options.output}", file=sys.stderr)
    else:
        print(text)


if __name__ == "__main__":
    main()

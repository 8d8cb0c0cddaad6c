"""Driving one server: the load generator, what the server spent on it, and what both say of the answers."""
import json
import os
import pathlib
import subprocess
import time

from frames import Link, frame

HRLOAD = os.environ.get("HRLOAD", str(pathlib.Path(__file__).resolve().parent.parent.parent / "build/hrload"))
LOOK = 0.02  # seconds


class Failed(Exception):
    """A measurement that has no number; the text becomes a footnote."""


def hrload(port, folder, connections, seconds, limit=0, follow=None):
    """Runs the load generator on folder/requests."""
    command = [HRLOAD, str(port), str(folder / "requests"), str(connections), str(seconds), str(limit)]
    if follow:
        (folder / "follow").write_bytes(frame(follow))
        command.append(str(folder / "follow"))
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    except subprocess.TimeoutExpired:
        raise Failed(f"did not finish within {seconds + 60:.0f} s") from None
    if not done.stdout:
        raise Failed(done.stderr.strip().replace(": Success", "") or f"the load generator ended with {done.returncode}")
    return json.loads(done.stdout)


def rest(target, most):
    """Waits, at most so many seconds, until the server has nothing left to do. Two looks in a row find it asleep."""
    until, quiet, last = time.monotonic() + most, 0, target.cpu_seconds()
    while quiet < 2 and time.monotonic() < until:
        time.sleep(LOOK)
        now = target.cpu_seconds()
        quiet, last = quiet + 1 if now - last < LOOK / 20 else 0, now


class Run:
    """One server in one round of one group of workloads. Results go to results[cell][server]: a list, one entry a round."""

    def __init__(self, target, options, round_number, folder, results):
        self.target, self.options, self.round, self.folder, self.results = target, options, round_number, folder, results
        self.link = Link(target)
        self.make = self.link.make

    @property
    def first(self):
        return self.round == 0

    def keep(self, cell, **entry):
        self.results.setdefault(cell, {}).setdefault(self.target.name, []).append(entry)

    def write(self, frames):
        with open(self.folder / "requests", "wb") as file:
            file.writelines(frames)

    def fill(self, frames, seconds, limit=0, connections=16):
        """Load that is not measured; how many requests were answered well. Some servers close connections: that is not counted."""
        self.write(frames)
        done = hrload(self.target.port, self.folder, connections, seconds, limit)
        return done["done"] - done["wrong"]

    def rest(self, most):
        """What it put off (rows of a deleted queue, a collector of garbage) must not be charged to who comes next."""
        rest(self.target, most)

    def warm(self, frames, connections, limit=0, follow=None):
        """What comes before a measurement and is not counted: how many requests it took."""
        self.rest(1)
        self.write(frames)
        return hrload(self.target.port, self.folder, connections, self.options.warm, limit, follow)["done"]

    def load(self, cell, frames, connections, units=1, follow=None, limit=0, seconds=None):
        """Measures a cell: `units` are what one request counts for (messages of a batch, megabytes of an object)."""
        self.write(frames)
        before = self.target.cpu_seconds()
        got = hrload(self.target.port, self.folder, connections, seconds or self.options.seconds, limit, follow)
        spent = self.target.cpu_seconds() - before
        good = got["done"] - got["errors"] - got["wrong"]
        if good <= 0:
            what = f"status {got['first_bad']}" if got["first_bad"] else "it closed the connection"
            raise Failed("no answer was right" if got["wrong"] else f"no answer was a success: {what}")
        self.keep(cell, rate=good / got["seconds"] * units, p50=got["p50_us"] / 1000, p99=got["p99_us"] / 1000, cpu=spent * 1e6 / got["done"],
                  done=got["done"], errors=got["errors"], wrong=got["wrong"], busy=got["busy"])
        return got

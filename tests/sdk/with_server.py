#!/usr/bin/env python3
"""Runs a command against a fresh Headrace: with_server.py [FLAGS ...] -- COMMAND ...

The command finds the server in HEADRACE_ENDPOINT. Fails when the command does, when the server does not end cleanly, or
when a sanitizer has reported."""
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

split = sys.argv.index("--")
with Server(*sys.argv[1:split]) as server:
    code = subprocess.run(sys.argv[split + 1:], env={**os.environ, "HEADRACE_ENDPOINT": server.endpoint}).returncode
sys.exit(code)

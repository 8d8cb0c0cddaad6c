"""Runs the cases of a program in this folder: each in a folder of its own, one line each, and at the end "N passed, M failed"."""
import pathlib
import shutil
import tempfile
import time


def run_cases(cases, options, name):
    """`cases`: functions of (options, folder). options.case: only those whose name contains one of these. The exit code."""
    passed = failed = 0
    for function in cases:
        if options.case and not any(part in function.__name__ for part in options.case):
            continue
        folder = pathlib.Path(tempfile.mkdtemp(prefix=f"headrace-{name}-"))
        began = time.monotonic()
        try:
            function(options, folder)
            passed += 1
            print(f"ok {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAILED {function.__name__}: {type(error).__name__}: {error}", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0

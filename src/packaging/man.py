#!/usr/bin/env python3
"""Prints headrace(1), made of what the binary says about itself: man.py BINARY > headrace.1"""
import re
import subprocess
import sys

EXIT = """Exit code 0: done. 1: it did not work out. 2: wrong usage, or something stands in the way (a port in use, a directory
that cannot be written, data that another process has open). 3: what was asked for with \\-\\-lint error, \\-\\-once or
\\-\\-drain was not clean."""


def said(*arguments):
    return subprocess.run(arguments, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/bin:/bin", "NO_COLOR": "1"}).stdout


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def rows(title, block):
    """Lines of two columns, "  what   meaning", as tagged paragraphs; examples as they are; the rest as text."""
    if title == "examples":
        yield f".nf\n{roff(block.strip(chr(10)))}\n.fi"
        return
    yield ".PP"
    for line in block.strip("\n").splitlines():
        row = re.match(r"  (\S.*?)  +(.*)", line)
        if row and not line.startswith(" " * 12):
            yield f".TP\n.B {roff(row[1])}\n{roff(row[2])}"
        elif line.strip():
            yield roff(line.strip())
        else:
            yield ".PP"


def sections(help_text):
    """Splits at lines such as "options:": (title, block) pairs; the first has no title."""
    parts = re.split(r"^([a-z ]+):\n", help_text, flags=re.M)
    return [("", parts[0]), *zip(parts[1::2], parts[2::2])]


def main():
    binary = sys.argv[1]
    overall = said(binary, "--help")
    first, version = overall.splitlines()[0], said(binary, "version").split()[-1]
    print(f'.TH HEADRACE 1 "" "headrace {version}" "User Commands"')
    print(f".SH NAME\nheadrace \\- {roff(first.split(': ', 1)[1])}")
    print(".SH SYNOPSIS\n.B headrace\n.RI [ COMMAND ]\n.RI [ OPTIONS ]")
    names = []
    for title, block in sections(overall)[1:]:
        print(f".SH {title.upper()}")
        print("\n".join(rows(title, block)))
        names += re.findall(r"^  ([a-z]+)", block, re.M) if title == "commands" else []
    for name in names:
        text = said(binary, name, "--help")
        if name == "serve":  # its options stand above
            continue
        print(f'.SH "HEADRACE {name.upper()}"')
        for title, block in sections(text):
            print(f".SS {title}" if title else "", end="\n" if title else "")
            print("\n".join(rows(title, block)))
    print(f".SH EXIT STATUS\n{EXIT}")
    print(".SH SEE ALSO\n.I /usr/share/doc/headrace/README.md\n.br\n.BR aws (1)")


main()

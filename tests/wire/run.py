#!/usr/bin/env python3
"""Runs the wire pages: Markdown files of HTTP messages and the answers they must get, to the byte.

    tests/wire/run.py [PAGE.md ...]        HEADRACE_BIN names the binary (default build/headrace)

A page is prose with cases. A case is a `## heading`, then one or more pairs of fences, ```request and ```answer:

    ## A missing queue
    ```request
    POST / HTTP/1.1
    X-Amz-Target: AmazonSQS.GetQueueUrl

    {"QueueName":"nope"}
    ```
    ```answer
    400
    x-amzn-query-error: AWS.SimpleQueueService.NonExistentQueue;Sender

    {"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}
    ```

Request: Host and Content-Length are added where the page has none; lines end with CRLF on the wire; a body line that ends
with a backslash goes on in the next line (whose leading blanks are dropped). In a body, \\r \\n \\t \\xNN stand for bytes.
Answer: the status, then headers that must be there with that value (`!Name` must be absent; others are not looked at),
then, after an empty line, the whole body; without that empty line the body is not looked at.

Placeholders, in answers: {{uuid}} {{md5}} {{hex}} {{iso}} {{date}} {{int}} {{id}} {{any}} match one value of that form;
{{name=uuid}} also keeps it, and {{name}} stands for it from then on, in requests too. {{host}} and {{port}} are the server's.
Every page gets a fresh server. A line "Flags: --x --y" before the first case adds flags."""
import pathlib
import re
import socket
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from harness import Server  # noqa: E402

FORMS = {
    "uuid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "md5": r"[0-9a-f]{32}",
    "hex": r"[0-9A-Fa-f]+",
    "iso": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "date": r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT",
    "int": r"-?\d+",
    "id": r"[A-Za-z0-9+/=_.~-]+",
    "any": r"[^\r\n]*?",
}
PLACEHOLDER = re.compile(r"\{\{([a-z0-9_]+)(?:=([a-z0-9]+))?\}\}")


class Wrong(Exception):
    pass


def parse(text):
    """The page's flags and its cases: (name, [(request, answer), ...])."""
    flags = re.search(r"^Flags: (.*)$", text.split("\n## ")[0], re.M)
    cases = []
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        fences = re.findall(r"^```(request|answer)\n(.*?)^```", section, re.M | re.S)
        kinds = [kind for kind, _ in fences]
        if not fences or kinds != ["request", "answer"] * (len(kinds) // 2):
            raise Wrong(f"case '{section.splitlines()[0]}' is not pairs of request and answer")
        bodies = [body for _, body in fences]
        cases.append((section.splitlines()[0].strip(), list(zip(bodies[::2], bodies[1::2]))))
    return (flags.group(1).split() if flags else []), cases


def joined(text):
    return re.sub(r"\\\n[ \t]*", "", text.rstrip("\n"))


def filled(text, known):
    def value(match):
        if match.group(1) not in known:
            raise Wrong(f"{{{{{match.group(1)}}}}} is not known yet")
        return known[match.group(1)]
    return PLACEHOLDER.sub(value, text)


def unescaped(text):
    special = {"r": b"\r", "n": b"\n", "t": b"\t"}
    parts = re.split(r"\\(r|n|t|x[0-9a-fA-F]{2})", text)
    out = b""
    for i, part in enumerate(parts):
        if i % 2 == 0:
            out += part.encode()
        else:
            out += special[part] if part in special else bytes([int(part[1:], 16)])
    return out


def to_wire(page, known):
    head, _, body = filled(page, known).partition("\n\n")
    body = unescaped(joined(body))
    lines = head.rstrip("\n").split("\n")
    names = [line.split(":")[0].lower() for line in lines[1:]]
    if "host" not in names:
        lines.insert(1, "Host: " + known["host"])
    if "content-length" not in names and "transfer-encoding" not in names and (body or not lines[0].startswith(("GET", "HEAD"))):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def exchange(port, wire, method):
    """Sends the bytes, returns (status, headers, body) of the first final answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(wire)
        stream = connection.makefile("rb")
        while True:
            status = stream.readline().split(b" ", 2)
            if len(status) < 2:
                raise Wrong("the connection was closed without an answer")
            headers = []
            while (line := stream.readline().rstrip(b"\r\n")):
                name, _, value = line.partition(b":")
                headers.append((name.decode().lower(), value.strip().decode("utf-8", "replace")))
            if int(status[1]) >= 200 or int(status[1]) == 101:
                break
        return int(status[1]), headers, read_body(stream, int(status[1]), dict(headers), method)


def read_body(stream, status, headers, method):
    if method == "HEAD" or status in (204, 304):
        return b""
    if headers.get("transfer-encoding") == "chunked":
        body = b""
        while (size := int(stream.readline().split(b";")[0], 16)):
            body += stream.read(size)
            stream.readline()
        return body
    return stream.read(int(headers["content-length"])) if "content-length" in headers else stream.read()


def pattern(text, known):
    """The page's text as a regular expression; the names it keeps are its groups."""
    out, at = "", 0
    for match in PLACEHOLDER.finditer(text):
        out += re.escape(text[at:match.start()])
        name, form = match.groups()
        if form:
            out += f"(?P<{name}>{FORMS[form]})"
        elif name in known:
            out += re.escape(known[name])
        elif name in FORMS:
            out += f"(?:{FORMS[name]})"
        else:
            raise Wrong(f"{{{{{name}}}}} is neither known nor a form")
        at = match.end()
    return out + re.escape(text[at:])


def demand(text, got, known, what):
    match = re.fullmatch(pattern(text, known), got, re.S)
    if not match:
        raise Wrong(f"{what}\n      want {text!r}\n      got  {got!r}")
    known.update(match.groupdict())


def compare(page, status, headers, body, known):
    head, separator, want = page.partition("\n\n")
    lines = head.rstrip("\n").split("\n")
    if int(lines[0].split()[0]) != status:
        raise Wrong(f"status: want {lines[0]}, got {status}\n      body {body[:600]!r}")
    for line in lines[1:]:
        name, _, value = line.partition(":")
        found = [v for n, v in headers if n == name.lstrip("!").lower()]
        if line.startswith("!"):
            if found:
                raise Wrong(f"header {name[1:]}: must be absent, got {found[0]!r}")
        elif not found:
            raise Wrong(f"header {name}: absent, want {value.strip()!r}")
        else:
            demand(value.strip(), found[0], known, f"header {name}:")
    if separator:
        demand(unescaped(joined(want)).decode(), body.decode("utf-8", "backslashreplace"), known, "body:")


def run_page(path):
    flags, cases = parse(path.read_text())
    passed, failed = 0, 0
    with Server("--no-pipeline", *flags) as server:
        known = {"host": f"127.0.0.1:{server.port}", "port": str(server.port)}
        for name, steps in cases:
            try:
                for number, (request, answer) in enumerate(steps, 1):
                    wire = to_wire(request, known)
                    compare(answer, *exchange(server.port, wire, wire.split(b" ")[0].decode()), known)
                passed += 1
            except (Wrong, OSError, ValueError) as error:
                failed += 1
                where = f" (step {number})" if len(steps) > 1 else ""
                print(f"FAILED {path.name}: {name}{where}: {error}")
    return passed, failed


def main():
    folder = pathlib.Path(__file__).resolve().parent
    pages = [pathlib.Path(name) for name in sys.argv[1:]] or sorted(folder.glob("*.md"))
    passed = failed = 0
    for page in pages:
        try:
            good, bad = run_page(page)
        except (Wrong, AssertionError, RuntimeError) as error:
            good, bad = 0, 1
            print(f"FAILED {page.name}: {error}")
        print(f"{page.name}: {good} of {good + bad}")
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

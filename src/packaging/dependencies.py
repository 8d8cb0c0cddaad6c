#!/usr/bin/env python3
"""What we depend on, from src/packaging/dependencies.json, in the forms that others read.

    dependencies.py table SCOPE            a Markdown table of scope program, build, test or bench (docs/dependencies.md)
    dependencies.py found                  the libraries found on this machine, beside those all tests have run with
    dependencies.py debian                 the packages a build needs, for apt-get install
    dependencies.py licences LINKAGE       the texts of the licences of what is inside: LINKAGE is static or archive
    dependencies.py sbom LINKAGE ...       a CycloneDX 1.5 SBOM on stdout; LINKAGE is shared or static:
        --headrace VERSION                 version of the program
        --modules NAME,...                 pkg-config modules the build has linked: each must have a row
        --inside NAME,...                  those of them that are inside a shared build's program, as archives
        --sources NAME=DIR,...             libraries built from these folders, whose version their prefix knows
"""
import argparse
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import uuid

HERE = pathlib.Path(__file__).resolve().parent
ROWS = json.loads((HERE / "dependencies.json").read_text())["dependencies"]
WHERE = {("shared", "static"): "both builds", ("static",): "static build only",
         ("archive", "static"): "both builds, inside the program",
         ("optional", "static"): "both builds; in the shared one opened at run time, by those commands only"}


def output(*command):
    """What a command prints, or "" when it fails or is not here."""
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        return ""


def found(row):
    """The version that pkg-config (or, for the C library, getconf) finds now; "" for none."""
    if row.get("module"):
        return output("pkg-config", "--modversion", row["module"])
    return output("getconf", "GNU_LIBC_VERSION").removeprefix("glibc ") if "libc.so.6" in row.get("soname", "") else ""


def of_scope(scope):
    return [row for row in ROWS if row["scope"] == scope]


def cell(text):
    return text.replace("|", "\\|")


def table(scope):
    columns = ["Dependency", "Version", "Licence", "Why", "What would replace it"]
    if scope == "program":
        columns.insert(3, "Where")
    yield columns
    yield ["---"] * len(columns)
    for row in of_scope(scope):
        name = f"[{row['name']}]({row['homepage']})" if "homepage" in row else row["name"]
        cells = [name, row["version"], row["licence"], row["reason"], row["replacement"]]
        if scope == "program":
            cells.insert(3, "; ".join([WHERE[tuple(row["linkage"])], *([row["inside"]] if "inside" in row else [])]))
        yield map(cell, cells)


def print_table(scope):
    for cells in table(scope):
        print("| " + " | ".join(cells) + " |")


def print_found():
    for row in of_scope("program"):
        print(f"{row['name']:18} {found(row) or '-':10} {row['version']:10} {row['licence']}")


def print_debian():
    print(*sorted({row["debian"] for row in ROWS if row["scope"] in ("program", "build") and "debian" in row}))


def debian_purl(row, sources):
    """pkg:deb with the distribution's own version, which says what has been mended in it; else pkg:generic."""
    system = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', pathlib.Path("/etc/os-release").read_text(), re.M)) \
        if os.path.exists("/etc/os-release") else {}
    changelog = pathlib.Path(sources.get(row.get("module"), "/nowhere")) / "debian/changelog"
    vendor = system.get("ID", "debian")
    if changelog.exists():
        name, version = re.match(r"(\S+) \(([^)]+)\)", changelog.read_text()).groups()
        return f"pkg:deb/{vendor}/{name}@{version.replace('+', '%2B')}?arch=source"
    package = output("dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", row["debian"]).split()
    if row.get("module") not in sources and len(package) == 2:
        return f"pkg:deb/{vendor}/{package[0]}@{package[1].replace('+', '%2B').replace(':', '%3A')}?arch=source"
    return f"pkg:generic/{row['module'] or 'glibc'}@{found(row)}"


def component(row, sources, linkage):
    version = found(row)
    if not version:
        raise SystemExit(f"dependencies.py: pkg-config does not know {row['module'] or row['name']}, which this build needs")
    return {"type": "library", "bom-ref": row["name"], "name": row["name"], "version": version,
            "scope": "required", "description": row["reason"],
            "licenses": [{"license": {"id": row["licence"]}}], "purl": debian_purl(row, sources),
            "properties": [{"name": "headrace:linkage", "value": linkage}],
            "externalReferences": [{"type": "website", "url": row["homepage"]}]}


def optional(row):
    """Opened at run time: whichever version the user's machine has."""
    return {"type": "library", "bom-ref": row["name"], "name": row["name"], "scope": "optional",
            "description": row["reason"], "licenses": [{"license": {"id": row["licence"]}}],
            "externalReferences": [{"type": "website", "url": row["homepage"]}]}


def moment():
    """When it was made, or SOURCE_DATE_EPOCH, so that a build can be repeated to the byte."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    now = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc) if seconds else \
        datetime.datetime.now(datetime.timezone.utc)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")


def sbom(linkage, version, modules, inside, sources):
    known = {row.get("module") for row in of_scope("program")}
    unknown = [name for name in modules if name not in known]
    if unknown:
        raise SystemExit(f"dependencies.py: {', '.join(unknown)} is linked, but not in src/packaging/dependencies.json")
    linked = {linkage, "archive"} if linkage == "shared" else {linkage}
    components = [component(row, sources, "archive" if row.get("module") in inside else linkage)
                  for row in of_scope("program") if linked & set(row["linkage"])]
    if linkage == "shared":
        components += [optional(row) for row in of_scope("program") if "optional" in row["linkage"]]
    reference = f"headrace@{version}"
    me = {"type": "application", "bom-ref": reference, "name": "headrace", "version": version,
          "licenses": [{"license": {"id": "MIT"}}], "purl": f"pkg:generic/headrace@{version}",
          "description": "S3, SQS and a word-count pipeline on this machine, for tests and classes"}
    serial = uuid.UUID(bytes=hashlib.sha256(json.dumps([me, components]).encode()).digest()[:16], version=4)
    return {"$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json", "bomFormat": "CycloneDX", "specVersion": "1.5",
            "serialNumber": f"urn:uuid:{serial}", "version": 1,
            "metadata": {"timestamp": moment(), "component": me,
                         "properties": [{"name": "headrace:linkage", "value": linkage}]},
            "components": components,
            "dependencies": [{"ref": reference, "dependsOn": [part["bom-ref"] for part in components]},
                             *[{"ref": part["bom-ref"]} for part in components]]}


def licence_text(row, sources):
    """The text itself, of the folder it was built from or of the machine's package."""
    folder = pathlib.Path(sources.get(row["module"], "/nowhere"))
    for path in (folder / "debian/copyright", folder / "COPYING", pathlib.Path("/usr/share/doc", row["debian"], "copyright")):
        if path.exists():
            return path.read_text(errors="replace").strip()
    return f"Its text: {row['homepage']}"


def print_licences(linkage, sources):
    print("This program holds the libraries below. Their licences:")
    for row in of_scope("program"):
        if linkage in row["linkage"]:
            print(f"\n{'=' * 100}\n{row['name']} {found(row)}: {row['licence']}\n{'=' * 100}\n{licence_text(row, sources)}")


def names(text):
    return [name for name in text.split(",") if name]


def pairs(text):
    return dict(part.split("=", 1) for part in text.split(",") if part)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "found", "debian", "licences", "sbom"])
    parser.add_argument("which", nargs="?")
    parser.add_argument("--headrace", default="0")
    parser.add_argument("--modules", default="")
    parser.add_argument("--inside", default="")
    parser.add_argument("--sources", default="")
    given = parser.parse_args()
    if given.what == "table":
        print_table(given.which)
    elif given.what == "licences":
        print_licences(given.which, pairs(given.sources))
    elif given.what == "sbom":
        json.dump(sbom(given.which, given.headrace, names(given.modules), names(given.inside), pairs(given.sources)), sys.stdout, indent=2)
        print()
    else:
        {"found": print_found, "debian": print_debian}[given.what]()


main()

#!/usr/bin/env python3
"""src/packaging/dependencies.json against the truth: what a program links, what the scripts install, what an SBOM holds.

    tests/lint/dependencies.py BINARY [SBOM]     without SBOM, a fresh one is made and looked at"""
import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROWS = [row for row in json.loads((ROOT / "src/packaging/dependencies.json").read_text())["dependencies"]
        if row["scope"] == "program"]
# What sanitizers bring along.
COMPILER = re.compile(r"lib(asan|ubsan|tsan|gcc_s|stdc\+\+)\.so")
SHELF = ["README.md", "tests/run.sh", "examples/quickstart.sh"]
faults = []


def need(truth, text):
    if not truth:
        faults.append(text)


def linked(binary):
    """The sonames a program asks for; none for a static one."""
    done = subprocess.run(["readelf", "-d", binary], capture_output=True, text=True, check=True)
    return {name for name in re.findall(r"\(NEEDED\).*\[(.*)\]", done.stdout) if not COMPILER.match(name)}


def check_linked(binary):
    asked = linked(binary)
    shared = {name: row["name"] for row in ROWS if {"shared", "archive"} & set(row["linkage"]) for name in row["soname"].split()}
    for name in sorted(asked - shared.keys()):
        need(False, f"{binary} links {name}, which src/packaging/dependencies.json does not know")
    for row in ROWS if asked else []:
        need("shared" not in row["linkage"] or asked & set(row["soname"].split()), f"nothing links {row['name']} any more")
        held = asked & set(row["soname"].split()) or "archive" in row["linkage"] and row["mark"].encode() in pathlib.Path(binary).read_bytes()
        need("archive" not in row["linkage"] or held, f"{row['name']} is neither linked nor inside")
    return bool(asked)


def check_shelf():
    """A library that the default build needs is installed by every script that installs."""
    for path in SHELF:
        text = (ROOT / path).read_text()
        for row in ROWS:
            if {"shared", "archive", "optional"} & set(row["linkage"]) and row["debian"] != "libc6-dev":
                need(row["debian"] in text, f"{path} does not install {row['debian']}")


def check_sbom(sbom):
    """The members and forms of CycloneDX 1.5 that readers rely on."""
    need(sbom.get("bomFormat") == "CycloneDX" and sbom.get("specVersion") == "1.5" and sbom.get("version") == 1, "not CycloneDX 1.5")
    need(re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", sbom["serialNumber"]), "serialNumber")
    need(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["metadata"]["timestamp"]), "timestamp")
    linkage = sbom["metadata"]["properties"][0]["value"]
    kinds = {"shared", "archive", "optional"} if linkage == "shared" else {linkage}
    listed = {part["name"]: part for part in sbom["components"]}
    need(len(listed) == len(sbom["components"]), "a component is listed twice")
    need(listed.keys() == {row["name"] for row in ROWS if kinds & set(row["linkage"])}, f"components of the {linkage} build: {sorted(listed)}")
    for name, part in listed.items():
        need(part["type"] == "library" and part["bom-ref"] and part["licenses"][0]["license"]["id"], f"{name}: type, bom-ref or licence")
        if part["scope"] == "required":
            need(re.match(r"\d+\.\d+", part["version"]), f"{name}: version {part['version']}")
            need(re.fullmatch(r"pkg:(deb/\w+|generic)/[\w.+-]+@[\w.%~+-]+(\?[\w=&]+)?", part["purl"]), f"{name}: purl {part['purl']}")
    references = {sbom["metadata"]["component"]["bom-ref"], *(part["bom-ref"] for part in sbom["components"])}
    for edge in sbom["dependencies"]:
        need({edge["ref"], *edge.get("dependsOn", [])} <= references, f"dependency on the unknown: {edge}")


def check_inside(binary, sbom):
    """What is said to be inside the program is not linked as well, and the other way round."""
    asked = linked(binary)
    for row in ROWS if asked else []:
        part = next((part for part in sbom["components"] if part["name"] == row["name"]), {"scope": "optional"})
        if part["scope"] == "required":
            inside = part["properties"][0]["value"] == "archive"
            need(inside != bool(asked & set(row["soname"].split())), f"{row['name']}: the SBOM says {part['properties'][0]['value']}, the program something else")


def main():
    shared = check_linked(sys.argv[1])
    check_shelf()
    if len(sys.argv) > 2:
        sbom = json.loads(pathlib.Path(sys.argv[2]).read_text())
        need(shared == (sbom["metadata"]["properties"][0]["value"] == "shared"), "the SBOM is of the other kind of build")
        check_inside(sys.argv[1], sbom)
    else:
        sbom = json.loads(subprocess.run([sys.executable, str(ROOT / "src/packaging/dependencies.py"), "sbom", "shared", "--headrace", "1.2.3"],
                                         capture_output=True, text=True, check=True).stdout)
    check_sbom(sbom)
    if faults:
        raise SystemExit("\n".join(faults))
    print(f"{len(ROWS)} dependencies are as src/packaging/dependencies.json says")


main()

"""The list of components in CycloneDX 1.5 (https://cyclonedx.org/docs/1.5/json/): no date and no random serial number, so that the
same sources give the same bytes."""
import json

from part import Part


def text(program: Part, parts: list[Part]) -> str:
    every = [program, *parts]
    program_needs = [*program.needs, *(part.url for part in parts if part.kind != "cargo")]
    needs = {part.url: part.needs for part in parts} | {program.url: program_needs}
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": component(program, "application")},
        "components": [component(part, "library") for part in parts],
        "dependencies": [{"ref": part.url, "dependsOn": list(needs[part.url])} for part in every],
    }
    return json.dumps(document, indent=1) + "\n"


def component(part: Part, kind: str) -> dict:
    found = {"type": kind, "bom-ref": part.url, "name": part.name, "version": part.version, "purl": part.url}
    found["licenses"] = [{"expression": part.licence}]
    if part.checksum:
        algorithm, digest = part.checksum
        found["hashes"] = [{"alg": algorithm, "content": digest}]
    return found

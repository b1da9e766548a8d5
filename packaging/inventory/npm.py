"""Packages of the web client that browsers run: what its lock file does not mark as needed for development alone."""
import base64
import json
import pathlib

from part import Part


def parts(web: pathlib.Path) -> list[Part]:
    packages = json.loads((web / "package-lock.json").read_text())["packages"]
    shipped = {path: package for path, package in packages.items() if path and not package.get("dev") and not package.get("devOptional")}
    return [part(web, path, package, shipped) for path, package in sorted(shipped.items())]


def part(web: pathlib.Path, path: str, package: dict, shipped: dict) -> Part:
    algorithm, digest = package["integrity"].split("-", 1)
    needs = [f"node_modules/{name}" for name in {**package.get("dependencies", {}), **package.get("peerDependencies", {})}]
    return Part(
        kind="npm",
        name=name(path),
        version=package["version"],
        licence=package["license"],
        folder=web / path,
        checksum=(algorithm.upper().replace("SHA", "SHA-"), base64.b64decode(digest).hex()),
        needs=tuple(sorted(f"pkg:npm/{name(need)}@{shipped[need]['version']}" for need in needs if need in shipped)),
    )


def name(path: str) -> str:
    return path.rpartition("node_modules/")[2]

"""Crates that are linked into the binary, as cargo resolves them for one target."""
import json
import pathlib
import subprocess
import tomllib

from part import Part


def parts(root: pathlib.Path, target: str) -> tuple[Part, list[Part]]:
    """The program itself, and its crates by name; build scripts and macros of the compiler are not part of it."""
    linked = {tuple(line.split()[:2]) for line in cargo(root, "tree", "-e", "normal,no-proc-macro", "--prefix=none", "--target", target).splitlines()}
    metadata = json.loads(cargo(root, "metadata", "--format-version=1", "--filter-platform", target))
    lock = tomllib.loads((root / "Cargo.lock").read_text())
    checksums = {(crate["name"], crate["version"]): crate.get("checksum") for crate in lock["package"]}
    packages = {crate["id"]: crate for crate in metadata["packages"] if (crate["name"], f"v{crate['version']}") in linked}
    needs = {node["id"]: [need for need in node["dependencies"] if need in packages] for node in metadata["resolve"]["nodes"]}
    found = [part(packages, needs[id_], checksums, crate) for id_, crate in packages.items()]
    program = next(part for part in found if part.folder == root)
    return program, sorted((part for part in found if part is not program), key=lambda part: (part.name, part.version))


def part(packages: dict, needs: list[str], checksums: dict, crate: dict) -> Part:
    checksum = checksums[crate["name"], crate["version"]]
    return Part(
        kind="cargo",
        name=crate["name"],
        version=crate["version"],
        licence=(crate["license"] or "NOASSERTION").replace("/", " OR "),
        folder=pathlib.Path(crate["manifest_path"]).parent,
        authors=tuple(crate["authors"]),
        checksum=("SHA-256", checksum) if checksum else None,
        needs=tuple(sorted(f"pkg:cargo/{packages[need]['name']}@{packages[need]['version']}" for need in needs)),
    )


def cargo(root: pathlib.Path, *arguments: str) -> str:
    return subprocess.run(["cargo", *arguments, "--locked"], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout

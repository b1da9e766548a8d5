"""What is inside the binary, told twice: as Debian's copyright file and as a list of components (CycloneDX).

    python3 packaging/inventory TARGET FOLDER

TARGET is a Rust target triple; FOLDER gets `copyright` and `visavis.cdx.json`.
"""
import pathlib
import sys

import bundled
import cargo
import copyright_file
import cyclonedx
import npm

ROOT = pathlib.Path(__file__).parents[2]


def main() -> None:
    target, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    program, crates = cargo.parts(ROOT, target)
    parts = [*crates, *bundled.parts(crates), *npm.parts(ROOT / "web")]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "copyright").write_text(copyright_file.text(program, parts))
    (folder / "visavis.cdx.json").write_text(cyclonedx.text(program, parts))


main()

"""One piece of somebody's work inside the binary, and the notices it brings along."""
import dataclasses
import pathlib
import re

# Names of files with licences, in any case.
NOTICES = re.compile(r"^(licen[cs]es?|copying|copyright|notice|unlicense)([-._].*)?$", re.IGNORECASE)
# A line that says who holds the copyright: "(c)" or a year tells it from one that speaks about copyright.
HOLDER = re.compile(r"^\W*(?:copyright\s*(?:\(c\)|©)|(?:copyright|\(c\)|©)[^\d]{0,30}?(?=(?:19|20)\d\d\b))[\s:]*(\w.*)$", re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Part:
    kind: str  # "cargo", "npm" or "generic": the type of a package URL
    name: str
    version: str
    licence: str  # an SPDX expression
    folder: pathlib.Path | None = None  # where its sources lie, licences among them
    authors: tuple[str, ...] = ()
    checksum: tuple[str, str] | None = None  # algorithm as CycloneDX calls it, hexadecimal digest
    needs: tuple[str, ...] = ()  # package URLs

    @property
    def url(self) -> str:
        """Its package URL, https://github.com/package-url/purl-spec."""
        return f"pkg:{self.kind}/{self.name}@{self.version}"

    def notices(self) -> list[tuple[str, str]]:
        """Name and text of each of its files with licences, by name; without any, of the comment its sources begin with."""
        files = [file for file in (self.folder.iterdir() if self.folder else ()) if NOTICES.match(file.name)]
        files = [inner for file in files for inner in (file.iterdir() if file.is_dir() else [file])]
        if not files and self.folder and (first := self.folder / "src/lib.rs").exists():
            comment = first.read_text().partition("*/")[0]
            return [(first.name, re.sub(r"^[/ ]\*+ ?", "", comment, flags=re.MULTILINE))]
        return [(file.name, file.read_text(errors="replace")) for file in sorted(files)]

    def holders(self) -> list[str]:
        """Who says to hold its copyright; its authors, if no file says."""
        lines = [line for _, text in self.notices() for line in text.splitlines()]
        found = [" ".join(match[1].split()).rstrip(".,;*/ ") for line in lines if (match := HOLDER.match(line))]
        return sorted(set(found) or {re.sub(r"\s*<.*>", "", author) for author in self.authors} or {f"the authors of {self.name}"})

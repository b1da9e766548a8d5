// The package under test, and one like it that is older.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const BUILT = join(import.meta.dirname, "../../target/debian");

/** The file that `make deb` has built for this machine, or the one that VISAVIS_DEB names. */
export function thePackage(): string {
  const named = process.env["VISAVIS_DEB"];
  if (named) return named;
  const architecture = execFileSync("dpkg", ["--print-architecture"]).toString().trim();
  const built = existsSync(BUILT) ? readdirSync(BUILT) : [];
  const [file, ...others] = built.filter((name) => name.startsWith("visavis_") && name.endsWith(`_${architecture}.deb`));
  if (!file || others.length > 0) throw new Error(`there is not one visavis_*_${architecture}.deb in ${BUILT}: make deb`);
  return join(BUILT, file);
}

/** The same under a lower version number: what an upgrade starts from. */
export function olderPackage(): string {
  const folder = mkdtempSync(join(tmpdir(), "older-"));
  const tree = join(folder, "tree");
  execFileSync("dpkg-deb", ["--raw-extract", thePackage(), tree]);
  const control = join(tree, "DEBIAN/control");
  writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*$/m, "Version: 0.0.1"));
  const file = join(folder, "visavis_0.0.1.deb");
  execFileSync("dpkg-deb", ["--root-owner-group", "-Zgzip", "--build", tree, file]);
  return file;
}

// The people of the browser tests, with accounts on a box.
import { PASSWORD, PEOPLE } from "../browser/daemon.ts";
import { type Box } from "./box.ts";

/** As an administrator does it in the box's shell, beside the running daemon. */
export async function addPeople(box: Box): Promise<void> {
  for (const { username, name, role } of PEOPLE) {
    await box.run(`visavis user add ${username} --role ${role} --name "${name}"`, `${PASSWORD}\n`);
  }
}

// Somebody who asks for the page again and again, whatever happens to the daemon.
import { get } from "node:https";

/** How the requests ended. */
export interface Tally {
  answered: number;
  /** ECONNREFUSED: nobody held the port. */
  refused: number;
  /** Not answered within ten seconds. */
  silent: number;
  /** Cut off in the middle, or not given the page. */
  broken: number;
}

export class Visitor {
  readonly #tally: Tally = { answered: 0, refused: 0, silent: 0, broken: 0 };
  readonly #open = new Set<Promise<void>>();
  readonly #clock: NodeJS.Timeout;

  /** Asks `address` for its page forty times a second, each time on a new connection. */
  constructor(readonly address: string) {
    this.#clock = setInterval(() => {
      const visit = this.#visit().finally(() => this.#open.delete(visit));
      this.#open.add(visit);
    }, 25);
  }

  /** Stops asking, and waits for what was asked. */
  async leave(): Promise<Tally> {
    clearInterval(this.#clock);
    await Promise.all(this.#open);
    return this.#tally;
  }

  async #visit(): Promise<void> {
    this.#tally[await visit(this.address)] += 1;
  }
}

/** One request, whoever signed the certificate: this is about being served, not about trust. */
export function visit(address: string): Promise<keyof Tally> {
  return new Promise((resolve) => {
    const request = get({ host: address, path: "/", agent: false, rejectUnauthorized: false }, (answer) => {
      const ending = answer.statusCode === 200 ? "answered" : "broken";
      answer.resume().once("end", () => resolve(ending)).once("error", () => resolve("broken"));
    });
    request.setTimeout(10_000, () => {
      resolve("silent");
      request.destroy();
    });
    request.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED" ? "refused" : "broken"));
  });
}

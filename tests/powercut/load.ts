// A student who requests sessions and a mentor who declines them, over HTTPS, as fast as the box says that it is done.
import { Agent, request } from "node:https";

import { PASSWORD } from "../browser/daemon.ts";

/** A session the box has acknowledged, and whether it acknowledged the mentor's word too. */
export type Acknowledged = Map<string, "requested" | "declined" | "either">;

export class Load {
  /** All that was ever acknowledged, whatever was cut since. */
  readonly acknowledged: Acknowledged = new Map();
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  #student = "";
  #mentor = "";
  #mentorId = "";

  constructor(readonly port: number) {}

  /** Logins are acknowledged writes too: they are taken once, and hold over every cut. */
  async signIn(): Promise<void> {
    this.#student = await this.#login("stu");
    this.#mentor = await this.#login("mara");
    const me = (await this.#ask("GET", "auth/me/", this.#mentor)) as { user: { id: string } };
    this.#mentorId = me.user.id;
  }

  /** Who holds the login still. */
  async whoAmI(): Promise<unknown> {
    return ((await this.#ask("GET", "auth/me/", this.#student)) as { user: { username: string } }).user.username;
  }

  /** Declines what a cut left waiting, since a student may have so many requests open and no more. */
  async tidy(): Promise<void> {
    const { sessions } = (await this.#ask("GET", "mentoring/sessions/", this.#mentor)) as { sessions: { id: string; status: string }[] };
    for (const { id, status } of sessions) {
      if (status !== "requested") continue;
      await this.#ask("POST", `mentoring/sessions/${id}/decline/`, this.#mentor);
      this.acknowledged.set(id, "declined");
    }
  }

  /** Writes, four at a time, until the box is gone; `onWord` hears of each word of the box that something is done. What ended it. */
  async write(onWord: () => void): Promise<string[]> {
    const one = async () => {
      for (;;) {
        const session = (await this.#ask("POST", "mentoring/sessions/", this.#student, { mentor_id: this.#mentorId, topic: "Fractions" })) as { id: string };
        this.acknowledged.set(session.id, "requested");
        onWord();
        this.acknowledged.set(session.id, "either");
        await this.#ask("POST", `mentoring/sessions/${session.id}/decline/`, this.#mentor);
        this.acknowledged.set(session.id, "declined");
        onWord();
      }
    };
    const ends = await Promise.allSettled([one(), one(), one(), one()]);
    return ends.map((end) => (end.status === "rejected" ? String(end.reason) : "done"));
  }

  async #login(username: string): Promise<string> {
    let cookie = "";
    await this.#ask("POST", "auth/login/", "", { username, password: PASSWORD }, (set) => (cookie = set));
    return cookie;
  }

  /** What the box answers, if it is a yes. */
  #ask(method: string, path: string, cookie: string, body?: object, onCookie?: (cookie: string) => void): Promise<unknown> {
    const headers = { cookie, "content-type": "application/json", "sec-fetch-site": "same-origin" };
    const options = { host: "127.0.0.1", port: this.port, path: `/api/${path}`, method, headers, agent: this.#agent, timeout: 30_000 };
    return new Promise((resolve, reject) => {
      const sent = request(options, (answer) => {
        let text = "";
        answer.on("data", (chunk: Buffer) => (text += chunk.toString()));
        answer.once("error", reject).once("end", () => {
          if ((answer.statusCode ?? 0) >= 300) reject(new Error(`${method} ${path}: ${answer.statusCode} ${text}`));
          onCookie?.(answer.headers["set-cookie"]?.[0]?.split(";")[0] ?? "");
          resolve(JSON.parse(text));
        });
      });
      sent.once("timeout", () => sent.destroy(new Error("no answer"))).once("error", reject);
      sent.end(body && JSON.stringify(body));
    });
  }
}

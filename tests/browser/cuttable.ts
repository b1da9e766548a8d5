// A wire between browser and daemon that can be cut: bytes pass untouched, TLS included.
import { type Server, type Socket, connect, createServer } from "node:net";

export class CuttableWire {
  readonly #pairs = new Set<readonly [Socket, Socket]>();
  readonly #server: Server;
  #severed = false;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#severed) {
        near.destroy();
        return;
      }
      const far = connect(port, "127.0.0.1");
      const pair = [near, far] as const;
      this.#pairs.add(pair);
      near.pipe(far).on("error", () => near.destroy());
      far.pipe(near).on("error", () => far.destroy());
      for (const socket of pair) {
        socket.on("error", () => undefined);
        socket.on("close", () => {
          this.#pairs.delete(pair);
          near.destroy();
          far.destroy();
        });
      }
    });
  }

  /** Listens on `port` and connects to `target`. */
  static async stretch(port: number, target: number): Promise<CuttableWire> {
    const wire = new CuttableWire(target);
    await new Promise<void>((resolve) => wire.#server.listen(port, resolve));
    return wire;
  }

  /** Cuts every connection, and refuses new ones until `mend`. */
  cut(): void {
    this.#severed = true;
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
  }

  mend(): void {
    this.#severed = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** A value that tells when it changed, in the shape of React's `useSyncExternalStore`. */
export interface Readable<T> {
  readonly subscribe: (listener: () => void) => () => void;
  readonly snapshot: () => T;
}

export class Store<T> implements Readable<T> {
  #value: T;
  readonly #listeners = new Set<() => void>();

  constructor(initial: T) {
    this.#value = initial;
  }

  readonly snapshot = (): T => this.#value;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** Changes some fields; tells nobody if none of them differs. */
  patch(change: Partial<T>): void {
    const differs = (Object.keys(change) as (keyof T)[]).some((key) => !Object.is(change[key], this.#value[key]));
    if (differs) this.set({ ...this.#value, ...change });
  }
}

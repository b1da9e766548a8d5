/** Turns JSON from outside into a value whose type is proof, or throws `DecodeError`. */
export type Decoder<T> = (value: unknown) => T;

export class DecodeError extends Error {
  override readonly name = "DecodeError";
}

export const string: Decoder<string> = (value) => {
  if (typeof value !== "string") throw new DecodeError(`not a string: ${typeof value}`);
  return value;
};

export const boolean: Decoder<boolean> = (value) => {
  if (typeof value !== "boolean") throw new DecodeError(`not a boolean: ${typeof value}`);
  return value;
};

export const wholeNumber: Decoder<number> = (value) => {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new DecodeError("not a whole number");
  return value;
};

export function oneOf<const T extends string>(...allowed: readonly T[]): Decoder<T> {
  return (value) => {
    const found = allowed.find((one) => one === value);
    if (found === undefined) throw new DecodeError(`none of ${allowed.join(", ")}`);
    return found;
  };
}

export function nullable<T>(decode: Decoder<T>): Decoder<T | null> {
  return (value) => (value === null ? null : decode(value));
}

export function array<T>(decode: Decoder<T>): Decoder<T[]> {
  return (value) => {
    if (!Array.isArray(value)) throw new DecodeError("not an array");
    return value.map((item) => decode(item));
  };
}

/** An object with exactly the fields of `T`; unknown ones are left behind, so that a newer server may add some. */
export function record<T>(fields: { readonly [K in keyof T]-?: Decoder<T[K]> }): Decoder<T> {
  return (value) => {
    const object = asObject(value);
    const decoded: Partial<T> = {};
    for (const key in fields) {
      try {
        decoded[key] = fields[key](object[key]);
      } catch (cause) {
        throw new DecodeError(`${key}: ${cause instanceof Error ? cause.message : "unreadable"}`, { cause });
      }
    }
    return decoded as T;
  };
}

export function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new DecodeError("not an object");
  return value as Record<string, unknown>;
}

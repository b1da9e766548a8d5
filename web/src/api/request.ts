import type { Decoder } from "../protocol/decode";

/** A refusal of the daemon, or the lack of an answer. `code` is stable; `docs/openapi.yaml` lists the daemon's. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly code: string,
    readonly status: number,
    detail: string,
    /** Seconds after which another try makes sense, if the daemon said so. */
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }
}

/** No answer at all: the network, or the daemon, is away. */
export const UNREACHABLE = "unreachable";
/** An answer that this page cannot read: the daemon is of another version. */
export const UNREADABLE = "unreadable";

export function get<T>(path: string, decode: Decoder<T>, signal?: AbortSignal): Promise<T> {
  return request("GET", path, undefined, decode, signal);
}

export function post<T>(path: string, body: unknown, decode: Decoder<T>): Promise<T> {
  return request("POST", path, body, decode);
}

export function remove(path: string): Promise<void> {
  return request("DELETE", path, undefined, nothing);
}

export function nothing(): void {
  // The answer has no body.
}

async function request<T>(
  method: string,
  path: string,
  body: unknown,
  decode: Decoder<T>,
  signal?: AbortSignal,
): Promise<T> {
  const answer = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "content-type": "application/json" },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? AbortSignal.timeout(TIMEOUT_MS),
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    throw new ApiError(UNREACHABLE, 0, "no answer");
  });
  if (!answer.ok) throw await refusal(answer);
  try {
    return decode(answer.status === 204 ? undefined : await answer.json());
  } catch (cause) {
    throw new ApiError(UNREADABLE, answer.status, cause instanceof Error ? cause.message : "unreadable answer");
  }
}

async function refusal(answer: Response): Promise<ApiError> {
  const seconds = Number(answer.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(seconds) ? seconds : null;
  const problem: unknown = await answer.json().catch(() => null);
  const { code, detail } = typeof problem === "object" && problem !== null ? (problem as Record<string, unknown>) : {};
  return new ApiError(
    typeof code === "string" ? code : UNREADABLE,
    answer.status,
    typeof detail === "string" ? detail : answer.statusText,
    retryAfter,
  );
}

const TIMEOUT_MS = 15_000;

/** Whether the box is its own authority, so that every device is to be introduced to it once. */
export async function isItsOwnAuthority(signal: AbortSignal): Promise<boolean> {
  const answer = await fetch("/trust-check", { method: "HEAD", cache: "no-store", signal });
  return answer.status === 204;
}

/** The page that explains how; the daemon's own, not one of this client's. */
export const TRUST_PAGE = "/trust";

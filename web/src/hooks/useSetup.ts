import { useEffect, useState } from "react";

import { ApiError } from "../api/request";
import { setupAPI } from "../api/setupAPI";

/** Whether the box has no admin yet; false until it says so. */
export function useSetupNeeded(): boolean {
  const [needed, setNeeded] = useState(false);
  useEffect(() => {
    let current = true;
    setupAPI.isNeeded().then(
      (answer) => current && setNeeded(answer),
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);
  return needed;
}

/** What the box says of a set-up link before it is used: null while it is asked. */
export type Proof = { readonly kind: "sound" } | { readonly kind: "refused"; readonly error: ApiError } | null;

export function useSetupProof(token: string): Proof {
  const [proof, setProof] = useState<Proof>(null);
  useEffect(() => {
    let current = true;
    setupAPI.prove(token).then(
      () => current && setProof({ kind: "sound" }),
      (error: unknown) => current && setProof({ kind: "refused", error: error instanceof ApiError ? error : new ApiError("other", 0, String(error)) }),
    );
    return () => {
      current = false;
    };
  }, [token]);
  return proof;
}

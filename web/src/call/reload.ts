/** Of `sessionStorage`: it outlives a reload, not the tab. */
export type ReloadMemory = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** Loads a page that is out of date anew, unless that was tried and changed nothing: a box out of step must not make it loop. */
export function reloadOnce(memory: ReloadMemory, reload: () => void): void {
  if (memory.getItem(KEY) !== null) return;
  memory.setItem(KEY, "done");
  reload();
}

/** The daemon understood this page: the next time it does not, another load is worth it. */
export function forgetReload(memory: ReloadMemory): void {
  memory.removeItem(KEY);
}

const KEY = "visavis.reloaded";

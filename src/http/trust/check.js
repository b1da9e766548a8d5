"use strict";
// Asks over HTTPS, where only a device that trusts the box gets an answer; the answer itself says nothing.
(() => {
  const state = document.getElementById("state");
  const { check, target, arrival, way } = state.dataset;
  const go = () => target + location.hash;
  for (const link of document.querySelectorAll("[data-go]")) link.addEventListener("click", () => (link.href = go()));

  // An iPad says it is a Mac, but a Mac has no screen to touch.
  const [mac, ios] = ["macos", "ios"].map((id) => document.getElementById(id));
  if (mac.open && navigator.maxTouchPoints > 1) {
    mac.before(ios);
    [mac.open, ios.open] = [false, true];
  }
  if (way === "secure") return;

  let timer = 0;
  let attempts = 0;
  const attempt = async () => {
    clearTimeout(timer);
    attempts += 1;
    const first = attempts === 1;
    if (first) state.dataset.state = "checking";
    try {
      await fetch(check, { mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout?.(4000) });
      if (first && arrival === "pass") location.replace(go());
      state.dataset.state = "trusted";
    } catch {
      state.dataset.state = "untrusted";
      timer = setTimeout(() => !document.hidden && attempt(), 3000);
    }
  };
  document.addEventListener("visibilitychange", () => !document.hidden && state.dataset.state === "untrusted" && attempt());
  void attempt();
})();

// router.ts: maps addresses to pages. Paths contain study numbers, never a patient's name, a token
// or a claim.

import { useSyncExternalStore } from "react";

export type Page = { name: "worklist" } | { name: "overview" } | { name: "report"; number: number } | { name: "unknown" };

export function pageOf(path: string): Page {
  if (path === "/" || path === "/worklist") return { name: "worklist" };
  if (path === "/overview") return { name: "overview" };
  const report = /^\/reports\/([0-9]{1,9})$/.exec(path)?.[1];
  return report === undefined ? { name: "unknown" } : { name: "report", number: Number(report) };
}

const MOVED = "lumen:moved";

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(MOVED, listener);
  };
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => window.location.pathname);
}

export function go(path: string): void {
  window.history.pushState(null, "", path);
  window.dispatchEvent(new Event(MOVED));
}

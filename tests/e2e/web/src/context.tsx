// context.tsx: the services that every page uses (session, Lumen, drafts), and the hook that keeps
// a page's data fresh.

import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from "react";

import { Drafts } from "./drafts";
import { type Answer, Lumen } from "./lumen";
import { type Ended, Session } from "./session";

export interface Services {
  session: Session;
  lumen: Lumen;
  drafts: Drafts;
}

export function makeServices(): Services {
  const fetch = window.fetch.bind(window);
  // Sends no cookies and uses no cache.
  const bare = (url: string, init: RequestInit) => fetch(url, { ...init, credentials: "omit", cache: "no-store" });
  const session = new Session(bare, Date.now);
  return { session, lumen: new Lumen(session, bare), drafts: new Drafts() };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (services === null) throw new Error("no services: put the page into a ServicesProvider");
  return services;
}

/** Renders again when the session begins or ends. */
export function useSession(): { active: boolean; ended: Ended | null } {
  const { session } = useServices();
  const subscribe = useCallback((listener: () => void) => session.subscribe(listener), [session]);
  const active = useSyncExternalStore(subscribe, () => session.active);
  const ended = useSyncExternalStore(subscribe, () => session.ended);
  return { active, ended };
}

export function useReachable(): boolean {
  const { lumen } = useServices();
  const subscribe = useCallback((listener: () => void) => lumen.subscribe(listener), [lumen]);
  return useSyncExternalStore(subscribe, () => lumen.reachable);
}

const FRESH_MS = 3_000; // maximum age of a page's data, and of the check that its user may see it

export interface Watched<T> {
  /** The last successful answer, kept during an outage. Null until the first. */
  answer: Exclude<Answer<T>, { kind: "unavailable" }> | null;
  set(value: T): void;
}

/** Fetches `path` now and again every few seconds while the page is shown. */
export function useWatched<T>(path: string): Watched<T> {
  const { lumen } = useServices();
  const [answer, setAnswer] = useState<Watched<T>["answer"]>(null);
  const asked = useRef(0); // numbers the requests; an answer older than the shown one is dropped
  useEffect(() => {
    let timer: number | undefined;
    let over = false;
    const ask = async () => {
      const mine = (asked.current += 1);
      const got = await lumen.get<T>(path);
      if (over) return;
      if (got.kind !== "unavailable" && mine === asked.current) setAnswer(got);
      timer = window.setTimeout(() => void ask(), got.kind === "unavailable" ? got.retryAfterMs : FRESH_MS);
    };
    void ask();
    return () => {
      over = true;
      window.clearTimeout(timer);
    };
  }, [lumen, path]);
  const set = useCallback((value: T) => {
    asked.current += 1;
    setAnswer({ kind: "ok", value });
  }, []);
  return { answer, set };
}

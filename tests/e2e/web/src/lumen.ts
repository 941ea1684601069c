// lumen.ts: requests to the site's backends and their possible outcomes. They decide permissions; this
// code only distinguishes their answers.

import type { Session } from "./session";

export type Answer<T> =
  | { kind: "ok"; value: T }
  | { kind: "denied"; detail: string } // 403: signed in, but not allowed
  | { kind: "missing" } // 404
  | { kind: "rejected"; detail: string } // 400, 409: invalid request or conflict
  | { kind: "signed-out" } // the session has ended; the page shows the login
  | { kind: "unavailable"; retryAfterMs: number }; // no answer: an outage never ends the session

const RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 10_000;

export class Lumen {
  #reachable = true;
  readonly #listeners = new Set<() => void>();
  readonly #session: Session;
  readonly #fetch: (url: string, init: RequestInit) => Promise<Response>;

  constructor(session: Session, fetch: (url: string, init: RequestInit) => Promise<Response>) {
    this.#session = session;
    this.#fetch = fetch;
  }

  /** Whether the last request was answered. */
  get reachable(): boolean {
    return this.#reachable;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get<T>(path: string): Promise<Answer<T>> {
    return this.#ask<T>(path, { method: "GET" });
  }

  post<T>(path: string, body: object): Promise<Answer<T>> {
    return this.#ask<T>(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  }

  async #ask<T>(path: string, init: RequestInit): Promise<Answer<T>> {
    const { number } = this.#session;
    const token = await this.#session.token();
    if (token === null || this.#session.number !== number) return { kind: "signed-out" };
    let answer = await this.#send(path, init, token);
    if (answer?.status === 401) {
      // Only once: a renewed token that is also rejected was revoked.
      const renewed = await this.#session.renew(token);
      if (renewed === "unavailable") return this.#settle({ kind: "unavailable", retryAfterMs: RETRY_MS });
      const next = renewed === "ok" ? await this.#session.token() : null;
      if (next === null || this.#session.number !== number) return { kind: "signed-out" };
      answer = await this.#send(path, init, next);
      if (answer?.status === 401) {
        if (this.#session.number === number) this.#session.end("withdrawn");
        return { kind: "signed-out" };
      }
    }
    const judged = await judge<T>(answer);
    // An answer to a user who has signed out is not shown to the next one.
    return this.#session.active && this.#session.number === number ? this.#settle(judged) : { kind: "signed-out" };
  }

  async #send(path: string, init: RequestInit, token: string): Promise<Response | null> {
    try {
      return await this.#fetch(path, { ...init, headers: { ...init.headers, Authorization: `Bearer ${token}` } });
    } catch {
      return null; // no connection
    }
  }

  #settle<T>(answer: Answer<T>): Answer<T> {
    const reachable = answer.kind !== "unavailable";
    if (reachable !== this.#reachable) {
      this.#reachable = reachable;
      for (const listener of this.#listeners) listener();
    }
    return answer;
  }
}

async function judge<T>(answer: Response | null): Promise<Answer<T>> {
  if (answer === null) return { kind: "unavailable", retryAfterMs: RETRY_MS };
  let body: unknown;
  try {
    body = await answer.json();
  } catch {
    body = undefined; // a proxy's page
  }
  if (answer.ok && body !== undefined) return { kind: "ok", value: body as T };
  switch (answer.status) {
    case 403:
      return { kind: "denied", detail: detailOf(body) };
    case 404:
      return { kind: "missing" };
    case 400:
    case 409:
      return { kind: "rejected", detail: detailOf(body) };
    default:
      return { kind: "unavailable", retryAfterMs: retryAfter(answer.headers.get("Retry-After")) };
  }
}

function detailOf(body: unknown): string {
  const detail = (body as { detail?: unknown } | undefined)?.detail;
  return typeof detail === "string" ? detail : "";
}

function retryAfter(header: string | null): number {
  const seconds = Number(header ?? "");
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds * 1000, LONGEST_RETRY_MS) : RETRY_MS;
}

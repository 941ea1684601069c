// session.ts: the two tokens of whoever is signed in, and nothing else.
//
// Both live in private fields of one object in this page's memory, and nowhere else: not in localStorage or sessionStorage (any script of the origin
// reads them, and they outlive the user at a shared workstation), not in a cookie (sent by itself, so it needs a defence against CSRF; and the Auth
// API of the contract hands tokens out as JSON), not in a URL (logged), not in React's state (its developer tools show it). The price: reloading the
// page, or closing it, signs out. On a ward that is what one wants.
//
// The access token is renewed shortly before it ends, or when it is refused; however many requests need that, it is asked for once. A renewal that
// is *refused* ends the session; one that could not be made says nothing about it.

export type Ended = "signed-out" | "expired" | "withdrawn";
export type Outcome = "ok" | "refused" | "unavailable";
type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const RENEW_BEFORE_MS = 10_000; // or in the last quarter of a shorter life

export class Session {
  #access: string | null = null;
  #refresh: string | null = null;
  #renewAt = 0;
  #renewal: Promise<Outcome> | null = null;
  #number = 0;
  #ended: Ended | null = null;
  readonly #listeners = new Set<() => void>();
  readonly #fetch: Fetch;
  readonly #now: () => number;

  constructor(fetch: Fetch, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  get active(): boolean {
    return this.#refresh !== null;
  }

  /** Counts sessions: what was begun in one is not to be finished in another, which may be another user's. */
  get number(): number {
    return this.#number;
  }

  /** Why the last session ended; null before the first one and during one. */
  get ended(): Ended | null {
    return this.#ended;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async signIn(username: string, password: string): Promise<Outcome> {
    const answer = await this.#post("/auth/token/", { username, password });
    if (answer.outcome !== "ok") return answer.outcome;
    const { access, refresh } = answer.body;
    if (typeof access !== "string" || typeof refresh !== "string") return "unavailable";
    this.#number += 1;
    this.#refresh = refresh;
    this.#renewal = null;
    this.#take(access);
    this.#ended = null;
    this.#tell();
    return "ok";
  }

  /** Tells the Auth API, if it can be told; here it ends at once, whatever comes of that. */
  async signOut(): Promise<void> {
    const [access, refresh] = [this.#access, this.#refresh];
    this.end("signed-out");
    if (access !== null) await this.#post("/auth/logout/", { refresh }, access);
  }

  end(why: Ended): void {
    if (!this.active) return;
    this.#access = this.#refresh = null;
    this.#renewal = null;
    this.#ended = why;
    this.#tell();
  }

  /** The access token to send; renewed where that is due. Null: there is no session (any more). */
  async token(): Promise<string | null> {
    // One that could not be renewed is sent as it is: perhaps it is good for a moment more.
    if (this.active && this.#now() >= this.#renewAt) await this.renew(this.#access);
    return this.#access;
  }

  /** Another access token than `refused`. */
  async renew(refused: string | null): Promise<Outcome> {
    if (!this.active) return "refused";
    if (this.#access !== refused) return "ok"; // somebody was quicker
    this.#renewal ??= this.#renewOnce();
    return this.#renewal;
  }

  async #renewOnce(): Promise<Outcome> {
    const number = this.#number;
    const answer = await this.#post("/auth/token/refresh/", { refresh: this.#refresh });
    if (!this.active || this.#number !== number) return "refused"; // signed out meanwhile: what arrives now is nobody's
    this.#renewal = null;
    if (answer.outcome === "refused") this.end("expired");
    if (answer.outcome !== "ok") return answer.outcome;
    const { access } = answer.body;
    if (typeof access !== "string") return "unavailable";
    this.#take(access);
    return "ok";
  }

  #take(access: string): void {
    const left = endOf(access) - this.#now();
    this.#access = access;
    // Over already: this machine's clock is wrong. Then the refusal says when.
    this.#renewAt = left > 0 ? this.#now() + Math.max(left - RENEW_BEFORE_MS, left * 0.75) : Infinity;
  }

  async #post(path: string, body: object, bearer?: string): Promise<{ outcome: Outcome; body: Record<string, unknown> }> {
    try {
      const answer = await this.#fetch(path, {
        method: "POST",
        headers: { "Content-Type": "application/json", ...(bearer === undefined ? {} : { Authorization: `Bearer ${bearer}` }) },
        body: JSON.stringify(body),
      });
      if (answer.ok) return { outcome: "ok", body: answer.status === 204 ? {} : ((await answer.json()) as Record<string, unknown>) };
      return { outcome: answer.status === 400 || answer.status === 401 ? "refused" : "unavailable", body: {} };
    } catch {
      return { outcome: "unavailable", body: {} }; // no connection, or no JSON
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** When a JWT ends, in ms since the epoch, read without verifying it: it only says when to renew. Infinity where it doesn't say. */
export function endOf(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

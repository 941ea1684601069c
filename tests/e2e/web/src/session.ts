// session.ts: the two tokens of the signed-in user, and nothing else.
//
// Both are in private fields of one object in this page's memory and nowhere else. Not in
// localStorage or sessionStorage, which any script of the origin can read and which outlive the
// user at a shared workstation. Not in a cookie, which is sent automatically and so needs a defense
// against CSRF; and the Auth API of the contract returns tokens as JSON. Not in a URL (logged), not
// in React's state (shown by its developer tools). The price: reloading or closing the page signs
// out, which is desirable on a ward.
//
// The access token is renewed shortly before it expires, or when it is rejected, and only once for
// all requests that need it. A *rejected* renewal ends the session; a failed one does not.

export type Ended = "signed-out" | "expired" | "withdrawn";
export type Outcome = "ok" | "refused" | "unavailable";
type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const RENEW_BEFORE_MS = 10_000; // or in the last quarter of a shorter lifetime

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

  /** Counts sessions: a request begun in one must not finish in another, which may be another
   * user's. */
  get number(): number {
    return this.#number;
  }

  /** Why the last session ended; null before the first and during one. */
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

  /** Ends the session here immediately and tries to log out at the Auth API. */
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

  /** The access token to send, renewed if due. Null: there is no session. */
  async token(): Promise<string | null> {
    // If it could not be renewed, send it anyway: it may still be valid for a moment.
    if (this.active && this.#now() >= this.#renewAt) await this.renew(this.#access);
    return this.#access;
  }

  /** Gets an access token other than `refused`. */
  async renew(refused: string | null): Promise<Outcome> {
    if (!this.active) return "refused";
    if (this.#access !== refused) return "ok"; // already renewed by another request
    this.#renewal ??= this.#renewOnce();
    return this.#renewal;
  }

  async #renewOnce(): Promise<Outcome> {
    const number = this.#number;
    const answer = await this.#post("/auth/token/refresh/", { refresh: this.#refresh });
    if (!this.active || this.#number !== number) return "refused"; // signed out meanwhile: discard the answer
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
    // Already expired: this machine's clock is wrong. Renew when the token is rejected.
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
      return { outcome: "unavailable", body: {} }; // no connection, or not JSON
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** When a JWT expires, in ms since the epoch. Not verified: used only to time the renewal.
 * Infinity without an expiry. */
export function endOf(token: string): number {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : Infinity;
  } catch {
    return Infinity;
  }
}

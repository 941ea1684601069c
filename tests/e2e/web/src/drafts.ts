// drafts.ts: text that somebody was writing when their session ended. Kept in this page's memory for that same user alone: the next user neither
// sees it nor finds it, and signing out throws it away.

export class Drafts {
  #owner: string | null = null;
  readonly #texts = new Map<string, string>();

  /** From now on it is this user's; what was another's is gone. */
  open(user: string): void {
    if (this.#owner !== user) this.clear();
    this.#owner = user;
  }

  clear(): void {
    this.#owner = null;
    this.#texts.clear();
  }

  get(name: string): string {
    return this.#texts.get(name) ?? "";
  }

  set(name: string, text: string): void {
    if (this.#owner === null || text === "") this.#texts.delete(name);
    else this.#texts.set(name, text);
  }
}

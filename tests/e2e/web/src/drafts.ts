// drafts.ts: unsaved text from a session that ended. Kept in this page's memory for the same user
// only: the next user cannot find it, and signing out discards it.

export class Drafts {
  #owner: string | null = null;
  readonly #texts = new Map<string, string>();

  /** Makes this user the owner; discards another user's drafts. */
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

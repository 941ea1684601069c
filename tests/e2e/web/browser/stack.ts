// stack.ts: runs lumen_stack.py as a child, which serves the site under test, and sends it
// commands. The child ends with its standard input, and so with this process.

import { type ChildProcess, spawn } from "node:child_process";
import { type Interface, createInterface } from "node:readline";

// A record of the audit log, as printed by `claimsctl --json audit search`.
export type Refusal = { event: string; status: number; reason?: string; method: string; route: string; user: string; roles: string; detail: string };

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`set ${name}: ctest does (tests/e2e/CMakeLists.txt)`);
  return value;
}

export const SCREENSHOTS = setting("LUMEN_SCREENSHOTS");

export class Stack {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(process: ChildProcess, lines: AsyncIterator<string>, url: string) {
    this.#process = process;
    this.#lines = lines;
    this.url = url;
  }

  static async start(server: string): Promise<Stack> {
    const child = spawn(
      "/usr/bin/python3",
      ["-B", setting("LUMEN_STACK"), "--build", setting("CLAIMSD_BUILD_DIR"), "--front-end", setting("LUMEN_FRONT_END"), "--server", server],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    const first = await lines.next();
    if (first.done === true) throw new Error("the stack did not start: see above");
    return new Stack(child, lines, (JSON.parse(first.value) as { url: string }).url);
  }

  async order<T>(...words: (string | number)[]): Promise<T> {
    this.#process.stdin?.write(`${words.join(" ")}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`the stack ended at: ${words.join(" ")}`);
    const said = JSON.parse(line.value) as { done?: T; failed?: string };
    if (said.failed !== undefined) throw new Error(said.failed);
    return said.done as T;
  }

  refusals(): Promise<Refusal[]> {
    return this.order("refusals");
  }

  /** The denials, once `enough` accepts them or after 30 s: a page may appear before its record. */
  async refusalsOnce(enough: (found: Refusal[]) => boolean): Promise<Refusal[]> {
    const end = Date.now() + 30_000;
    for (;;) {
      const found = await this.refusals();
      if (enough(found) || Date.now() > end) return found;
    }
  }

  async stop(): Promise<void> {
    const ended = new Promise<number | null>((resolve) => this.#process.once("exit", resolve));
    this.#process.stdin?.end();
    const code = await ended;
    if (code !== 0) throw new Error(`the stack ended with ${code}`);
  }
}

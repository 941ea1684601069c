// chromium.ts: Debian's Chromium, driven by Playwright: a visitor's page and the checks made on
// every page.

import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { type Browser, type BrowserContext, type Page, type Request, chromium } from "playwright-core";
import { expect } from "vitest";

import { SCREENSHOTS } from "./stack";

const FLAGS = [
  "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 15_000;
/** The beginning of every JWT. */
const TOKEN = /eyJ[A-Za-z0-9_-]{10,}/;

export function startChromium(): Promise<Browser> {
  // Chromium's sandbox does not run as root; it loads only our own pages here.
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: [...FLAGS, ...asRoot] });
}

/** A person with a browser of their own. */
export class Visitor {
  readonly complaints: string[] = [];
  readonly requests: Request[] = [];
  readonly page: Page;
  readonly #context: BrowserContext;
  readonly #url: string;

  private constructor(context: BrowserContext, page: Page, url: string) {
    this.#context = context;
    this.page = page;
    this.#url = url;
    page.setDefaultTimeout(PATIENCE);
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("console", (message) => {
      // Chromium logs a failed request as an error; here it is expected.
      if (message.type() === "error" && !message.text().startsWith("Failed to load resource")) this.complaints.push(message.text());
    });
    page.on("request", (request) => this.requests.push(request));
  }

  static async at(browser: Browser, url: string, options: { dark?: boolean; width?: number } = {}): Promise<Visitor> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1180, height: 760 },
      colorScheme: options.dark === true ? "dark" : "light",
      reducedMotion: "reduce",
      timezoneId: "UTC",
      locale: "en-GB",
    });
    return new Visitor(context, await context.newPage(), url);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(this.#url + path);
  }

  /** Signs in on the current page, or at `path` if no page is open yet. */
  async signIn(username: string, path = "/"): Promise<void> {
    if (!this.page.url().startsWith(this.#url)) await this.open(path);
    await this.page.getByLabel("User name").fill(username);
    await this.page.getByLabel("Password").fill(`${username}-demo-password`);
    await this.page.getByRole("button", { name: "Sign in" }).click();
  }

  /** Waits until the page's heading is `name`. */
  async heading(name: string): Promise<void> {
    await this.page.getByRole("heading", { level: 1, name, exact: true }).waitFor();
  }

  async text(wanted: string | RegExp): Promise<void> {
    await this.page.getByText(wanted).first().waitFor();
  }

  async gone(unwanted: string | RegExp): Promise<void> {
    await this.page.getByText(unwanted).first().waitFor({ state: "hidden" });
  }

  async press(...keys: string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** The focused element as "role name"; fails if its focus is not visible. */
  async focused(): Promise<string> {
    return this.page.evaluate(() => {
      const element = document.activeElement as HTMLElement;
      const outline = getComputedStyle(element).outlineStyle !== "none" ? "" : " (not visible)";
      const label = (element as HTMLInputElement).labels?.[0]?.textContent ?? element.textContent ?? "";
      return `${element.tagName.toLowerCase()} ${label.trim()}${outline}`;
    });
  }

  /** Waits until the page has loaded its data. */
  async loaded(): Promise<void> {
    await this.page.locator(".loading").first().waitFor({ state: "detached" });
  }

  /** The Authorization header that the page sends. */
  async bearer(): Promise<string> {
    const request = await this.page.waitForRequest((one) => one.url().includes("/api/"));
    return (await request.headerValue("authorization")) ?? "";
  }

  /** Presses Tab until `wanted` has the focus, as a person without a mouse does. */
  async tabTo(wanted: string): Promise<void> {
    await this.loaded();
    const passed: string[] = [];
    for (let presses = 0; presses < 40; presses += 1) {
      await this.press("Tab");
      const focused = await this.focused();
      if (focused === wanted) return;
      passed.push(focused);
    }
    throw new Error(`Tab never came to "${wanted}" but to ${passed.join(", ")}`);
  }

  /** Takes a screenshot for developers and checks that axe finds no problems. */
  async look(name: string): Promise<void> {
    mkdirSync(SCREENSHOTS, { recursive: true });
    await this.loaded();
    await this.page.evaluate(() => document.fonts.ready.then(() => undefined));
    await this.page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
    await this.page.evaluate(AXE);
    const found = await this.page.evaluate(async () => {
      const axe = (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; help: string; nodes: { html: string }[] }[] }> } }).axe;
      const { violations } = await axe.run();
      return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).join(" ")}`);
    });
    expect(found, `axe on ${name}`).toEqual([]);
  }

  /** Checks that no token is where another script, a log or the next user could find it. */
  async keepsItsTokensToItself(): Promise<void> {
    const kept = await this.page.evaluate(async () => ({
      local: JSON.stringify(localStorage), session: JSON.stringify(sessionStorage), cookies: document.cookie,
      databases: JSON.stringify(await indexedDB.databases()), address: location.href, state: JSON.stringify(history.state),
      document: document.documentElement.outerHTML,
    }));
    expect(kept).toMatchObject({ local: "{}", session: "{}", cookies: "", databases: "[]" });
    expect(Object.values(kept).filter((value) => TOKEN.test(value ?? ""))).toEqual([]);
    expect(this.requests.map((request) => request.url()).filter((url) => TOKEN.test(url))).toEqual([]);
    expect(await this.#context.cookies()).toEqual([]);
  }

  async leave(): Promise<void> {
    await this.#context.close();
    expect(this.complaints, "errors of the page, and what its policy blocked").toEqual([]);
  }
}

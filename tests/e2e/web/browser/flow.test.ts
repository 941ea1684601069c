// The whole flow in a real browser: Auth API, claimsd, Lumen and the front end behind nginx,
// without fakes.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { Visitor, startChromium } from "./chromium";
import { type Refusal, Stack } from "./stack";

// The servers, separated by commas. For the second one, only the tests that involve the server are
// repeated.
const SERVERS = (process.env["LUMEN_SERVERS"] ?? "gunicorn,uvicorn").split(",");

describe.each(SERVERS)("Lumen under %s", (server) => {
  const onceOnly = test.runIf(server === "gunicorn");
  let stack: Stack;
  let browser: Browser;
  const present: Visitor[] = [];

  beforeAll(async () => {
    [stack, browser] = await Promise.all([Stack.start(server), startChromium()]);
  });
  afterEach(async () => {
    for (const visitor of present.splice(0)) await visitor.leave();
  });
  afterAll(async () => {
    await browser?.close();
    await stack?.stop();
  });

  async function visitor(options: { dark?: boolean; width?: number } = {}): Promise<Visitor> {
    const made = await Visitor.at(browser, stack.url, options);
    present.push(made);
    return made;
  }

  onceOnly("a wrong password is said to be one, and a right one lets in, by keyboard alone", async () => {
    const tess = await visitor();
    await tess.open("/");
    await tess.heading("Sign in");
    await tess.look(`login`);
    expect(await tess.focused()).toBe("input User name");
    await tess.page.keyboard.type("tess");
    await tess.press("Tab");
    await tess.page.keyboard.type("not her password");
    await tess.press("Enter");
    await tess.text("User name or password is wrong");
    expect(await tess.focused()).toBe("input Password");
    await tess.look(`login-refused`);
    await tess.page.keyboard.type("tess-demo-password");
    await tess.press("Enter");
    await tess.heading("Today’s examinations");
    await tess.look(`worklist`);
    await tess.tabTo("a Helen Marsh");
    await tess.press("Enter");
    await tess.heading("Helen Marsh");
    await tess.tabTo("button Save findings");
    await tess.keepsItsTokensToItself();
  });

  test("each role sees what it may see, and nothing else is sent to it", async () => {
    const headings = { tess: "Today’s examinations", dana: "Studies to read", ada: "All studies", rosa: "Today’s appointments" };
    const looksRight = async (name: string, heading: string) => {
      const one = await visitor();
      const sent = one.page.waitForResponse((answer) => answer.url().endsWith("/api/worklist/") && answer.ok());
      await one.signIn(name);
      await one.heading(heading);
      const { rows } = (await (await sent).json()) as { rows: Record<string, unknown>[] };
      const clinics = new Set(rows.map((row) => row["clinic"]));
      expect([...clinics].sort()).toEqual(name === "ada" ? ["North", "South"] : ["North"]);
      expect(rows.some((row) => row["state"] === "scheduled")).toBe(name === "tess" || name === "ada");
      expect(rows.some((row) => "exam" in row || "indication" in row)).toBe(name !== "rosa");
      expect(await one.page.getByRole("link", { name: "Overview" }).count()).toBe(name === "dana" || name === "ada" ? 1 : 0);
    };
    await Promise.all(Object.entries(headings).map(([name, heading]) => looksRight(name, heading)));
  });

  onceOnly("an administrator's overview, in the dark and on a phone", async () => {
    const ada = await visitor({ dark: true });
    await ada.signIn("ada");
    await ada.heading("All studies");
    await ada.look(`worklist-dark`);
    await ada.page.getByRole("link", { name: "Overview" }).click();
    await ada.heading("Overview");
    await ada.look(`overview-dark`);
    const narrow = await visitor({ width: 390 });
    await narrow.signIn("ada");
    await narrow.heading("All studies");
    await narrow.look(`worklist-narrow`);
    expect(await narrow.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  });

  test("an action that a role may not do is denied, explained and recorded", async () => {
    const before = (await stack.refusals()).length;
    const [rosa, dmitri, tess] = [await visitor(), await visitor(), await visitor()];
    await rosa.signIn("rosa", "/reports/2041");
    await rosa.heading("You have no access to this page");
    await rosa.text("You do not have the required role.");
    await rosa.look(`denied`);
    await dmitri.signIn("dmitri", "/reports/2042");
    await dmitri.text("This study belongs to another clinic.");
    await tess.signIn("tess", "/overview");
    await tess.heading("You have no access to this page");
    const denied = (found: Refusal[]) => found.slice(before).filter((refusal) => refusal.event === "denied");
    const recorded = denied(await stack.refusalsOnce((found) => new Set(denied(found).map((refusal) => refusal.user)).size === 3));
    const seen = recorded.map(({ status, user, method, route, roles, detail }) => [status, user, method, route, roles, detail].join(" | "));
    expect([...new Set(seen)].sort()).toEqual([
      "403 | user-101 | GET | api/overview/ | IsAdminOrDoctor | client=127.0.0.1",
      "403 | user-202 | GET | api/reports/<int:number>/ | OfOwnClinic | client=127.0.0.1",
      "403 | user-401 | GET | api/reports/<int:number>/ | HasAnyRole(rvt,doctor,admin) | client=127.0.0.1",
    ]);
  });

  onceOnly("a technologist examines, a physician signs, and both see it without reloading", async () => {
    const [tess, dana] = [await visitor(), await visitor()];
    await tess.signIn("tess", "/reports/2044");
    await dana.signIn("dana", "/worklist");
    await tess.heading("Victor Almeida");
    await dana.heading("Studies to read");
    expect(await dana.page.getByText("Victor Almeida").count()).toBe(0);
    await tess.page.getByLabel("Findings of the examination").fill("Ankle-brachial index: right 0.72, left 0.98.");
    await tess.page.getByRole("button", { name: "Save findings" }).click();
    await tess.text("Performed by Tess Arndt");
    await dana.page.getByRole("link", { name: "Victor Almeida" }).click();
    await dana.heading("Victor Almeida");
    await dana.text("right 0.72, left 0.98");
    await dana.tabTo("textarea Your impression");
    await dana.page.keyboard.type("Moderate peripheral arterial disease on the right.");
    await dana.look(`report`);
    await dana.press("Tab");
    expect(await dana.focused()).toBe("button Sign report");
    await dana.press("Enter");
    await dana.text("Signed by Dana Weiss");
    await tess.text("Moderate peripheral arterial disease on the right.");
    await tess.text("Signed by Dana Weiss");
    await dana.look(`report-signed`);
  });

  describe.runIf(server === "gunicorn")("where tokens live for seconds", () => {
    beforeAll(() => stack.order("lives", 3, 8));
    afterAll(() => stack.order("lives", 60, 3600));

    test("an expired access token is renewed unnoticed", async () => {
      const tess = await visitor();
      const renewals = { refresh: 0 };
      tess.page.on("response", (answer) => {
        if (answer.url().endsWith("/auth/token/refresh/") && answer.ok()) renewals.refresh += 1;
      });
      await tess.signIn("tess");
      await tess.heading("Today’s examinations");
      await tess.page.waitForResponse((answer) => answer.url().endsWith("/api/worklist/") && answer.ok() && renewals.refresh === 2);
      await tess.heading("Today’s examinations");
      await tess.keepsItsTokensToItself();
    });

    test("when a session expires the page says so and keeps unsaved text for its user only", async () => {
      const dana = await visitor();
      await dana.signIn("dana", "/reports/2042");
      await dana.heading("Osei Boateng");
      await dana.page.getByLabel("Your impression").fill("Acute popliteal vein thrombosis, left.");
      await dana.text("Your session has expired.");
      await dana.look("expired");
      expect(await dana.page.content()).not.toContain("Boateng");
      await dana.signIn("dana");
      await dana.heading("Osei Boateng");
      expect(await dana.page.getByLabel("Your impression").inputValue()).toBe("Acute popliteal vein thrombosis, left.");
      await dana.page.getByRole("button", { name: "Sign out" }).click();
      await dana.text("You are signed out.");
      await dana.signIn("dana");
      await dana.page.getByRole("link", { name: "Osei Boateng" }).click();
      await dana.heading("Osei Boateng");
      expect(await dana.page.getByLabel("Your impression").inputValue()).toBe("");
    });
  });

  test("revoking a token while the page is open ends the session within seconds", async () => {
    const [toni, tess] = [await visitor(), await visitor()];
    await toni.signIn("toni");
    await tess.signIn("tess");
    await toni.heading("Today’s examinations");
    await tess.heading("Today’s examinations");
    await stack.order("revoke", "toni");
    await toni.text("Your session was ended by an administrator.");
    await toni.heading("Sign in");
    expect(await toni.page.content()).not.toContain("Helen Marsh");
    await toni.keepsItsTokensToItself();
    await toni.look(`revoked`);
    await tess.heading("Today’s examinations"); // other users are not affected
    const byRevocation = (found: Refusal[]) => found.filter((refusal) => refusal.reason === "revoked");
    const revoked = byRevocation(await stack.refusalsOnce((found) => byRevocation(found).length > 0));
    expect(revoked.length).toBeGreaterThan(0);
    expect(new Set(revoked.map((refusal) => refusal.status))).toEqual(new Set([401]));
    await toni.signIn("toni");
    await toni.heading("Today’s examinations");
  });

  test("one login serves both backends, and one revocation ends both", async () => {
    const [dana, rosa] = [await visitor(), await visitor()];
    await dana.signIn("dana");
    await rosa.signIn("rosa");
    await dana.heading("Studies to read");
    await dana.page.getByLabel("New notice").fill("The scanner in room 1 is booked until noon.");
    await dana.page.getByRole("button", { name: "Add notice" }).click();
    await dana.text(/^You, /);
    await rosa.text("The scanner in room 1 is booked until noon.");
    expect(await rosa.page.getByLabel("New notice").count()).toBe(0);
    const status = async (one: Visitor, bearer: string, method: "GET" | "POST", path: string) =>
      (await one.page.request.fetch(stack.url + path, { method, headers: { authorization: bearer } })).status();
    const [ofRosa, ofDana] = [await rosa.bearer(), await dana.bearer()];
    expect(await status(rosa, ofRosa, "POST", "/notices/add/")).toBe(403); // the gate, whatever the page shows
    expect([await status(dana, ofDana, "GET", "/api/worklist/"), await status(dana, ofDana, "GET", "/notices/")]).toEqual([200, 200]);
    await stack.order("revoke", "dana");
    expect([await status(dana, ofDana, "GET", "/api/worklist/"), await status(dana, ofDana, "GET", "/notices/")]).toEqual([401, 401]);
    await dana.text("Your session was ended by an administrator.");
    const forged = { "x-claims-id": "user-301", "x-claims-roles": "admin" };
    expect((await dana.page.request.get(`${stack.url}/notices/`, { headers: forged })).status()).toBe(401);
  });

  test("an outage of the Auth API shows a banner and signs no user out", async () => {
    const [dana, late] = [await visitor(), await visitor()];
    await dana.signIn("dana");
    await dana.heading("Studies to read");
    await late.open("/");
    await stack.order("outage");
    await dana.text("The sign-in service does not answer.");
    await dana.heading("Studies to read");
    await dana.text("Helen Marsh"); // loaded data stays on the page
    await dana.look(`outage`);
    await late.signIn("tess");
    await late.text("Your password was not checked");
    const unserved = (found: Refusal[]) => found.some((refusal) => refusal.status === 503);
    expect(unserved(await stack.refusalsOnce(unserved))).toBe(true);
    await stack.order("recover");
    await dana.gone("The sign-in service does not answer.");
    await dana.heading("Studies to read");
    await late.signIn("tess");
    await late.heading("Today’s examinations");
  });

  onceOnly("the site's policy forbids what it does not need", async () => {
    const anybody = await visitor();
    await anybody.open("/worklist");
    await anybody.heading("Sign in");
    const blocked = await anybody.page.evaluate(
      () =>
        new Promise<string[]>((resolve) => {
          const found: string[] = [];
          document.addEventListener("securitypolicyviolation", (violation) => {
            if (found.push(violation.effectiveDirective) === 3) resolve(found.sort());
          });
          const script = document.createElement("script");
          script.setAttribute("nonce", "none");
          document.head.append(script);
          script.append("window.injected = true");
          const picture = document.createElement("img");
          picture.src = "https://elsewhere.example.com/pixel";
          void fetch("https://elsewhere.example.com/").catch(() => undefined);
        }),
    );
    expect(blocked).toEqual(["connect-src", "img-src", "require-trusted-types-for"]);
    expect(await anybody.page.evaluate(() => "injected" in window)).toBe(false);
    anybody.complaints.length = 0; // these were expected
    for (const path of ["/", "/lumen.svg", "/api/session/", "/assets/none"]) {
      const answer = await anybody.page.request.get(stack.url + path);
      expect(answer.headers()).toMatchObject({ "x-content-type-options": "nosniff", "referrer-policy": "no-referrer" });
      expect(answer.headers()["content-security-policy"]).toContain("default-src 'none'");
    }
    for (const path of ["/auth/me/", "/auth/stats", "/stats", "/auth/"]) {
      expect(await (await anybody.page.request.get(stack.url + path)).text()).toContain("<title>Lumen</title>"); // the Auth API is not reachable through here
    }
  });

  test("no part has logged a token, a password or an email address", async () => {
    const logs = await stack.order<Record<string, string>>("logs");
    for (const [part, text] of Object.entries(logs)) {
      expect(text, part).not.toMatch(/eyJ[A-Za-z0-9_-]{10,}|demo-password|@example\.com/);
    }
  });
});

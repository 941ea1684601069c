import { describe, expect, test } from "vitest";

import { Session, endOf } from "./session";

const NOW = 1_700_000_000_000;

/** A JWT that expires `seconds` after NOW; its signature is not checked here. */
function token(name: string, seconds: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ name, exp: NOW / 1000 + seconds })}.c2ln`;
}

/** A fake Auth API: gives its answers in order and records the requests. */
class AuthApi {
  now = NOW;
  readonly asked: { path: string; body: unknown; bearer: string | null }[] = [];
  readonly answers: (Response | Error | Promise<Response>)[] = [];
  readonly session = new Session(
    async (path, init) => {
      this.asked.push({ path, body: JSON.parse(String(init.body)), bearer: new Headers(init.headers).get("Authorization") });
      const answer = this.answers.shift();
      if (answer === undefined) throw new Error(`unexpected request for ${path}`);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    () => this.now,
  );

  async signedIn(seconds = 60): Promise<string> {
    const access = token("first", seconds);
    this.answers.push(Response.json({ access, refresh: "refresh" }));
    expect(await this.session.signIn("tess", "secret")).toBe("ok");
    return access;
  }
}

describe("signing in", () => {
  test("a rejection is reported as refused and an outage as unavailable", async () => {
    const api = new AuthApi();
    api.answers.push(new Response("{}", { status: 401 }), new Response("", { status: 502 }), new TypeError("no network"), new Response("<html>"));
    const outcomes = [];
    for (let tries = 0; tries < 4; tries += 1) outcomes.push(await api.session.signIn("tess", "secret"));
    expect(outcomes).toEqual(["refused", "unavailable", "unavailable", "unavailable"]);
    expect(api.session.active).toBe(false);
  });

  test("no enumerable or serializable property holds a token", async () => {
    const api = new AuthApi();
    const access = await api.signedIn();
    expect(await api.session.token()).toBe(access);
    expect(JSON.stringify({ ...api.session })).not.toContain(access.slice(0, 20));
    expect(JSON.stringify(api.session)).not.toContain("refresh");
  });
});

describe("renewing", () => {
  test("a token is not renewed before it is due, and then once for all callers", async () => {
    const api = new AuthApi();
    const first = await api.signedIn(60);
    api.now += 49_000;
    expect(await api.session.token()).toBe(first);
    api.now += 2_000;
    const second = token("second", 120);
    api.answers.push(Response.json({ access: second }));
    expect(await Promise.all([api.session.token(), api.session.token(), api.session.renew(first)])).toEqual([second, second, "ok"]);
    expect(api.asked.map(({ path }) => path)).toEqual(["/auth/token/", "/auth/token/refresh/"]);
    expect(await api.session.renew(first)).toBe("ok"); // it already has another one
  });

  test("an outage keeps the session; a rejection ends it and notifies all subscribers", async () => {
    const api = new AuthApi();
    const first = await api.signedIn(60);
    const heard: unknown[] = [];
    api.session.subscribe(() => heard.push(api.session.ended));
    api.answers.push(new Response("", { status: 503 }), new Response("{}", { status: 401 }));
    expect(await api.session.renew(first)).toBe("unavailable");
    expect([api.session.active, await api.session.token()]).toEqual([true, first]);
    expect(await api.session.renew(first)).toBe("refused");
    expect([api.session.active, await api.session.token(), api.session.ended]).toEqual([false, null, "expired"]);
    expect(heard).toEqual(["expired"]);
  });

  test("a wrong local clock does not make every request renew", async () => {
    const api = new AuthApi();
    const first = await api.signedIn(-600);
    expect(await api.session.token()).toBe(first);
  });

  test("a renewal that arrives after sign-out, or in the next session, is discarded", async () => {
    const api = new AuthApi();
    const first = await api.signedIn(60);
    let land: (answer: Response) => void = () => undefined;
    api.answers.push(new Promise((resolve) => (land = resolve)), new Response(null, { status: 204 }));
    const renewal = api.session.renew(first);
    await api.session.signOut();
    const next = token("next user", 60);
    api.answers.push(Response.json({ access: next, refresh: "another" }));
    await api.session.signIn("dana", "secret");
    land(Response.json({ access: token("too late", 60) }));
    expect(await renewal).toBe("refused");
    expect([api.session.active, await api.session.token()]).toEqual([true, next]);
  });
});

test("signing out ends the session immediately and sends both tokens to the Auth API", async () => {
  const api = new AuthApi();
  const access = await api.signedIn();
  api.answers.push(new TypeError("no network"));
  const signedOut = api.session.signOut();
  expect([api.session.active, api.session.ended]).toEqual([false, "signed-out"]);
  await signedOut;
  expect(api.asked.at(-1)).toEqual({ path: "/auth/logout/", body: { refresh: "refresh" }, bearer: `Bearer ${access}` });
});

test("a token without an expiry never ends", () => {
  expect(endOf(token("x", 5))).toBe(NOW + 5_000);
  for (const text of ["", "opaque", "a.b.c", "e30.e30.e30", "e30.bnVsbA.e30"]) expect(endOf(text)).toBe(Infinity);
});

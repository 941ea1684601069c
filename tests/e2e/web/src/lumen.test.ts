import { expect, test } from "vitest";

import { Lumen } from "./lumen";
import { Session } from "./session";

/** Lumen and the Auth API as functions of the request; the user is signed in with the token
 * "access-1". */
async function signedIn(answer: (path: string, bearer: string | null) => Response | Promise<Response>) {
  let issued = 0;
  const asked: string[] = [];
  const fetch = async (path: string, init: RequestInit) => {
    const bearer = new Headers(init.headers).get("Authorization");
    asked.push(`${path} ${bearer ?? ""}`.trim());
    if (path === "/auth/token/" || path === "/auth/token/refresh/") {
      const refused = path === "/auth/token/refresh/" ? await answer(path, bearer) : null;
      if (refused !== null && !refused.ok) return refused;
      issued += 1;
      return Response.json({ access: `access-${issued}`, refresh: "refresh" });
    }
    return answer(path, bearer);
  };
  const session = new Session(fetch, Date.now);
  await session.signIn("tess", "secret");
  asked.length = 0;
  return { session, lumen: new Lumen(session, fetch), asked };
}

const ok = () => Response.json({ fine: true });
const status = (code: number, headers: Record<string, string> = {}) => new Response(JSON.stringify({ detail: "why" }), { status: code, headers });

test("each status maps to its kind of answer", async () => {
  const answers = [ok(), status(403), status(404), status(409), status(400), status(503, { "Retry-After": "3" }), status(502), status(500), new Response("<html>")];
  const { lumen } = await signedIn(() => answers.shift() ?? status(500));
  const got = [];
  for (let asked = 0; asked < 9; asked += 1) got.push(await lumen.get("/api/x/"));
  expect(got).toEqual([
    { kind: "ok", value: { fine: true } }, { kind: "denied", detail: "why" }, { kind: "missing" }, { kind: "rejected", detail: "why" },
    { kind: "rejected", detail: "why" }, { kind: "unavailable", retryAfterMs: 3_000 }, { kind: "unavailable", retryAfterMs: 2_000 },
    { kind: "unavailable", retryAfterMs: 2_000 }, { kind: "unavailable", retryAfterMs: 2_000 },
  ]);
});

test("a rejected token is renewed once and the request is repeated with the new one", async () => {
  const { lumen, session, asked } = await signedIn((_, bearer) => (bearer === "Bearer access-1" ? status(401) : ok()));
  expect(await lumen.get("/api/x/")).toEqual({ kind: "ok", value: { fine: true } });
  expect(asked).toEqual(["/api/x/ Bearer access-1", "/auth/token/refresh/", "/api/x/ Bearer access-2"]);
  expect(session.active).toBe(true);
});

test("a rejection of the renewed token ends the session as withdrawn", async () => {
  const { lumen, session, asked } = await signedIn((path) => (path.startsWith("/auth/") ? ok() : status(401)));
  expect(await lumen.get("/api/x/")).toEqual({ kind: "signed-out" });
  expect([session.ended, asked.length]).toEqual(["withdrawn", 3]);
  expect(await lumen.get("/api/x/")).toEqual({ kind: "signed-out" });
  expect(asked.length).toBe(3); // nothing is sent without a session
});

test("an outage never ends a session, even if it needs a new token", async () => {
  for (const outage of [() => status(502), () => Promise.reject(new TypeError("no network"))]) {
    const { lumen, session } = await signedIn((path) => (path.startsWith("/auth/") ? outage() : status(401)));
    const heard: boolean[] = [];
    lumen.subscribe(() => heard.push(lumen.reachable));
    expect((await lumen.get("/api/x/")).kind).toBe("unavailable");
    expect([session.active, lumen.reachable, heard]).toEqual([true, false, [false]]);
  }
});

test("a request of one user is neither finished nor shown in another user's session", async () => {
  for (const code of [401, 200]) {
    let land: (answer: Response) => void = () => undefined;
    const { lumen, session, asked } = await signedIn((path) =>
      path === "/api/sign/" ? new Promise((resolve) => (land = resolve)) : ok(),
    );
    const begun = lumen.post("/api/sign/", { text: "by the first" });
    await Promise.resolve();
    await session.signOut();
    await session.signIn("dana", "secret");
    land(code === 200 ? ok() : status(401));
    expect(await begun).toEqual({ kind: "signed-out" });
    expect(asked.filter((request) => request.startsWith("/api/sign/"))).toEqual(["/api/sign/ Bearer access-1"]);
    expect(session.active).toBe(true);
  }
});

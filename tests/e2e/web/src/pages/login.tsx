import { type FormEvent, useEffect, useRef, useState } from "react";

import { useServices } from "../context";
import type { Ended } from "../session";
import { Brand } from "../shell";

const NOTICES: Record<Ended, string> = {
  "signed-out": "You are signed out.",
  expired: "Your session has expired. Sign in again to continue where you were.",
  withdrawn: "Your session was ended by an administrator. Sign in again if you still have access.",
};
const PROBLEMS = {
  refused: "User name or password is wrong. Check both and try again.",
  unavailable: "The sign-in service does not answer. Your password was not checked. Try again in a moment.",
};

export function Login({ ended }: { ended: Ended | null }) {
  const { session } = useServices();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<keyof typeof PROBLEMS | null>(null);
  const username = useRef<HTMLInputElement>(null);
  const password = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = "Sign in · Lumen";
    username.current?.focus();
  }, []);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (busy || username.current === null || password.current === null) return;
    setBusy(true);
    setProblem(null);
    const outcome = await session.signIn(username.current.value.trim(), password.current.value);
    if (outcome === "ok") return; // this page is gone
    setBusy(false);
    setProblem(outcome);
    if (outcome === "refused") {
      password.current.value = "";
      password.current.focus();
    }
  };

  const wrong = problem === "refused" ? { "aria-invalid": true, "aria-describedby": "problem" } : {};
  return (
    <main className="login">
      <form onSubmit={(event) => void submit(event)} noValidate aria-labelledby="title">
        <Brand />
        <h1 id="title">Sign in</h1>
        <div role="status">{ended !== null && <p className={`notice ${ended}`}>{NOTICES[ended]}</p>}</div>
        <label htmlFor="username">User name</label>
        <input id="username" ref={username} name="username" autoComplete="username" autoCapitalize="none" spellCheck={false} {...wrong} />
        <label htmlFor="password">Password</label>
        <input id="password" ref={password} name="password" type="password" autoComplete="current-password" {...wrong} />
        <div role="alert">{problem !== null && <p id="problem" className="problem">{PROBLEMS[problem]}</p>}</div>
        <button type="submit" className="primary" aria-disabled={busy}>{busy ? "Signing in…" : "Sign in"}</button>
        <p className="fine">You stay signed in while this page is open. Reloading or closing it signs you out.</p>
      </form>
    </main>
  );
}

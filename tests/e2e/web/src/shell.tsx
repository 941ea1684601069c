// shell.tsx: the frame around every page of a signed-in user, and small parts that pages share.

import { type MouseEvent, type ReactNode, useEffect, useRef } from "react";

import type { State, Who } from "./api_types";
import { useReachable, useServices } from "./context";
import { go, usePath } from "./router";

const PAGES = { worklist: "Worklist", overview: "Overview" };
export const ROLES: Record<string, string> = {
  rvt: "Vascular technologist",
  doctor: "Reading physician",
  admin: "Administrator",
  receptionist: "Front desk",
};

export function Shell({ who, children }: { who: Who | null; children: ReactNode }) {
  const { session, drafts } = useServices();
  const path = usePath();
  const signOut = () => {
    drafts.clear();
    void session.signOut();
    go("/");
  };
  return (
    <>
      <a className="skip" href="#main">Skip to content</a>
      <header className="bar">
        <Brand />
        <nav aria-label="Pages">
          {who?.pages.map((page) => (
            <Link key={page} to={`/${page}`} current={path === `/${page}` || (page === "worklist" && path === "/")}>{PAGES[page]}</Link>
          ))}
        </nav>
        <div className="who">
          {who !== null && (
            <p>
              <strong>{who.name}</strong>
              <span>{ROLES[who.role] ?? who.role}{who.clinic !== "" && `, ${who.clinic}`}</span>
            </p>
          )}
          <button type="button" className="quiet" onClick={signOut}>Sign out</button>
        </div>
      </header>
      <OutageBanner />
      <main id="main">{children}</main>
    </>
  );
}

function OutageBanner() {
  const reachable = useReachable();
  // The region exists before its text, so that screen readers announce the text.
  return (
    <div className="outage" role="status">
      {!reachable && (
        <p>
          <strong>The sign-in service does not answer.</strong> You are still signed in. The data shown may be out of date, and changes cannot be
          saved until the service is back. Lumen keeps trying.
        </p>
      )}
    </div>
  );
}

export function Brand() {
  return (
    <div className="brand">
      <img src="/lumen.svg" alt="" width="28" height="28" />
      <span>Lumen</span>
      <small>Vascular laboratory</small>
    </div>
  );
}

export function Link({ to, current, children }: { to: string; current?: boolean; children: ReactNode }) {
  const follow = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button !== 0) return;
    event.preventDefault();
    go(to);
  };
  return <a href={to} onClick={follow} aria-current={current === true ? "page" : undefined}>{children}</a>;
}

/** The page's only h1. It takes the focus when the page appears, so that keyboard and screen
 * reader start there. */
export function Heading({ children, title }: { children: ReactNode; title: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Lumen`;
    heading.current?.focus();
  }, [title]);
  return <h1 ref={heading} tabIndex={-1}>{children}</h1>;
}

export function Loading() {
  return <p className="loading">Loading…</p>;
}

const STATES: Record<State, string> = { scheduled: "Scheduled", performed: "To be read", signed: "Signed" };

export function Badge({ state }: { state: State }) {
  return <span className={`badge ${state}`}>{STATES[state]}</span>;
}

export const timeOf = (iso: string) => new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
export const dayOf = (iso: string) => new Date(iso).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });

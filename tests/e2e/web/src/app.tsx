// app.tsx: the login page if no user is signed in, else the shell with the page of the address.
// Whether the user may see that page is decided by Lumen's answer alone.

import { useEffect } from "react";

import type { Who } from "./api_types";
import { useServices, useSession, useWatched } from "./context";
import { Denied, Missing } from "./pages/denied";
import { Login } from "./pages/login";
import { Overview } from "./pages/overview";
import { ReportPage } from "./pages/report";
import { Worklist } from "./pages/worklist";
import { pageOf, usePath } from "./router";
import { Loading, Shell } from "./shell";

export function App() {
  const { active, ended } = useSession();
  return active ? <SignedIn /> : <Login ended={ended} />;
}

function SignedIn() {
  const { drafts } = useServices();
  const path = usePath();
  const who = useWatched<Who>("/api/session/").answer;
  const id = who?.kind === "ok" ? who.value.id : null;
  useEffect(() => {
    if (id !== null) drafts.open(id);
  }, [drafts, id]);
  if (who === null) return <Shell who={null}><Loading /></Shell>;
  if (who.kind !== "ok") return <Shell who={null}><Denied /></Shell>;
  return <Shell who={who.value}><CurrentPage path={path} key={path} who={who.value} /></Shell>;
}

function CurrentPage({ path, who }: { path: string; who: Who }) {
  const page = pageOf(path);
  switch (page.name) {
    case "worklist":
      return <Worklist who={who} />;
    case "overview":
      return <Overview />;
    case "report":
      return <ReportPage number={page.number} />;
    case "unknown":
      return <Missing />;
  }
}

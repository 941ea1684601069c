import { Heading, Link } from "../shell";

export function Denied({ detail = "" }: { detail?: string }) {
  return (
    <section className="plate">
      <p className="code">403</p>
      <Heading title="No access">You have no access to this page</Heading>
      <p>{detail === "" ? "Your role does not include it." : detail}</p>
      <p>
        This attempt was recorded, as is every denied request. If you need this page for your work, ask your laboratory’s administrator. A new
        role takes effect without signing in again.
      </p>
      <p><Link to="/worklist">Back to the worklist</Link></p>
    </section>
  );
}

export function Missing() {
  return (
    <section className="plate">
      <p className="code">404</p>
      <Heading title="Not found">This page does not exist</Heading>
      <p><Link to="/worklist">Back to the worklist</Link></p>
    </section>
  );
}

import { Heading, Link } from "../shell";

export function Denied({ detail = "" }: { detail?: string }) {
  return (
    <section className="plate">
      <p className="code">403</p>
      <Heading title="No access">You have no access to this page</Heading>
      <p>{detail === "" ? "Your role does not include it." : detail}</p>
      <p>
        The attempt was recorded, as every refusal is. If your work needs this page, ask your laboratory’s administrator; a new role takes effect
        without your signing in again.
      </p>
      <p><Link to="/worklist">Back to the worklist</Link></p>
    </section>
  );
}

export function Missing() {
  return (
    <section className="plate">
      <p className="code">404</p>
      <Heading title="Not found">There is no such page</Heading>
      <p><Link to="/worklist">Back to the worklist</Link></p>
    </section>
  );
}

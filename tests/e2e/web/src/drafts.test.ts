import { expect, test } from "vitest";

import { Drafts } from "./drafts";

test("a draft survives a session for its own user only", () => {
  const drafts = new Drafts();
  drafts.set("early", "without an owner");
  drafts.open("dana");
  expect(drafts.get("early")).toBe("");
  drafts.set("2042/signature", "thrombosis");
  drafts.open("dana");
  expect(drafts.get("2042/signature")).toBe("thrombosis");
  drafts.open("dmitri");
  expect(drafts.get("2042/signature")).toBe("");
  drafts.open("dana");
  expect(drafts.get("2042/signature")).toBe("");
});

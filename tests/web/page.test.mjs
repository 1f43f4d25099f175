import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";

test("modules need no page to be loaded, as ComfyUI loads each of them", async () => {
  const web = new URL("../../web/", import.meta.url);
  const files = readdirSync(web, { recursive: true }).filter((file) => file.endsWith(".js") && file !== "runcomfy.js");
  for (const file of files) await import(new URL(file.replaceAll("\\", "/"), web));
  assert.ok(files.length > 20);
});

test("no folder holds more than a dozen modules", () => {
  for (const folder of ["base", "node", "sidebar", "page"]) {
    assert.ok(readdirSync(new URL(`../../web/${folder}/`, import.meta.url)).length <= 12, folder);
  }
});

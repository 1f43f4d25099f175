import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { createAccount } from "../../web/base/account.js";
import { button, element, requestIdElement } from "../../web/base/elements.js";
import { age, money, shortId } from "../../web/base/format.js";
import { loadMessages, LOCALES, nearestLocale, translator } from "../../web/base/messages.js";
import { createRoutes, failureText, ServerError } from "../../web/base/routes.js";
import english from "../../web/messages/en.js";
import { document } from "./fakes.mjs";

const t = translator(english, english);

test("an element has the pack's classes, attributes, and its texts as text", () => {
  const made = element(document, "div", "line dim", ["<b>one</b>", element(document, "span", "", "two")], { role: "status" });
  assert.equal(made.className, "runcomfy-line runcomfy-dim");
  assert.deepEqual(made.attributes, { role: "status" });
  assert.equal(made.children[0], "<b>one</b>");
  assert.equal(made.text, "<b>one</b> two");
});

test("a button sends no form, and a request id is short but can be read whole", () => {
  const clicks = [];
  const made = button(document, "copy", "Copy", () => clicks.push("click"), { title: "Copy it" });
  made.listeners.click();
  assert.deepEqual([clicks, made.attributes], [["click"], { type: "button", title: "Copy it" }]);
  const id = requestIdElement(document, "3f2a1c9e-77aa-4b2e-9d10-2a6f0c11e9c1");
  assert.deepEqual([id.text, id.attributes.title], ["3f2a1c9e\u2026e9c1", "3f2a1c9e-77aa-4b2e-9d10-2a6f0c11e9c1"]);
});

test("amounts keep what two decimals would hide", () => {
  assert.deepEqual([0.1, 0.134, 0.0039, 25, -1.5, 0].map(money), ["$0.10", "$0.134", "$0.0039", "$25.00", "-$1.50", "$0.00"]);
  assert.deepEqual([null, undefined, NaN, "1"].map(money), ["", "", "", ""]);
});

test("ages and ids are short", () => {
  assert.equal(age(200, "en"), "3 min. ago");
  assert.equal(age(90000, "en"), "1 day ago");
  assert.equal(shortId("3f2a1c9e-77aa-4b2e-9d10-2a6f0c11e9c1"), "3f2a1c9e\u2026e9c1");
  assert.equal(shortId("short"), "short");
});

test("languages fall back to the nearest and to English", async () => {
  assert.deepEqual(["zh-HK", "zh_TW", "zh-CN", "fr-CA", "de", undefined].map(nearestLocale), ["zh-TW", "zh-TW", "zh", "fr", "en", "en"]);
  const french = translator({ "state.failed": "\u00c9chec" }, english, "fr");
  assert.equal(french("state.failed"), "\u00c9chec");
  assert.equal(french("state.stopped"), "Stopped");
  assert.equal(french("no.such.key"), "no.such.key");
  const broken = await loadMessages("ko", async (name) => {
    if (name !== "en") throw new Error("404");
    return { default: english };
  });
  assert.equal(broken.locale, "en");
});

test("numbers choose their form by the language's rules", () => {
  const russian = translator({ "n.one": "{count} a", "n.few": "{count} b", "n.many": "{count} c" }, {}, "ru");
  assert.deepEqual([1, 3, 5, 21].map((count) => russian.count("n", count)), ["1 a", "3 b", "5 c", "21 a"]);
});

test("every language that is there has the English keys and placeholders", async () => {
  const files = readdirSync(new URL("../../web/messages/", import.meta.url));
  assert.deepEqual(files.filter((file) => !LOCALES.includes(file.replace(".js", ""))), []);
  const bare = (key) => key.replace(/\.(zero|one|two|few|many|other)$/, "");
  const places = (text) => new Set(text.match(/\{\w+\}/g) ?? []);
  for (const file of files) {
    const table = (await import(`../../web/messages/${file}`)).default;
    assert.deepEqual([...new Set(Object.keys(table).map(bare))].sort(), [...new Set(Object.keys(english).map(bare))].sort(), file);
    for (const [key, text] of Object.entries(table)) {
      const model = english[key] ?? english[`${bare(key)}.other`];
      const extra = [...places(text)].filter((place) => !places(model).has(place));
      assert.deepEqual(extra, [], `${file}: ${key}`);
    }
  }
});

function api(status, answer) {
  const calls = [];
  const fetchApi = async (path, init) => {
    calls.push([init.method, path, init.body]);
    if (answer instanceof Error) throw answer;
    return { ok: status < 400, json: async () => answer };
  };
  return { calls, fetchApi };
}

test("the server is asked with JSON, and its refusals keep their code", async () => {
  const fine = api(200, { state: "ready" });
  await createRoutes(fine).storeToken("secret");
  assert.deepEqual(fine.calls, [["PUT", "/runcomfy/token", '{"token":"secret"}']]);
  const refused = createRoutes(api(400, { code: "NoToken", message: "There is no token.", advice: "Make one." }));
  await assert.rejects(refused.jobs("X"), (error) => error instanceof ServerError && error.code === "NoToken");
  await assert.rejects(createRoutes(api(200, new Error("offline"))).account(), { code: "unreachable" });
});

test("failures are read in the person's language, unknown ones in the server's words", () => {
  assert.equal(failureText(new ServerError("NoToken", "x", "y"), t), "There is no API token yet.");
  assert.equal(failureText(new ServerError("JournalError", "The disk is full.", "Free it."), t), "The disk is full. Free it.");
  assert.equal(failureText(new Error(""), t), "That did not work.");
});

test("the account tells its listeners until they have enough", async () => {
  const account = createAccount({ account: async () => ({ state: "missing" }), forgetToken: async () => ({ state: "missing" }) });
  const heard = [];
  account.subscribe((known) => {
    heard.push(known.state);
    return false;
  });
  const end = account.subscribe((known) => heard.push(known.state));
  await account.refresh();
  end();
  await account.forget();
  assert.deepEqual(heard, ["missing", "missing"]);
  assert.equal(account.known.state, "missing");
});

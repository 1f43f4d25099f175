import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import { createAccount } from "../../web/base/account.js";
import { button, element, requestIdElement } from "../../web/base/elements.js";
import { age, byteSize, money, shortId } from "../../web/base/format.js";
import { translator } from "../../web/base/messages.js";
import { createRoutes, errorText, RouteError } from "../../web/base/routes.js";
import { document, failure, note, read, texts } from "./fakes.mjs";

const t = texts();

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

test("amounts and sizes are written as the server writes them", () => {
  const amounts = read("tests/amounts.json");
  assert.deepEqual(amounts.money.map(([usd]) => money(usd)), amounts.money.map(([, text]) => text));
  assert.deepEqual(amounts.size.map(([bytes]) => byteSize(bytes)), amounts.size.map(([, text]) => text));
  assert.deepEqual([undefined, NaN, "1"].map(money), ["", "", ""]);
});

test("ages and ids are short", () => {
  assert.equal(age(200, "en"), "3 min. ago");
  assert.equal(age(90000, "en"), "1 day ago");
  assert.equal(shortId("3f2a1c9e-77aa-4b2e-9d10-2a6f0c11e9c1"), "3f2a1c9e\u2026e9c1");
  assert.equal(shortId("short"), "short");
});

test("a text has its values, an unknown key is its own text", () => {
  assert.equal(t("state.downloading", { done: 1, total: 2 }), "Downloading, 1 of 2");
  assert.equal(t("state.downloading", { done: 1 }), "Downloading, 1 of {total}");
  assert.equal(t("no.such.key"), "no.such.key");
  assert.deepEqual([t.has("state.failed"), t.has("no.such.key"), t.locale], [true, false, "en"]);
});

test("numbers choose their form by the language's rules", () => {
  const russian = translator({ "n.one": "{count} a", "n.few": "{count} b", "n.many": "{count} c" }, "ru");
  assert.deepEqual([1, 3, 5, 21].map((count) => russian("n", { count })), ["1 a", "3 b", "5 c", "21 a"]);
  assert.equal(translator({ "n.other": "{count} x" }, "fr")("n", { count: 1 }), "1 x");
});

test("every language has the forms that its whole numbers ask for", () => {
  for (const locale of readdirSync(new URL("../../locales/", import.meta.url))) {
    const table = read(`locales/${locale}/messages.json`);
    const rules = new Intl.PluralRules(locale);
    const asked = new Set(Array.from({ length: 200 }, (_, count) => rules.select(count)));
    for (const key of Object.keys(table).filter((each) => each.endsWith(".other"))) {
      const missing = [...asked].filter((form) => !(key.replace(/other$/, form) in table));
      assert.deepEqual(missing, [], `${locale}: ${key}`);
    }
  }
});

test("a note is said with its values, amounts, sizes and notes within", () => {
  const cause = note("failure.rate_limited", { answer: note("http.status", { status: 429 }) });
  assert.equal(
    t.note(note("note.next_try", { cause, seconds: 7 })),
    "RunComfy asks for fewer calls for now. (HTTP 429) The next try is in 7 s.",
  );
  assert.equal(t.note(note("failure.answer_too_large", { limit_bytes: 2 ** 21 })), "The answer has more than 2.00 MiB.");
  assert.equal(t.note(note("outcome.sentence", { text: "as it {was}" })), "as it {was}");
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

test("the server is asked with JSON, and its refusals keep their failure", async () => {
  const fine = api(200, { state: "ready" });
  await createRoutes(fine).storeToken("secret");
  assert.deepEqual(fine.calls, [["PUT", "/runcomfy/token", '{"token":"secret"}']]);
  const refused = createRoutes(api(400, failure("token_missing")));
  await assert.rejects(refused.jobs({ limit: 1 }), (error) => error instanceof RouteError && error.failure.kind === "token_missing");
  await assert.rejects(createRoutes(api(200, new Error("offline"))).account(), { failure: null });
});

test("the texts come from the server, in the language it has", async () => {
  const server = api(200, { locale: "zh-TW", messages: {} });
  assert.equal((await createRoutes(server).messages("zh-HK&x")).locale, "zh-TW");
  assert.deepEqual(server.calls, [["GET", "/runcomfy/messages?locale=zh-HK%26x", undefined]]);
});

test("an error is read in the person's language, with what to do next", () => {
  const gone = new RouteError(failure("folder_unwritable", { params: { folder: "/x", error: "E" }, next: [note("next.free_disk")] }));
  assert.match(errorText(gone, t), /^The folder \/x cannot be written \(E\)\. Free the disk, /);
  assert.match(errorText(gone, texts("fr")), /^Le dossier \/x /);
  assert.equal(errorText(new RouteError(null), t), "The ComfyUI server did not answer.");
  assert.equal(errorText(new RouteError({}), t), "That did not work.");
  assert.equal(errorText(new Error(""), t), "That did not work.");
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

test("a long list of models is added and named in parts, as large as one call may be", async () => {
  const sizes = [];
  const server = {
    apiURL: (path) => path,
    fetchApi: async (_path, { body }) => {
      const { model_ids: ids = [], models = [] } = JSON.parse(body);
      sizes.push(ids.length + models.length);
      const answer = { added: ids.slice(1).map((model_id) => ({ model_id })), refused: ids.slice(0, 1), models };
      return { ok: true, json: async () => answer };
    },
  };
  const routes = createRoutes(server);
  const { added, refused } = await routes.addModels(Array.from({ length: 101 }, (_, number) => `a/${number}`));
  assert.deepEqual([added.length, refused, sizes], [98, ["a/0", "a/50", "a/100"], [50, 50, 1]]);
  assert.equal((await routes.nameModels(Array.from({ length: 201 }, () => ({ node_id: "a" })))).length, 201);
  assert.deepEqual(sizes.slice(3), [200, 1]);
});

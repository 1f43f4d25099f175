import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import test from "node:test";
import english from "../../web/messages/en.js";
import { createAccount } from "../../web/parts/account.js";
import { createBoard } from "../../web/parts/board.js";
import { age, money, shortId } from "../../web/parts/format.js";
import { eachNode, findNode, imagesInto, isOpen, widgetValue } from "../../web/parts/graph.js";
import { after } from "../../web/parts/host.js";
import { addCollectNode, freePlace } from "../../web/parts/jobs.js";
import { loadMessages, LOCALES, nearestLocale, translator } from "../../web/parts/messages.js";
import { priceText } from "../../web/parts/price.js";
import { createServer, failureText, ServerError } from "../../web/parts/server.js";
import { document } from "./fakes.mjs";

const t = translator(english, english);

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

test("a price is a base, times the images, or nothing", () => {
  assert.equal(priceText(0.1, 1, t), "from $0.10");
  assert.equal(priceText(0.1, 3, t), "from $0.30 for 3 images");
  assert.equal(priceText(0.1, undefined, t), "from $0.10 an image");
  assert.deepEqual([null, undefined, NaN, 0].map((usd) => priceText(usd, 1, t)), ["", "", "", ""]);
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
  await createServer(fine).storeToken("secret");
  assert.deepEqual(fine.calls, [["PUT", "/runcomfy/token", '{"token":"secret"}']]);
  const refused = createServer(api(400, { code: "NoToken", message: "There is no token.", advice: "Make one." }));
  await assert.rejects(refused.jobs("X"), (error) => error instanceof ServerError && error.code === "NoToken");
  await assert.rejects(createServer(api(200, new Error("offline"))).account(), { code: "unreachable" });
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

test("nodes are found by their id in the prompt, within subgraphs too", () => {
  const inner = { nodes: [{ id: 5, name: "inner" }], getNodeById: (id) => inner.nodes.find((node) => node.id == id) };
  const outer = { id: "w", nodes: [{ id: 12, subgraph: inner }], getNodeById: (id) => outer.nodes.find((node) => node.id == id) };
  assert.equal(findNode(outer, "12:5").name, "inner");
  assert.equal(findNode(outer, "12:6"), undefined);
  assert.equal(findNode(outer, "7"), undefined);
  assert.equal([...eachNode(outer)].length, 2);
  assert.equal(isOpen(outer, { workflow: "w" }), true);
  assert.equal(isOpen(outer, { workflow: "x" }), false);
  assert.equal(isOpen(outer, { workflow: "" }), true);
});

test("images are counted before a run where the graph tells", () => {
  const source = (type, widgets = {}) => ({
    type,
    inputs: [],
    widgets: Object.entries(widgets).map(([name, value]) => ({ name, value })),
  });
  const countWidget = (type) => (type.startsWith("RunComfy") ? "how_many" : undefined);
  const into = (from) => imagesInto({ getInputNode: () => from }, 0, countWidget);
  assert.equal(into(source("LoadImage")), 1);
  assert.equal(into(source("EmptyImage", { batch_size: 3 })), 3);
  assert.equal(into(source("RunComfyNanoBanana2TextToImage", { how_many: 2 })), 2);
  assert.equal(into({ type: "Reroute", getInputNode: () => source("LoadImage") }), 1);
  assert.equal(into(source("VAEDecode")), undefined);
  assert.equal(into(null), undefined);
});

test("a widget that a link stands in for has no value", () => {
  const node = { inputs: [{ widget: { name: "num_images" }, link: 3 }], widgets: [{ name: "num_images", value: 2 }] };
  assert.equal(widgetValue(node, "num_images"), undefined);
  node.inputs[0].link = null;
  assert.equal(widgetValue(node, "num_images"), 2);
});

test("the collecting node goes where it covers none and holds the request id", () => {
  const graph = { nodes: [], add: (node) => graph.nodes.push(node) };
  const node = { pos: [0, 0], size: [200, 100], graph };
  const other = { pos: [220, 0], size: [200, 100], graph };
  graph.nodes.push(node, other);
  assert.deepEqual(freePlace(node, [100, 50]), [240, 170]);
  const made = addCollectNode(node, "abc", () => ({ size: [100, 50], widgets: [{ name: "request_id", value: "" }] }));
  assert.equal(made.widgets[0].value, "abc");
});

test("the board shows a view, keeps quiet where nothing changed, and copies the id", async () => {
  const copied = [];
  let resized = 0;
  const actions = { copy: async (text) => copied.push(text), enterToken: () => copied.push("asked"), resized: () => (resized += 1) };
  const board = createBoard(document, t, actions);
  const view = { tone: "busy", headline: "Running", meta: "3 s", lines: [], details: ["a", "b"], requestId: "abc", bar: 0.5 };
  board.show({ view, price: "from $0.10", tokenMissing: false });
  board.show({ view, price: "from $0.10", tokenMissing: false });
  assert.equal(resized, 1);
  assert.equal(board.root.text, "Running 3 s a b Request abc from $0.10");
  await board.root.querySelector(".runcomfy-copy").listeners.click();
  board.show({ view: null, price: "", tokenMissing: true });
  board.root.querySelector(".runcomfy-link").listeners.click();
  assert.deepEqual(copied, ["abc", "asked"]);
  assert.equal(board.root.text, "No API token yet Enter token");
});

test("an object's own function is called before ours", () => {
  const order = [];
  const target = { done: (value) => order.push(`own ${value}`) };
  after(target, "done", (value) => order.push(`ours ${value}`));
  after(target, "none", () => order.push("none"));
  target.done(1);
  target.none();
  assert.deepEqual(order, ["own 1", "ours 1", "none"]);
});

test("modules need no page to be loaded, as ComfyUI loads each of them", async () => {
  for (const file of readdirSync(new URL("../../web/parts/", import.meta.url))) {
    await import(`../../web/parts/${file}`);
  }
});

import assert from "node:assert/strict";
import test from "node:test";
import { eachNode, findNode, imagesInto, isOpen, widgetValue } from "../../web/node/graph.js";
import { addMenuItems, after } from "../../web/node/host_nodes.js";
import { priceText } from "../../web/node/price.js";
import { createStatusBoard } from "../../web/node/status_board.js";
import { document, texts } from "./fakes.mjs";

const t = texts();

test("a price is a base, times the images, or nothing", () => {
  const price = (usd, unit, count, seconds) => priceText({ usd, unit }, { count, seconds }, t);
  assert.equal(price(0.1, "image", 1), "from $0.10");
  assert.equal(price(0.1, "output", 3), "from $0.30 for 3 images");
  assert.equal(price(0.1, null, undefined), "from $0.10 an image");
  assert.equal(price(0.1, "second", 1, 5), "from $0.50");
  assert.equal(price(0.1, "second", 1, undefined), "from $0.10 a second");
  assert.deepEqual([null, undefined, NaN, 0].map((usd) => price(usd, "image", 1)), ["", "", "", ""]);
});

test("nodes are found by their id in the prompt, within subgraphs too", () => {
  const inner = { nodes: [{ id: 5, name: "inner" }], getNodeById: (id) => inner.nodes.find((node) => String(node.id) === String(id)) };
  const outer = { id: "w", nodes: [{ id: 12, subgraph: inner }], getNodeById: (id) => outer.nodes.find((node) => String(node.id) === String(id)) };
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

test("the board shows a view, keeps quiet where nothing changed, and copies the id", async () => {
  const copied = [];
  let resized = 0;
  const actions = { copy: async (text) => copied.push(text), enterToken: () => copied.push("asked"), act: ({ kind }) => copied.push(kind), resized: () => (resized += 1), choose: (id) => copied.push(id), compare: () => copied.push("compare") };
  const board = createStatusBoard(document, t, actions);
  const idle = { chip: null, lines: [], details: ["a", "b"], actions: [] };
  const view = { ...idle, tone: "busy", headline: "Running", meta: "3 s", requestId: "abc", bar: 0.5 };
  board.show({ view, told: "", takes: [], tokenMissing: false });
  board.show({ view, told: "", takes: [], tokenMissing: false });
  assert.equal(resized, 1);
  assert.equal(board.root.text, "Running 3 s a b Request abc");
  await board.root.querySelector(".runcomfy-copy").listeners.click();
  const takes = [{ id: 7, title: "seed 1", src: "a.webp", chosen: true }, { id: 8, title: "seed 2", src: "", chosen: false }];
  board.show({ view: null, told: "", takes, tokenMissing: false });
  for (const each of board.root.all().filter(({ tag }) => tag === "button")) each.listeners.click();
  assert.deepEqual(copied.splice(1), [7, 8, "compare"]);
  board.show({ view: null, told: "", takes: [], tokenMissing: true });
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

test("entries are added to what the node's own menu has", () => {
  const target = { getExtraMenuOptions: () => [{ content: "own" }] };
  addMenuItems(target, () => [{ content: "ours" }]);
  assert.deepEqual(target.getExtraMenuOptions().map((item) => item.content), ["ours", "own"]);
});

test("the board makes buttons of what can be done, and links of addresses", () => {
  const done = [];
  const board = createStatusBoard(document, t, { copy: async () => {}, enterToken() {}, act: ({ kind }) => done.push(kind), resized() {} });
  const actions = [
    { kind: "retry", label: "Pay again", title: "once" },
    { kind: "open", label: "Generations on RunComfy", title: "", url: "https://a.example/g" },
  ];
  const chip = { text: "not charged", tone: "good" };
  const lines = ["Make one at https://a.example/profile, and come back."];
  const view = { tone: "bad", headline: "No.", meta: "", chip, lines, details: [], actions, requestId: "", bar: null };
  board.show({ view, told: "", takes: [], tokenMissing: false });
  const links = board.root.all().filter(({ tag }) => tag === "a");
  assert.deepEqual(links.map(({ attributes }) => attributes.href), ["https://a.example/profile", "https://a.example/g"]);
  assert.ok(links.every(({ attributes }) => attributes.rel === "noopener noreferrer"));
  board.root.all().find((each) => each.text === "Pay again").listeners.click();
  assert.deepEqual(done, ["retry"]);
  assert.match(board.root.text, /not charged/);
});

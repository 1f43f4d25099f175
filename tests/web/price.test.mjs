import assert from "node:assert/strict";
import test from "node:test";
import { addBadge } from "../../web/node/host_nodes.js";
import { badgeText, Estimates } from "../../web/node/price.js";
import { texts } from "./fakes.mjs";

const t = texts();

test("a badge says what one job costs and where that is known from; of a list, the product", () => {
  assert.equal(badgeText({ node: "0", usd: 0.134, source: "cost" }, 1, t), "$0.134 \u00b7 learnt");
  assert.equal(badgeText({ node: "0", usd: 0.3, source: "price" }, 1, t), "from $0.30 \u00b7 base price");
  assert.equal(badgeText({ node: "0", usd: 0.1, source: "cost" }, 20, t), "20 \u00d7 [$0.10 \u00b7 learnt] = $2.00");
  assert.equal(badgeText({ node: "0", usd: null, source: "none" }, 1, t), "");
  assert.equal(badgeText(undefined, 1, t), "");
});

test("the server is asked for all nodes at once, with what no link decides", async () => {
  const asked = [];
  const waiting = [];
  const drawn = [];
  const ask = async (nodes) => {
    asked.push(nodes);
    return nodes.map(({ node }) => ({ node, usd: 0.1, source: "price" }));
  };
  const estimates = new Estimates({ ask, later: (action) => waiting.push(action), changed: (node) => drawn.push(node), store: {} });
  const widgets = [{ name: "prompt", value: "a" }, { name: "seed", value: 3 }, { name: "board", value: {} }];
  const inputs = ["prompt", "seed"].map((name) => ({ name, widget: { name }, link: name === "prompt" ? 7 : null }));
  const graph = {};
  const nodes = [{ type: "RunComfyX", widgets, inputs, graph }, { type: "RunComfyY", widgets: [], graph }];
  const removed = { type: "RunComfyZ", widgets: [], graph: null };
  for (const node of [...nodes, ...nodes, removed]) estimates.want(node);
  assert.equal(waiting.length, 1);
  await waiting[0]();
  await new Promise((done) => setImmediate(done));
  assert.deepEqual(asked, [[
    { node: "0", node_id: "RunComfyX", values: { seed: 3 } },
    { node: "1", node_id: "RunComfyY", values: {} },
  ]]);
  assert.deepEqual(drawn, nodes);
  assert.equal(estimates.of(nodes[0]).usd, 0.1);
});

test("a server that does not answer changes nothing", async () => {
  const estimates = new Estimates({ ask: async () => Promise.reject(new Error("gone")), later: (action) => action(), changed: assert.fail, store: {} });
  const node = { type: "RunComfyX", widgets: [], graph: {} };
  estimates.want(node);
  await new Promise((done) => setImmediate(done));
  assert.equal(estimates.of(node), undefined);
});

test("a badge takes the host's own form, and no room where there is nothing to say", () => {
  class HostBadge {
    constructor({ text }) {
      this.text = text;
    }
  }
  let text = "";
  const node = { badges: [] };
  addBadge(node, () => text);
  const [badge] = node.badges;
  assert.equal(badge().getWidth(), 0);
  text = "$0.10";
  assert.equal(badge().text, "", "the host has none to make one like");
  node.badges.push(() => new HostBadge({ text: "#1" }));
  assert.ok(badge() instanceof HostBadge);
  assert.equal(badge(), badge());
  text = "$0.20";
  assert.equal(badge().text, "$0.20");
  addBadge({}, () => text);
});

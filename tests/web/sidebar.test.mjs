import assert from "node:assert/strict";
import test from "node:test";
import { hasLinks, valuesOf } from "../../web/node/inputs.js";
import { clearPlace, HostCanvas, promptId } from "../../web/sidebar/canvas.js";
import { JobRecord } from "../../web/sidebar/job_record.js";
import { askedText, canBeCollected, costText, modelName, promptText, stateText, tone } from "../../web/sidebar/job_texts.js";
import { addTab } from "../../web/sidebar/tab.js";
import { between, place } from "../../web/sidebar/virtual_list.js";
import { entry, texts } from "./fakes.mjs";

const t = texts();

test("a row says what became of a job, and first what it needs a person for", () => {
  assert.equal(stateText(entry(1), t), "delivered");
  assert.equal(stateText(entry(1, { state: "submitted", needs: "collect" }), t), "to be collected");
  assert.equal(stateText(entry(1, { state: "submitted", needs: "collect", live: true }), t), "under way");
  assert.equal(stateText(entry(1, { state: "of_tomorrow" }), t), "of_tomorrow");
  assert.deepEqual([tone(entry(1)), tone(entry(1, { needs: "look" })), tone(entry(1, { live: true }))], ["good", "wants", "busy"]);
});

test("there is something to collect where a file is not kept and can be had", () => {
  const gone = [{ index: 0, kept: true, type: "image/png" }, { index: 1, kept: false, type: "" }];
  assert.equal(canBeCollected(entry(1)), false);
  assert.equal(canBeCollected(entry(1, { files: gone })), true);
  assert.equal(canBeCollected(entry(1, { state: "failed", files: [] })), false);
  assert.equal(canBeCollected(entry(1, { state: "submitted", needs: "collect" })), true);
  assert.equal(canBeCollected(entry(1, { state: "submitted", needs: "collect", collecting: true })), false);
});

test("a cost is an amount, nothing, or not known", () => {
  assert.equal(costText(entry(1, { cost: 0.1 }), t), "$0.10");
  assert.equal(costText(entry(1, { cost: 0, charge: "none" }), t), "not charged");
  assert.equal(costText(entry(1, { cost: null, charge: "unknown" }), t), "cost not known");
});

test("what was asked for is told as far as it is known", () => {
  assert.equal(askedText(entry(1, { seed: 7, size: "1K", count: 2 }), t), "seed 7 \u00b7 1K \u00b7 \u00d72");
  assert.equal(askedText(entry(1, { seed: null, size: "", count: null }), t), "");
  assert.equal(promptText(entry(1, { prompt: "" }), t), "(prompt not kept)");
  assert.equal(modelName({ model: "Nano Banana Pro Edit (RunComfy)" }), "Nano Banana Pro Edit");
});

test("only the rows between two heights are made, whatever their heights", () => {
  const { placed, height } = place([30, 84, 84, 30, 84].map((each, key) => ({ key: String(key), height: each })));
  assert.equal(height, 312);
  const keys = (from, to) => between(placed, from, to).map(({ item }) => item.key).join("");
  assert.deepEqual([keys(0, 20), keys(30, 31), keys(100, 200), keys(228, 999), keys(400, 999)], ["0", "1", "123", "4", ""]);
});

/** A server with jobs by number, 1 the oldest. */
function server(most) {
  const all = Array.from({ length: most }, (_, index) => entry(most - index));
  const asked = [];
  const jobs = async (query) => {
    asked.push(query);
    const found = all.filter((job) => job.id < (query.before ?? Infinity) && (!query.needs || job.needs));
    return { jobs: found.slice(0, query.limit), more: found.length > query.limit, needs: 3, models: [] };
  };
  return { jobs, asked, all };
}

test("the record is read page by page, and what is new comes above what was read", async () => {
  const routes = server(250);
  const record = new JobRecord(routes, () => {});
  await record.refresh();
  await Promise.all([record.loadMore(), record.loadMore()]);
  assert.deepEqual([record.jobs.length, record.jobs.at(-1).id, record.more], [200, 51, true]);
  routes.all.unshift(entry(251));
  await record.refresh();
  assert.deepEqual([record.jobs.length, record.jobs[0].id, record.jobs.at(-1).id, record.more], [201, 251, 51, true]);
  await record.loadMore();
  await record.loadMore();
  assert.deepEqual([record.jobs.length, record.more], [251, false]);
});

test("a forgotten job is gone after a refresh, and filters leave out what needs a person", async () => {
  const routes = server(5);
  routes.all[2].needs = "collect";
  const record = new JobRecord(routes, () => {});
  await record.refresh();
  assert.deepEqual([record.needing.map((job) => job.id), record.needs], [[3], 3]);
  routes.all.splice(0, 1);
  await record.refresh();
  assert.deepEqual(record.jobs.map((job) => job.id), [4, 3, 2, 1]);
  await record.filter({ search: "fox" });
  assert.deepEqual([record.needing, record.filtered, routes.asked.at(-1).search], [[], true, "fox"]);
});

test("an answer to an older question is dropped", async () => {
  const answers = [];
  const record = new JobRecord({ jobs: () => new Promise((done) => answers.push(done)) }, () => {});
  const told = (id) => ({ jobs: [entry(id)], more: false, needs: 0, models: [] });
  const first = record.filter({ search: "a" });
  const second = record.filter({ search: "ab" });
  answers[1](told(2));
  await second;
  answers[0](told(1));
  await first;
  assert.deepEqual(record.jobs.map((job) => job.id), [2]);
});

test("a new node goes to the right of what is in its way", () => {
  const nodes = [{ pos: [0, 0], size: [200, 100] }, { pos: [240, 50], size: [200, 100] }];
  assert.deepEqual(clearPlace([50, 20], [100, 50], nodes), [480, 20]);
  assert.deepEqual(clearPlace([50, 300], [100, 50], nodes), [50, 300]);
});

/** A page with nodes in a graph; `sent` is what was queued. */
function page(nodes = [], selected = {}) {
  const graph = { nodes, add: (node) => nodes.push(Object.assign(node, { id: 9 })) };
  const sent = [];
  const box = { left: 0, top: 0, width: 800, height: 600 };
  const app = {
    graph,
    canvas: { graph, selected_nodes: selected, ds: { scale: 1, offset: [0, 0] }, canvas: { getBoundingClientRect: () => box } },
    graphToPrompt: async () => ({ output: Object.fromEntries(nodes.map((node) => [node.id, { class_type: node.type }])), workflow: {} }),
  };
  const createNode = (type) => ({ type, pos: [0, 0], size: [200, 100], inputs: [], widgets: widgets() });
  const api = { queuePrompt: async (_, prompt) => sent.push(prompt.output) };
  return { canvas: new HostCanvas({ app, api, window: { LiteGraph: { createNode } } }), sent, nodes };
}

function widgets() {
  return ["request_id", "prompt", "seed", "control_after_generate"].map((name) => ({ name, value: "" }));
}

test("a node that collects is run alone, whatever else is in the graph", async () => {
  const paid = { id: 1, type: "RunComfyNanoBanana2TextToImage", pos: [300, 250], size: [200, 100] };
  const { canvas, sent } = page([paid]);
  const made = canvas.addCollectNode("abc");
  assert.deepEqual([made.widgets[0].value, made.pos], ["abc", [540, 250]]);
  await canvas.runAlone(made);
  assert.deepEqual(sent, [{ 9: { class_type: "RunComfyCollect" } }]);
});

test("a node within a subgraph has the ids of its way as its id in a prompt", () => {
  const inner = { id: 5 };
  assert.equal(promptId({ nodes: [{ id: 1 }, { id: 12, subgraph: { nodes: [inner] } }] }, inner), "12:5");
  assert.equal(promptId({ nodes: [] }, inner), null);
});

test("a job's inputs go to the selected node of its model with the seed fixed, and past what a link decides", () => {
  const node = {
    id: 1, type: "X", pos: [0, 0], size: [1, 1], widgets: widgets(),
    inputs: [{ name: "prompt", link: 3, widget: { name: "prompt" } }],
  };
  const { canvas } = page([node], { 1: node });
  const job = { node_id: "X", inputs: { prompt: "a fox", seed: 7, unknown: 1 } };
  assert.equal(canvas.useInputs(job), "set");
  assert.deepEqual(node.widgets.map((each) => each.value), ["", "", 7, "fixed"]);
  assert.equal(canvas.useInputs({ ...job, node_id: "Y" }), "added");
});

test("the badge is written where the host sees it, and a host without tabs is left alone", () => {
  const shown = { id: "runcomfy", iconBadge: "" };
  const tabs = [];
  const manager = { registerSidebarTab: (tab) => tabs.push(tab), getSidebarTabs: () => [shown], sidebarTab: {} };
  const tab = addTab({ extensionManager: manager }, { title: "RunComfy", tooltip: "", render() {} });
  tab.badge(3);
  assert.equal(shown.iconBadge, "3");
  tab.badge(250);
  assert.equal(shown.iconBadge, "99+");
  tab.badge(0);
  assert.equal(shown.iconBadge, "");
  tab.open();
  assert.equal(manager.sidebarTab.activeSidebarTabId, tabs[0].id);
  addTab({}, { title: "RunComfy", tooltip: "", render() {} }).badge(1);
});

test("the values of a node are those of its inputs' widgets that no link decides", () => {
  const slot = (name, link = null) => ({ name, link, widget: { name } });
  const node = { inputs: [slot("prompt"), slot("seed", 4), { name: "image_1", link: null }], widgets: widgets() };
  assert.deepEqual(valuesOf(node), { prompt: "" });
  assert.equal(hasLinks(node), true);
  assert.equal(hasLinks({ inputs: [slot("prompt")] }), false);
});

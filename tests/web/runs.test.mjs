import assert from "node:assert/strict";
import test from "node:test";
import { act, fixSeed, hasInputs, outputsOf, takeAnew } from "../../web/node/runs.js";
import { Origins } from "../../web/page/origins.js";
import { report } from "./fakes.mjs";

/** A node with widgets of these values; `links` are the inputs that a link stands for. */
function node(values, links = []) {
  const widgets = Object.entries(values).map(([name, value]) => ({ name, value }));
  const inputs = widgets.map(({ name }) => ({ name, widget: { name }, link: links.includes(name) ? 1 : null }));
  return { id: 1, widgets, inputs, type: "RunComfyX", outputs: [], value: (name) => widgets.find((each) => each.name === name)?.value };
}

/** A page that notes what it is asked for. */
function page(graph) {
  const asked = [];
  return {
    asked,
    app: {
      graph,
      queuePrompt: async (...values) => asked.push(["run", values[2]]),
      graphToPrompt: async () => ({ output: { 1: {}, 2: {} }, workflow: { id: "w" } }),
    },
    api: { queuePrompt: async (_number, prompt) => asked.push(["alone", prompt]) },
    retry: async (id) => asked.push(["retry", id]),
    openAccount: () => asked.push(["account"]),
    openJobs: () => asked.push(["jobs"]),
    random: () => 0.5,
  };
}

/** A node that leads to a node that passes on, and from there to an output. */
function leading() {
  class Output {
    static nodeData = { output_node: true };
    id = 3;
  }
  const graph = {};
  const passing = { id: 2, graph, outputs: [{}], getOutputNodes: () => [new Output()] };
  const made = Object.assign(node({ prompt: "a", seed: 4 }), { graph, outputs: [{}, {}] });
  made.getOutputNodes = (place) => (place ? null : [passing, made]);
  return { made, graph };
}

test("a new node's seed stays as it is from run to run", () => {
  const made = node({ seed: 0, control_after_generate: "randomize" });
  fixSeed(made);
  assert.equal(made.value("control_after_generate"), "fixed");
});

test("a new take has another seed, whatever the chance", () => {
  const made = node({ seed: 2 ** 30 });
  takeAnew(made, () => 0.5);
  assert.equal(made.value("seed"), 2 ** 30 + 1);
  takeAnew(made, () => 0);
  assert.equal(made.value("seed"), 0);
  const without = node({ rerun_seed: 4 });
  takeAnew(without, () => 0.5);
  assert.equal(without.value("rerun_seed"), 5);
});

test("what a node leads to is what has to run", () => {
  assert.deepEqual(outputsOf(leading().made), ["3"]);
});

test("pressing a button runs the node alone with what it says", async () => {
  const { made, graph } = leading();
  const told = report({ inputs: { prompt: "b", seed: 7 } });
  const here = page(graph);
  await act(here, made, told, { kind: "again" });
  assert.deepEqual([made.value("prompt"), made.value("seed")], ["b", 7]);
  await act(here, made, told, { kind: "retry", requestIds: ["x", "y"] });
  await act(here, made, told, { kind: "take" });
  assert.deepEqual(here.asked, [["run", ["3"]], ["retry", "x"], ["retry", "y"], ["run", ["3"]], ["run", ["3"]]]);
  assert.notEqual(made.value("seed"), 7);
});

test("collecting submits nothing of the graph: the node that collects stands in the node's place", async () => {
  const { made, graph } = leading();
  const here = page(graph);
  await act(here, made, report({ node: "5:1" }), { kind: "collect", requestIds: ["abc"] });
  await act(here, made, report({ node: "7" }), { kind: "collect_all", requestIds: ["a", "b"] });
  const alone = (id, ids) => ["alone", { output: { [id]: { class_type: "RunComfyCollect", inputs: { request_id: ids } } }, workflow: { id: "w" } }];
  assert.deepEqual(here.asked, [alone("5:1", "abc"), alone("7", "a b")]);
});

test("a refused permission runs nothing", async () => {
  const { made, graph } = leading();
  const here = { ...page(graph), retry: async () => Promise.reject(new Error("no")) };
  await assert.rejects(act(here, made, report(), { kind: "retry", requestIds: ["x"] }));
  assert.deepEqual(here.asked, []);
});

test("a node has the inputs of a run but for links, and for a seed that the page changes by itself", () => {
  assert.ok(hasInputs(node({ prompt: "a", seed: 1 }), { prompt: "a", seed: 1 }));
  assert.ok(!hasInputs(node({ prompt: "b", seed: 1 }), { prompt: "a", seed: 1 }));
  assert.ok(!hasInputs(node({ seed: 2 }), { seed: 1 }));
  assert.ok(hasInputs(node({ seed: 2, control_after_generate: "randomize" }), { seed: 1 }));
  assert.ok(hasInputs(node({ prompt: "b" }, ["prompt"]), { prompt: "a" }));
});

test("a state of one tab is not shown in another copy of its workflow", async () => {
  const workflow = { activeWorkflow: { path: "a" }, openWorkflows: [{ path: "a" }, { path: "b" }] };
  const origins = new Origins({ extensionManager: { workflow } });
  const api = { queuePrompt: async () => ({ prompt_id: "p" }) };
  origins.follow(api);
  await api.queuePrompt(0, { output: {}, workflow: { id: "w" } });
  assert.equal(origins.workflowOf("p"), "w");
  const told = report({ inputs: { prompt: "a" } });
  const same = node({ prompt: "a" });
  assert.ok(origins.owns(told, same));
  assert.ok(origins.owns(told, node({ prompt: "changed since" })));
  workflow.activeWorkflow = { path: "b" };
  assert.ok(!origins.owns(told, same));
  workflow.openWorkflows = [{ path: "b" }];
  assert.ok(origins.owns(told, same), "of a tab that is closed, the inputs tell");
  assert.ok(!origins.owns(told, node({ prompt: "b" })));
  assert.ok(origins.owns(report({ prompt: "of another page", inputs: { prompt: "a" } }), same));
});

test("a prompt is known once its answer is there, whatever the server tells before", async () => {
  const origins = new Origins({});
  let answer = () => {};
  const api = { queuePrompt: () => new Promise((done) => (answer = () => done({ prompt_id: "p" }))) };
  origins.follow(api);
  await origins.settled();
  const queued = api.queuePrompt(0, { output: {}, workflow: { id: "w" } });
  const known = origins.settled().then(() => origins.workflowOf("p"));
  assert.equal(origins.workflowOf("p"), undefined);
  answer();
  assert.equal(await known, "w");
  assert.deepEqual(await queued, { prompt_id: "p" });
  const refused = { queuePrompt: () => Promise.reject(new Error("no")) };
  origins.follow(refused);
  await assert.rejects(refused.queuePrompt(0, { output: {}, workflow: {} }));
  await origins.settled();
});

import assert from "node:assert/strict";
import test from "node:test";
import { carriedBy, carriedFor, inPlaces, layoutOf, placeValues } from "../../web/models/carried.js";
import { Catalogue } from "../../web/models/catalogue.js";
import { basePrice, flowText } from "../../web/models/model_row.js";
import { Models } from "../../web/models/models.js";
import { NodeTypes } from "../../web/models/node_types.js";
import { missingView } from "../../web/models/missing_dialog.js";
import { act } from "../../web/node/runs.js";
import { nextSteps } from "../../web/node/next_steps.js";
import { document, failure, note, texts } from "./fakes.mjs";

const t = texts();
const TYPE = "RunComfy_acme__paint__text_to_image";

/** The widgets of a node here; the board is not saved. */
function widgets() {
  return [
    { name: "prompt", value: "" },
    { name: "size", value: "1K", options: { values: ["1K", "2K"] } },
    { name: "count", value: 1, options: { min: 1, max: 4 } },
    { name: "seed", value: 0, options: { min: 0, max: 9 } },
    { name: "control_after_generate", value: "fixed", options: { values: ["fixed", "randomize"] } },
    { name: "runcomfy_state", value: "", serialize: false },
  ];
}

const layout = layoutOf({ widgets: widgets() });

test("values find their places by name, whatever the order; those that have none, or do not fit, are told", () => {
  assert.deepEqual(layout.names, ["prompt", "size", "count", "seed", "control_after_generate"]);
  const names = ["seed", "control_after_generate", "style", "prompt", "count", "size"];
  const placed = inPlaces([7, "randomize", "noir", "a fox", 9, "4K"], names, layout);
  assert.deepEqual(placed, { values: ["a fox", "1K", 1, 7, "randomize"], lost: ["style", "size", "count"] });
  assert.deepEqual(inPlaces(["a", null], ["prompt", "size"], layout), { values: ["a", "1K", 1, 0, "fixed"], lost: [] });
  assert.deepEqual(inPlaces([3], ["prompt"], layout).lost, ["prompt"]);
});

function workflow(extra, values = ["2K", "a fox"]) {
  const node = (id) => ({ id, type: TYPE, widgets_values: [...values] });
  return { nodes: [node(1), { id: 2, type: "SaveImage", widgets_values: ["x"] }], definitions: { subgraphs: [{ nodes: [node(5)] }] }, extra };
}

test("a workflow that was saved with another order is opened with its values in place, within subgraphs too", () => {
  const saved = workflow({ runcomfy_models: { [TYPE]: { model_id: "acme/paint", hash: "a", widgets: ["size", "prompt"] } } });
  assert.deepEqual(placeValues(saved, () => layout, () => "b"), []);
  assert.deepEqual(saved.nodes[0].widgets_values, ["a fox", "2K", 1, 0, "fixed"]);
  assert.deepEqual(saved.definitions.subgraphs[0].nodes[0].widgets_values, ["a fox", "2K", 1, 0, "fixed"]);
  assert.deepEqual(saved.nodes[1].widgets_values, ["x"]);
});

test("values stay as they are where the order is the same, the node is not here, or what is carried makes no sense", () => {
  const same = { model_id: "acme/paint", hash: "a", widgets: layout.names };
  const values = ["a", "8K", 99];
  for (const [extra, known] of [
    [{ runcomfy_models: { [TYPE]: same } }, layout],
    [{ runcomfy_models: { [TYPE]: { ...same, hash: "other", widgets: ["size"] } } }, undefined],
    [{ runcomfy_models: { [TYPE]: { ...same, widgets: [1, 2] } } }, layout],
    [{ runcomfy_models: { [TYPE]: null } }, layout],
    [{ runcomfy_models: "all" }, layout],
    [undefined, layout],
  ]) {
    const saved = workflow(extra, values);
    assert.deepEqual(placeValues(saved, () => known, () => "a"), []);
    assert.deepEqual(saved.nodes[0].widgets_values, values);
  }
  // The same order, but another schema: what it does not allow any more is told.
  const saved = workflow({ runcomfy_models: { [TYPE]: same } }, values);
  assert.deepEqual(placeValues(saved, () => layout, () => "b").map(({ id, lost }) => [id, lost]), [[1, ["size", "count"]], [5, ["size", "count"]]]);
});

test("a workflow that carries nothing has the widgets of the first version", () => {
  const saved = workflow(undefined, ["2K", "a fox", "sepia"]);
  const first = ["size", "prompt", "style"];
  assert.deepEqual(placeValues(saved, () => layout, () => "b", () => first).map(({ lost }) => lost), [["style"], ["style"]]);
  assert.deepEqual(saved.nodes[0].widgets_values, ["a fox", "2K", 1, 0, "fixed"]);
});

test("a link whose socket is not there any more is told; an empty text that has no place is not", () => {
  const linked = [{ name: "image", link: 4 }, { name: "mask", link: null }, { name: "prompt", link: 5, widget: { name: "prompt" } }, null];
  const saved = workflow({ runcomfy_models: { [TYPE]: { model_id: "acme/paint", hash: "a", widgets: ["image_url", "prompt"] } } }, ["", "a fox"]);
  saved.nodes[0].inputs = linked;
  saved.definitions.subgraphs[0].nodes[0].inputs = "many";
  const known = { ...layout, inputs: ["start_image", "prompt", "size"] };
  assert.deepEqual(placeValues(saved, () => known, () => "b"), [{ id: 1, type: TYPE, lost: ["image"] }]);
  const nodeData = { input: { required: { prompt: [] }, optional: { start_image: [] } } };
  assert.deepEqual(layoutOf({ constructor: { nodeData } }).inputs, ["prompt", "start_image"]);
});

test("a workflow carries what names its models, and keeps what it has brought along of others", () => {
  const graph = { nodes: [{ id: 1, type: TYPE, widgets: widgets() }, { id: 2, type: "RunComfy_x" }, { id: 3, type: "SaveImage" }] };
  const before = { RunComfy_x: { model_id: "x", hash: "h", widgets: ["a"] }, RunComfy_gone: { model_id: "gone", hash: "", widgets: [] } };
  const known = (type) => (type === TYPE ? { model_id: "acme/paint", hash: "b" } : undefined);
  assert.deepEqual(carriedFor(graph, known, before), {
    [TYPE]: { model_id: "acme/paint", hash: "b", widgets: layout.names },
    RunComfy_x: before.RunComfy_x,
  });
  assert.deepEqual(carriedBy({ extra: { runcomfy_models: before } }), before);
});

function model(number, changes = {}) {
  return { model_id: `acme/${number}`, name: `Model ${number}`, here: "", refused: null, ...changes };
}

test("the catalogue is read page by page; an answer to an older question is dropped", async () => {
  const all = Array.from({ length: 150 }, (_, number) => model(number));
  const asked = [];
  const held = [];
  const searchModels = async (query) => {
    asked.push(query);
    if (query.search === "slow") await new Promise((done) => held.push(done));
    const found = query.search === "none" ? [] : all;
    return { total: found.length, models: found.slice(query.offset, query.offset + query.limit), kinds: [], makers: [], tasks: [] };
  };
  const catalogue = new Catalogue({ searchModels }, () => {});
  await catalogue.read();
  await Promise.all([catalogue.loadMore(), catalogue.loadMore()]);
  await catalogue.loadMore();
  assert.deepEqual([catalogue.models.length, asked.length], [150, 2]);
  const slow = catalogue.filter({ search: "slow" });
  await catalogue.filter({ search: "none" });
  held[0]();
  await slow;
  assert.equal(catalogue.models.length, 0);
  catalogue.choose(all[3]);
  catalogue.choose(all[4]);
  catalogue.choose(all[3]);
  assert.deepEqual([...catalogue.chosen.values()], ["Model 4"]);
  await catalogue.filter({ search: "" });
  catalogue.mark(["acme/4"], "added");
  assert.deepEqual([catalogue.chosen.size, catalogue.models[4].here], [0, "added"]);
});

test("a row says what goes in and comes out, once each, and the base price", () => {
  const takes = [{ kind: "text" }, { kind: "image" }, { kind: "image" }, { kind: "integer" }];
  assert.equal(flowText({ takes, gives: "video" }, t), "text, image \u2192 video");
  assert.equal(flowText({ takes: [], gives: "" }, t), "");
  assert.equal(basePrice({ price: 0.05, unit: "second" }, t), "from $0.05 a second");
  assert.equal(basePrice({ price: null, unit: "" }, t), "");
});

/** A page with a graph and a server that knows one model. */
function page(changes = {}) {
  const done = [];
  const types = new Set(["RunComfyCollect"]);
  const graph = { nodes: [], serialize: () => ({ nodes: [{ id: 1, type: TYPE }] }) };
  const routes = {
    nameModels: async (models) => models.map(({ node_id }) => ({ node_id, model_id: "acme/paint", name: "Paint", here: "added", hash: "h", refused: null })),
    addModels: async (models) => ({ added: models.map((model_id) => ({ model_id, node_id: TYPE, name: model_id })), refused: [] }),
    removeModel: async (id) => ({ removed: [{ model_id: id, node_id: TYPE, name: "Paint" }], refused: [] }),
    updateModel: async (id) => {
      done.push(["update", id]);
      return { node_id: TYPE };
    },
    checkModels: async () => ({
      models: ["same", "changed", "unread", "vanished"].map((state) => ({ state, model_id: `acme/${state}` })),
      read_at: 7,
      as_it_is: ["acme/same"],
      left_out: [],
      failure: null,
    }),
    sendAsItIs: async (id, allow) => done.push(["as it is", id, allow]),
    ...changes,
  };
  const models = new Models({
    app: { graph, loadGraphData: async (saved) => done.push(["open", saved.nodes.length]) },
    window: { document: { querySelectorAll: () => [] } },
    t,
    routes,
    types: {
      all: () => [...types],
      has: (type) => types.has(type),
      layout: () => layout,
      register: async (type) => {
        types.add(type);
        done.push(["register", type]);
      },
      hide: (type) => done.push(["hide", type]),
    },
    place() {},
    tell: (node, lost) => done.push(["tell", node.id, lost]),
  });
  return { models, done, graph, types };
}

test("models are added to the page as nodes, updated in the open workflow once however often it is pressed, and removed", async () => {
  const { models, done } = page();
  await models.add(["acme/paint"]);
  await Promise.all([models.update("acme/paint"), models.update("acme/paint")]);
  await models.remove({ model_id: "acme/paint", node_id: TYPE });
  await models.sendAsItIs("acme/paint");
  await models.sendAsItIs("acme/paint", false);
  assert.deepEqual(done, [
    ["register", TYPE], ["update", "acme/paint"], ["register", TYPE], ["open", 1], ["hide", TYPE], ["as it is", "acme/paint", true],
    ["as it is", "acme/paint", false],
  ]);
  const { changed, asItIs, readAt } = await models.check();
  assert.deepEqual([changed, asItIs].map((each) => each.map(({ state }) => state)), [["changed", "vanished"], ["same"]]);
  assert.equal(readAt, 7);
});

test("a model that was added elsewhere since the page was loaded becomes a node of it without a question", async () => {
  const { models, done } = page();
  const missing = ["SomethingElse", TYPE, { type: "RunComfy_b" }];
  models.opened(missing);
  await new Promise((settled) => setImmediate(settled));
  assert.deepEqual(missing, ["SomethingElse"]);
  assert.deepEqual(done, [["register", TYPE], ["register", "RunComfy_b"], ["open", 1]]);
});

test("what has found no place is told on its node, once; a saved workflow carries its models", async () => {
  const { models, done, graph, types } = page();
  types.add(TYPE);
  graph.nodes.push({ id: 1, type: TYPE, widgets: widgets() });
  await models.follow();
  models.opening({ nodes: [{ id: 1, type: TYPE, widgets_values: ["x", 1] }], extra: { runcomfy_models: { [TYPE]: { model_id: "acme/paint", hash: "old", widgets: ["style", "prompt"] } } } });
  models.opened([]);
  models.opened([]);
  assert.deepEqual(done, [["tell", 1, ["style", "prompt"]]]);
  const saved = { extra: { ds: 1 } };
  graph.onSerialize(saved);
  assert.deepEqual(saved.extra, { ds: 1, runcomfy_models: { [TYPE]: { model_id: "acme/paint", hash: "h", widgets: layout.names } } });
});

test("the dialog of a shared workflow adds what can be added, and says why the rest cannot", async () => {
  const asked = [];
  const missing = [
    { model_id: "acme/paint", node_id: TYPE, name: "Paint", price: 0.2, unit: "image", refused: null },
    { model_id: "acme/gone", node_id: "RunComfy_g", name: "", refused: failure("not_in_catalogue", { params: { model_id: "acme/gone" } }) },
  ];
  const add = async (models) => {
    asked.push(models);
    return "Added.";
  };
  const view = missingView(document, missing, "", { t, add, close: () => asked.push("closed") });
  assert.match(view.text, /uses 2 RunComfy models that are not added here: Paint acme\/paint from \$0\.20 acme\/gone RunComfy's catalogue has no model acme\/gone\./);
  const button = (label) => view.all().find((each) => each.tag === "button" && each.text === label);
  button("Not now").focus = () => {};
  await button("Add 1 model").listeners.click();
  assert.deepEqual(asked, [["acme/paint"]]);
  const offline = missingView(document, [{ model_id: "", node_id: TYPE }], "The server does not answer.", { t, add, close() {} });
  assert.match(offline.text, new RegExp(`${TYPE}.* kept\\. The server does not answer\\. Not now$`));
});

test("a class of nodes is made as the server defines it, with its texts, also for the page's search", async () => {
  const done = [];
  const store = { addNodeDef: (definition) => done.push(["search", definition.display_name, definition.category]), removeNodeDef: (name) => done.push(["hide", name]) };
  const key = Symbol("texts");
  const pageTexts = { locale: { value: "fr" }, mergeLocaleMessage: (locale, messages) => done.push([locale, messages]), te: (name) => name.endsWith("Image"), t: () => "Images" };
  const host = { config: { globalProperties: { $pinia: { _s: new Map([["nodeDef", store]]) } } }, _context: { provides: { [key]: { global: pageTexts } } }, __VUE_I18N_SYMBOL__: key };
  const LiteGraph = { registered_node_types: { [TYPE]: class {} }, createNode: () => ({ widgets: widgets() }) };
  const types = new NodeTypes({
    app: { registerNodeDef: async (name, definition) => done.push(["node", name, definition.display_name]) },
    api: { fetchApi: async () => ({ json: async () => ({ [TYPE]: { name: TYPE, display_name: "Paint", description: "", category: "RunComfy/Image" } }) }) },
    window: { LiteGraph, document: { querySelector: () => ({ __vue_app__: host }) } },
    locale: "fr",
    texts: async () => ({ display_name: "Peinture" }),
  });
  await types.register(TYPE);
  types.hide(TYPE);
  assert.deepEqual(done, [
    ["fr", { nodeDefs: { [TYPE]: { display_name: "Peinture" } } }], ["node", TYPE, "Peinture"], ["search", "Peinture", "RunComfy/Images"], ["hide", TYPE],
  ]);
  assert.deepEqual([types.layout(TYPE).names, types.layout("RunComfy_none"), types.has(TYPE)], [layout.names, undefined, true]);
});

test("a refusal by the live schema offers the update and sending it as it is, for its model", async () => {
  const steps = [note("next.update_model", { model_id: "acme/paint", shell: "x" }), note("next.send_as_is", { model_id: "acme/paint" })];
  const { actions, rest } = nextSteps(steps, null, t);
  assert.deepEqual(actions.map(({ kind, model: of }) => [kind, of]), [["update", "acme/paint"], ["as_is", "acme/paint"]]);
  assert.equal(rest.length, 2);
  const asked = [];
  const graph = {};
  const here = {
    app: { graph, queuePrompt: async () => asked.push("run") },
    update: async (of) => asked.push(`update ${of}`),
    sendAsItIs: async (of) => asked.push(`allow ${of}`),
  };
  const node = { id: 1, widgets: [], inputs: [], outputs: [], graph };
  for (const action of actions) await act(here, node, { inputs: {} }, action);
  assert.deepEqual(asked, ["update acme/paint", "allow acme/paint", "run"]);
});

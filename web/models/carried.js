/**
 * What a workflow carries of the models that it uses, and how its values find their places where a node's widgets have
 * another order here, or other bounds. No DOM.
 *
 * @import { CarriedModel } from "../../types/answers.js"
 * @import { Graph, HostNode, SavedGraph, SavedNode, Widget } from "../../types/host.js"
 *
 * @typedef {Record<string, CarriedModel>} Carried by class of nodes
 * @typedef {{ names: string[], widgets: Pick<Widget, "name" | "value" | "options">[], inputs: string[] }} Layout the
 *   widgets of a new node that are saved, in order, whose values are the defaults; and all inputs that a link can lead to
 */

import { eachNode, inputNames, nodeType } from "../node/graph.js";

/** Under this name a workflow carries them. */
export const CARRIED = "runcomfy_models";
/** The host's own: it says nothing about a job. */
const CONTROL = "control_after_generate";
const PREFIX = "RunComfy";

/** The widgets of a new node that are saved, in the order of their values. @param {HostNode} node @returns {Layout} */
export function layoutOf(node) {
  const widgets = (node.widgets ?? []).filter((widget) => widget.serialize !== false);
  const kept = widgets.map(({ name, value, options }) => ({ name, value, options }));
  return { names: kept.map(({ name }) => name), widgets: kept, inputs: inputNames(node) };
}

/**
 * Puts saved values in the places of the widgets of the same names.
 * @param {unknown[]} values
 * @param {string[]} names what they are called, in order
 * @param {Layout} layout
 * @returns {{ values: unknown[], lost: string[] }} `lost` are the names whose values have no place, or do not fit
 */
export function inPlaces(values, names, layout) {
  const named = names.map((name, place) => /** @type {[string, unknown]} */ ([name, values[place]]));
  const saved = new Map(named.filter(([, value]) => value !== undefined && value !== null));
  const lost = names.filter((name) => (saved.get(name) ?? "") !== "" && name !== CONTROL && !layout.names.includes(name));
  const placed = layout.widgets.map((widget) => {
    if (!saved.has(widget.name)) return widget.value;
    const value = saved.get(widget.name);
    if (fits(widget, value)) return value;
    lost.push(widget.name);
    return widget.value;
  });
  return { values: placed, lost };
}

/** Whether a widget can have a value. @param {Pick<Widget, "value" | "options">} widget @param {unknown} value */
function fits({ value: usual, options = {} }, value) {
  const { values, min = -Infinity, max = Infinity } = options;
  if (Array.isArray(values)) return values.includes(value);
  if (typeof usual === "number") return typeof value === "number" && value >= min && value <= max;
  return typeof value === typeof usual;
}

/**
 * Puts the values of all nodes in their places, before a workflow is opened.
 * @param {SavedGraph} saved it is changed
 * @param {(type: string) => Layout | undefined} layoutFor undefined where there is no such node here
 * @param {(type: string) => string} hashOf of the model as it is here; '' where that is not known
 * @param {(type: string) => string[] | undefined} oldestOf the widgets of the first version, which a workflow has that carries nothing
 * @returns {{ id: string | number, type: string, lost: string[] }[]} the nodes whose values have not all found a place
 */
export function placeValues(saved, layoutFor, hashOf, oldestOf = () => undefined) {
  const carried = carriedBy(saved);
  return [...savedNodes(saved)].flatMap((node) => {
    const { widgets: names, hash } = carried[node.type] ?? { widgets: oldestOf(node.type), hash: "" };
    const layout = names && Array.isArray(node.widgets_values) ? layoutFor(node.type) : undefined;
    if (!names || !layout || !node.widgets_values) return [];
    const ours = hashOf(node.type);
    const same = String(names) === String(layout.names) && (!hash || !ours || hash === ours);
    if (same) return [];
    const { values, lost } = inPlaces(node.widgets_values, names, layout);
    node.widgets_values = values;
    const all = [...new Set([...lost, ...lostLinks(node, layout)])];
    return all.length ? [{ id: node.id, type: node.type, lost: all }] : [];
  });
}

/** The names of saved inputs whose links lead nowhere here. @param {SavedNode} node @param {Layout} layout */
function lostLinks({ inputs }, { inputs: known }) {
  const linked = (Array.isArray(inputs) ? inputs : []).filter((input) => typeof input?.link === "number");
  return known.length ? linked.map(({ name }) => String(name)).filter((name) => !known.includes(name)) : [];
}

/** The pack's nodes of a saved workflow, those within subgraphs too. @param {SavedGraph} saved @returns {Generator<SavedNode & { id: string | number, type: string }>} */
export function* savedNodes(saved) {
  for (const { nodes } of [saved, ...(saved.definitions?.subgraphs ?? [])]) {
    for (const node of Array.isArray(nodes) ? nodes : []) {
      if (String(node?.type ?? "").startsWith(PREFIX)) yield node;
    }
  }
}

/** What a saved workflow carries; it is somebody else's, and may hold anything. @param {SavedGraph} saved @returns {Carried} */
export function carriedBy(saved) {
  const told = saved.extra?.[CARRIED];
  if (told === null || typeof told !== "object") return {};
  return Object.fromEntries(Object.entries(told).filter(([, model]) => isCarried(model)));
}

/** @param {unknown} model */
function isCarried(model) {
  const { model_id, hash, widgets } = /** @type {Partial<CarriedModel>} */ (model ?? {});
  const named = Array.isArray(widgets) && widgets.every((name) => typeof name === "string");
  return named && typeof model_id === "string" && typeof hash === "string";
}

/**
 * Returns what a workflow is to carry: of the nodes that are here their model and the order of their widgets, of the
 * others what it has carried so far.
 * @param {Graph} graph
 * @param {(type: string) => { model_id: string, hash: string } | undefined} modelOf undefined where it is not known
 * @param {Carried} before
 * @returns {Carried}
 */
export function carriedFor(graph, modelOf, before) {
  /** @type {Carried} */
  const carried = {};
  for (const node of eachNode(graph)) {
    const type = nodeType(node);
    if (!type.startsWith(PREFIX)) continue;
    const model = modelOf(type);
    const told = model && node.widgets?.length ? { ...model, widgets: layoutOf(node).names } : before[type];
    if (told) carried[type] = told;
  }
  return carried;
}

/**
 * Finding nodes, and what leads into them. No DOM.
 *
 * @import { App, Graph, HostNode } from "../../types/host.js"
 */

/** The class of the nodes that collect a job. */
export const COLLECT_NODE = "RunComfyCollect";

/** @type {Record<string, string>} */
const BATCH_WIDGETS = { EmptyImage: "batch_size" };
const SINGLE = ["LoadImage", "LoadImageMask", "LoadImageOutput"];
const PASSING = ["Reroute"];

/** The node's class on the server; while a node is made, its `type` is not set yet. @param {HostNode} node */
export function nodeType(node) {
  const made = /** @type {{ comfyClass?: string } | undefined} */ (node.constructor);
  return String(node.comfyClass ?? made?.comfyClass ?? node.type ?? "");
}

/**
 * Returns what the server tells of an input of a node besides its type.
 * @param {HostNode} node
 * @param {string} name
 * @returns {{ stem?: string, advanced?: boolean, default?: unknown }} `stem` where it belongs to a row of sockets
 */
export function specOf(node, name) {
  const input = inputsOf(node);
  return input.optional?.[name]?.[1] ?? input.required?.[name]?.[1] ?? {};
}

/** The names of all inputs of a node that the server tells of. @param {HostNode} node */
export function inputNames(node) {
  const { required, optional } = inputsOf(node);
  return Object.keys({ ...required, ...optional });
}

/** @param {HostNode} node */
function inputsOf(node) {
  const made = /** @type {{ nodeData?: { input?: Record<string, Record<string, [unknown, {}?]>> } } | undefined} */ (node.constructor);
  return made?.nodeData?.input ?? {};
}

/** The whole workflow's graph, whatever subgraph is open. @param {Pick<App, "graph" | "rootGraph">} app */
export function rootGraph(app) {
  return app.rootGraph ?? app.graph;
}

/**
 * Returns the node that has an id in the prompt: "12:5" is node 5 within the subgraph of node 12.
 * @param {Graph} graph
 * @param {string} id
 */
export function findNode(graph, id) {
  /** @type {Graph | undefined} */
  let within = graph;
  /** @type {HostNode | undefined} */
  let node;
  for (const step of String(id).split(":")) {
    node = within?.getNodeById?.(step) ?? within?.getNodeById?.(Number(step)) ?? undefined;
    if (!node) return undefined;
    within = node.subgraph;
  }
  return node;
}

/**
 * Walks the nodes of a graph and of the subgraphs in it, each subgraph once.
 * @param {Graph | undefined} graph
 * @param {Set<Graph>} seen
 * @returns {Generator<HostNode>}
 */
export function* eachNode(graph, seen = new Set()) {
  if (!graph || seen.has(graph)) return;
  seen.add(graph);
  for (const node of graph.nodes ?? []) {
    yield node;
    yield* eachNode(node.subgraph, seen);
  }
}

/**
 * Whether a report is about a node of the workflow that is open.
 * @param {Graph} graph the open workflow's
 * @param {{ workflow: string }} report
 */
export function isOpen(graph, report) {
  return !report.workflow || !graph?.id || report.workflow === graph.id;
}

/**
 * Whether something is connected to a slot.
 * @param {HostNode} node
 * @param {number} index
 */
export function isConnected(node, index) {
  return node.isInputConnected ? node.isInputConnected(index) : node.inputs[index].link != null;
}

/** The widget of an input, where no link stands in for it. @param {HostNode} node @param {string} name */
export function freeWidget(node, name) {
  const slot = node.inputs?.findIndex((input) => input.widget?.name === name) ?? -1;
  return slot >= 0 && isConnected(node, slot) ? undefined : node.widgets?.find((widget) => widget.name === name);
}

/**
 * Returns a widget's value, or undefined where there is no such widget or a link stands in for it.
 * @param {HostNode} node
 * @param {string} name
 */
export function widgetValue(node, name) {
  return freeWidget(node, name)?.value;
}

/**
 * Returns how many images come over a slot, as far as the graph tells before a run.
 * @param {HostNode} node
 * @param {number} index
 * @param {(type: string) => string | null | undefined} countWidget the widget of a node of the pack that says how many
 * @returns {number | undefined}
 */
export function imagesInto(node, index, countWidget) {
  // While nodes become a subgraph, they have links and no graph.
  let source = node.graph === null ? undefined : node.getInputNode?.(index);
  for (let steps = 0; source && PASSING.includes(source.type ?? "") && steps < 100; steps += 1) {
    source = source.getInputNode?.(0);
  }
  if (!source) return undefined;
  const type = source.type ?? "";
  if (SINGLE.includes(type)) return 1;
  const name = countWidget(type) ?? BATCH_WIDGETS[type];
  const value = name ? widgetValue(source, name) : undefined;
  return typeof value === "number" ? value : undefined;
}

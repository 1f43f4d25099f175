/** Finding nodes, and what leads into them. No DOM. */

const BATCH_WIDGETS = { EmptyImage: "batch_size" };
const SINGLE = ["LoadImage", "LoadImageMask", "LoadImageOutput"];
const PASSING = ["Reroute"];

/** The node's class on the server; while a node is made, its `type` is not set yet. @param {any} node */
export function nodeType(node) {
  return String(node.comfyClass ?? node.constructor?.comfyClass ?? node.type ?? "");
}

/** The whole workflow's graph, whatever subgraph is open. */
export function rootGraph(app) {
  return app.rootGraph ?? app.graph;
}

/**
 * Returns the node that has an id in the prompt: "12:5" is node 5 within the subgraph of node 12.
 * @param {any} graph
 * @param {string} id
 */
export function findNode(graph, id) {
  const steps = String(id).split(":");
  let node;
  for (const step of steps) {
    graph = node ? node.subgraph : graph;
    node = graph?.getNodeById?.(step) ?? graph?.getNodeById?.(Number(step));
    if (!node) return undefined;
  }
  return node;
}

/**
 * Walks the nodes of a graph and of the subgraphs in it, each subgraph once.
 * @param {any} graph
 * @param {Set<unknown>} seen
 * @returns {Generator<any>}
 */
export function* eachNode(graph, seen = new Set()) {
  if (!graph || seen.has(graph)) return;
  seen.add(graph);
  for (const node of graph.nodes ?? []) {
    yield node;
    yield* eachNode(node.subgraph, seen);
  }
}

/** Whether a report is about a node of the workflow that is open. */
export function isOpen(graph, report) {
  return !report.workflow || !graph?.id || report.workflow === graph.id;
}

/**
 * Returns a widget's value, or undefined where there is no such widget or a link stands in for it.
 * @param {any} node
 * @param {string} name
 */
export function widgetValue(node, name) {
  const slot = node.inputs?.findIndex((input) => input.widget?.name === name) ?? -1;
  const linked = slot >= 0 && (node.isInputConnected ? node.isInputConnected(slot) : node.inputs[slot].link != null);
  return linked ? undefined : node.widgets?.find((widget) => widget.name === name)?.value;
}

/**
 * Returns how many images come over a slot, as far as the graph tells before a run.
 * @param {any} node
 * @param {number} index
 * @param {(type: string) => string | null | undefined} countWidget the widget of a node of the pack that says how many
 * @returns {number | undefined}
 */
export function imagesInto(node, index, countWidget) {
  let source = node.getInputNode?.(index);
  for (let steps = 0; source && PASSING.includes(source.type) && steps < 100; steps += 1) {
    source = source.getInputNode?.(0);
  }
  if (!source) return undefined;
  if (SINGLE.includes(source.type)) return 1;
  const name = countWidget(source.type) ?? BATCH_WIDGETS[source.type];
  const value = name ? widgetValue(source, name) : undefined;
  return typeof value === "number" ? value : undefined;
}

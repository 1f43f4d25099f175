/**
 * What the sidebar does to the graph that is open: it adds nodes, sets their widgets, and runs one alone.
 *
 * @import { JobDetail } from "../../types/answers.js"
 * @import { Api, App, Graph, HostNode, HostWindow, Point, Size } from "../../types/host.js"
 */

import { COLLECT_NODE, nodeType, rootGraph } from "../node/graph.js";
import { setInput, setInputs } from "../node/inputs.js";

/** Under this name a workflow carries the project that its jobs are for. */
const PROJECT = "runcomfy_project";
const GAP = 40;
const TITLE = 30;

/**
 * Returns the place nearest to the one that is wanted where a new node covers none: there, or to the right of what is
 * in the way. Pure.
 * @param {Point} wanted
 * @param {Size} size
 * @param {Pick<HostNode, "pos" | "size">[]} others
 * @returns {Point}
 */
export function clearPlace([x, y], [width, height], others) {
  const inTheWay = others.find(
    ({ pos, size }) =>
      pos[0] < x + width + GAP / 2 && pos[0] + size[0] > x - GAP / 2 && pos[1] - TITLE < y + height && pos[1] + size[1] > y - TITLE,
  );
  return inTheWay ? clearPlace([inTheWay.pos[0] + inTheWay.size[0] + GAP, y], [width, height], others) : [x, y];
}

/**
 * Returns a node's id in a prompt: "12:5" within a subgraph. Pure.
 * @param {Graph | undefined} graph the whole workflow's
 * @param {HostNode} node
 * @returns {string | null} null where the node is not in the graph
 */
export function promptId(graph, node) {
  for (const each of graph?.nodes ?? []) {
    if (each === node) return String(each.id);
    const within = each.subgraph && promptId(each.subgraph, node);
    if (within) return `${each.id}:${within}`;
  }
  return null;
}

export class HostCanvas {
  #app;
  #api;
  #window;

  /** @param {{ app: App, api: Pick<Api, "queuePrompt">, window: HostWindow }} page */
  constructor({ app, api, window }) {
    this.#app = app;
    this.#api = api;
    this.#window = window;
  }

  /** The project of the open workflow; '' where it names none. */
  get project() {
    return String(rootGraph(this.#app).extra?.[PROJECT] ?? "");
  }

  set project(name) {
    const graph = rootGraph(this.#app);
    graph.extra = { ...graph.extra, [PROJECT]: name };
    if (!name) delete graph.extra[PROJECT];
  }

  /** Where an event lies on the canvas. @param {MouseEvent} event @returns {Point} */
  placeOf(event) {
    const { canvas } = this.#app;
    const box = canvas.canvas.getBoundingClientRect();
    const { scale, offset } = canvas.ds;
    return [(event.clientX - box.left) / scale - offset[0], (event.clientY - box.top) / scale - offset[1]];
  }

  /**
   * Adds a node that collects a job.
   * @param {string} requestId
   * @param {Point} [wanted] where its middle should lie
   */
  addCollectNode(requestId, wanted) {
    const node = this.add(COLLECT_NODE, wanted);
    if (node) setInput(node, "request_id", requestId);
    return node;
  }

  /**
   * Sets the selected node of a job's model to the job's inputs; adds a node where none is selected.
   * @param {JobDetail} job
   * @returns {"set" | "added" | null} null where the pack has no such node
   */
  useInputs(job) {
    const selected = Object.values(this.#app.canvas.selected_nodes ?? {}).find((node) => nodeType(node) === job.node_id);
    const node = selected ?? this.add(job.node_id);
    if (!node) return null;
    setInputs(node, Object.entries(job.inputs));
    return selected ? "set" : "added";
  }

  /**
   * Runs one node that nothing is connected to, and no other: what else is in the graph is not sent.
   * @param {HostNode} node
   */
  async runAlone(node) {
    const id = promptId(rootGraph(this.#app), node);
    const prompt = await this.#app.graphToPrompt();
    if (id !== null && id in prompt.output) await this.#api.queuePrompt(0, { ...prompt, output: { [id]: prompt.output[id] } });
  }

  /** Adds a node where it covers none, in the middle of what is seen without `wanted`. @param {string} type @param {Point} [wanted] */
  add(type, wanted) {
    const { canvas } = this.#app;
    const graph = canvas.graph ?? this.#app.graph;
    const node = this.#window.LiteGraph.createNode(type);
    if (!node) return undefined;
    const [x, y] = wanted ?? this.#middle();
    node.pos = clearPlace([x - node.size[0] / 2, y - node.size[1] / 2], node.size, graph.nodes ?? []);
    graph.add(node);
    canvas.selectNode?.(node);
    return node;
  }

  /** The middle of what is seen. @returns {Point} */
  #middle() {
    const { canvas, ds } = this.#app.canvas;
    const box = canvas.getBoundingClientRect();
    return [box.width / 2 / ds.scale - ds.offset[0], box.height / 2 / ds.scale - ds.offset[1]];
  }
}

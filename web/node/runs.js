/**
 * What the buttons on a node do: run it again with the inputs of an earlier run or as a new take, or collect its job.
 * No DOM.
 *
 * @import { Report } from "../../types/answers.js"
 * @import { Api, App, HostNode } from "../../types/host.js"
 * @import { Action } from "./next_steps.js"
 *
 * @typedef {{
 *   app: Pick<App, "queuePrompt" | "graphToPrompt" | "graph" | "rootGraph">, api: Pick<Api, "queuePrompt">,
 *   retry: (requestId: string) => Promise<unknown>, openAccount: () => void, openJobs: () => void,
 *   update: (model: string) => Promise<unknown>, sendAsItIs: (model: string) => Promise<unknown>, random: () => number,
 * }} Page
 */

import { COLLECT_NODE, freeWidget, nodeType, rootGraph } from "./graph.js";
import { redraw } from "./host_nodes.js";
import { setInput } from "./inputs.js";

export const SEEDS = ["seed", "rerun_seed"];
const CONTROL = "control_after_generate";
const MOST_SEED = 2 ** 31;

/**
 * Does what a button says.
 * @param {Page} page
 * @param {HostNode} node
 * @param {Report} report the run that the button belongs to
 * @param {Action} action
 */
export async function act(page, node, report, { kind, requestIds = [], model = "" }) {
  switch (kind) {
    case "token":
    case "settings":
      return page.openAccount();
    case "jobs":
      return page.openJobs();
    case "update":
      return page.update(model);
    case "collect":
    case "collect_all":
      return collect(page.app, page.api, report.node, requestIds);
    case "take":
      takeAnew(node, page.random);
      return run(page.app, node);
    case "as_is":
      await page.sendAsItIs(model);
      break;
    case "retry":
      for (const requestId of requestIds) await page.retry(requestId);
  }
  restore(node, report.inputs);
  return run(page.app, node);
}

/** What is changed for a new take: the model's seed, else the pack's own. @param {HostNode} node */
export function seedOf(node) {
  return node.widgets?.find((widget) => SEEDS.includes(widget.name));
}

/** Keeps the seed of a new node: the next run of the same inputs is then no new job. @param {HostNode} node */
export function fixSeed(node) {
  for (const widget of node.widgets ?? []) {
    if (widget.name === CONTROL) widget.value = "fixed";
  }
}

/**
 * Gives a node another seed.
 * @param {HostNode} node
 * @param {() => number} random from 0 to 1
 */
export function takeAnew(node, random) {
  const seed = seedOf(node);
  if (!seed) return;
  const next = seed.name === "rerun_seed" ? Number(seed.value) + 1 : Math.floor(random() * MOST_SEED);
  setInput(node, seed.name, next === seed.value ? next + 1 : next);
  redraw(node);
}

/**
 * Gives a node the inputs of a run; what comes over a link is left to it.
 * @param {HostNode} node
 * @param {Report["inputs"]} inputs
 */
export function restore(node, inputs) {
  for (const [name, value] of Object.entries(inputs)) setInput(node, name, value);
  redraw(node);
}

/**
 * Whether a node has the inputs of a run. A seed that the page has changed since is as good.
 * @param {HostNode} node
 * @param {Report["inputs"]} inputs
 */
export function hasInputs(node, inputs) {
  const control = node.widgets?.find((widget) => widget.name === CONTROL)?.value ?? "fixed";
  return Object.entries(inputs).every(([name, value]) => {
    const widget = freeWidget(node, name);
    return !widget || widget.value === value || (name === "seed" && control !== "fixed");
  });
}

/**
 * Returns the ids of the output nodes that a node leads to, in the graph that it is in.
 * @param {HostNode} node
 * @param {Set<HostNode>} seen
 * @returns {string[]}
 */
export function outputsOf(node, seen = new Set()) {
  if (seen.has(node)) return [];
  seen.add(node);
  const own = isOutput(node) && node.id !== undefined ? [String(node.id)] : [];
  return [...own, ...targets(node).flatMap((target) => outputsOf(target, seen))];
}

/**
 * Runs what a node leads to, and so the node. Within a subgraph, everything is run.
 * @param {Pick<App, "queuePrompt" | "graph" | "rootGraph">} app
 * @param {HostNode} node
 */
export async function run(app, node) {
  const outputs = node.graph === rootGraph(app) ? outputsOf(node) : [];
  await app.queuePrompt(0, 1, outputs.length ? outputs : undefined);
}

/**
 * Collects jobs in the place of the node that ran them: the node that collects runs alone under its id.
 * @param {Pick<App, "graphToPrompt">} app
 * @param {Pick<Api, "queuePrompt">} api
 * @param {string} id the node's id in a prompt
 * @param {string[]} requestIds
 */
export async function collect(app, api, id, requestIds) {
  const { workflow } = await app.graphToPrompt();
  const output = { [id]: { class_type: COLLECT_NODE, inputs: { request_id: requestIds.join(" ") } } };
  await api.queuePrompt(0, { output, workflow });
}

/** @param {HostNode} node */
function isOutput(node) {
  const made = /** @type {{ nodeData?: { output_node?: boolean } } | undefined} */ (node.constructor);
  return Boolean(made?.nodeData?.output_node) || nodeType(node) === COLLECT_NODE;
}

/** The nodes that the outputs of a node lead to. @param {HostNode} node */
function targets(node) {
  return (node.outputs ?? []).flatMap((_, place) => node.getOutputNodes?.(place) ?? []);
}

/** The recent jobs of a node's model, to be collected without a new charge. */

import { button, element } from "./board.js";
import { openDialog } from "./dialog.js";
import { age, money, shortId } from "./format.js";
import { failureText } from "./server.js";

export const COLLECT_NODE = "RunComfyCollect";
const GAP = 40;
const TITLE = 30;

/**
 * Opens the list of a node's jobs.
 * @param {Document} document
 * @param {{ t: import("./messages.js").Translate, server: any, collect: (requestId: string) => void }} page
 * @param {string} nodeType
 */
export async function openJobs(document, { t, server, collect }, nodeType) {
  const list = element(document, "div", "jobs", element(document, "p", "dim", t("jobs.loading")));
  const content = element(document, "div", "", [element(document, "p", "small", t("jobs.hint")), list]);
  const dialog = openDialog(document, { name: "jobs-dialog", title: t("jobs.title"), close: t("dialog.close"), content });
  const choose = (requestId) => {
    collect(requestId);
    dialog.close();
  };
  try {
    const jobs = await server.jobs(nodeType);
    list.replaceChildren(
      ...(jobs.length
        ? jobs.map((job) => jobRow(document, t, job, choose))
        : [element(document, "p", "dim", t("jobs.none"))]),
    );
  } catch (error) {
    list.replaceChildren(element(document, "p", "bad", failureText(error, t)));
  }
}

function jobRow(document, t, job, choose) {
  const state = t.has(`jobs.state.${job.state}`) ? t(`jobs.state.${job.state}`) : job.state;
  const images = job.images || job.asked || 0;
  const facts = [images && t.count("jobs.images", images), job.size, money(job.cost_usd)].filter(Boolean);
  const id = element(document, "code", "id", shortId(job.request_id));
  id.title = job.request_id;
  const take = button(document, "button", t("jobs.collect"), () => choose(job.request_id));
  take.disabled = !job.collectable;
  return element(document, "div", "job", [
    element(document, "span", `job-state ${job.state}`, state),
    element(document, "span", "job-age", age(job.age_seconds, t.locale)),
    element(document, "span", "job-facts", facts.join(" \u00b7 ")),
    id,
    take,
  ]);
}

/**
 * Returns the first place to the right of a node, or below that, where a new node covers none.
 * @param {any} node
 * @param {number[]} size
 */
export function freePlace(node, size) {
  const x = node.pos[0] + node.size[0] + GAP;
  const others = [...(node.graph?.nodes ?? [])].filter((each) => each.pos[0] < x + size[0] && each.pos[0] + each.size[0] > x);
  let y = node.pos[1];
  for (const other of others.sort((one, two) => one.pos[1] - two.pos[1])) {
    const covers = other.pos[1] - TITLE < y + size[1] && other.pos[1] + other.size[1] > y - TITLE;
    if (covers) y = other.pos[1] + other.size[1] + TITLE + GAP;
  }
  return [x, y];
}

/**
 * Puts a node that collects a job to the right of another node, in the same graph.
 * @param {any} node
 * @param {string} requestId
 * @param {(type: string) => any} createNode
 */
export function addCollectNode(node, requestId, createNode) {
  const made = createNode(COLLECT_NODE);
  if (!made) return undefined;
  made.pos = freePlace(node, made.size);
  node.graph.add(made);
  const widget = made.widgets?.find((each) => each.name === "request_id");
  if (widget) widget.value = requestId;
  return made;
}

/**
 * Adds the node that collects a job beside the node that ran it.
 *
 * @import { HostNode, Point, Size } from "../../types/host.js"
 */

export const COLLECT_NODE = "RunComfyCollect";
const GAP = 40;
const TITLE = 30;

/**
 * Returns the first place to the right of a node, or below that, where a new node covers none.
 * @param {Pick<HostNode, "pos" | "size" | "graph">} node
 * @param {Size} size
 * @returns {Point}
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
 * @param {HostNode} node
 * @param {string} requestId
 * @param {(type: string) => HostNode | null | undefined} createNode
 * @returns {HostNode | undefined} undefined where none can be made
 */
export function addCollectNode(node, requestId, createNode) {
  const made = createNode(COLLECT_NODE);
  if (!made || !node.graph) return undefined;
  made.pos = freePlace(node, made.size);
  node.graph.add(made);
  const widget = made.widgets?.find((each) => each.name === "request_id");
  if (widget) widget.value = requestId;
  return made;
}

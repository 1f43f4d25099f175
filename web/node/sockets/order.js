/**
 * The rows of sockets of a node, such as `image_1`..: the connected ones and a free one, in order, and what the prompt
 * calls each. The server tells which sockets are a row, by what it calls their stem.
 *
 * The slots stay in the places that the node was made with: the widgets' first, the rows behind them. So the number
 * of a slot is the same in a saved workflow, in a copy and on a fresh node, however many sockets are shown.
 *
 * @import { Note } from "../../../types/answers.js"
 * @import { HostNode, Slot } from "../../../types/host.js"
 *
 * @typedef {{ stem: string, type: string, names: Map<string, string> }} Row the sockets that the node has on the
 *   server, in order, and what each is called in the person's language
 */

import { isConnected, specOf } from "../graph.js";

const HOLLOW = 7;

/** Whether a slot is a socket of a row. @param {Row} row @param {Slot} slot */
export function isOf(row, slot) {
  return row.names.has(slot.name);
}

/**
 * Puts the rows of sockets behind the other slots of a new node. Nothing may be connected yet.
 * @param {HostNode} node
 * @returns {Row[]}
 */
export function moveSocketsLast(node) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const slot of node.inputs) {
    const { stem } = specOf(node, slot.name);
    if (!stem || slot.widget) continue;
    const row = rows.get(stem) ?? { stem, type: slot.type, names: new Map() };
    row.names.set(slot.name, slot.localized_name ?? slot.name);
    rows.set(stem, row);
  }
  for (const row of rows.values()) {
    removeSockets(node, (slot) => isOf(row, slot));
    for (const name of row.names.keys()) addSocket(node, row, name);
  }
  return [...rows.values()];
}

/**
 * Adds a free socket where all are taken. It only appends, so that it may run in the middle of a connection.
 * @param {HostNode} node
 * @param {Row} row
 */
export function growSockets(node, row) {
  const sockets = node.inputs.filter((slot) => isOf(row, slot));
  const last = sockets[sockets.length - 1];
  if (sockets.length >= row.names.size || (last && !isTaken(node, last))) return;
  addSocket(node, row, `${row.stem}_${sockets.length + 1}`);
}

/**
 * Closes gaps and leaves one free socket. The links stay where they are; the slots move up and take the next name, so
 * that the names always count the files in the order in which they are sent.
 * @param {HostNode} node
 * @param {Row} row
 * @returns {boolean} whether anything was changed
 */
export function closeGaps(node, row) {
  const before = node.inputs.map((slot) => slot.name).join();
  removeSockets(node, (slot) => isOf(row, slot) && !isTaken(node, slot));
  node.inputs.filter((slot) => isOf(row, slot)).forEach((slot, place) => rename(slot, row, `${row.stem}_${place + 1}`));
  growSockets(node, row);
  return before !== node.inputs.map((slot) => slot.name).join();
}

/**
 * Returns the numbers of what each socket of a row brings, as the prompt should call it; a free one would bring one.
 * @param {HostNode} node
 * @param {Row} row
 * @param {(slot: Slot, index: number) => number} countOf how many come over a connected socket
 * @returns {Map<Slot, { first: number, last: number }>}
 */
export function numbersOf(node, row, countOf) {
  const numbers = new Map();
  let next = 1;
  node.inputs.forEach((slot, index) => {
    if (!isOf(row, slot)) return;
    const count = isConnected(node, index) ? Math.max(1, countOf(slot, index)) : 1;
    numbers.set(slot, { first: next, last: next + count - 1 });
    next += count;
  });
  return numbers;
}

/**
 * Counts what came over each socket in what the server told of a run.
 * @param {Note[]} sent
 * @returns {Map<string, number>}
 */
export function countsSent(sent) {
  const counts = new Map();
  for (const { params } of sent) counts.set(params.socket, (counts.get(params.socket) ?? 0) + 1);
  return counts;
}

/** @param {HostNode} node @param {Slot} slot */
function isTaken(node, slot) {
  return isConnected(node, node.inputs.indexOf(slot));
}

/** @param {HostNode} node @param {(slot: Slot) => boolean} wanted */
function removeSockets(node, wanted) {
  for (let index = node.inputs.length - 1; index >= 0; index -= 1) {
    if (wanted(node.inputs[index])) node.removeInput(index);
  }
}

/** @param {HostNode} node @param {Row} row @param {string} name */
function addSocket(node, row, name) {
  node.addInput(name, row.type, { shape: HOLLOW, localized_name: row.names.get(name) });
}

/** @param {Slot} slot @param {Row} row @param {string} name */
function rename(slot, row, name) {
  if (slot.name === name) return;
  slot.name = name;
  slot.localized_name = row.names.get(name);
}

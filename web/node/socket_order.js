/**
 * The image sockets of a node: the connected ones and a free one, in order, and what the prompt calls each.
 *
 * The slots stay in the places that the node was made with: the widgets' first, `image_1`.. behind them. So the number
 * of a slot is the same in a saved workflow, in a copy and on a fresh node, however many sockets are shown.
 *
 * @import { Note } from "../../types/answers.js"
 * @import { HostNode, Slot } from "../../types/host.js"
 *
 * @typedef {{ most: number, names: Map<string, string | undefined> }} Row how many sockets the node has on the server,
 *   and what each is called in the person's language
 */

import { isConnected } from "./graph.js";

const SOCKET = /^image_(\d+)$/;
const HOLLOW = 7;

/** Whether a slot is one of the image sockets. @param {Slot} slot */
export function isSocket(slot) {
  return slot.type === "IMAGE" && SOCKET.test(slot.name);
}

/**
 * Puts the sockets behind the other slots of a new node. Nothing may be connected yet.
 * @param {HostNode} node
 * @returns {Row}
 */
export function moveSocketsLast(node) {
  const sockets = node.inputs.filter(isSocket).map(({ name, localized_name }) => ({ name, localized_name }));
  for (let index = node.inputs.length - 1; index >= 0; index -= 1) {
    if (isSocket(node.inputs[index])) node.removeInput(index);
  }
  const row = { most: sockets.length, names: new Map(sockets.map((slot) => [slot.name, slot.localized_name])) };
  for (const { name } of sockets) addSocket(node, row, name);
  return row;
}

/**
 * Adds a free socket where all are taken. It only appends, so that it may run in the middle of a connection.
 * @param {HostNode} node
 * @param {Row} row
 */
export function growSockets(node, row) {
  const sockets = node.inputs.filter(isSocket);
  const last = sockets[sockets.length - 1];
  if (sockets.length >= row.most || (last && !isTaken(node, last))) return;
  addSocket(node, row, `image_${sockets.length + 1}`);
}

/**
 * Closes gaps and leaves one free socket. The links stay where they are; the slots move up and take the next name, so
 * that the names always count the images in the order in which they are sent.
 * @param {HostNode} node
 * @param {Row} row
 * @returns {boolean} whether anything was changed
 */
export function closeGaps(node, row) {
  const before = node.inputs.map((slot) => slot.name).join();
  for (let index = node.inputs.length - 1; index >= 0; index -= 1) {
    const slot = node.inputs[index];
    if (isSocket(slot) && !isTaken(node, slot)) node.removeInput(index);
  }
  node.inputs.filter(isSocket).forEach((slot, place) => rename(slot, row, `image_${place + 1}`));
  growSockets(node, row);
  return before !== node.inputs.map((slot) => slot.name).join();
}

/**
 * Returns the numbers of each connected socket's images, as the prompt should call them.
 * @param {HostNode} node
 * @param {(slot: Slot, index: number) => number} countOf how many images come over a socket
 * @returns {Map<Slot, { first: number, last: number }>}
 */
export function imageNumbers(node, countOf) {
  const numbers = new Map();
  let next = 1;
  node.inputs.forEach((slot, index) => {
    if (!isSocket(slot) || !isConnected(node, index)) return;
    const count = Math.max(1, countOf(slot, index));
    numbers.set(slot, { first: next, last: next + count - 1 });
    next += count;
  });
  return numbers;
}

/**
 * Counts the images of each socket in what the server told of a run.
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

/** @param {HostNode} node @param {Row} row @param {string} name */
function addSocket(node, row, name) {
  node.addInput(name, "IMAGE", { shape: HOLLOW, localized_name: row.names.get(name) });
}

/** @param {Slot} slot @param {Row} row @param {string} name */
function rename(slot, row, name) {
  if (slot.name === name) return;
  slot.name = name;
  slot.localized_name = row.names.get(name);
}

/** What the pack adds to one node: its board, its growing sockets, its price. Released with the node. */

import { createBoard } from "./board.js";
import { imagesInto, nodeType, widgetValue } from "./graph.js";
import { priceText } from "./price.js";
import { closeGaps, countsSent, growSockets, imageNumbers, isSocket, moveSocketsLast } from "./sockets.js";
import { describe } from "./state.js";

const WIDGET = "runcomfy_state";
const INPUT = 1;
const MOST_HEIGHT = 260;
const PADDING = 4;

/**
 * @typedef {{
 *   document: Document, t: import("./messages.js").Translate, now: () => number, defer: (action: () => void) => void,
 *   copy: (text: string) => Promise<void>, enterToken: () => void, account: any, prices: () => Record<string, number>,
 * }} Page
 */

/**
 * Adds the board and the sockets to a node that was just made.
 * @param {any} node
 * @param {Page} page
 */
export function attach(node, page) {
  const board = addBoard(node, page);
  const sockets = node.inputs?.some(isSocket) ? addSockets(node, page) : null;
  let report = null;

  function draw() {
    board.show({
      view: report && describe(report, page.t, page.now()),
      price: priceText(page.prices()[nodeType(node)], widgetValue(node, "num_images"), page.t),
      tokenMissing: page.account.known?.state === "missing",
    });
  }

  const images = node.widgets?.find((widget) => widget.name === "num_images");
  if (images) after(images, "callback", draw);
  after(node, "onRemoved", board.release);
  draw();
  return {
    draw,
    /** Shows a report of the node's run; null clears it. */
    show(next) {
      report = next;
      if (next?.sent.length) sockets?.learn(countsSent(next.sent));
      draw();
    },
  };
}

function addBoard(node, page) {
  let height = 0;
  const resized = () => {
    const content = board.inner.offsetHeight;
    const next = content ? Math.min(MOST_HEIGHT, content + PADDING) : 0;
    if (next === height) return;
    height = next;
    grow(node);
  };
  const board = createBoard(page.document, page.t, { ...page, resized });
  const widget = node.addDOMWidget(WIDGET, "runcomfy", board.root, {
    serialize: false,
    getValue: () => "",
    setValue: () => {},
    getMinHeight: () => height,
    getMaxHeight: () => height,
    margin: 0,
  });
  // Of the workflow; the option is about the prompt.
  widget.serialize = false;
  const Observer = page.document.defaultView?.ResizeObserver;
  const observer = Observer && new Observer(resized);
  observer?.observe(board.inner);
  return { ...board, release: () => observer?.disconnect() };
}

function addSockets(node, page) {
  const row = moveSocketsLast(node);
  const given = new WeakMap();
  let learned = new Map();
  let waiting = false;
  // The page makes room for all sockets before the spare ones are gone: its height is not what a person chose.
  let height = 0;
  let unsized = true;

  function settle() {
    waiting = false;
    // Removed meanwhile, or not added yet.
    if (!node.graph) return;
    const changed = closeGaps(node, row);
    label();
    if (unsized) node.setSize?.([node.size[0], Math.max(height, node.computeSize()[1])]);
    unsized = false;
    if (changed) redraw(node);
  }

  // A link that is replaced is taken away first: its slot must still be there for the new one.
  function later() {
    if (waiting) return;
    waiting = true;
    page.defer(settle);
  }

  function label() {
    const numbers = imageNumbers(node, (slot, index) => learned.get(slot.name) ?? imagesInto(node, index) ?? 1);
    for (const slot of node.inputs.filter(isSocket)) {
      // A name that a person gave stays.
      if (slot.label && given.get(slot) !== slot.label) continue;
      const text = numbers.has(slot) ? numberText(numbers.get(slot), page.t) : undefined;
      if (slot.label === text) continue;
      slot.label = text;
      given.set(slot, text);
    }
  }

  after(node, "onAdded", later);
  after(node, "onConfigure", (saved) => {
    height = saved?.size?.[1] ?? node.size[1];
    unsized = true;
    later();
  });
  after(node, "onConnectionsChange", (kind) => {
    if (kind !== INPUT) return;
    learned = new Map();
    if (!waiting) growSockets(node, row);
    later();
  });
  after(node, "onSerialize", (saved) => {
    // The labels follow from the links, and are another language's on another page.
    node.inputs.forEach((slot, index) => {
      if (given.get(slot) && saved.inputs?.[index]?.label === given.get(slot)) delete saved.inputs[index].label;
    });
  });
  later();
  return {
    learn(counts) {
      learned = counts;
      label();
      redraw(node);
    },
  };
}

function numberText({ first, last }, t) {
  return first === last ? t("socket.one", { number: first }) : t("socket.several", { first, last });
}

/** Makes room for what the node holds; a person's larger size stays. */
function grow(node) {
  const needed = node.computeSize?.()[1] ?? 0;
  if (needed > node.size[1]) node.setSize?.([node.size[0], needed]);
  redraw(node);
}

function redraw(node) {
  (node.graph?.setDirtyCanvas ?? node.setDirtyCanvas)?.call(node.graph ?? node, true, true);
}

/**
 * Calls a function after an object's own one of that name.
 * @param {any} target
 * @param {string} name
 * @param {(...values: any[]) => void} extra
 */
export function after(target, name, extra) {
  const own = target[name];
  target[name] = function (...values) {
    const result = own?.apply(this, values);
    extra(...values);
    return result;
  };
}

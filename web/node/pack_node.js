/**
 * What the pack adds to one node: its status board, its growing sockets, its price. Released with the node.
 *
 * @import { Account, Price, Report } from "../../types/answers.js"
 * @import { HostNode } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "./next_steps.js"
 *
 * @typedef {{
 *   document: Document, t: Translate, now: () => number, defer: (action: () => void) => void,
 *   copy: (text: string) => Promise<void>, enterToken: () => void, account: { known: Account | null },
 *   price: (type: string) => Partial<Price>, act: (node: HostNode, report: Report, action: Action) => void,
 * }} Page
 */

import { createStatusBoard } from "./status_board.js";
import { nodeType, widgetValue } from "./graph.js";
import { GrowingSockets } from "./growing_sockets.js";
import { after, makeRoom } from "./host_nodes.js";
import { priceText } from "./price.js";
import { fixSeed } from "./runs.js";
import { countsSent, isSocket } from "./socket_order.js";
import { describe } from "./status_view.js";

const WIDGET = "runcomfy_state";
// Two lines: what is said of most runs needs no more room than a node has from the beginning.
const RESERVED = 44;
const PADDING = 4;

export class PackNode {
  #node;
  #page;
  #board;
  #sockets;
  /** @type {Report | null} */
  #report = null;

  /**
   * @param {HostNode} node one that was just made
   * @param {Page} page
   */
  constructor(node, page) {
    this.#node = node;
    this.#page = page;
    fixSeed(node);
    this.#board = addBoard(node, { ...page, act: (action) => this.#act(action) });
    this.#sockets = node.inputs?.some(isSocket) ? new GrowingSockets(node, page) : null;
    for (const widget of node.widgets ?? []) {
      after(widget, "callback", () => {
        if (this.#countWidget() === widget.name) this.draw();
      });
    }
    this.draw();
  }

  /** Shows a report of the node's run; null clears it. @param {Report | null} report */
  show(report) {
    this.#report = report;
    if (report?.sent.length) this.#sockets?.learn(countsSent(report.sent));
    this.draw();
  }

  /** Draws the board as it is now: seconds go on, prices and the account change. */
  draw() {
    const { t, now, price, account } = this.#page;
    const { usd } = price(nodeType(this.#node));
    this.#board.show({
      view: this.#report && describe(this.#report, t, now()),
      price: priceText(usd, this.#count(), t),
      tokenMissing: account.known?.state === "missing",
    });
    this.#sockets?.draw();
  }

  /** @param {Action} action */
  #act(action) {
    if (this.#report) this.#page.act(this.#node, this.#report, action);
  }

  /** The widget that says how many are asked for, as the server tells. */
  #countWidget() {
    return this.#page.price(nodeType(this.#node)).count;
  }

  /** How many are asked for: one where the model makes no more, undefined where a link decides it. */
  #count() {
    const name = this.#countWidget();
    return name ? widgetValue(this.#node, name) : 1;
  }
}

/** Adds the board as a widget that is neither saved nor sent, as high as what it shows. @param {HostNode} node @param {Omit<Page, "act"> & { act: (action: Action) => void }} page */
function addBoard(node, page) {
  let height = RESERVED;
  const resized = () => {
    const next = Math.max(RESERVED, board.inner.offsetHeight + PADDING);
    if (next === height) return;
    height = next;
    makeRoom(node);
  };
  const board = createStatusBoard(page.document, page.t, { ...page, resized });
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
  after(node, "onRemoved", () => observer?.disconnect());
  // Saved before there was a board, or while it said less.
  after(node, "onConfigure", () => page.defer(() => makeRoom(node)));
  return board;
}

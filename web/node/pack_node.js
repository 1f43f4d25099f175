/**
 * What the pack adds to one node: its status board, its growing sockets, its price. Released with the node.
 *
 * @import { Account, Entry, Estimate, Price, Report } from "../../types/answers.js"
 * @import { BadgeClass, HostNode, Widget } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "./next_steps.js"
 * @import { Actions } from "./status_board.js"
 *
 * @typedef {{
 *   document: Document, t: Translate, now: () => number, defer: (action: () => void) => void,
 *   copy: (text: string) => Promise<void>, enterToken: () => void, account: { known: Account | null },
 *   price: (type: string) => Partial<Price>, act: (node: HostNode, report: Report, action: Action) => void,
 *   estimates: { of: (node: HostNode) => Estimate | undefined, want: (node: HostNode) => void }, Badge: BadgeClass | undefined,
 *   takes: { of: (node: HostNode) => Entry[], want: (node: HostNode) => void },
 *   thumbnail: (id: number, index: number) => string,
 *   choose: (node: HostNode, take: Entry) => void, compare: (node: HostNode) => void,
 * }} Page
 */

import { createStatusBoard } from "./status_board.js";
import { COLLECT_NODE, nodeType, specOf, widgetValue } from "./graph.js";
import { GrowingSockets } from "./sockets/growing.js";
import { addBadge, after, makeRoom, redraw } from "./host_nodes.js";
import { badgeText, priceText } from "./price.js";
import { fixSeed, seedOf } from "./runs.js";
import { countsSent } from "./sockets/order.js";
import { describe, hasEnded } from "./status_view.js";
import { strip } from "./takes.js";

const WIDGET = "runcomfy_state";
// Two lines: what is said of most runs needs no more room than a node has from the beginning.
const RESERVED = 50;
const PADDING = 4;
const TWO_LINES = 46;

export class PackNode {
  #node;
  #page;
  #board;
  #sockets;
  /** @type {Report | null} */
  #report = null;
  /** How many items its last list had; what was collected in its place is none. */
  #items = 1;
  /** What is said beside the state. */
  #told = "";

  /**
   * @param {HostNode} node one that was just made
   * @param {Page} page
   */
  constructor(node, page) {
    this.#node = node;
    this.#page = page;
    fixSeed(node);
    this.#board = addBoard(node, {
      ...page,
      act: (action) => this.#act(action),
      choose: (id) => page.takes.of(node).filter((take) => take.id === id).forEach((take) => page.choose(node, take)),
      compare: () => page.compare(node),
    });
    const grows = node.inputs?.some((slot) => specOf(node, slot.name).stem);
    this.#sockets = grows ? new GrowingSockets(node, { ...page, locale: page.t.locale }) : null;
    for (const widget of node.widgets ?? []) {
      if (specOf(node, widget.name).stem) keepTwoLines(node, widget);
    }
    const changed = () => {
      this.#ask();
      this.draw();
    };
    for (const widget of node.widgets ?? []) after(widget, "callback", changed);
    after(node, "onConfigure", changed);
    this.#ask();
    addBadge(node, () => this.#cost(), page.Badge);
    this.draw();
  }

  /** Shows a report of the node's run; null clears it. @param {Report | null} report */
  show(report) {
    this.#report = report;
    if (report && report.type !== COLLECT_NODE) this.#items = report.items?.total ?? 1;
    if (report && !hasEnded(report)) this.#told = "";
    // What the job cost is known by now, and it is a take.
    if (report?.stage === "delivered") this.#ask();
    if (report?.sent.length) this.#sockets?.learn(countsSent(report.sent));
    this.draw();
  }

  /** Says something on the node, until it is run. @param {string} text */
  tell(text) {
    this.#told = text;
    this.draw();
  }

  /** Draws the board as it is now: seconds go on, prices and the account change. */
  draw() {
    const { t, now, account, takes, thumbnail } = this.#page;
    unfold(this.#node);
    this.#board.show({
      view: this.#view(t, now()),
      told: this.#told,
      takes: strip(this.#node, takes.of(this.#node), thumbnail, t),
      tokenMissing: account.known?.state === "missing",
    });
    this.#sockets?.draw();
    redraw(this.#node);
  }

  /** What the board shows of the run; where there is no seed, there are no takes. @param {Translate} t @param {number} now */
  #view(t, now) {
    const view = this.#report && describe(this.#report, t, now);
    return view && !seedOf(this.#node) ? { ...view, actions: view.actions.filter(({ kind }) => kind !== "take") } : view;
  }

  /** Asks anew for what follows from the inputs. */
  #ask() {
    this.#page.estimates.want(this.#node);
    this.#page.takes.want(this.#node);
  }

  /** What the badge says: what the next job costs; where nobody can tell that, what its base price is. */
  #cost() {
    const { t, estimates, price } = this.#page;
    const known = badgeText(estimates.of(this.#node), this.#items, t);
    const asked = { count: this.#count(), seconds: this.#seconds() };
    return known || priceText(price(nodeType(this.#node)), asked, t);
  }

  /** @param {Action} action */
  #act(action) {
    if (this.#report) this.#page.act(this.#node, this.#report, action);
  }

  /** The widget that says how many are asked for, as the server tells. */
  #countWidget() {
    return this.#page.price(nodeType(this.#node)).count;
  }

  /** The widget that says how long the result is, as the server tells. */
  #durationWidget() {
    return this.#page.price(nodeType(this.#node)).duration;
  }

  /** How many seconds are asked for; undefined where a link or the model decides it. */
  #seconds() {
    const name = this.#durationWidget();
    const seconds = name ? Number.parseFloat(String(widgetValue(this.#node, name))) : NaN;
    return Number.isFinite(seconds) ? seconds : undefined;
  }

  /** How many are asked for: one where the model makes no more, undefined where a link decides it. */
  #count() {
    const name = this.#countWidget();
    return name ? widgetValue(this.#node, name) : 1;
  }
}

/** Newer hosts fold rare inputs away: one that has been changed is seen, since a run may cost money. @param {HostNode} node */
function unfold(node) {
  for (const widget of node.widgets ?? []) {
    const { advanced, default: usual } = specOf(node, widget.name);
    if (advanced && widget.options?.advanced && widget.value !== usual) widget.options.advanced = false;
  }
}

/** A list of addresses is rarely filled in: it takes no more room than it needs. @param {HostNode} node @param {Widget} widget */
function keepTwoLines(node, widget) {
  if (!widget.options) return;
  const label = node.inputs?.find((slot) => slot.widget?.name === widget.name)?.localized_name;
  // Where the box has no label of its own, the host writes the input's name into it.
  if (widget.element && label) widget.element.setAttribute("placeholder", label);
  widget.options.getMinHeight = () => TWO_LINES;
  widget.options.getMaxHeight = () => TWO_LINES;
}

/** Adds the board as a widget that is neither saved nor sent, as high as what it shows. @param {HostNode} node @param {Omit<Page, "act" | "choose" | "compare"> & Pick<Actions, "act" | "choose" | "compare">} page */
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
  page.defer(() => makeRoom(node));
  return board;
}

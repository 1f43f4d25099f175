/**
 * Keeps the rows of sockets of one node in order while links come and go.
 *
 * @import { Price } from "../../../types/answers.js"
 * @import { HostNode, SavedNode, Slot } from "../../../types/host.js"
 * @import { Row } from "./order.js"
 */

import { imagesInto } from "../graph.js";
import { after, redraw } from "../host_nodes.js";
import { closeGaps, growSockets, moveSocketsLast, numbersOf } from "./order.js";

const INPUT = 1;

export class GrowingSockets {
  #node;
  #page;
  #rows;
  /**
   * The labels that were given here; a name that a person gave is another.
   * @type {WeakMap<Slot, string | undefined>}
   */
  #given = new WeakMap();
  /**
   * How many images came over each socket in the last run.
   * @type {Map<string, number>}
   */
  #learned = new Map();
  #waiting = false;
  /** The widget of a node of the pack that says how many images it makes. @param {string} type */
  #countWidget = (type) => this.#page.price(type).count;
  /** The page makes room for all sockets before the spare ones are gone: its height is not what a person chose. */
  #unsized = true;
  #height = 0;

  /**
   * @param {HostNode} node one that was just made
   * @param {{ locale: string, defer: (action: () => void) => void, price: (type: string) => Partial<Price> }} page
   */
  constructor(node, page) {
    this.#node = node;
    this.#page = page;
    this.#rows = moveSocketsLast(node);
    after(node, "onAdded", () => this.#later());
    after(node, "onConfigure", (saved) => this.#configured(saved));
    after(node, "onConnectionsChange", (kind) => {
      if (kind === INPUT) this.#linked();
    });
    after(node, "onSerialize", (saved) => this.#strip(saved));
    this.#later();
  }

  /** Takes in how many images each socket brought. @param {Map<string, number>} counts */
  learn(counts) {
    this.#learned = counts;
    this.#label();
    redraw(this.#node);
  }

  /** Shows what is known by now: how many images a node of the pack makes, the server tells. */
  draw() {
    this.#label();
  }

  /** @param {SavedNode} saved */
  #configured(saved) {
    this.#height = saved?.size?.[1] ?? this.#node.size[1];
    this.#unsized = true;
    this.#later();
  }

  #linked() {
    this.#learned = new Map();
    if (!this.#waiting) for (const row of this.#rows) growSockets(this.#node, row);
    this.#later();
  }

  /** A link that is replaced is taken away first: its slot must still be there for the new one. */
  #later() {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#page.defer(() => this.#settle());
  }

  #settle() {
    const node = this.#node;
    this.#waiting = false;
    // Removed meanwhile, or not added yet.
    if (!node.graph) return;
    const changed = this.#rows.map((row) => closeGaps(node, row)).some(Boolean);
    this.#label();
    if (this.#unsized) node.setSize?.([node.size[0], Math.max(this.#height, node.computeSize()[1])]);
    this.#unsized = false;
    if (changed) redraw(node);
  }

  #label() {
    /** @param {Slot} slot @param {number} index */
    const countOf = (slot, index) => this.#learned.get(slot.name) ?? imagesInto(this.#node, index, this.#countWidget) ?? 1;
    for (const row of this.#rows) {
      for (const [slot, range] of numbersOf(this.#node, row, countOf)) {
        if (slot.label && this.#given.get(slot) !== slot.label) continue;
        const text = this.#text(row, range);
        if (slot.label === text) continue;
        slot.label = text;
        this.#given.set(slot, text);
      }
    }
  }

  /** What a prompt calls it: as the socket is called, in the middle of a sentence. @param {Row} row @param {{ first: number, last: number }} range */
  #text({ stem, names }, { first, last }) {
    const [known] = names.values();
    const number = first === last ? String(first) : `${first}\u2013${last}`;
    return (known ?? `${stem} 1`).replace("1", number).toLocaleLowerCase(this.#page.locale);
  }

  /** The labels follow from the links, and are another language's on another page. @param {SavedNode} saved */
  #strip(saved) {
    this.#node.inputs.forEach((slot, index) => {
      const given = this.#given.get(slot);
      const kept = saved.inputs?.[index];
      if (given && kept?.label === given) delete kept.label;
    });
  }
}

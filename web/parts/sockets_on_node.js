/** Keeps the sockets of one node in order while links come and go. */

import { imagesInto } from "./graph.js";
import { after, redraw } from "./host.js";
import { closeGaps, growSockets, imageNumbers, isSocket, moveSocketsLast } from "./sockets.js";

const INPUT = 1;

export class NodeSockets {
  #node;
  #page;
  #row;
  /** The labels that were given here; a name that a person gave is another. */
  #given = new WeakMap();
  /** How many images came over each socket in the last run. */
  #learned = new Map();
  #waiting = false;
  #countWidget = (type) => this.#page.price(type).count;
  /** The page makes room for all sockets before the spare ones are gone: its height is not what a person chose. */
  #unsized = true;
  #height = 0;

  /**
   * @param {any} node one that was just made
   * @param {{ t: import("./messages.js").Translate, defer: (action: () => void) => void,
   *   price: (type: string) => { count?: string | null } }} page
   */
  constructor(node, page) {
    this.#node = node;
    this.#page = page;
    this.#row = moveSocketsLast(node);
    after(node, "onAdded", () => this.#later());
    after(node, "onConfigure", (saved) => this.#configured(saved));
    after(node, "onConnectionsChange", (kind) => kind === INPUT && this.#linked());
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

  #configured(saved) {
    this.#height = saved?.size?.[1] ?? this.#node.size[1];
    this.#unsized = true;
    this.#later();
  }

  #linked() {
    this.#learned = new Map();
    if (!this.#waiting) growSockets(this.#node, this.#row);
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
    const changed = closeGaps(node, this.#row);
    this.#label();
    if (this.#unsized) node.setSize?.([node.size[0], Math.max(this.#height, node.computeSize()[1])]);
    this.#unsized = false;
    if (changed) redraw(node);
  }

  #label() {
    const countOf = (slot, index) => this.#learned.get(slot.name) ?? imagesInto(this.#node, index, this.#countWidget) ?? 1;
    const numbers = imageNumbers(this.#node, countOf);
    for (const slot of this.#node.inputs.filter(isSocket)) {
      if (slot.label && this.#given.get(slot) !== slot.label) continue;
      const text = numbers.has(slot) ? this.#text(numbers.get(slot)) : undefined;
      if (slot.label === text) continue;
      slot.label = text;
      this.#given.set(slot, text);
    }
  }

  #text({ first, last }) {
    const { t } = this.#page;
    return first === last ? t("socket.one", { number: first }) : t("socket.several", { first, last });
  }

  /** The labels follow from the links, and are another language's on another page. */
  #strip(saved) {
    this.#node.inputs.forEach((slot, index) => {
      const given = this.#given.get(slot);
      if (given && saved.inputs?.[index]?.label === given) delete saved.inputs[index].label;
    });
  }
}

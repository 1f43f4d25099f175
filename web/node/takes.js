/**
 * The takes that are shown on a node: the delivered jobs of its inputs but the seed. They are asked for a moment after
 * the last change, one node at a time.
 *
 * @import { Entry, Report } from "../../types/answers.js"
 * @import { HostNode } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 *
 * @typedef {{ id: number, title: string, src: string, chosen: boolean }} Shown
 */

import { money } from "../base/format.js";
import { freeWidget } from "./graph.js";
import { seedOf, SEEDS } from "./runs.js";

const PAUSE_MILLISECONDS = 600;
const MOST = 5;

/** What a person calls a take: its seed and its cost. @param {Entry} take @param {Translate} t */
export function takeName({ seed, cost, request_id }, t) {
  return [seed === null ? request_id.slice(0, 8) : t("jobs.seed", { seed }), money(cost)].filter(Boolean).join(" \u00b7 ");
}

/**
 * Returns what a node shows of its takes; one alone is no choice.
 * @param {HostNode} node
 * @param {Entry[]} takes
 * @param {(id: number, index: number) => string} thumbnail the address of a small image
 * @param {Translate} t
 * @returns {Shown[]}
 */
export function strip(node, takes, thumbnail, t) {
  // Without the seed, which is kept with the inputs, a take cannot be chosen.
  const told = takes.filter(({ seed }) => seed !== null);
  const now = seedOf(node)?.value;
  if (told.length < 2) return [];
  return told.slice(0, MOST).map((take) => ({
    id: take.id,
    title: takeName(take, t),
    src: imageOf(take, thumbnail),
    chosen: take.seed === now,
  }));
}

/** @param {Entry} take @param {(id: number, index: number) => string} thumbnail @returns {string} '' where there is nothing to see */
function imageOf({ id, kind, files }, thumbnail) {
  const kept = files.find((file) => file.kept);
  return kept && kind !== "audio" ? thumbnail(id, kept.index) : "";
}

/**
 * Whether a node has the inputs of a run, whatever its seed.
 * @param {HostNode} node
 * @param {Report["inputs"]} inputs
 */
export function isTakeOf(node, inputs) {
  return Object.entries(inputs).every(([name, value]) => {
    const widget = SEEDS.includes(name) ? undefined : freeWidget(node, name);
    return !widget || widget.value === value;
  });
}

export class Takes {
  /** @type {WeakMap<HostNode, Entry[]>} */
  #known = new WeakMap();
  /** @type {Set<HostNode>} */
  #wanted = new Set();
  #timer = 0;
  #page;

  /**
   * @param {{
   *   ask: (node: HostNode) => Promise<Entry[]>, changed: (node: HostNode) => void,
   *   later: (action: () => void, milliseconds: number) => number, cancel: (timer: number) => void,
   * }} page
   */
  constructor(page) {
    this.#page = page;
  }

  /** Returns what is known of a node. @param {HostNode} node */
  of(node) {
    return this.#known.get(node) ?? [];
  }

  /** Has a node's takes asked for anew. @param {HostNode} node */
  want(node) {
    if (!seedOf(node)) return;
    this.#wanted.add(node);
    this.#page.cancel(this.#timer);
    this.#timer = this.#page.later(() => this.#ask(), PAUSE_MILLISECONDS);
  }

  async #ask() {
    for (const node of this.#wanted) {
      this.#wanted.delete(node);
      if (!node.graph) continue;
      // Inputs that cannot be sent yet have no takes.
      this.#known.set(node, await this.#page.ask(node).catch(() => []));
      this.#page.changed(node);
    }
  }
}

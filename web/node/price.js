/**
 * What a run costs, in words, and the estimates that the server makes of it.
 *
 * @import { Estimate, EstimateRequest, Price } from "../../types/answers.js"
 * @import { HostNode } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 */

import { nodeType } from "./graph.js";
import { valuesOf } from "./inputs.js";

const PAUSE_MILLISECONDS = 300;

/**
 * @param {Partial<Price>} price nothing is shown where it is not known
 * @param {{ count: unknown, seconds: unknown }} asked how many are asked for and how long; anything but a number where
 *   a link or the model decides it
 * @param {Translate} t
 */
export function priceText({ usd, unit }, { count, seconds }, t) {
  if (typeof usd !== "number" || !Number.isFinite(usd) || usd <= 0) return "";
  const bySecond = unit === "second";
  if (bySecond && typeof seconds !== "number") return t("price.second", { usd });
  const each = bySecond ? usd * Number(seconds) : usd;
  return typeof count === "number" ? t("price.images", { count, usd: each * count }) : t("price.each", { usd: each });
}

/**
 * Returns what the badge of a node says: what one job costs, and whether that is learnt or the base price.
 * @param {Estimate | undefined} estimate
 * @param {number} items how many items the last list had; 1 without a list
 * @param {Translate} t
 */
export function badgeText(estimate, items, t) {
  if (!estimate || estimate.usd === null || estimate.source === "none") return "";
  const one = t(`estimate.${estimate.source}`, { usd: estimate.usd });
  return items > 1 ? t("estimate.list", { count: items, one, total_usd: estimate.usd * items }) : one;
}

/** What the server makes of the nodes' inputs. It is asked for all nodes at once, a moment after the last change. */
export class Estimates {
  /** @type {WeakMap<HostNode, Estimate>} */
  #known = new WeakMap();
  /** @type {Set<HostNode>} */
  #wanted = new Set();
  #page;

  /**
   * @param {{
   *   ask: (nodes: EstimateRequest[]) => Promise<Estimate[]>, later: (action: () => void, milliseconds: number) => unknown,
   *   changed: (node: HostNode) => void, store: { runcomfyEstimates?: number },
   * }} page `store` is one of the page's own: it draws anew what has read a member of it that changes
   */
  constructor(page) {
    this.#page = page;
  }

  /** Returns what is known of a node. @param {HostNode} node */
  of(node) {
    return this.#page.store.runcomfyEstimates ? this.#known.get(node) : undefined;
  }

  /** Has a node estimated anew. @param {HostNode} node */
  want(node) {
    if (!this.#wanted.size) this.#page.later(() => this.#ask(), PAUSE_MILLISECONDS);
    this.#wanted.add(node);
  }

  async #ask() {
    const nodes = [...this.#wanted].filter((node) => node.graph);
    this.#wanted.clear();
    if (!nodes.length) return;
    const asked = nodes.map((node, place) => ({ node: String(place), node_id: nodeType(node), values: valuesOf(node) }));
    // A read that fails changes nothing: the next one may succeed.
    const found = await this.#page.ask(asked).catch(() => []);
    for (const estimate of found) {
      const node = nodes[Number(estimate.node)];
      this.#known.set(node, estimate);
      this.#page.store.runcomfyEstimates = (this.#page.store.runcomfyEstimates ?? 0) + 1;
      this.#page.changed(node);
    }
  }
}

/**
 * The states of the nodes of all workflows that this page has heard of, and who is told when one changes.
 *
 * @import { Report } from "../../types/answers.js"
 */

import { abandoned, hasEnded, isTimed } from "./status_view.js";

const MAX_STATES = 500;

export class NodeStatusStore {
  /** @type {Map<string, Report>} */
  #states = new Map();
  #page;

  /**
   * @param {{ now: () => number, changed: (report: Report) => void, cleared: (report: Report) => void }} page
   *   `cleared`: there is nothing left to show on the node
   */
  constructor(page) {
    this.#page = page;
  }

  /** Takes in a report as it arrives. @param {Report} report */
  receive(report) {
    const before = this.#states.get(key(report));
    const same = before && before.prompt === report.prompt && before.request_id === report.request_id;
    const fraction = same && !hasEnded(before) ? larger(before.fraction, report.fraction) : report.fraction;
    this.#put({ ...report, fraction, heard: this.#page.now() });
  }

  /** Takes in what the server kept, after the page was opened. @param {Report[]} reports */
  restore(reports) {
    for (const report of reports) {
      const told = report.live ? report : abandoned(report);
      if (told && !this.#states.has(key(report))) this.#put({ ...told, heard: this.#page.now() });
    }
  }

  /** Settles the nodes of a prompt that has ended and that have not told an end. @param {string} prompt */
  promptEnded(prompt) {
    for (const report of this.all()) {
      if (report.prompt !== prompt || hasEnded(report)) continue;
      const told = abandoned(report);
      if (told) this.#put(told);
      else this.#clear(report);
    }
  }

  /** Drops the states that no longer hold. @param {(report: Report) => boolean} which */
  forget(which) {
    for (const report of this.all().filter(which)) this.#clear(report);
  }

  /** Returns all states, the newest last. */
  all() {
    return [...this.#states.values()];
  }

  /** Returns the states whose seconds go on by themselves. */
  timed() {
    return this.all().filter(isTimed);
  }

  /** @param {Report} report */
  #clear(report) {
    this.#states.delete(key(report));
    this.#page.cleared(report);
  }

  /** @param {Report} report */
  #put(report) {
    this.#states.delete(key(report));
    this.#states.set(key(report), report);
    if (this.#states.size > MAX_STATES) this.#dropOldest();
    this.#page.changed(report);
  }

  #dropOldest() {
    const [oldest] = this.#states.keys();
    this.#states.delete(oldest);
  }
}

/** @param {Report} report */
function key(report) {
  return `${report.workflow}|${report.node}`;
}

/** @param {number | null} before @param {number | null} after */
function larger(before, after) {
  if (typeof before !== "number") return after;
  return typeof after === "number" ? Math.max(before, after) : before;
}

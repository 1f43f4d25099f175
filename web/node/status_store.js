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

  /** Takes in what the server keeps, after the page was opened or connected again. @param {Report[]} reports */
  restore(reports) {
    const told = new Map(reports.map((report) => [key(report), report]));
    for (const known of this.all().filter((each) => !hasEnded(each))) {
      if (told.get(key(known))?.prompt !== known.prompt) this.#settle(known);
    }
    for (const report of reports) {
      const known = this.#states.get(key(report));
      // A job that was left running may have been collected since.
      if (known && hasEnded(known) && !known.left) continue;
      if (report.live) this.#put({ ...report, heard: this.#page.now() });
      else this.#settle({ ...report, heard: this.#page.now() });
    }
  }

  /**
   * Takes in that the host had the outputs of some nodes already: what it was run for is told again, without a charge.
   * @param {string} prompt
   * @param {string | undefined} workflow the prompt's
   * @param {string[]} nodes their ids in the prompt
   */
  cached(prompt, workflow, nodes) {
    for (const report of this.all()) {
      if (report.stage !== "delivered" || report.workflow !== workflow || !nodes.includes(report.node)) continue;
      this.#put({ ...report, prompt, kept: true, failure: null, heard: this.#page.now() });
    }
  }

  /** Settles the nodes of a prompt that has ended and that have not told an end. @param {string} prompt */
  promptEnded(prompt) {
    for (const report of this.all()) {
      if (report.prompt === prompt && !hasEnded(report)) this.#settle(report);
    }
  }

  /** Drops the states that no longer hold. @param {(report: Report) => boolean} which */
  forget(which) {
    for (const report of this.all().filter(which)) this.#clear(report);
  }

  /** Puts a state in order that nothing will end any more. @param {Report} report */
  #settle(report) {
    const told = abandoned(report);
    if (told) this.#put(told);
    else this.#clear(report);
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

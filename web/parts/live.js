/**
 * The states of the nodes of all workflows that this page has heard of, and who is told when one changes.
 *
 * @typedef {import("./state.js").Report} Report
 */

import { abandoned, hasEnded, isTimed } from "./state.js";

const MOST = 500;

/**
 * @param {{ now: () => number, changed: (report: Report) => void, cleared: (report: Report) => void }} page
 */
export function createLive({ now, changed, cleared }) {
  /** @type {Map<string, Report>} */
  const states = new Map();
  const key = (report) => `${report.workflow}|${report.node}`;

  function put(report) {
    states.delete(key(report));
    states.set(key(report), report);
    if (states.size > MOST) states.delete(states.keys().next().value);
    changed(report);
  }

  /** Takes in a report as it arrives. @param {Report} report */
  function receive(report) {
    const before = states.get(key(report));
    const same = before && before.prompt === report.prompt && before.request_id === report.request_id;
    const fraction = same && !hasEnded(before) ? most(before.fraction, report.fraction) : report.fraction;
    put({ ...report, fraction, heard: now() });
  }

  /** Takes in what the server kept, after the page was opened. @param {Report[]} reports */
  function restore(reports) {
    for (const report of reports) {
      const told = report.live ? report : abandoned(report);
      if (told && !states.has(key(report))) put({ ...told, heard: now() });
    }
  }

  /** Settles the nodes of a prompt that has ended and that have not told an end. @param {string} prompt */
  function promptEnded(prompt) {
    for (const report of [...states.values()]) {
      if (report.prompt !== prompt || hasEnded(report)) continue;
      const told = abandoned(report);
      if (told) put(told);
      else {
        states.delete(key(report));
        cleared(report);
      }
    }
  }

  return {
    receive,
    restore,
    promptEnded,
    /** Returns all states. */
    all: () => [...states.values()],
    /** Returns the states whose seconds go on by themselves. */
    timed: () => [...states.values()].filter(isTimed),
  };
}

function most(before, after) {
  if (typeof before !== "number") return after;
  return typeof after === "number" ? Math.max(before, after) : before;
}

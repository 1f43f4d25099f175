/**
 * From a report of the server to what the node shows. Pure.
 *
 * @import { Failure, Report } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "./next_steps.js"
 *
 * @typedef {{ text: string, tone: "good" | "calm" | "bad" }} Chip
 * @typedef {{
 *   tone: "busy" | "good" | "bad" | "calm", headline: string, meta: string, chip: Chip | null, lines: string[],
 *   details: string[], requestId: string, bar: number | "unknown" | null, actions: Action[],
 * }} View
 */

import { money } from "../base/format.js";
import { failureText } from "../base/receipts.js";
import { action, nextSteps, sorted } from "./next_steps.js";

/** @type {Record<string, string>} */
const DELIVERED = { video: "state.delivered_video", audio: "state.delivered_audio" };
const ENDED = ["delivered", "stopped", "failed"];
const TIMED = ["queued", "running"];

/** Whether nothing more is expected of the run. @param {Report} report */
export function hasEnded(report) {
  return ENDED.includes(report.stage) || Boolean(report.stopped || report.left);
}

/** Whether its seconds go on between two reports. @param {Report} report */
export function isTimed(report) {
  return TIMED.includes(report.stage) && !hasEnded(report);
}

/**
 * Returns a report after its prompt ended without its node saying so: another node failed, or the server went.
 * @param {Report} report
 * @returns {Report | null} null where there is nothing left to tell
 */
export function abandoned(report) {
  if (hasEnded(report)) return report;
  return jobsOf(report).length ? { ...report, left: true } : null;
}

/**
 * Returns what the node shows.
 * @param {Report} report
 * @param {Translate} t
 * @param {number} now milliseconds on the clock that stamped `heard`
 * @returns {View}
 */
export function describe(report, t, now = 0) {
  const since = isTimed(report) && report.heard !== undefined ? Math.max(0, (now - report.heard) / 1000) : 0;
  const seconds = t("state.seconds", { seconds: Math.floor(report.seconds + since) });
  /** @type {View} */
  const view = {
    tone: "busy",
    headline: "",
    meta: "",
    chip: null,
    actions: [],
    lines: report.notes.map(t.note),
    details: report.sent.map(t.note),
    requestId: report.request_id ?? "",
    bar: null,
  };
  if (report.stopped && !ENDED.includes(report.stage)) return stopping(view, report, t);
  if (report.left) return leftBehind(view, report, t);
  switch (report.stage) {
    case "delivered":
      return delivered(view, report, t, seconds);
    case "failed":
      return failed(view, report, t);
    case "stopped":
      return { ...view, tone: "calm", headline: t("state.stopped"), meta: listMeta(report, t), actions: collecting(report, t) };
    default:
      return { ...view, headline: busy(report, t), meta: busyMeta(report, seconds), bar: bar(report) };
  }
}

/** @param {View} view @param {Report} report @param {Translate} t @returns {View} */
function stopping(view, report, t) {
  const lines = jobsOf(report).length ? [t("state.stopping")] : [];
  return { ...view, tone: "calm", headline: t("state.stopped"), meta: listMeta(report, t), lines, actions: collecting(report, t) };
}

/** The ids of the jobs that go on, or have ended, after nobody waits for them any more. @param {Report} report */
function jobsOf({ request_id, items, notes }) {
  if (items) return items.jobs;
  return request_id && !notes.some((note) => note.kind === "cancel.cancelled") ? [request_id] : [];
}

/** @param {Report} report @param {Translate} t */
function collecting(report, t) {
  const requestIds = jobsOf(report);
  return requestIds.length ? [{ ...action(requestIds.length > 1 ? "collect_all" : "collect", t), requestIds }] : [];
}

/** @param {View} view @param {Report} report @param {Translate} t @returns {View} */
function leftBehind(view, report, t) {
  const kind = report.items ? "state.left_items" : "state.left";
  const headline = t(kind, { count: jobsOf(report).length, total: report.items?.total });
  return { ...view, tone: "calm", headline, lines: [t(`${kind}Hint`)], actions: [...collecting(report, t), action("jobs", t)] };
}

/** @param {View} view @param {Report} report @param {Translate} t @returns {View} */
function failed(view, report, t) {
  const { failure } = report;
  if (!failure) return { ...view, tone: "bad", headline: t("state.failed") };
  const told = receipt(failure, t);
  // Of a list that was stopped after an item had failed: the others go on.
  const actions = report.items ? sorted([...told.actions, ...collecting(report, t)]) : told.actions;
  return { ...view, tone: "bad", headline: failureText(failure, t), ...told, lines: [...view.lines, ...told.lines], actions };
}

/**
 * Returns the parts of a receipt below its first line.
 * @param {Failure} failure
 * @param {Translate} t
 * @returns {Pick<View, "chip" | "lines" | "actions">}
 */
function receipt(failure, t) {
  const { reason, items } = failure;
  const { actions, rest } = nextSteps(failure.next, failure.request_id, t);
  const reasons = reason ? [t("receipt.reason", { reason })] : [];
  return { chip: chip(failure, t), lines: [...reasons, ...items.map(t.note), ...rest.map(t.note)], actions };
}

/** @param {Failure} failure @param {Translate} t @returns {Chip} */
function chip({ charge, cost }, t) {
  const paid = charge === "yes" && cost !== null ? "_cost" : "";
  return { text: t(`charge.${charge}${paid}`, { cost_usd: cost }), tone: charge === "no" ? "good" : charge === "yes" ? "bad" : "calm" };
}

/** @param {View} view @param {Report} report @param {Translate} t @param {string} seconds @returns {View} */
function delivered(view, report, t, seconds) {
  const told = report.kept ? [] : [report.seconds > 0 && !report.items && seconds, money(report.cost)];
  const kept = report.kept ? [t("state.kept")] : [];
  const left = report.failure && { ...receipt(report.failure, t), text: failureText(report.failure, t) };
  return {
    ...view,
    tone: "good",
    headline: t(DELIVERED[report.medium ?? ""] ?? "state.delivered", { count: report.total }),
    meta: told.filter(Boolean).join(" \u00b7 "),
    lines: [...kept, ...view.lines, ...(left ? [left.text, ...left.lines] : [])],
    actions: sorted([...(left ? left.actions : []), action("take", t)]),
  };
}

/** How far a list came, and what it cost. @param {Report} report @param {Translate} t */
function listMeta({ items, cost }, t) {
  return items ? [t("state.items", items), cost && money(cost)].filter(Boolean).join(" \u00b7 ") : "";
}

/** @param {Report} report @param {string} seconds */
function busyMeta(report, seconds) {
  if (report.items) return report.cost ? money(report.cost) : "";
  return TIMED.includes(report.stage) ? seconds : "";
}

/** @param {Report} report @param {Translate} t */
function busy(report, t) {
  if (report.items) return t("state.items", report.items);
  if (report.stage === "queued" && report.position) return t("state.queuedAt", { position: report.position });
  if (report.stage === "downloading") return t("state.downloading", { done: report.done, total: report.total });
  return t(`state.${report.stage}`);
}

/** @param {Report} report @returns {View["bar"]} */
function bar(report) {
  return typeof report.fraction === "number" ? Math.min(1, Math.max(0, report.fraction)) : "unknown";
}

/**
 * One job, whole: its files, what it was asked with, what it cost, and what can be done with it.
 *
 * @import { Entry, JobDetail } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{
 *   t: Translate, routes: Pick<Routes, "file">,
 *   back: () => void, collect: (job: Entry) => void, cancel: (job: Entry) => void, useInputs: (job: JobDetail) => void,
 *   allowRetry: (job: Entry) => void, addNode: (job: Entry) => void, copy: (text: string) => Promise<void>,
 *   forget: (job: Entry) => void, enlarge: (job: Entry, index: number) => void,
 * }} Page
 */

import { button, confirmed, element, link, requestIdElement } from "../base/elements.js";
import { receiptLines } from "../base/receipts.js";
import { makeDraggable } from "./job_row.js";
import { askedText, canBeCollected, costText, modelName, promptText, stateText, tone } from "./job_texts.js";

/** The list of all requests: an address of one of them is not documented. */
const GENERATIONS_PAGE = "https://www.runcomfy.com/generations";

/**
 * Makes the view of a job.
 * @param {Document} document
 * @param {JobDetail} job
 * @param {Page} page
 * @param {string} said what became of what a person has just done
 */
export function jobView(document, job, page, said) {
  const { t } = page;
  return element(document, "div", "job-view", [
    button(document, "link", `\u2190 ${t("jobs.back")}`, page.back),
    files(document, job, page),
    element(document, "div", "job-head", [
      element(document, "span", `job-state ${tone(job)}`, stateText(job, t)),
      element(document, "span", "job-cost", costText(job, t)),
    ]),
    ...hints(document, job, t),
    element(document, "p", "result", said, { role: "status" }),
    element(document, "div", "row", actions(document, job, page)),
    element(document, "p", "job-whole", String(job.inputs.prompt ?? promptText(job, t))),
    facts(document, job, page),
  ]);
}

/** @param {Document} document @param {JobDetail} job @param {Page} page */
function files(document, job, { t, routes, enlarge }) {
  const kept = job.files.filter((each) => each.kept);
  if (!kept.length) return element(document, "p", "dim", t("jobs.notKept"));
  return element(document, "div", "job-files", kept.map(({ index }) => file(document, job, index, routes, () => enlarge(job, index), t)));
}

/**
 * Makes the element that shows a file.
 * @param {Document} document @param {Entry} job @param {number} index @param {Pick<Routes, "file">} routes
 * @param {() => void} enlarge @param {Translate} t
 */
function file(document, job, index, routes, enlarge, t) {
  const src = routes.file(job.id, index);
  if (job.kind === "video") return element(document, "video", "job-file", [], { src, controls: "", loop: "", preload: "metadata" });
  if (job.kind === "audio") return element(document, "audio", "job-file", [], { src, controls: "", preload: "metadata" });
  const image = element(document, "img", "job-file", [], { src, alt: promptText(job, t) });
  if (job.request_id) makeDraggable(image, job.request_id);
  return button(document, "job-image", image, enlarge, { title: t("jobs.enlarge") });
}

/** @param {Document} document @param {JobDetail} job @param {Translate} t */
function hints(document, job, t) {
  const texts = [
    job.needs && !job.live && !(job.needs === "permission" && job.retry_allowed) && t(`jobs.hint.${job.needs}`),
    job.retry_allowed && t("jobs.retryAllowed"),
    job.outcome && t.note(job.outcome),
    ...(job.failure && !job.collecting ? receiptLines(job.failure, t) : []),
  ];
  return texts.filter((text) => typeof text === "string" && text).map((text) => element(document, "p", "small", String(text)));
}

/** @param {Document} document @param {JobDetail} job @param {Page} page */
function actions(document, job, page) {
  const { t } = page;
  const made = [];
  if (canBeCollected(job)) made.push(button(document, "button primary", t("jobs.collect"), () => page.collect(job)));
  if (job.state === "submitted") made.push(button(document, "button", t("jobs.cancel"), () => page.cancel(job)));
  if (job.needs === "permission" && !job.retry_allowed) {
    made.push(confirmed(document, t("jobs.allowRetry"), t("jobs.allowRetrySure"), () => page.allowRetry(job)));
  }
  if (job.node_id && Object.keys(job.inputs).length) made.push(button(document, "button", t("jobs.useInputs"), () => page.useInputs(job)));
  if (job.request_id) {
    made.push(button(document, "button", t("jobs.addNode"), () => page.addNode(job), { title: t("jobs.dragHint") }));
    made.push(button(document, "button", t("state.copy"), () => void page.copy(job.request_id)));
  }
  made.push(link(document, "button", t("action.open"), GENERATIONS_PAGE, { title: t("action.open.title") }));
  if (!job.live && !job.collecting) {
    const forget = confirmed(document, t("jobs.forget"), t("jobs.forgetSure"), () => page.forget(job));
    forget.title = t("jobs.forgetHint");
    made.push(forget);
  }
  return made;
}

/** @param {Document} document @param {JobDetail} job @param {Page} page */
function facts(document, job, { t }) {
  const when = new Date(job.created_at * 1000).toLocaleString(t.locale);
  const inputs = Object.entries(job.inputs).filter(([name]) => name !== "prompt");
  /** @type {[string, string | Node][]} */
  const rows = [
    [t("jobs.label.model"), modelName(job)],
    [t("jobs.label.asked"), askedText(job, t)],
    [t("jobs.label.made"), when],
    [t("jobs.label.took"), job.duration === null ? "" : t("state.seconds", { seconds: Math.round(job.duration) })],
    [t("state.request"), job.request_id && requestIdElement(document, job.request_id)],
    ...inputs.map(([name, value]) => /** @type {[string, string]} */ ([name, String(value)])),
    ...job.media.map(({ socket, sha256 }) => /** @type {[string, string]} */ ([socket, sha256.slice(0, 12)])),
  ];
  const shown = rows.filter(([, value]) => value !== "");
  const cells = shown.flatMap(([name, value]) => [element(document, "dt", "", name), element(document, "dd", "", value)]);
  return element(document, "dl", "findings", cells);
}

/**
 * A job as a row of the list: its image, the beginning of its prompt, and what it was and cost.
 *
 * @import { Entry } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{ t: Translate, routes: Pick<Routes, "thumbnail">, now: () => number, open: (job: Entry) => void }} Page
 *   `now` in seconds since the epoch
 */

import { element } from "../base/elements.js";
import { age, money } from "../base/format.js";
import { askedText, modelName, promptText, stateText, tone } from "./job_texts.js";

export const ROW_HEIGHT = 84;
/** What a row that is dragged to the canvas carries: the request id. */
export const DRAGGED = "application/x-runcomfy-request";

/**
 * Makes the row of a job.
 * @param {Document} document
 * @param {Entry} job
 * @param {Page} page
 */
export function jobRow(document, job, page) {
  const { t } = page;
  const row = element(document, "div", "job", [thumbnail(document, job, page), texts(document, job, page)], {
    role: "listitem",
    tabindex: "0",
    "aria-label": `${promptText(job, t)}, ${stateText(job, t)}`,
  });
  row.addEventListener("click", () => page.open(job));
  row.addEventListener("keydown", (event) => {
    if (event.key === "Enter") page.open(job);
  });
  if (job.request_id) makeDraggable(row, job.request_id);
  return row;
}

/** @param {HTMLElement} row @param {string} requestId */
export function makeDraggable(row, requestId) {
  row.draggable = true;
  row.addEventListener("dragstart", (event) => {
    event.dataTransfer?.clearData();
    event.dataTransfer?.setData(DRAGGED, requestId);
  });
}

/** @param {Document} document @param {Entry} job @param {Page} page */
function thumbnail(document, job, { routes }) {
  const kept = job.files.find((file) => file.kept);
  if (!kept || job.kind === "audio") return element(document, "span", `thumb ${job.kind}`);
  return element(document, "img", "thumb", [], {
    src: routes.thumbnail(job.id, kept.index),
    alt: "",
    decoding: "async",
    draggable: "false",
  });
}

/** @param {Document} document @param {Entry} job @param {Page} page */
function texts(document, job, { t, now }) {
  const state = element(document, "span", `job-state ${tone(job)}`, stateText(job, t));
  const ago = element(document, "span", "job-age", age(Math.max(0, now() - job.created_at), t.locale));
  return element(document, "div", "job-texts", [
    element(document, "div", "job-prompt", promptText(job, t)),
    element(document, "div", "job-line", [askedText(job, t), modelName(job)].filter(Boolean).join(" \u00b7 ")),
    element(document, "div", "job-foot", [state, ago, element(document, "span", "job-cost", money(job.cost))]),
  ]);
}

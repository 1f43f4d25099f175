/**
 * The recent jobs of a node's model, to be collected without a new charge.
 *
 * @import { Job } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 */

import { openDialog } from "../base/dialog.js";
import { button, element, requestIdElement } from "../base/elements.js";
import { age, money } from "../base/format.js";
import { errorText } from "../base/routes.js";

/**
 * Opens the list of a node's jobs.
 * @param {Document} document
 * @param {{ t: Translate, routes: Pick<Routes, "jobs">, collect: (requestId: string) => void }} page
 * @param {string} nodeType
 */
export async function openJobs(document, { t, routes, collect }, nodeType) {
  const list = element(document, "div", "jobs", element(document, "p", "dim", t("jobs.loading")));
  const content = element(document, "div", "", [element(document, "p", "small", t("jobs.hint")), list]);
  const dialog = openDialog(document, { name: "jobs-dialog", title: t("jobs.title"), close: t("dialog.close"), content });
  /** @param {string} requestId */
  const choose = (requestId) => {
    collect(requestId);
    dialog.close();
  };
  try {
    const jobs = await routes.jobs(nodeType);
    list.replaceChildren(
      ...(jobs.length
        ? jobs.map((job) => jobRow(document, t, job, choose))
        : [element(document, "p", "dim", t("jobs.none"))]),
    );
  } catch (error) {
    list.replaceChildren(element(document, "p", "bad", errorText(error, t)));
  }
}

/** @param {Document} document @param {Translate} t @param {Job} job @param {(requestId: string) => void} choose */
function jobRow(document, t, job, choose) {
  const state = t.has(`jobs.state.${job.state}`) ? t(`jobs.state.${job.state}`) : job.state;
  const images = job.images || job.count;
  const facts = [images && t("jobs.images", { count: images }), job.size, money(job.cost_usd)].filter(Boolean);
  const take = button(document, "button", t("jobs.collect"), () => choose(job.request_id));
  take.disabled = !job.collectable;
  return element(document, "div", "job", [
    element(document, "span", `job-state ${job.state}`, state, job.outcome ? { title: t.note(job.outcome) } : {}),
    element(document, "span", "job-age", age(job.age_seconds, t.locale)),
    element(document, "span", "job-facts", facts.join(" \u00b7 ")),
    requestIdElement(document, job.request_id),
    take,
  ]);
}

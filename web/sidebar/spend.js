/**
 * What was spent: today, this month, by day, on which model, by whom and for which project.
 *
 * @import { Share, Spend } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 */

import { element } from "../base/elements.js";
import { money } from "../base/format.js";
import { modelName } from "./job_texts.js";

/** @type {(keyof Spend["shares"])[]} */
const SHARES = ["user", "project", "host"];

/**
 * Makes the chart of what was spent.
 * @param {Document} document
 * @param {Translate} t
 * @param {Spend} spend
 * @param {string} exportAddress
 * @param {HTMLElement} project where the workflow's own project is named
 */
export function spendView(document, t, { today, month, days, models, shares }, exportAddress, project) {
  const most = Math.max(...days.map(({ usd }) => usd), 0);
  const bars = days.map(({ day, usd, jobs }) => {
    const title = [day, money(usd), t("spend.jobs", { count: jobs })].join(" \u00b7 ");
    const bar = element(document, "span", "spend-bar", "", { title });
    bar.style.height = `${most ? Math.max(usd ? 4 : 1, (usd / most) * 100) : 1}%`;
    return bar;
  });
  const chart = element(document, "div", "spend-chart", bars, { role: "img", "aria-label": t("spend.chart") });
  const sums = element(document, "div", "spend-sums", [
    sum(document, t("spend.today"), today),
    sum(document, t("spend.month"), month),
  ]);
  const link = element(document, "a", "link", t("spend.export"), { href: exportAddress, download: "runcomfy-jobs.csv" });
  const named = models.map((each) => ({ ...each, name: modelName(each) }));
  const groups = SHARES.flatMap((by) => {
    const found = shares[by];
    return found ? [element(document, "h4", "spend-by", t(`spend.by.${by}`)), list(document, t, found)] : [];
  });
  const made = element(document, "details", "spend", [
    element(document, "summary", "", sums),
    chart,
    list(document, t, named),
    ...groups,
    project,
    link,
  ]);
  return made;
}

/**
 * Makes the field of the open workflow's project.
 * @param {Document} document
 * @param {Translate} t
 * @param {{ project: string }} canvas
 */
export function projectField(document, t, canvas) {
  const field = element(document, "input", "input", [], { type: "text", maxlength: "200", placeholder: t("spend.unnamed") });
  field.value = canvas.project;
  // Another workflow may be open by now.
  field.addEventListener("focus", () => {
    field.value = canvas.project;
  });
  field.addEventListener("change", () => {
    canvas.project = field.value.trim();
  });
  return element(document, "label", "spend-project", [element(document, "span", "dim", t("spend.project")), field]);
}

/** @param {Document} document @param {Translate} t @param {Share[]} shares */
function list(document, t, shares) {
  const rows = shares.flatMap(({ name, usd, jobs }) => [
    element(document, "dt", "", name || t("spend.unnamed")),
    element(document, "dd", "", money(usd), { title: t("spend.jobs", { count: jobs }) }),
  ]);
  return element(document, "dl", "spend-shares", rows);
}

/** @param {Document} document @param {string} label @param {number} usd */
function sum(document, label, usd) {
  return element(document, "span", "spend-sum", [element(document, "span", "dim", label), ` ${money(usd)}`]);
}

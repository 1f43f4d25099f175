/**
 * What was spent: today, this month, by day and by model.
 *
 * @import { Spend } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 */

import { element } from "../base/elements.js";
import { money } from "../base/format.js";
import { modelName } from "./job_texts.js";

/**
 * Makes the chart of what was spent.
 * @param {Document} document
 * @param {Translate} t
 * @param {Spend} spend
 * @param {string} exportAddress
 */
export function spendView(document, t, { today, month, days, models }, exportAddress) {
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
  const rows = models.flatMap((each) => [
    element(document, "dt", "", modelName(each)),
    element(document, "dd", "", money(each.usd)),
  ]);
  const made = element(document, "details", "spend", [
    element(document, "summary", "", sums),
    chart,
    element(document, "dl", "spend-models", rows),
    link,
  ]);
  return made;
}

/** @param {Document} document @param {string} label @param {number} usd */
function sum(document, label, usd) {
  return element(document, "span", "spend-sum", [element(document, "span", "dim", label), ` ${money(usd)}`]);
}

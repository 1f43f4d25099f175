/**
 * What a run costs at least, in words. Pure.
 *
 * @import { Price } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 */

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

/**
 * What a run costs at least, in words. Pure.
 *
 * @import { Translate } from "../base/messages.js"
 */

/**
 * @param {number | null | undefined} usd the base price of one image; nothing is shown where it is not known
 * @param {unknown} images how many are asked for; undefined where a link decides it
 * @param {Translate} t
 */
export function priceText(usd, images, t) {
  if (typeof usd !== "number" || !Number.isFinite(usd) || usd <= 0) return "";
  if (typeof images !== "number") return t("price.each", { usd });
  return t("price.images", { count: images, usd: usd * images });
}

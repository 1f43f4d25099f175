/**
 * What a person reads of a failure. The same parts, in the same order, as `Failure.receipt` of `nodes/core/errors.py`.
 *
 * @import { Failure } from "../../types/answers.js"
 * @import { Translate } from "./messages.js"
 */

/** Returns what happened, in one sentence. @param {Failure} failure @param {Translate} t */
export function failureText({ kind, params }, t) {
  return t(`failure.${kind}`, params);
}

/** Returns what to do next. @param {Failure} failure @param {Translate} t */
export function nextText({ next }, t) {
  return next.map(t.note).join(" ");
}

/** Returns the receipt by line, without the request's id. @param {Failure} failure @param {Translate} t */
export function receiptLines(failure, t) {
  const { reason, charge, cost } = failure;
  const paid = charge === "yes" && cost !== null ? "_cost" : "";
  return [
    failureText(failure, t),
    reason && t("receipt.reason", { reason }),
    t(`receipt.${charge}${paid}`, { cost_usd: cost }),
    failure.next.length && t("receipt.next", { steps: nextText(failure, t) }),
  ].filter((line) => typeof line === "string");
}

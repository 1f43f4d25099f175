/**
 * What a person reads of a failure.
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

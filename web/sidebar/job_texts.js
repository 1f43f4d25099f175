/**
 * A job of the record in words. Pure.
 *
 * @import { Entry } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 */

import { money } from "../base/format.js";

/** What became of a job, in a word or two. @param {Pick<Entry, "state" | "needs" | "live" | "collecting">} job @param {Translate} t */
export function stateText({ state, needs, live, collecting }, t) {
  if (collecting) return t("jobs.collecting");
  if (needs && !live) return t(`jobs.need.${needs}`);
  return t.has(`jobs.state.${state}`) ? t(`jobs.state.${state}`) : state;
}

/** The colour of a job's state. @param {Pick<Entry, "state" | "needs" | "live" | "collecting">} job */
export function tone({ state, needs, live, collecting }) {
  if (live || collecting) return "busy";
  if (needs) return "wants";
  return state === "delivered" ? "good" : "calm";
}

/** Whether there are files to fetch: the job is to be collected, or a copy of it is gone. @param {Entry} job */
export function canBeCollected({ needs, state, files, collecting }) {
  return !collecting && (needs === "collect" || (state === "delivered" && files.some((file) => !file.kept)));
}

/** What a job cost: an amount, that it cost nothing, or that it is not known. @param {Entry} job @param {Translate} t */
export function costText({ cost, charge }, t) {
  if (charge === "none") return t("jobs.notCharged");
  return money(cost) || (charge === "unknown" ? t("jobs.costUnknown") : "");
}

/** A job's seed, size and count, as far as they are known. @param {Entry} job @param {Translate} t */
export function askedText({ seed, size, count }, t) {
  const several = count !== null && count > 1 ? `\u00d7${count}` : "";
  return [seed !== null && t("jobs.seed", { seed }), size, several].filter(Boolean).join(" \u00b7 ");
}

/** A model's name, without the pack's: all here are the pack's. @param {{ model: string }} of */
export function modelName({ model }) {
  return model.replace(/ \(RunComfy\)$/, "");
}

/** The prompt's beginning, or what stands for it. @param {Entry} job @param {Translate} t */
export function promptText({ prompt }, t) {
  return prompt || t("jobs.noPrompt");
}

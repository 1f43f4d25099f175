/**
 * What has become of the models that are here since they were added: a line for each that has changed, vanished or been
 * superseded, for each file that is left out, and for each model whose inputs are sent as they are.
 *
 * @import { CheckedModel } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Found, Models } from "./models.js"
 *
 * @typedef {{ t: Translate, models: Pick<Models, "check" | "update" | "sendAsItIs"> }} Page
 */

import { button, element } from "../base/elements.js";
import { failureText } from "../base/receipts.js";
import { errorText } from "../base/routes.js";
import { modelName } from "../sidebar/job_texts.js";

/**
 * Makes the lines; they come when the server has answered.
 * @param {Document} document
 * @param {Page} page
 */
export function changedModels(document, page) {
  const { t, models } = page;
  const lines = element(document, "div", "changed-lines");
  const state = element(document, "span", "small", "", { role: "status" });
  const again = button(document, "icon", "\u21bb", () => look(true), { title: t("models.refresh"), "aria-label": t("models.refresh") });
  const look = async (/** @type {boolean} */ refresh) => {
    again.disabled = true;
    state.textContent = t("jobs.loading");
    try {
      const found = await models.check(refresh);
      lines.replaceChildren(...rows(document, found, page, () => look(false)));
      state.textContent = stateText(found, t);
      // Who has no token yet is asked for one by this panel, and for nothing else.
      root.hidden = found.failure?.kind === "token_missing" && !lines.childElementCount;
    } catch (error) {
      root.hidden = false;
      state.textContent = errorText(error, t);
    } finally {
      again.disabled = false;
    }
  };
  const title = element(document, "div", "row", [element(document, "span", "note", t("check.title")), again]);
  const root = element(document, "div", "changed-models", [title, state, lines]);
  root.hidden = true;
  look(false);
  return root;
}

/** @param {Found} found @param {Translate} t */
function stateText({ changed, readAt, failure }, t) {
  const none = changed.length || readAt === null ? "" : t("check.none");
  const when = readAt === null ? "" : t("models.readAt", { when: new Date(readAt * 1000).toLocaleString(t.locale) });
  return [none, when, failure && failureText(failure, t)].filter(Boolean).join(" \u00b7 ");
}

/** @param {Document} document @param {Found} found @param {Page} page @param {() => Promise<void>} again */
function rows(document, { changed, leftOut, asItIs }, page, again) {
  const { t, models } = page;
  const line = (/** @type {(Node | string)[]} */ content) => element(document, "div", "changed-model", content);
  return [
    ...changed.map((model) => row(document, model, page)),
    ...leftOut.map((failure) => line([failureText(failure, t)])),
    ...asItIs.map(({ model_id, name }) => line([
      t("check.as_it_is", { name: modelName({ model: name }) }),
      button(document, "button", t("check.again"), () => models.sendAsItIs(model_id, false).then(again)),
    ])),
  ];
}

/** @param {Document} document @param {CheckedModel} model @param {Page} page */
function row(document, model, { t, models }) {
  const { state, by, changes } = model;
  const name = modelName({ model: model.name });
  const made = element(document, "div", "changed-model", [
    element(document, "span", "", t(`check.${state}`, { name, by })),
    element(document, "span", "small", changes.map(t.note).join(" ")),
  ]);
  if (state !== "changed") return made;
  const update = button(document, "button", t("action.update"), async () => {
    update.disabled = true;
    try {
      await models.update(model.model_id);
      made.replaceChildren(t("models.updated", { name }));
    } catch (error) {
      update.disabled = false;
      made.append(element(document, "span", "bad", errorText(error, t)));
    }
  });
  made.append(update);
  return made;
}

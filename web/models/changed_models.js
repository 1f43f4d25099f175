/**
 * A line for each model that is here and has changed, vanished or been superseded since; nothing where none has.
 *
 * @import { CheckedModel } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Models } from "./models.js"
 *
 * @typedef {{ t: Translate, models: Pick<Models, "check" | "update"> }} Page
 */

import { button, element } from "../base/elements.js";
import { errorText } from "../base/routes.js";
import { modelName } from "../sidebar/job_texts.js";

/**
 * Makes the lines; they come when the server has answered.
 * @param {Document} document
 * @param {Page} page
 */
export function changedModels(document, page) {
  const root = element(document, "div", "changed-models");
  root.hidden = true;
  page.models.check().then((found) => show(document, root, found, page), () => {
    // Without an answer there is nothing to tell.
  });
  return root;
}

/** @param {Document} document @param {HTMLElement} root @param {CheckedModel[]} found @param {Page} page */
function show(document, root, found, page) {
  root.hidden = !found.length;
  const title = element(document, "p", "note", page.t("check.title"));
  root.replaceChildren(title, ...found.map((model) => row(document, model, page)));
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

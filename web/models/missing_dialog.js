/**
 * What a person sees of a workflow whose models are not added here: their names and prices, and a button that adds them.
 *
 * @import { NamedModel } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 *
 * @typedef {Partial<NamedModel> & { model_id: string, node_id: string }} Missing only its ids, where nothing more is known
 * @typedef {{ t: Translate, add: (models: string[]) => Promise<string>, close: () => void }} Page `add` returns what is said
 */

import { button, element } from "../base/elements.js";
import { failureText } from "../base/receipts.js";
import { errorText } from "../base/routes.js";
import { basePrice } from "./model_row.js";

/**
 * Makes the dialog's content.
 * @param {Document} document
 * @param {Missing[]} models
 * @param {string} why they cannot be named now; '' otherwise
 * @param {Page} page
 */
export function missingView(document, models, why, page) {
  const { t } = page;
  const can = models.filter(({ refused, name }) => !refused && name);
  const said = element(document, "p", "result", why, { role: "status" });
  const later = button(document, "button", t("missing.later"), page.close);
  const add = button(document, "button primary", t("models.add", { count: can.length }), async () => {
    add.disabled = true;
    said.textContent = t("models.adding");
    try {
      said.textContent = await page.add(can.map(({ model_id }) => model_id));
      later.textContent = t("dialog.close");
      later.focus();
    } catch (error) {
      said.textContent = errorText(error, t);
      add.disabled = false;
    }
  });
  return element(document, "div", "missing", [
    element(document, "p", "", t("missing.text", { count: models.length })),
    element(document, "ul", "missing-models", models.map((model) => row(document, model, t))),
    element(document, "p", "small", t("missing.kept")),
    said,
    element(document, "div", "row", can.length ? [add, later] : later),
  ]);
}

/** @param {Document} document @param {Missing} model @param {Translate} t */
function row(document, { model_id, node_id, name, refused, price = null, unit = "" }, t) {
  const made = [element(document, "span", "model-name", name || model_id || node_id)];
  if (name && name !== model_id) made.push(element(document, "span", "small", model_id));
  if (refused) made.push(element(document, "span", "small", failureText(refused, t)));
  else made.push(element(document, "span", "model-price", basePrice({ price, unit }, t)));
  return element(document, "li", "missing-model", made);
}

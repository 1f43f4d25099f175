/**
 * A model of the catalogue as a row: its name, what goes in and comes out, its price, and whether it is here.
 *
 * @import { CatalogueModel } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 *
 * @typedef {{
 *   t: Translate, choose: (model: CatalogueModel) => void, place: (model: CatalogueModel) => void,
 *   remove: (model: CatalogueModel) => void, update: (model: CatalogueModel) => void,
 * }} Page
 */

import { button, confirmed, element } from "../base/elements.js";
import { failureText } from "../base/receipts.js";
import { priceText } from "../node/price.js";
import { modelName } from "../sidebar/job_texts.js";

export const ROW_HEIGHT = 76;
/** What stands for itself among what goes in; numbers and choices do not. */
const TOLD = ["text", "image", "mask", "video", "audio"];

/** What goes in and what comes out, in words. @param {Pick<CatalogueModel, "takes" | "gives">} model @param {Translate} t */
export function flowText({ takes, gives }, t) {
  const kinds = [...new Set(takes.map(({ kind }) => kind))].filter((kind) => TOLD.includes(kind));
  const [into, out] = [kinds, [gives].filter(Boolean)].map((each) => each.map((kind) => t(`models.in.${kind}`)).join(", "));
  return [into, out].filter(Boolean).join(" \u2192 ");
}

/** The base price, or ''. @param {{ price: number | null, unit: string }} model @param {Translate} t */
export function basePrice({ price, unit }, t) {
  return priceText({ usd: price, unit }, { count: 1, seconds: undefined }, t);
}

/**
 * Makes the row of a model.
 * @param {Document} document
 * @param {CatalogueModel} model
 * @param {boolean} chosen
 * @param {Page} page
 */
export function modelRow(document, model, chosen, page) {
  const { t } = page;
  const box = element(document, "input", "model-box", [], { type: "checkbox", "aria-label": modelName({ model: model.name }), "data-model": model.model_id });
  box.checked = chosen || Boolean(model.here);
  box.disabled = Boolean(model.here || model.refused);
  box.addEventListener("change", () => page.choose(model));
  const label = element(document, "label", "model-label", [
    box,
    element(document, "span", "model-texts", [
      element(document, "span", "model-name", modelName({ model: model.name })),
      element(document, "span", "model-line", [model.maker, taskText(model), flowText(model, t)].filter(Boolean).join(" \u00b7 ")),
    ]),
  ]);
  const classes = `model${model.here ? " here" : ""}${model.refused ? " refused" : ""}`;
  return element(document, "div", classes, [label, element(document, "span", "model-side", side(document, model, page))], {
    role: "listitem",
    title: model.refused ? failureText(model.refused, t) : model.model_id,
  });
}

/** What a model is for, as the catalogue calls it. @param {Pick<CatalogueModel, "task">} model */
export function taskText({ task }) {
  return task.replaceAll("-", " ");
}

/** @param {Document} document @param {CatalogueModel} model @param {Page} page */
function side(document, model, page) {
  const { t } = page;
  const price = element(document, "span", "model-price", basePrice(model, t));
  if (model.refused) return [price, element(document, "span", "small", t("models.refused"))];
  if (!model.here) return [price];
  const made = [price, button(document, "link", t("models.place"), () => page.place(model))];
  if (model.changed) made.push(button(document, "link", t("action.update"), () => page.update(model)));
  if (model.here === "pack") return [...made, element(document, "span", "small", t("models.pack"))];
  const remove = confirmed(document, t("models.remove"), t("models.removeSure"), () => page.remove(model));
  remove.className = "runcomfy-link";
  return [...made, remove];
}

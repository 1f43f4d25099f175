/**
 * The fields that say which jobs are shown.
 *
 * @import { JobPage } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Filters } from "./job_record.js"
 */

import { button, element } from "../base/elements.js";
import { modelName } from "./job_texts.js";
import { NO_FILTERS } from "./job_record.js";

const TYPING_MILLISECONDS = 250;
const STATES = ["delivered", "submitted", "failed", "cancelled", "expired", "unknown", "refused"];

export class FilterBar {
  #document;
  #t;
  #changed;
  #fields;
  #clear;
  #typing = 0;

  /**
   * @param {Document} document
   * @param {Translate} t
   * @param {(filters: Partial<Filters>) => void} changed
   */
  constructor(document, t, changed) {
    this.#document = document;
    this.#t = t;
    this.#changed = changed;
    this.#fields = {
      search: this.#field("search", { type: "search", placeholder: t("jobs.search"), "aria-label": t("jobs.search") }),
      model: this.#choice("model", t("jobs.allModels")),
      state: this.#choice("state", t("jobs.allStates")),
      day: this.#field("day", { type: "date", title: t("jobs.day"), "aria-label": t("jobs.day") }),
    };
    this.#clear = button(document, "link", t("jobs.clear"), () => changed(NO_FILTERS));
    this.#options(this.#fields.state, t("jobs.allStates"), STATES.map((state) => [state, t(`jobs.state.${state}`)]));
    const { search, ...rest } = this.#fields;
    this.root = element(document, "div", "filters", [search, ...Object.values(rest), this.#clear]);
  }

  /** Shows which filters hold. @param {Filters} filters @param {JobPage["models"]} models @param {boolean} filtered */
  show(filters, models, filtered) {
    const known = models.map((each) => /** @type {[string, string]} */ ([each.model_id, modelName(each)]));
    this.#options(this.#fields.model, this.#t("jobs.allModels"), known);
    for (const [name, field] of Object.entries(this.#fields)) {
      const value = String(filters[/** @type {keyof Filters} */ (name)]);
      if (field.value !== value && !this.#typing) field.value = value;
    }
    this.#clear.hidden = !filtered;
  }

  /** @param {"search" | "day"} name @param {Record<string, string>} attributes */
  #field(name, attributes) {
    const field = element(this.#document, "input", `input ${name}`, [], attributes);
    field.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => {
        this.#typing = 0;
        this.#changed({ [name]: field.value });
      }, TYPING_MILLISECONDS);
    });
    return field;
  }

  /** @param {"model" | "state"} name @param {string} label */
  #choice(name, label) {
    const choice = element(this.#document, "select", "input", [], { "aria-label": label });
    choice.addEventListener("change", () => this.#changed({ [name]: choice.value }));
    return choice;
  }

  /** @param {HTMLSelectElement} choice @param {string} all @param {[string, string][]} options */
  #options(choice, all, options) {
    const drawn = JSON.stringify(options);
    if (choice.dataset.drawn === drawn) return;
    const before = choice.value;
    const made = [["", all], ...options].map(([value, text]) => element(this.#document, "option", "", text, { value }));
    choice.replaceChildren(...made);
    choice.value = before;
    choice.dataset.drawn = drawn;
  }
}

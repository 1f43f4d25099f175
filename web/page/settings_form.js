/**
 * The settings of the pack: what it may spend and keep. Each is stored as soon as it is changed.
 *
 * @import { Setting, Settings } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{ t: Translate, routes: Pick<Routes, "settings" | "storeSettings" | "forgetInputs"> }} Page
 * @typedef {keyof Settings} Name
 */

import { confirmed, element } from "../base/elements.js";
import { errorText } from "../base/routes.js";

/** What an empty field stands for. @type {Partial<Record<Name, string>>} */
const EMPTY = { daily_budget_usd: "settings.noLimit", max_cost_usd: "settings.refused" };
/** @type {Name[]} */
const ORDER = ["daily_budget_usd", "max_cost_usd", "keep_mb", "keep_inputs"];

export class SettingsForm {
  #document;
  #page;
  #rows;
  #said;

  /**
   * @param {Document} document
   * @param {Page} page
   */
  constructor(document, page) {
    const { t, routes } = page;
    this.#document = document;
    this.#page = page;
    this.#rows = element(document, "div", "settings-rows");
    this.#said = element(document, "p", "result", "", { role: "status" });
    const forget = confirmed(document, t("settings.forgetInputs"), t("settings.forgetInputsSure"), () =>
      this.#run(async () => {
        await routes.forgetInputs();
        this.#tell(t("settings.inputsForgotten"));
      }),
    );
    this.root = element(document, "div", "settings", [this.#rows, element(document, "div", "row", forget), this.#said]);
    this.#run(async () => this.#draw(await routes.settings()));
  }

  /** @param {Settings} settings */
  #draw(settings) {
    this.#rows.replaceChildren(...ORDER.map((name) => this.#row(name, settings[name])));
  }

  /** @param {Name} name @param {Setting} setting */
  #row(name, setting) {
    const document = this.#document;
    const { t } = this.#page;
    const field = typeof setting.value === "boolean" ? this.#switch(name, setting.value) : this.#number(name, setting.value);
    field.disabled = setting.source === "environment";
    const hint = field.disabled ? [element(document, "span", "small", t("settings.environment"))] : [];
    return element(document, "label", "setting", [element(document, "span", "", t(`settings.${name}`)), field, ...hint]);
  }

  /** @param {Name} name @param {boolean} value */
  #switch(name, value) {
    const field = element(this.#document, "input", "switch", [], { type: "checkbox" });
    field.checked = value;
    field.addEventListener("change", () => this.#store(name, field.checked));
    return field;
  }

  /** @param {Name} name @param {number | null} value */
  #number(name, value) {
    const empty = EMPTY[name];
    const attributes = { type: "number", min: "0", step: "any", placeholder: empty ? this.#page.t(empty) : "" };
    const field = element(this.#document, "input", "input", [], attributes);
    field.value = value === null ? "" : String(value);
    field.addEventListener("change", () => this.#store(name, field.value === "" ? null : Number(field.value)));
    return field;
  }

  /** @param {Name} name @param {number | boolean | null} value */
  #store(name, value) {
    this.#run(async () => {
      this.#draw(await this.#page.routes.storeSettings({ [name]: value }));
      this.#tell(this.#page.t("settings.saved"));
    });
  }

  /** @param {() => Promise<void>} action */
  async #run(action) {
    try {
      await action();
    } catch (error) {
      this.#tell(errorText(error, this.#page.t), "bad");
    }
  }

  /** @param {string} text @param {string} tone */
  #tell(text, tone = "dim") {
    this.#said.replaceChildren(element(this.#document, "span", tone, text));
  }
}

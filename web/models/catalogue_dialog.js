/**
 * What the dialog "Add models" shows: fields that filter, the models, and a button that adds those that were chosen.
 *
 * @import { CatalogueModel } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 * @import { Filters } from "./catalogue.js"
 * @import { Models } from "./models.js"
 *
 * @typedef {{
 *   t: Translate, routes: Pick<Routes, "searchModels">, place: (model: CatalogueModel) => void,
 *   models: Pick<Models, "add" | "remove" | "update">,
 * }} Page
 */

import { button, element } from "../base/elements.js";
import { failureText } from "../base/receipts.js";
import { errorText } from "../base/routes.js";
import { modelName } from "../sidebar/job_texts.js";
import { VirtualList } from "../sidebar/virtual_list.js";
import { Catalogue } from "./catalogue.js";
import { modelRow, ROW_HEIGHT, taskText } from "./model_row.js";

const TYPING_MILLISECONDS = 250;
/** @type {Record<string, number>} */
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class CatalogueView {
  #document;
  #page;
  #catalogue;
  #fields;
  #list;
  #state;
  #add;
  #said;
  #typing = 0;
  #busy = false;

  /**
   * @param {Document} document
   * @param {Page} page
   */
  constructor(document, page) {
    const { t, routes } = page;
    this.#document = document;
    this.#page = page;
    this.#catalogue = new Catalogue(routes, () => this.#draw());
    this.#fields = { task: this.#choice("task"), kind: this.#choice("kind"), maker: this.#choice("maker") };
    this.#list = new VirtualList(document, () => this.#try(() => this.#catalogue.loadMore()));
    this.#list.root.addEventListener("keydown", (event) => this.#step(event));
    this.#state = element(document, "p", "small", t("jobs.loading"), { role: "status" });
    this.#said = element(document, "p", "result", "", { role: "status" });
    this.#add = button(document, "button primary", "", () => this.#try(() => this.#addChosen()));
    const again = button(document, "icon", "\u21bb", () => this.#try(() => this.#catalogue.read(true)), {
      title: t("models.refresh"),
      "aria-label": t("models.refresh"),
    });
    this.root = element(document, "div", "catalogue", [
      element(document, "div", "filters", [this.#search(), ...Object.values(this.#fields)]),
      element(document, "div", "row", [this.#state, again]),
      this.#list.root,
      this.#said,
      element(document, "div", "row", this.#add),
    ]);
    this.#draw();
    this.#try(() => this.#catalogue.read());
  }

  #search() {
    const label = this.#page.t("models.search");
    const field = element(this.#document, "input", "input search", [], { type: "search", placeholder: label, "aria-label": label, autofocus: "" });
    field.addEventListener("input", () => {
      clearTimeout(this.#typing);
      this.#typing = setTimeout(() => this.#filter({ search: field.value }), TYPING_MILLISECONDS);
    });
    return field;
  }

  /** @param {"task" | "kind" | "maker"} name */
  #choice(name) {
    const choice = element(this.#document, "select", "input", [], { "aria-label": this.#page.t(`models.all.${name}`) });
    choice.addEventListener("change", () => this.#filter({ [name]: choice.value }));
    return choice;
  }

  /** @param {Partial<Filters>} filters */
  #filter(filters) {
    this.#list.root.scrollTop = 0;
    this.#try(() => this.#catalogue.filter(filters));
  }

  #draw() {
    const { t } = this.#page;
    const { told, models, chosen } = this.#catalogue;
    this.#add.textContent = chosen.size ? t("models.add", { count: chosen.size }) : t("models.title");
    this.#add.title = [...chosen.values()].join(", ");
    this.#add.disabled = !chosen.size || this.#busy;
    if (!told) return;
    this.#options("task", told.tasks, (task) => taskText({ task }));
    this.#options("kind", told.kinds, (kind) => t(`models.in.${kind}`));
    this.#options("maker", told.makers, (maker) => maker);
    this.#state.textContent = stateText(told, t);
    this.#list.show(models.map((model) => this.#item(model)));
  }

  /** @param {"task" | "kind" | "maker"} name @param {string[]} values @param {(value: string) => string} textOf */
  #options(name, values, textOf) {
    const choice = this.#fields[name];
    const drawn = values.join();
    if (choice.dataset.drawn === drawn) return;
    const all = element(this.#document, "option", "", this.#page.t(`models.all.${name}`), { value: "" });
    choice.replaceChildren(all, ...values.map((value) => element(this.#document, "option", "", textOf(value), { value })));
    choice.value = this.#catalogue.filters[name];
    choice.dataset.drawn = drawn;
  }

  /** @param {CatalogueModel} model */
  #item(model) {
    const chosen = this.#catalogue.chosen.has(model.model_id);
    const { t, place } = this.#page;
    const actions = {
      t,
      place,
      choose: (/** @type {CatalogueModel} */ one) => this.#choose(one),
      remove: (/** @type {CatalogueModel} */ one) => this.#try(() => this.#remove(one)),
      update: (/** @type {CatalogueModel} */ one) => this.#try(() => this.#update(one)),
    };
    return {
      key: model.model_id,
      height: ROW_HEIGHT,
      value: JSON.stringify([model, chosen]),
      make: () => modelRow(this.#document, model, chosen, actions),
    };
  }

  /** The row is drawn anew: who chose it with the keyboard stays there. @param {CatalogueModel} model */
  #choose(model) {
    this.#catalogue.choose(model);
    this.#box(model.model_id)?.focus();
  }

  /** Goes from a model to the one above or below it. @param {KeyboardEvent} event */
  #step(event) {
    const { models } = this.#catalogue;
    const step = STEPS[event.key];
    const at = models.findIndex(({ model_id }) => model_id === /** @type {HTMLElement} */ (event.target).dataset.model);
    if (!step || at < 0) return;
    event.preventDefault();
    const places = step > 0 ? models.slice(at + 1) : models.slice(0, at).reverse();
    const next = places.find(({ here, refused }) => !here && !refused);
    if (!next) return;
    this.#list.reveal(next.model_id);
    this.#box(next.model_id)?.focus();
  }

  /** @param {string} modelId @returns {HTMLElement | undefined} */
  #box(modelId) {
    /** @type {NodeListOf<HTMLElement>} */
    const boxes = this.#list.root.querySelectorAll("[data-model]");
    return [...boxes].find((box) => box.dataset.model === modelId);
  }

  async #addChosen() {
    const { t, models } = this.#page;
    this.#busy = true;
    this.#said.textContent = t("models.adding");
    // The button goes out of use: its keys would go to the page behind the dialog.
    this.#list.root.focus();
    this.#draw();
    try {
      const { added, refused } = await models.add([...this.#catalogue.chosen.keys()]);
      this.#catalogue.mark(added.map(({ model_id }) => model_id), "added");
      const told = added.length ? [t("models.wereAdded", { count: added.length, names: added.map(({ name }) => modelName({ model: name })).join(", ") })] : [];
      this.#said.textContent = [...told, ...refused.map(({ model_id, failure }) => `${model_id}: ${failureText(failure, t)}`)].join(" ");
    } finally {
      this.#busy = false;
      this.#draw();
    }
  }

  /** @param {CatalogueModel} model */
  async #remove(model) {
    const { t, models } = this.#page;
    const { removed, refused } = await models.remove(model);
    this.#catalogue.mark(removed.map(({ model_id }) => model_id), "");
    this.#said.textContent = refused.map(({ failure }) => failureText(failure, t)).join(" ") || t("models.removed", { name: model.name });
  }

  /** @param {CatalogueModel} model */
  async #update(model) {
    await this.#page.models.update(model.model_id);
    this.#said.textContent = this.#page.t("models.updated", { name: model.name });
    await this.#catalogue.read();
  }

  /** @param {() => Promise<unknown>} action */
  async #try(action) {
    try {
      await action();
    } catch (error) {
      this.#said.textContent = errorText(error, this.#page.t);
    }
  }
}

/** @param {NonNullable<Catalogue["told"]>} told @param {Translate} t */
function stateText({ read_at, failure, stale, total }, t) {
  const when = read_at === null ? "" : t("models.readAt", { when: new Date(read_at * 1000).toLocaleString(t.locale) });
  const why = failure ? failureText(failure, t) : "";
  const count = total ? t("models.count", { count: total }) : t("models.none");
  return [count, when, (stale || why) && t("models.stale"), why].filter(Boolean).join(" \u00b7 ");
}

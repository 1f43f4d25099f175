/**
 * The models of the catalogue that are shown, page by page, and those that a person has chosen. No DOM.
 *
 * @import { CatalogueModel, CataloguePage } from "../../types/answers.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{ search: string, kind: string, maker: string, task: string }} Filters
 */

const PAGE = 100;

export class Catalogue {
  #routes;
  #changed;
  /** Counts the questions: an answer to an older one is dropped. */
  #asked = 0;
  #loading = false;
  /** @type {Filters} */
  filters = { search: "", kind: "", maker: "", task: "" };
  /** @type {CatalogueModel[]} */
  models = [];
  /** What was told with the first page; null before. @type {CataloguePage | null} */
  told = null;
  /** The ids of those that are to be added, and their names. @type {Map<string, string>} */
  chosen = new Map();

  /**
   * @param {Pick<Routes, "searchModels">} routes
   * @param {() => void} changed
   */
  constructor(routes, changed) {
    this.#routes = routes;
    this.#changed = changed;
  }

  /** Shows other models. @param {Partial<Filters>} filters */
  async filter(filters) {
    this.filters = { ...this.filters, ...filters };
    await this.read();
  }

  /** Asks for the models from the beginning. @param {boolean} refresh whether the catalogue is to be read anew */
  async read(refresh = false) {
    this.#asked += 1;
    const asked = this.#asked;
    const page = await this.#ask(0, PAGE, refresh);
    if (asked !== this.#asked) return;
    this.told = page;
    this.models = page.models;
    this.#changed();
  }

  /** Asks for the models after the last one. */
  async loadMore() {
    if (this.#loading || !this.told || this.models.length >= this.told.total) return;
    this.#loading = true;
    const asked = this.#asked;
    try {
      const page = await this.#ask(this.models.length, PAGE, false);
      if (asked !== this.#asked) return;
      this.models = [...this.models, ...page.models];
      // Fewer than were told: the catalogue has changed in between.
      if (!page.models.length) this.told = { ...this.told, total: this.models.length };
      this.#changed();
    } finally {
      this.#loading = false;
    }
  }

  /** Chooses a model, or no longer. @param {CatalogueModel} model */
  choose({ model_id, name }) {
    if (!this.chosen.delete(model_id)) this.chosen.set(model_id, name);
    this.#changed();
  }

  /** Takes in that models are here now, or no longer. @param {string[]} ids @param {CatalogueModel["here"]} here */
  mark(ids, here) {
    for (const id of ids) this.chosen.delete(id);
    this.models = this.models.map((model) => (ids.includes(model.model_id) ? { ...model, here } : model));
    this.#changed();
  }

  /** @param {number} offset @param {number} limit @param {boolean} refresh */
  #ask(offset, limit, refresh) {
    return this.#routes.searchModels({ ...this.filters, refresh, offset, limit });
  }
}

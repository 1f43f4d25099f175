/**
 * The jobs that are shown: what was asked of the server so far, page by page, and what it told since.
 *
 * @import { Entry, JobPage } from "../../types/answers.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{ search: string, model: string, state: string, day: string, needs: boolean }} Filters
 */

const PAGE = 100;
const FIRST_NEEDS = 5;
/** @type {Filters} */
export const NO_FILTERS = { search: "", model: "", state: "", day: "", needs: false };

export class JobRecord {
  #routes;
  #changed;
  /** Counts the questions: an answer to an older one is dropped. */
  #asked = 0;
  #loading = false;
  /** @type {Filters} */
  filters = { ...NO_FILTERS };
  /** @type {Entry[]} */
  jobs = [];
  /** The first of those that need a person; none while there are filters. @type {Entry[]} */
  needing = [];
  /** How many need a person in all. */
  needs = 0;
  /** @type {JobPage["models"]} */
  models = [];
  more = false;
  /** Whether the server has answered since the filters were set. */
  known = false;

  /**
   * @param {Pick<Routes, "jobs">} routes
   * @param {() => void} changed
   */
  constructor(routes, changed) {
    this.#routes = routes;
    this.#changed = changed;
  }

  get filtered() {
    return JSON.stringify(this.filters) !== JSON.stringify(NO_FILTERS);
  }

  /** Shows other jobs. @param {Partial<Filters>} filters */
  async filter(filters) {
    this.filters = { ...this.filters, ...filters };
    this.jobs = [];
    this.known = false;
    this.#changed();
    await this.refresh();
  }

  /** Asks for the newest jobs again; older ones that were loaded stay. */
  async refresh() {
    this.#asked += 1;
    const asked = this.#asked;
    const [page, needing] = await Promise.all([this.#ask({}), this.#askNeeding()]);
    if (asked !== this.#asked) return;
    const oldest = page.jobs.at(-1)?.id ?? 0;
    const older = page.more ? this.jobs.filter((job) => job.id < oldest) : [];
    this.more = older.length ? this.more : page.more;
    this.jobs = [...page.jobs, ...older];
    this.needing = needing;
    this.needs = page.needs;
    this.models = page.models;
    this.known = true;
    this.#changed();
  }

  /** Asks for the jobs before the oldest one. */
  async loadMore() {
    const last = this.jobs.at(-1);
    if (this.#loading || !this.more || !last) return;
    this.#loading = true;
    const asked = this.#asked;
    try {
      const page = await this.#ask({ before: last.id });
      if (asked !== this.#asked) return;
      this.jobs = [...this.jobs, ...page.jobs];
      this.more = page.more;
      this.#changed();
    } finally {
      this.#loading = false;
    }
  }

  /** Asks how many jobs need a person, and for nothing else. */
  async count() {
    this.needs = (await this.#routes.jobs({ limit: 1 })).needs;
    this.#changed();
  }

  /** Takes in what became of a job. @param {Entry} entry */
  replace(entry) {
    this.jobs = this.jobs.map((job) => (job.id === entry.id ? entry : job));
    this.needing = this.needing.map((job) => (job.id === entry.id ? entry : job));
    this.#changed();
  }

  /** @param {{ before?: number }} more */
  #ask({ before }) {
    const { needs, ...rest } = this.filters;
    return this.#routes.jobs({ ...rest, before, limit: PAGE, ...(needs && { needs: 1 }) });
  }

  /** @returns {Promise<Entry[]>} */
  async #askNeeding() {
    if (this.filtered) return [];
    return (await this.#routes.jobs({ needs: 1, limit: FIRST_NEEDS })).jobs;
  }
}

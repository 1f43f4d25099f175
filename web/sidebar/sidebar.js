/**
 * The sidebar: the list of all jobs of the record, one job whole, and what was spent.
 *
 * @import { Entry, JobDetail } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 * @import { HostCanvas } from "./canvas.js"
 * @import { Filters } from "./job_record.js"
 * @import { Item } from "./virtual_list.js"
 *
 * @typedef {{
 *   document: Document, t: Translate, routes: Routes, canvas: HostCanvas, now: () => number,
 *   copy: (text: string) => Promise<void>, badge: (count: number) => void,
 *   openSettings: () => void,
 * }} Page `now` in seconds since the epoch; `badge` shows how many jobs need a person
 * @typedef {[label: string, action: () => Promise<unknown>]} Link
 */

import { openDialog } from "../base/dialog.js";
import { button, element, keepEvents } from "../base/elements.js";
import { errorText } from "../base/routes.js";
import { FilterBar } from "./filters.js";
import { JobRecord, NO_FILTERS } from "./job_record.js";
import { jobRow, ROW_HEIGHT } from "./job_row.js";
import { canBeCollected, promptText } from "./job_texts.js";
import { jobView } from "./job_view.js";
import { projectField, spendView } from "./spend.js";
import { VirtualList } from "./virtual_list.js";

const TITLE_HEIGHT = 30;
const POLL_MILLISECONDS = 1500;
const REFRESH_MILLISECONDS = 600;
/** As many as the server collects at once. */
const MOST_AT_ONCE = 64;

export class Sidebar {
  #page;
  #record;
  #filters;
  #list;
  #spend;
  #top;
  #single;
  #message;
  /** @type {JobDetail | null} */
  #open = null;
  #waiting = 0;

  /** @param {Page} page */
  constructor(page) {
    const { document, t } = page;
    this.#page = page;
    this.#record = new JobRecord(page.routes, () => this.#draw());
    this.#filters = new FilterBar(document, t, (filters) => this.#try(() => this.#record.filter(filters)));
    this.#list = new VirtualList(document, () => this.#try(() => this.#record.loadMore()));
    this.#spend = element(document, "div", "spend-place");
    this.#message = element(document, "p", "list-message");
    this.#single = element(document, "div", "single");
    this.#single.hidden = true;
    this.#top = element(document, "div", "all", [this.#spend, this.#filters.root, this.#message, this.#list.root]);
    this.root = element(document, "div", "sidebar", [this.#head(), this.#top, this.#single]);
    keepEvents(this.root);
  }

  /** Called with each place that the host gives the sidebar. @param {HTMLElement} container */
  render(container) {
    if (container.firstChild === this.root) return;
    container.replaceChildren(this.root);
    container.classList.add("runcomfy-sidebar-place");
    // The container itself may not be on the page yet.
    setTimeout(() => this.#refresh(), 0);
  }

  /** Asks for what has changed: the list where it is seen, else the badge's number. Called often; asks seldom. */
  changed() {
    if (this.#waiting) return;
    this.#waiting = setTimeout(() => {
      this.#waiting = 0;
      this.#refresh();
    }, REFRESH_MILLISECONDS);
  }

  /** Shows all jobs, or those that are asked for. @param {Partial<Filters>} filters */
  show(filters) {
    this.#close();
    this.#try(() => this.#record.filter({ ...NO_FILTERS, ...filters }));
  }

  /**
   * Adds a node that collects a job, and runs it alone.
   * @param {string} requestId
   * @param {MouseEvent} [at] what says where; the middle of what is seen without it
   */
  addCollectNode(requestId, at) {
    const { canvas } = this.#page;
    const node = canvas.addCollectNode(requestId, at && canvas.placeOf(at));
    if (node) this.#try(() => this.#page.canvas.runAlone(node));
  }

  #head() {
    const { document, t, openSettings } = this.#page;
    return element(document, "div", "sidebar-head", [
      element(document, "h3", "sidebar-title", t("jobs.title")),
      button(document, "link", t("jobs.settings"), openSettings),
      button(document, "icon", "\u21bb", () => this.#refresh(), { title: t("jobs.refresh"), "aria-label": t("jobs.refresh") }),
    ]);
  }

  #refresh() {
    if (!this.root.isConnected) return this.#try(() => this.#record.count());
    this.#try(() => this.#record.refresh());
    this.#try(() => this.#readSpend());
    return undefined;
  }

  async #readSpend() {
    const { document, t, routes } = this.#page;
    const spend = await routes.spend();
    const { activeElement } = document;
    // A person writes there.
    if (activeElement?.tagName === "INPUT" && this.#spend.contains(activeElement)) return;
    const made = spendView(document, t, spend, routes.exportAddress(), projectField(document, t, this.#page.canvas));
    // A person may have opened it while the answer was awaited.
    made.open = this.#spend.querySelector("details")?.open ?? false;
    this.#spend.replaceChildren(made);
  }

  /** @param {() => Promise<unknown>} action */
  async #try(action) {
    try {
      await action();
    } catch (error) {
      this.#tell(errorText(error, this.#page.t));
    }
  }

  #draw() {
    const record = this.#record;
    this.#page.badge(record.needs);
    if (!this.root.isConnected) return;
    this.#filters.show(record.filters, record.models, record.filtered);
    this.#tell(this.#emptyText());
    this.#list.show([...this.#needingItems(), ...this.#jobItems()]);
  }

  #emptyText() {
    const { t } = this.#page;
    const { known, jobs, filtered } = this.#record;
    if (!known) return t("jobs.loading");
    if (jobs.length) return "";
    return t(filtered ? "jobs.noneFound" : "jobs.none");
  }

  /** @param {string} text */
  #tell(text) {
    this.#message.textContent = text;
    this.#message.hidden = !text;
  }

  /** @returns {Item[]} */
  #needingItems() {
    const { t } = this.#page;
    const { needing, needs } = this.#record;
    if (!needing.length) return [];
    /** @type {Link[]} */
    const links = [];
    if (needing.filter(canBeCollected).length > 1) links.push([t("action.collect_all"), () => this.#collectAll()]);
    if (needs > needing.length) links.push([t("jobs.showAll"), () => this.#record.filter({ needs: true })]);
    return [
      this.#title("needs", t("jobs.needs", { count: needs }), links),
      ...needing.map((job) => this.#item(job, "needs")),
      this.#title("all", t("jobs.all")),
    ];
  }

  /** @returns {Item[]} */
  #jobItems() {
    return this.#record.jobs.map((job) => this.#item(job, "job"));
  }

  /** @param {Entry} job @param {string} group @returns {Item} */
  #item(job, group) {
    const { document, t, routes, now } = this.#page;
    return {
      key: `${group}${job.id}`,
      height: ROW_HEIGHT,
      value: job,
      make: () => jobRow(document, job, { t, routes, now, open: (each) => this.#try(() => this.#show(each.id)) }),
    };
  }

  /** @param {string} key @param {string} text @param {Link[]} links @returns {Item} */
  #title(key, text, links = []) {
    const { document } = this.#page;
    const more = links.map(([label, action]) => button(document, "link", label, () => void this.#try(action)));
    return {
      key: `title-${key}`,
      height: TITLE_HEIGHT,
      value: [text, ...links.map(([label]) => label)].join(),
      make: () => element(document, "div", "list-title", [element(document, "span", "", text), ...more]),
    };
  }

  /** @param {number} id @param {string} said */
  async #show(id, said = "") {
    const job = await this.#page.routes.job(id);
    this.#record.replace(job);
    this.#drawOpen(job, said);
  }

  /** @param {JobDetail} job @param {string} said */
  #drawOpen(job, said) {
    this.#open = job;
    this.#single.replaceChildren(jobView(this.#page.document, job, this.#actions(), said));
    this.#single.hidden = false;
    this.#top.hidden = true;
  }

  #close() {
    this.#open = null;
    this.#single.hidden = true;
    this.#single.replaceChildren();
    this.#top.hidden = false;
    this.#list.draw();
  }

  /** What can be done with a job. */
  #actions() {
    const { t, routes, copy } = this.#page;
    /** @param {(job: Entry) => Promise<unknown>} action */
    const acting = (action) => (/** @type {Entry} */ job) => void this.#act(job, () => action(job));
    return {
      t,
      routes,
      back: () => this.#close(),
      collect: acting((job) => this.#collect(job)),
      cancel: acting(async (job) => this.#show(job.id, t.note((await routes.cancelJob(job.id)).told))),
      useInputs: (/** @type {JobDetail} */ job) => this.#useInputs(job),
      allowRetry: acting(async (job) => this.#show(job.id, t.note((await routes.retryJob(job.request_id)).note))),
      addNode: (/** @type {Entry} */ job) => this.addCollectNode(job.request_id),
      copy: (/** @type {string} */ text) => this.#copy(copy(text)),
      forget: acting((job) => this.#forget(job)),
      enlarge: (/** @type {Entry} */ job, /** @type {number} */ index) => this.#enlarge(job, index),
    };
  }

  /** @param {Entry} job @param {() => Promise<unknown>} action */
  async #act(job, action) {
    try {
      await action();
    } catch (error) {
      if (this.#open?.id === job.id) this.#drawOpen(this.#open, errorText(error, this.#page.t));
      else this.#tell(errorText(error, this.#page.t));
    }
  }

  /** Collects a job, and shows it when its files are there. @param {Entry} job */
  async #collect(job) {
    const { t, routes } = this.#page;
    let now = await routes.collectJob(job.id);
    while (now.collecting) {
      if (this.#open?.id === job.id) await this.#show(job.id);
      await new Promise((done) => setTimeout(done, POLL_MILLISECONDS));
      now = await routes.job(job.id);
    }
    this.#record.replace(now);
    this.changed();
    if (this.#open?.id === job.id) await this.#show(job.id, now.failure ? "" : t("jobs.collected"));
  }

  /** Collects all that is to be collected, and shows the list until nothing in it is on its way. */
  async #collectAll() {
    const { routes } = this.#page;
    const { jobs } = await routes.jobs({ needs: 1, limit: MOST_AT_ONCE });
    for (const { id } of jobs.filter(canBeCollected)) await routes.collectJob(id);
    await this.#record.refresh();
    while (this.root.isConnected && this.#record.jobs.some(({ collecting }) => collecting)) {
      await new Promise((done) => setTimeout(done, POLL_MILLISECONDS));
      await this.#record.refresh();
    }
  }

  /** @param {JobDetail} job */
  #useInputs(job) {
    const { t, canvas } = this.#page;
    const done = canvas.useInputs(job);
    if (!done) return;
    const said = [t(done === "set" ? "jobs.inputsSet" : "jobs.inputsAdded"), job.media.length && t("jobs.references")];
    this.#drawOpen(job, said.filter(Boolean).join(" "));
  }

  /** @param {Promise<void>} copied */
  async #copy(copied) {
    const { t } = this.#page;
    const done = await copied.then(() => true, () => false);
    if (this.#open) this.#drawOpen(this.#open, t(done ? "state.copied" : "state.notCopied"));
  }

  /** @param {Entry} job */
  async #forget(job) {
    await this.#page.routes.forgetJob(job.id);
    this.#close();
    await this.#record.refresh();
  }

  /** @param {Entry} job @param {number} index */
  #enlarge(job, index) {
    const { document, t, routes } = this.#page;
    const content = element(document, "img", "enlarged", [], { src: routes.file(job.id, index), alt: promptText(job, t) });
    openDialog(document, { name: "image-dialog", title: promptText(job, t), close: t("dialog.close"), content });
  }
}

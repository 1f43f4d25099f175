/**
 * The extension: what ComfyUI calls, and what listens to ComfyUI. Everything it touches is handed in.
 *
 * @import { Entry, Prices, Report } from "../../types/answers.js"
 * @import { Api, App, Extension as Registered, HostNode, HostWindow, Notice } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "../node/next_steps.js"
 * @import { Filters } from "../sidebar/job_record.js"
 *
 * @typedef {{ app: App, api: Api, window: HostWindow, t: Translate, style: string }} Page `style` is the style sheet's URL
 */

import { createAccount } from "../base/account.js";
import { addStyle, copyText } from "../base/browser.js";
import { openDialog } from "../base/dialog.js";
import { element } from "../base/elements.js";
import { createRoutes, errorText } from "../base/routes.js";
import { COLLECT_NODE, eachNode, findNode, isOpen, nodeType, rootGraph } from "../node/graph.js";
import { addMenuItems } from "../node/host_nodes.js";
import { hasLinks, setInputs, valuesOf } from "../node/inputs.js";
import { PackNode } from "../node/pack_node.js";
import { Estimates } from "../node/price.js";
import { act, seedOf } from "../node/runs.js";
import { Models } from "../models/models.js";
import { NodeTypes } from "../models/node_types.js";
import { NodeStatusStore } from "../node/status_store.js";
import { isTakeOf, Takes } from "../node/takes.js";
import { hasEnded } from "../node/status_view.js";
import { HostCanvas } from "../sidebar/canvas.js";
import { Sidebar } from "../sidebar/sidebar.js";
import { addTab, takeDroppedJobs } from "../sidebar/tab.js";
import { TakesView } from "../sidebar/takes.js";
import { AccountPanel } from "./account_panel.js";
import { Origins } from "./origins.js";

const PREFIX = "RunComfy";
const TICK_MILLISECONDS = 1000;
const SETTLE_MILLISECONDS = 200;
const NOTICE_MILLISECONDS = 12000;
const SMALL_EDGE = 128;
const TOKEN_FAILURES = ["token_missing", "token_refused"];
/** @type {("execution_success" | "execution_error" | "execution_interrupted")[]} */
const PROMPT_ENDS = ["execution_success", "execution_error", "execution_interrupted"];

/** A read that fails changes nothing: the next one may succeed. */
function quietly() {}

/**
 * Returns what `app.registerExtension` takes.
 * @param {Page} page
 * @returns {Registered}
 */
export function createExtension(page) {
  const extension = new Extension(page);
  const { t } = page;
  return {
    name: "RunComfy.Models",
    settings: [
      {
        id: "RunComfy.Account",
        name: "API token and account",
        category: [PREFIX, "Account", "Token"],
        type: () => extension.panel().root,
        defaultValue: "",
      },
    ],
    commands: [
      { id: "RunComfy.Account", label: t("panel.title"), icon: "pi pi-key", function: () => extension.openAccount() },
      { id: "RunComfy.AddModels", label: t("models.title"), icon: "pi pi-plus", function: () => extension.models.openCatalogue() },
      { id: "RunComfy.Jobs", label: t("jobs.title"), icon: "pi pi-images", function: () => extension.openJobs() },
    ],
    menuCommands: [{ path: ["Extensions", PREFIX], commands: ["RunComfy.Account", "RunComfy.AddModels", "RunComfy.Jobs"] }],
    getNodeMenuItems: (node) => extension.menuItems(node),
    nodeCreated: (node) => extension.nodeCreated(node),
    beforeConfigureGraph: (graph) => extension.models.opening(graph),
    afterConfigureGraph: (missing) => extension.graphLoaded(missing),
    setup: () => extension.setUp(),
  };
}

class Extension {
  #app;
  #api;
  #window;
  #t;
  #style;
  #routes;
  #account;
  /** @type {Prices} */
  #prices = {};
  /** The classes of the nodes that were made: of these alone the prices are asked for. @type {Set<string>} */
  #types = new Set();
  #pricesAwaited = false;
  #statuses;
  #sidebar;
  #tab;
  /**
   * Weak: a graph may drop its nodes without a word.
   * @type {WeakMap<HostNode, PackNode>}
   */
  #packNodes = new WeakMap();
  #noticed = false;
  /** The id of this page under which the server sends it reports. */
  #subscribed = "";
  #ticking = 0;
  #origins;
  #estimates;
  #takes;
  #canvas;

  /** @param {Page} page */
  constructor({ app, api, window, t, style }) {
    this.#app = app;
    this.#api = api;
    this.#window = window;
    this.#t = t;
    this.#style = style;
    this.#routes = createRoutes(api);
    this.#account = createAccount(this.#routes);
    this.#origins = new Origins(app);
    this.#estimates = new Estimates({
      ask: (nodes) => this.#routes.estimate(nodes),
      later: (action, milliseconds) => this.#window.setTimeout(action, milliseconds),
      // An answer may come after its node has been removed.
      changed: (node) => node.graph && this.#packNodes.get(node)?.draw(),
      store: app.extensionManager ?? {},
    });
    this.#takes = new Takes({
      ask: (node) => this.#takesOf(node),
      later: (action, milliseconds) => this.#window.setTimeout(action, milliseconds),
      cancel: (timer) => this.#window.clearTimeout(timer),
      changed: (node) => node.graph && this.#packNodes.get(node)?.draw(),
    });
    this.#statuses = new NodeStatusStore({
      now: () => this.#now(),
      changed: (report) => this.#show(report),
      cleared: (report) => this.#packNodeOf(report)?.show(null),
    });
    this.#canvas = new HostCanvas({ app, api, window });
    this.#sidebar = this.#makeSidebar();
    this.models = this.#makeModels();
    this.#tab = { open() {}, badge: (/** @type {number} */ _) => {} };
  }

  #makeSidebar() {
    return new Sidebar({
      document: this.#window.document,
      t: this.#t,
      routes: this.#routes,
      canvas: this.#canvas,
      now: () => this.#window.Date.now() / 1000,
      copy: (text) => copyText(this.#window, text),
      badge: (count) => this.#tab.badge(count),
      openSettings: () => this.openAccount(),
    });
  }

  #makeModels() {
    const [app, api, window, t, routes] = [this.#app, this.#api, this.#window, this.#t, this.#routes];
    return new Models({
      app,
      window,
      t,
      routes,
      types: new NodeTypes({ app, api, window, locale: t.locale, texts: routes.modelTexts }),
      place: (type) => this.#canvas.add(type),
      tell: (node, lost) => this.#packNodes.get(node)?.tell(t("models.lost", { names: lost.join(", ") })),
    });
  }

  /** Called once, when the page is ready. */
  async setUp() {
    addStyle(this.#window.document, this.#style);
    this.#addTab();
    this.#listen();
    await Promise.all([this.models.follow(), this.#refresh()]);
  }

  /** Called with each node that is made. @param {HostNode} node */
  nodeCreated(node) {
    if (!nodeType(node).startsWith(PREFIX)) return;
    const packNode = new PackNode(node, {
      document: this.#window.document,
      t: this.#t,
      now: () => this.#now(),
      account: this.#account,
      price: (type) => this.#prices[type] ?? {},
      copy: (text) => copyText(this.#window, text),
      enterToken: () => this.openAccount(),
      act: (of, report, action) => this.#act(of, report, action),
      estimates: this.#estimates,
      takes: this.#takes,
      thumbnail: (id, index) => this.#routes.thumbnail(id, index, SMALL_EDGE),
      choose: (of, take) => this.#choose(of, take),
      compare: (of) => this.#openTakes(of),
      Badge: this.#window.LGraphBadge,
      defer: (action) => this.#window.queueMicrotask(action),
    });
    this.#packNodes.set(node, packNode);
    this.#priceOf(nodeType(node));
    if (!this.#app.collectNodeMenuItems) addMenuItems(node, () => this.menuItems(node));
    this.#window.queueMicrotask(() => this.#noticeMissingToken());
  }

  /** Called after a workflow was loaded, by hand, by undo, or by a change of tabs. @param {(string | { type: string })[]} missing */
  graphLoaded(missing) {
    this.models.opened(missing);
    // The page tells a moment later which of its tabs this is.
    this.#window.setTimeout(() => {
      for (const report of this.#statuses.all()) this.#show(report);
    }, SETTLE_MILLISECONDS);
    this.#noticeMissingToken();
  }

  /** Returns the entries of a node's menu. @param {HostNode} node */
  menuItems(node) {
    if (!this.#packNodes.has(node)) return [];
    const jobs = { content: this.#t("jobs.menu"), callback: () => this.openJobs() };
    if (nodeType(node) === COLLECT_NODE) return [jobs];
    return [{ content: this.#t("takes.menu"), callback: () => this.#openTakes(node) }, jobs];
  }

  /** Shows the takes of a node's inputs; what is connected is that of its last job. @param {HostNode} node */
  async #openTakes(node) {
    const t = this.#t;
    const document = this.#window.document;
    const content = element(document, "div", "takes-place", t("jobs.loading"));
    openDialog(document, { name: "takes-dialog", title: t("takes.title"), close: t("dialog.close"), content });
    try {
      const takes = await this.#takesOf(node);
      const choose = (/** @type {Entry} */ take) => {
        this.#choose(node, take);
        return t("takes.chosen");
      };
      content.replaceChildren(new TakesView(document, { t, routes: this.#routes, takes, choose }).root);
    } catch (error) {
      content.replaceChildren(element(document, "p", "bad", errorText(error, t)));
    }
  }

  /** @param {HostNode} node @returns {Promise<Entry[]>} */
  async #takesOf(node) {
    if (!hasLinks(node)) return this.#routes.takes({ node_id: nodeType(node), values: valuesOf(node) });
    const last = this.#statuses.all().find((report) => this.#nodeOf(report) === node);
    if (!last?.request_id || !isTakeOf(node, last.inputs)) return [];
    const { jobs } = await this.#routes.jobs({ search: last.request_id, limit: 1 });
    return jobs.length ? this.#routes.takes({ job: jobs[0].id }) : [];
  }

  /** Lets a take flow on: the next run hands out its kept copy. @param {HostNode} node @param {Entry} take */
  #choose(node, take) {
    setInputs(node, [[seedOf(node)?.name ?? "", take.seed]]);
    this.#packNodes.get(node)?.draw();
  }

  /** Opens the sidebar with all jobs, or those that are asked for. @param {Partial<Filters>} filters */
  openJobs(filters = {}) {
    this.#tab.open();
    this.#sidebar.show(filters);
  }

  /** Returns a new panel of the account. */
  panel({ note = "", autofocus = false } = {}) {
    const page = { t: this.#t, routes: this.#routes, account: this.#account, models: this.models, note, autofocus };
    return new AccountPanel(this.#window.document, page);
  }

  /** Opens the account's panel in a dialog. */
  openAccount(note = "") {
    const t = this.#t;
    openDialog(this.#window.document, {
      name: "account-dialog",
      title: t("panel.title"),
      close: t("dialog.close"),
      content: this.panel({ note, autofocus: true }).root,
    });
  }

  #listen() {
    const api = this.#api;
    this.#origins.follow(api);
    api.addEventListener("execution_cached", async ({ detail: { prompt_id: prompt, nodes } }) => {
      await this.#origins.settled();
      this.#statuses.cached(prompt, this.#origins.workflowOf(prompt), nodes);
    });
    api.addEventListener("runcomfy.progress", ({ detail }) => this.#received(detail));
    for (const end of PROMPT_ENDS) api.addEventListener(end, ({ detail }) => this.#statuses.promptEnded(detail.prompt_id));
    // The server may have started anew, with other settings.
    api.addEventListener("reconnected", () => this.#refresh());
    // A new page gets its id with the first message.
    api.addEventListener("status", () => {
      if (api.clientId && api.clientId !== this.#subscribed) this.#subscribe().catch(quietly);
    });
    this.#account.subscribe(() => this.#accountChanged());
  }

  /** @param {Report} report */
  #received(report) {
    this.#statuses.receive(report);
    if (hasEnded(report)) this.#sidebar.changed();
    if (TOKEN_FAILURES.includes(report.failure?.kind ?? "")) this.openAccount(this.#t("token.runRefused"));
  }

  async #refresh() {
    this.#sidebar.changed();
    await Promise.all([this.#account.refresh().catch(quietly), this.#subscribe().catch(quietly)]);
  }

  async #subscribe() {
    const { clientId, initialClientId } = this.#api;
    // Before the first message, the server may not know this page's socket yet: it is told again with that.
    this.#subscribed = clientId ?? "";
    this.#statuses.restore(await this.#routes.subscribe(clientId ?? initialClientId ?? ""));
  }

  /** Ends when the page has its id: of a prompt that is queued before, nothing would be told here. */
  async #connected() {
    const api = this.#api;
    while (!api.clientId) await new Promise((done) => api.addEventListener("status", done));
  }

  #accountChanged() {
    if (this.#account.known?.state === "ready") this.#statuses.forget((report) => report.failure?.kind === "token_missing");
    this.#drawAll();
    this.#readPrices().catch(quietly);
    this.#noticeMissingToken();
  }

  /** Asks for prices where a class of nodes is new here, once for all nodes that are made at a time. @param {string} type */
  #priceOf(type) {
    if (this.#types.has(type)) return;
    this.#types.add(type);
    if (this.#pricesAwaited) return;
    this.#pricesAwaited = true;
    this.#window.queueMicrotask(() => this.#readPrices().catch(quietly));
  }

  async #readPrices() {
    this.#pricesAwaited = false;
    if (!this.#types.size) return;
    this.#prices = await this.#routes.prices(this.#types);
    for (const node of eachNode(rootGraph(this.#app))) {
      if (this.#packNodes.has(node) && nodeType(node) !== COLLECT_NODE) this.#estimates.want(node);
    }
    this.#drawAll();
  }

  #noticeMissingToken() {
    if (this.#noticed || this.#account.known?.state !== "missing") return;
    if (this.#openPackNodes().next().done) return;
    this.#noticed = true;
    const [summary, detail] = [this.#t("token.notice"), this.#t("token.noticeDetail")];
    this.#notify({ severity: "warn", summary, detail, life: NOTICE_MILLISECONDS });
  }

  #addTab() {
    const sidebar = this.#sidebar;
    this.#tab = addTab(this.#app, {
      title: PREFIX,
      tooltip: this.#t("jobs.tab"),
      render: (container) => sidebar.render(container),
    });
    takeDroppedJobs(this.#window, this.#app, (requestId, event) => sidebar.addCollectNode(requestId, event));
  }

  /** @param {HostNode} node @param {Report} report @param {Action} action */
  #act(node, report, action) {
    const page = {
      app: this.#app,
      api: this.#api,
      retry: (/** @type {string} */ requestId) => this.#routes.retryJob(requestId),
      openAccount: () => this.openAccount(),
      openJobs: () => this.openJobs({ needs: true }),
      update: (/** @type {string} */ model) => this.models.update(model || this.models.modelOf(nodeType(node))),
      sendAsItIs: (/** @type {string} */ model) => this.models.sendAsItIs(model || this.models.modelOf(nodeType(node))),
      random: () => this.#window.Math.random(),
    };
    this.#try(async () => {
      await this.#connected();
      await act(page, node, report, action);
    });
  }

  /** Does what a person has asked for, and tells why it could not be done. @param {() => Promise<unknown>} action */
  #try(action) {
    action().catch((error) =>
      this.#notify({ severity: "error", summary: errorText(error, this.#t), life: NOTICE_MILLISECONDS }),
    );
  }

  /** @param {Notice} notice */
  #notify(notice) {
    this.#app.extensionManager?.toast?.add(notice);
  }

  *#openPackNodes() {
    for (const node of eachNode(rootGraph(this.#app))) {
      const packNode = this.#packNodes.get(node);
      if (packNode) yield packNode;
    }
  }

  /** The pack's part of the node that a report is about, if its workflow is open. @param {Report} report */
  #packNodeOf(report) {
    const node = this.#nodeOf(report);
    return node && this.#packNodes.get(node);
  }

  /** @param {Report} report */
  #nodeOf(report) {
    const graph = rootGraph(this.#app);
    const node = isOpen(graph, report) ? findNode(graph, report.node) : undefined;
    const same = node && [nodeType(node), COLLECT_NODE, ""].includes(report.type);
    return same && this.#origins.owns(report, node) ? node : undefined;
  }

  /** @param {Report} report */
  #show(report) {
    this.#packNodeOf(report)?.show(report);
    if (!this.#ticking && this.#statuses.timed().length) {
      this.#ticking = this.#window.setInterval(() => this.#tick(), TICK_MILLISECONDS);
    }
  }

  #tick() {
    const timed = this.#statuses.timed();
    for (const report of timed) this.#packNodeOf(report)?.draw();
    if (timed.length) return;
    this.#window.clearInterval(this.#ticking);
    this.#ticking = 0;
  }

  #drawAll() {
    for (const packNode of this.#openPackNodes()) packNode.draw();
  }

  #now() {
    return this.#window.performance.now();
  }
}

/** The extension: what ComfyUI calls, and what hears ComfyUI. Everything it touches is handed in. */

import { createAccount } from "./account.js";
import { openDialog } from "./dialog.js";
import { eachNode, findNode, isOpen, nodeType, rootGraph } from "./graph.js";
import { addCollectNode, COLLECT_NODE, openJobs } from "./jobs.js";
import { Live } from "./live.js";
import { NodePart } from "./node.js";
import { Panel } from "./panel.js";
import { createServer } from "./server.js";
import { addOldMenu, addStyle, copyText } from "./window.js";

const PREFIX = "RunComfy";
const TICK_MILLISECONDS = 1000;
const PRICE_MILLISECONDS = 10 * 60 * 1000;
const NOTICE_MILLISECONDS = 12000;
const MISSING_TOKEN = /\bNoToken$/;
const ENDS = ["execution_success", "execution_error", "execution_interrupted"];

/** A read that fails changes nothing: the next one may succeed. */
function quietly() {}

/**
 * Returns what `app.registerExtension` takes.
 * @param {{ app: any, api: any, window: Window & typeof globalThis, t: import("./messages.js").Translate,
 *   style: string }} page
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
    ],
    menuCommands: [{ path: ["Extensions", PREFIX], commands: ["RunComfy.Account"] }],
    getNodeMenuItems: (node) => extension.menuItems(node),
    nodeCreated: (node) => extension.nodeCreated(node),
    afterConfigureGraph: () => extension.graphLoaded(),
    setup: () => extension.setUp(),
  };
}

class Extension {
  #app;
  #api;
  #window;
  #t;
  #style;
  #server;
  #account;
  #live;
  /** Weak: a graph may drop its nodes without a word. */
  #parts = new WeakMap();
  #prices = {};
  #pricesAt = -Infinity;
  #noticed = false;
  #greeted = "";
  #ticking = 0;

  constructor({ app, api, window, t, style }) {
    this.#app = app;
    this.#api = api;
    this.#window = window;
    this.#t = t;
    this.#style = style;
    this.#server = createServer(api);
    this.#account = createAccount(this.#server);
    this.#live = new Live({
      now: () => this.#now(),
      changed: (report) => this.#place(report),
      cleared: (report) => this.#partOf(report)?.show(null),
    });
  }

  /** Called once, when the page is ready. */
  async setUp() {
    addStyle(this.#window.document, this.#style);
    this.#hear();
    await this.#catchUpWithAll();
  }

  /** Called with each node that is made. */
  nodeCreated(node) {
    if (!nodeType(node).startsWith(PREFIX)) return;
    const part = new NodePart(node, {
      document: this.#window.document,
      t: this.#t,
      now: () => this.#now(),
      account: this.#account,
      price: (type) => this.#prices[type] ?? {},
      copy: (text) => copyText(this.#window, text),
      enterToken: () => this.openAccount(),
      defer: (action) => this.#window.queueMicrotask(action),
    });
    this.#parts.set(node, part);
    if (!this.#app.collectNodeMenuItems) addOldMenu(node, () => this.menuItems(node));
    this.#window.queueMicrotask(() => this.#noticeMissingToken());
  }

  /** Called after a workflow was loaded, by hand, by undo, or by a change of tabs. */
  graphLoaded() {
    for (const report of this.#live.all()) this.#place(report);
    this.#noticeMissingToken();
  }

  /** Returns the entries of a node's menu. */
  menuItems(node) {
    if (!this.#parts.has(node) || nodeType(node) === COLLECT_NODE) return [];
    return [{ content: this.#t("jobs.menu"), callback: () => this.#openRecentJobs(node) }];
  }

  /** Returns a new panel of the account. */
  panel(note = "") {
    return new Panel(this.#window.document, { t: this.#t, server: this.#server, account: this.#account, note });
  }

  /** Opens the account's panel in a dialog. */
  openAccount(note = "") {
    const t = this.#t;
    const panel = this.panel(note);
    panel.input.autofocus = true;
    openDialog(this.#window.document, {
      name: "account-dialog",
      title: t("panel.title"),
      close: t("dialog.close"),
      content: panel.root,
    });
  }

  #hear() {
    const api = this.#api;
    api.addEventListener("runcomfy.progress", ({ detail }) => this.#live.receive(detail));
    for (const end of ENDS) api.addEventListener(end, ({ detail }) => this.#live.promptEnded(detail.prompt_id));
    api.addEventListener("execution_error", ({ detail }) => {
      if (MISSING_TOKEN.test(detail.exception_type ?? "")) this.openAccount(this.#t("token.runRefused"));
    });
    // The server may have started anew, with other settings.
    api.addEventListener("reconnected", () => this.#catchUpWithAll());
    // A new page gets its id with the first message.
    api.addEventListener("status", () => {
      if (api.clientId && api.clientId !== this.#greeted) this.#catchUp().catch(quietly);
    });
    this.#account.subscribe(() => this.#accountChanged());
  }

  async #catchUpWithAll() {
    await Promise.all([this.#account.refresh().catch(quietly), this.#catchUp().catch(quietly)]);
  }

  async #catchUp() {
    this.#greeted = this.#api.clientId ?? this.#api.initialClientId ?? "";
    this.#live.restore(await this.#server.progress(this.#greeted));
  }

  #accountChanged() {
    this.#drawAll();
    this.#pricesAt = -Infinity;
    this.#readPrices().catch(quietly);
    this.#noticeMissingToken();
  }

  async #readPrices() {
    if (this.#now() - this.#pricesAt < PRICE_MILLISECONDS) return;
    this.#pricesAt = this.#now();
    this.#prices = await this.#server.prices();
    this.#drawAll();
  }

  #noticeMissingToken() {
    if (this.#noticed || this.#account.known?.state !== "missing") return;
    if (![...this.#nodes()].length) return;
    this.#noticed = true;
    const [summary, detail] = [this.#t("token.notice"), this.#t("token.noticeDetail")];
    this.#tell({ severity: "warn", summary, detail, life: NOTICE_MILLISECONDS });
  }

  #openRecentJobs(node) {
    const collect = (requestId) => {
      const made = addCollectNode(node, requestId, (type) => this.#window.LiteGraph.createNode(type));
      if (made) this.#tell({ severity: "info", summary: this.#t("jobs.added"), life: 5000 });
    };
    openJobs(this.#window.document, { t: this.#t, server: this.#server, collect }, nodeType(node));
  }

  #tell(notice) {
    this.#app.extensionManager?.toast?.add(notice);
  }

  *#nodes() {
    for (const node of eachNode(rootGraph(this.#app))) {
      if (this.#parts.has(node)) yield node;
    }
  }

  #partOf(report) {
    const graph = rootGraph(this.#app);
    const node = isOpen(graph, report) ? findNode(graph, report.node) : undefined;
    return node && (!report.type || nodeType(node) === report.type) ? this.#parts.get(node) : undefined;
  }

  #place(report) {
    this.#partOf(report)?.show(report);
    if (!this.#ticking && this.#live.timed().length) {
      this.#ticking = this.#window.setInterval(() => this.#tick(), TICK_MILLISECONDS);
    }
  }

  #tick() {
    const timed = this.#live.timed();
    for (const report of timed) this.#partOf(report)?.draw();
    if (timed.length) return;
    this.#window.clearInterval(this.#ticking);
    this.#ticking = 0;
  }

  #drawAll() {
    for (const node of this.#nodes()) this.#parts.get(node).draw();
  }

  #now() {
    return this.#window.performance.now();
  }
}

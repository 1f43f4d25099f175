/** The extension: what ComfyUI calls, and what hears ComfyUI. Everything it touches is handed in. */

import { createAccount } from "./account.js";
import { openDialog } from "./dialog.js";
import { eachNode, findNode, isOpen, nodeType, rootGraph } from "./graph.js";
import { addCollectNode, COLLECT_NODE, openJobs } from "./jobs.js";
import { createLive } from "./live.js";
import { attach } from "./node.js";
import { createPanel } from "./panel.js";
import { createServer } from "./server.js";

const PREFIX = "RunComfy";
const TICK_MILLISECONDS = 1000;
const PRICE_MILLISECONDS = 10 * 60 * 1000;
const NOTICE_MILLISECONDS = 12000;
const MISSING_TOKEN = /\bNoToken$/;

/**
 * @param {{ app: any, api: any, window: Window & typeof globalThis, t: import("./messages.js").Translate,
 *   style: string }} page
 */
export function createExtension({ app, api, window, t, style }) {
  const { document } = window;
  const server = createServer(api);
  const account = createAccount(server);
  // Weak: a graph may drop its nodes without a word.
  const attached = new WeakMap();
  const now = () => window.performance.now();
  const quietly = () => {};
  let prices = {};
  let pricesAt = -Infinity;
  let noticed = false;
  let greeted = "";
  let ticking = 0;

  const live = createLive({ now, changed: place, cleared: (report) => shown(report)?.show(null) });

  function shown(report) {
    const graph = rootGraph(app);
    const node = isOpen(graph, report) ? findNode(graph, report.node) : undefined;
    return node && (!report.type || nodeType(node) === report.type) ? attached.get(node) : undefined;
  }

  function place(report) {
    shown(report)?.show(report);
    if (!ticking && live.timed().length) ticking = window.setInterval(tick, TICK_MILLISECONDS);
  }

  function tick() {
    const timed = live.timed();
    for (const report of timed) shown(report)?.draw();
    if (timed.length) return;
    window.clearInterval(ticking);
    ticking = 0;
  }

  function drawAll() {
    for (const node of eachNode(rootGraph(app))) attached.get(node)?.draw();
  }

  function placeAll() {
    for (const report of live.all()) place(report);
  }

  function panel(note) {
    return createPanel(document, { t, server, account, note });
  }

  function openAccount(note) {
    const content = panel(note);
    content.querySelector("input").autofocus = true;
    openDialog(document, { name: "account-dialog", title: t("panel.title"), close: t("dialog.close"), content });
  }

  async function readPrices() {
    if (now() - pricesAt < PRICE_MILLISECONDS) return;
    pricesAt = now();
    prices = await server.prices();
    drawAll();
  }

  function noticeMissingToken() {
    if (noticed || account.known?.state !== "missing") return;
    if (![...eachNode(rootGraph(app))].some((node) => attached.has(node))) return;
    noticed = true;
    const notice = { severity: "warn", summary: t("token.notice"), detail: t("token.noticeDetail") };
    app.extensionManager?.toast?.add({ ...notice, life: NOTICE_MILLISECONDS });
  }

  function openRecentJobs(node) {
    const collect = (requestId) => {
      if (!addCollectNode(node, requestId, (type) => window.LiteGraph.createNode(type))) return;
      app.extensionManager?.toast?.add({ severity: "info", summary: t("jobs.added"), life: 5000 });
    };
    openJobs(document, { t, server, collect }, nodeType(node));
  }

  function menuItems(node) {
    if (!attached.has(node) || nodeType(node) === COLLECT_NODE) return [];
    return [{ content: t("jobs.menu"), callback: () => openRecentJobs(node) }];
  }

  function hear() {
    api.addEventListener("runcomfy.progress", ({ detail }) => live.receive(detail));
    for (const end of ["execution_success", "execution_error", "execution_interrupted"]) {
      api.addEventListener(end, ({ detail }) => live.promptEnded(detail.prompt_id));
    }
    api.addEventListener("execution_error", ({ detail }) => {
      if (MISSING_TOKEN.test(detail.exception_type ?? "")) openAccount(t("token.runRefused"));
    });
    // The server may have started anew, with other settings.
    api.addEventListener("reconnected", catchUpWithAll);
    // A new page gets its id with the first message.
    api.addEventListener("status", () => {
      if (api.clientId && api.clientId !== greeted) catchUp().catch(quietly);
    });
    account.subscribe(() => {
      drawAll();
      pricesAt = -Infinity;
      readPrices().catch(quietly);
      noticeMissingToken();
    });
  }

  async function catchUp() {
    greeted = api.clientId ?? api.initialClientId ?? "";
    live.restore(await server.progress(greeted));
  }

  async function catchUpWithAll() {
    await Promise.all([account.refresh().catch(quietly), catchUp().catch(quietly)]);
  }

  function nodeCreated(node) {
    if (!nodeType(node).startsWith(PREFIX)) return;
    const part = attach(node, {
      document,
      t,
      now,
      account,
      prices: () => prices,
      copy: (text) => copyText(window, text),
      enterToken: () => openAccount(),
      defer: (action) => window.queueMicrotask(action),
    });
    attached.set(node, part);
    if (!app.collectNodeMenuItems) addOldMenu(node, menuItems);
    window.queueMicrotask(noticeMissingToken);
  }

  return {
    name: "RunComfy.Models",
    settings: [
      {
        id: "RunComfy.Account",
        name: "API token and account",
        category: [PREFIX, "Account", "Token"],
        type: () => panel(""),
        defaultValue: "",
      },
    ],
    commands: [{ id: "RunComfy.Account", label: t("panel.title"), icon: "pi pi-key", function: () => openAccount() }],
    menuCommands: [{ path: ["Extensions", PREFIX], commands: ["RunComfy.Account"] }],
    getNodeMenuItems: menuItems,
    nodeCreated,
    afterConfigureGraph() {
      placeAll();
      noticeMissingToken();
    },
    async setup() {
      addStyle(document, style);
      hear();
      await catchUpWithAll();
    },
  };
}

function addStyle(document, href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}

/** Frontends before the hook `getNodeMenuItems` ask the node itself. */
function addOldMenu(node, menuItems) {
  const own = node.getExtraMenuOptions;
  node.getExtraMenuOptions = function (canvas, options) {
    const more = own?.call(this, canvas, options) ?? [];
    return [...menuItems(node), ...more];
  };
}

/** Copies a text; without a secure context the old way is the only one. */
async function copyText(window, text) {
  if (window.navigator.clipboard) return window.navigator.clipboard.writeText(text);
  const { document } = window;
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

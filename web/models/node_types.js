/**
 * The classes of nodes that the page knows: a model that was just added becomes one without a reload, also for the
 * page's own search and in the person's language.
 *
 * @import { App, Api, HostNode, HostWindow, NodeDefinition, NodeDefStore, PageRoot, PageTexts } from "../../types/host.js"
 * @import { NodeTexts } from "../../types/answers.js"
 * @import { Layout } from "./carried.js"
 */

import { layoutOf } from "./carried.js";

const PREFIX = "RunComfy";

export class NodeTypes {
  #page;
  /** By class: an update makes a new one under the same name. @type {WeakMap<object, Layout>} */
  #layouts = new WeakMap();

  /**
   * @param {{
   *   app: Pick<App, "registerNodeDef">, api: Pick<Api, "fetchApi">, window: HostWindow, locale: string,
   *   texts: (nodeId: string, locale: string) => Promise<NodeTexts>,
   * }} page
   */
  constructor(page) {
    this.#page = page;
  }

  /** The pack's classes. */
  all() {
    return Object.keys(this.#page.window.LiteGraph.registered_node_types).filter((type) => type.startsWith(PREFIX));
  }

  /** Whether there is such a class. @param {string} type */
  has(type) {
    return type in this.#page.window.LiteGraph.registered_node_types;
  }

  /** The widgets of a new node. @param {string} type @returns {Layout | undefined} */
  layout(type) {
    const { LiteGraph } = this.#page.window;
    const made = LiteGraph.registered_node_types[type];
    if (!made) return undefined;
    const known = this.#layouts.get(made);
    if (known) return known;
    const node = LiteGraph.createNode(type);
    const layout = node ? layoutOf(node) : undefined;
    if (layout) this.#layouts.set(made, layout);
    return layout;
  }

  /** Makes a class of nodes as the server defines it, or makes it anew. @param {string} nodeId */
  async register(nodeId) {
    const { api, app, locale, texts } = this.#page;
    const response = await api.fetchApi(`/object_info/${nodeId}`, { cache: "no-store" });
    /** @type {Record<string, NodeDefinition>} */
    const defined = await response.json();
    const told = await texts(nodeId, locale).catch(() => /** @type {NodeTexts} */ ({}));
    const known = defined[nodeId];
    if (!known) return;
    const definition = { ...known, display_name: told.display_name ?? known.display_name, description: told.description ?? known.description };
    const page = hostParts(this.#page.window);
    page.texts?.mergeLocaleMessage(localeOf(page.texts, locale), { nodeDefs: { [nodeId]: told } });
    await app.registerNodeDef(nodeId, definition);
    page.store?.addNodeDef({ ...definition, category: translated(definition.category, page.texts) });
  }

  /** Takes a class of nodes out of the page's search; nodes of it stay. @param {string} nodeId */
  hide(nodeId) {
    hostParts(this.#page.window).store?.removeNodeDef?.(nodeId);
  }
}

/** The page's own search and texts: it offers no way to a new node but through them. @param {HostWindow} window @returns {{ store?: NodeDefStore, texts?: PageTexts }} */
function hostParts(window) {
  const root = /** @type {PageRoot | null} */ (window.document.querySelector("#vue-app"));
  const page = root?.__vue_app__;
  const texts = page?._context.provides[page.__VUE_I18N_SYMBOL__]?.global;
  return { store: page?.config.globalProperties.$pinia?._s.get("nodeDef"), texts };
}

/** What the page calls the language. @param {PageTexts} texts @param {string} locale */
function localeOf(texts, locale) {
  return typeof texts.locale === "string" ? texts.locale : (texts.locale?.value ?? locale);
}

/** A category in the person's language, as the page has those that it read when it was loaded. @param {string} category @param {PageTexts | undefined} texts */
function translated(category, texts) {
  const one = (/** @type {string} */ part) => (texts?.te(`nodeCategories.${part}`) ? texts.t(`nodeCategories.${part}`) : part);
  return category.split("/").map(one).join("/");
}

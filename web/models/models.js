/**
 * The models that are added: into the page's nodes, into what a workflow carries, and out of what one brings along.
 *
 * @import { AddedModels, CheckedModel, Failure, NamedModel } from "../../types/answers.js"
 * @import { App, HostNode, HostWindow, SavedGraph } from "../../types/host.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 * @import { Missing } from "./missing_dialog.js"
 * @import { NodeTypes } from "./node_types.js"
 *
 * @typedef {{
 *   app: App, window: HostWindow, t: Translate, routes: Routes, types: NodeTypes,
 *   place: (type: string) => unknown, tell: (node: HostNode, lost: string[]) => void,
 * }} Page `place` puts a new node on the canvas; `tell` says on a node which of its values have found no place
 *
 * @typedef {{
 *   changed: CheckedModel[], asItIs: CheckedModel[], leftOut: Failure[], readAt: number | null, failure: Failure | null,
 * }} Found `asItIs` are those whose inputs are sent whatever the catalogue says
 */

import { openDialog } from "../base/dialog.js";
import { failureText } from "../base/receipts.js";
import { errorText } from "../base/routes.js";
import { eachNode, nodeType, rootGraph } from "../node/graph.js";
import { after } from "../node/host_nodes.js";
import { CARRIED, carriedBy, carriedFor, placeValues, savedNodes } from "./carried.js";
import { CatalogueView } from "./catalogue_dialog.js";
import { missingView } from "./missing_dialog.js";

/** The ids of the nodes of added models begin so. */
const PREFIX = "RunComfy_";

export class Models {
  #page;
  /** By class of nodes, as the server names them. @type {Map<string, NamedModel>} */
  #known = new Map();
  /** The nodes of the workflow that is being opened whose values have not all found a place. @type {ReturnType<typeof placeValues>} */
  #unplaced = [];
  /** What the workflow that is being opened brings along. @type {ReturnType<typeof carriedBy>} */
  #brought = {};

  /** The updates under way, by the model's id: who presses twice waits for the first. @type {Map<string, Promise<void>>} */
  #updating = new Map();

  /** @param {Page} page */
  constructor(page) {
    this.#page = page;
  }

  /** Lets every workflow that is saved carry its models. What is carried is known before the first one is opened. */
  async follow() {
    after(rootGraph(this.#page.app), "onSerialize", (saved) => this.#carry(saved));
    await this.#learn(this.#page.types.all());
  }

  /** Called before a workflow is opened: its values are put in their places. @param {SavedGraph} saved */
  opening(saved) {
    const { types } = this.#page;
    this.#brought = carriedBy(saved);
    const hashOf = (/** @type {string} */ type) => this.#known.get(type)?.hash ?? "";
    this.#unplaced = placeValues(saved, (type) => types.layout(type), hashOf, (type) => this.#widgetsBefore(type));
  }

  /**
   * Called when a workflow was opened.
   * @param {(string | { type: string })[]} missing the classes of nodes that are not here; the pack's are taken out
   */
  opened(missing = []) {
    this.#tellUnplaced();
    const types = new Set(missing.map((each) => (typeof each === "string" ? each : each.type)).filter((type) => type.startsWith(PREFIX)));
    if (!types.size) return;
    missing.splice(0, missing.length, ...missing.filter((each) => !types.has(typeof each === "string" ? each : each.type)));
    this.#offer([...types]);
  }

  /** Opens the dialog with the catalogue. */
  openCatalogue() {
    const { window, t, routes, place } = this.#page;
    const onCanvas = (/** @type {{ node_id: string }} */ { node_id }) => {
      dialog.close();
      place(node_id);
    };
    const view = new CatalogueView(window.document, { t, routes, models: this, place: onCanvas });
    const dialog = openDialog(window.document, { name: "models-dialog", title: t("models.title"), close: t("dialog.close"), content: view.root });
  }

  /** Adds models, and their nodes to the page. @param {string[]} models their ids @returns {Promise<AddedModels>} */
  async add(models) {
    const { routes, types } = this.#page;
    const answer = await routes.addModels(models);
    for (const { node_id } of answer.added) await types.register(node_id);
    await this.#learn(answer.added.map(({ node_id }) => node_id));
    return answer;
  }

  /** @param {{ model_id: string, node_id: string }} model */
  async remove({ model_id, node_id }) {
    const answer = await this.#page.routes.removeModel(model_id);
    if (answer.removed.length) this.#page.types.hide(node_id);
    return answer;
  }

  /** Takes over a model as it is now; the nodes of it are made anew, and keep their values. @param {string} model its id */
  update(model) {
    const under = this.#updating.get(model) ?? this.#updateNow(model).finally(() => this.#updating.delete(model));
    this.#updating.set(model, under);
    return under;
  }

  /** @param {string} model */
  async #updateNow(model) {
    const { node_id } = await this.#page.routes.updateModel(model);
    const saved = this.#save();
    await this.#page.types.register(node_id);
    await this.#learn([node_id]);
    if ([...savedNodes(saved)].some(({ type }) => type === node_id)) await this.#open(saved);
  }

  /** Has a model's inputs sent although the catalogue forbids them, or no longer. @param {string} model its id */
  async sendAsItIs(model, allow = true) {
    await this.#page.routes.sendAsItIs(model, allow);
  }

  /** Asks what has become of the models that are here. @param {boolean} refresh whether the catalogue is read anew @returns {Promise<Found>} */
  async check(refresh = false) {
    const { models = [], read_at = null, as_it_is = [], failure = null, left_out = [] } = await this.#page.routes.checkModels(refresh);
    return {
      changed: models.filter(({ state }) => state !== "same" && state !== "unread"),
      asItIs: models.filter(({ model_id }) => as_it_is.includes(model_id)),
      leftOut: left_out,
      readAt: read_at,
      failure,
    };
  }

  /** The id of a class's model; '' where it is not known. @param {string} type */
  modelOf(type) {
    return this.#known.get(type)?.model_id ?? "";
  }

  /** The widgets of a class before its first update; a workflow that carries nothing was made with these. @param {string} type */
  #widgetsBefore(type) {
    const versions = this.#known.get(type)?.versions ?? [];
    return versions.length > 1 ? versions.at(-1)?.widgets : undefined;
  }

  /** @param {string[]} types classes of nodes that are here */
  async #learn(types) {
    // Without an answer, workflows carry what they have brought along.
    const told = await this.#page.routes.nameModels(types.map((node_id) => ({ node_id }))).catch(() => []);
    for (const model of told) this.#known.set(model.node_id, model);
  }

  /** @param {SavedGraph} saved */
  #carry(saved) {
    const modelOf = (/** @type {string} */ type) => {
      const known = this.#page.types.has(type) ? this.#known.get(type) : undefined;
      return known?.model_id ? { model_id: known.model_id, hash: known.hash } : undefined;
    };
    const carried = carriedFor(rootGraph(this.#page.app), modelOf, { ...this.#brought, ...carriedBy(saved) });
    const extra = { ...saved.extra, [CARRIED]: carried };
    if (!Object.keys(carried).length) Reflect.deleteProperty(extra, CARRIED);
    Object.assign(saved, { extra });
  }

  #tellUnplaced() {
    const unplaced = this.#unplaced.splice(0);
    for (const node of unplaced.length ? eachNode(rootGraph(this.#page.app)) : []) {
      const found = unplaced.find(({ id, type }) => String(id) === String(node.id) && type === nodeType(node));
      if (found) this.#page.tell(node, found.lost);
    }
  }

  /** Says which models are missing, and offers to add them; some may have been added elsewhere. @param {string[]} types */
  async #offer(types) {
    const asked = types.map((node_id) => ({ node_id, model_id: this.#brought[node_id]?.model_id ?? "" }));
    const { named, why } = await this.#nameMissing(asked);
    const here = named.filter((model) => model.here);
    for (const model of here) {
      await this.#page.types.register(model.node_id);
      this.#known.set(model.node_id, model);
    }
    if (here.length) await this.#open(this.#save());
    const missing = asked.filter(({ node_id }) => !this.#page.types.has(node_id));
    if (missing.length) this.#openMissing(missing.map((each) => named.find(({ node_id }) => node_id === each.node_id) ?? each), why);
  }

  /** @param {{ model_id: string, node_id: string }[]} asked */
  async #nameMissing(asked) {
    try {
      return { named: await this.#page.routes.nameModels(asked), why: "" };
    } catch (error) {
      return { named: [], why: errorText(error, this.#page.t) };
    }
  }

  /** @param {Missing[]} missing @param {string} why they cannot be named now; '' otherwise */
  #openMissing(missing, why) {
    const { window, t } = this.#page;
    const add = (/** @type {string[]} */ models) => this.#addMissing(models);
    const content = missingView(window.document, missing, why, { t, add, close: () => dialog.close() });
    const dialog = openDialog(window.document, { name: "missing-dialog", title: t("missing.title"), close: t("dialog.close"), content });
  }

  /** Adds models and opens the workflow again, with its values in their places. @param {string[]} models */
  async #addMissing(models) {
    const { t } = this.#page;
    const saved = this.#save();
    const { added, refused } = await this.add(models);
    if (added.length) await this.#open(saved);
    const told = refused.map(({ model_id, failure }) => `${model_id}: ${failureText(failure, t)}`);
    return [...(added.length ? [t("missing.done")] : []), ...told].join(" ");
  }

  /** The workflow that is open, as it would be saved. @returns {SavedGraph} */
  #save() {
    return JSON.parse(JSON.stringify(rootGraph(this.#page.app).serialize?.() ?? {}));
  }

  /** Opens a workflow again in its own tab. @param {SavedGraph} saved */
  async #open(saved) {
    const { app } = this.#page;
    await app.loadGraphData(saved, true, false, app.extensionManager?.workflow?.activeWorkflow);
  }
}

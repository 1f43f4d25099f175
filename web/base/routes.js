/**
 * The pack's own routes, as functions.
 *
 * @import {
 *   Account, AddedModels, CarriedModel, CataloguePage, CatalogueQuery, CheckedModels, ConnectionTest, Entry, Estimate, EstimateRequest, Failure, JobDetail, JobPage, JobQuery, Messages, Note, Prices, RemovedModels,
 *   NamedModel, NodeTexts, Report, Settings, Spend,
 * } from "../../types/answers.js"
 * @import { Api } from "../../types/host.js"
 * @import { Translate } from "./messages.js"
 *
 * @typedef {ReturnType<typeof createRoutes>} Routes
 */

import { failureText, nextText } from "./receipts.js";

/** The most models that one call may add, and name. */
const MOST_ADDED = 50;
const MOST_NAMED = 200;

/** A route did not do what it was asked for. `failure` is what the server said; null where it did not answer. */
export class RouteError extends Error {
  /** @param {Failure | null} failure */
  constructor(failure) {
    super(failure?.kind ?? "no answer");
    this.failure = failure;
  }
}

/**
 * Yields a list in parts of a size.
 * @template One
 * @param {One[]} all
 * @param {number} size
 */
function* parts(all, size) {
  for (let first = 0; first < all.length; first += size) yield all.slice(first, first + size);
}

/** @param {Pick<Api, "fetchApi" | "apiURL">} api */
export function createRoutes(api) {
  /**
   * @param {string} method
   * @param {string} path
   * @param {object} [body]
   * @returns {Promise<any>} what the route promises; each function below says what that is
   */
  async function ask(method, path, body) {
    let response;
    let answer;
    try {
      response = await api.fetchApi(`/runcomfy/${path}`, {
        method,
        cache: "no-store",
        ...(body && { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
      });
      answer = await response.json();
    } catch {
      throw new RouteError(null);
    }
    if (!response.ok) throw new RouteError(answer);
    return answer;
  }
  return {
    /** @param {string} locale @returns {Promise<Messages>} */
    messages: (locale) => ask("GET", `messages?locale=${encodeURIComponent(locale)}`),
    /** @returns {Promise<Account>} */
    account: () => ask("GET", "account"),
    /** @param {string} token @returns {Promise<Account>} */
    storeToken: (token) => ask("PUT", "token", { token }),
    /** @returns {Promise<Account>} */
    forgetToken: () => ask("DELETE", "token"),
    /** @returns {Promise<ConnectionTest>} */
    test: () => ask("POST", "test", {}),
    /** @param {Iterable<string>} nodes classes of nodes @returns {Promise<Prices>} */
    prices: async (nodes) => (await ask("GET", `prices?nodes=${encodeURIComponent([...nodes].join(","))}`)).prices ?? {},
    /** @param {EstimateRequest[]} nodes @returns {Promise<Estimate[]>} */
    estimate: async (nodes) => (await ask("POST", "estimate", { nodes })).nodes ?? [],
    /** @param {JobQuery} query @returns {Promise<JobPage>} */
    jobs: (query) => ask("GET", `jobs?${queryText(query)}`),
    /** @param {number} id @returns {Promise<JobDetail>} */
    job: (id) => ask("GET", `job?id=${id}`),
    /** Starts to collect a job, and returns it as it is by then. @param {number} id @returns {Promise<Entry>} */
    collectJob: (id) => ask("POST", "jobs/collect", { id }),
    /** What became of it is `told`. @param {number} id @returns {Promise<Entry & { told: Note }>} */
    cancelJob: (id) => ask("POST", "jobs/cancel", { id }),
    /** Lets one new job be paid for in a job's place. @param {string} requestId @returns {Promise<{ note: Note }>} */
    retryJob: (requestId) => ask("POST", "jobs/retry", { request_id: requestId }),
    /** @param {number} id */
    forgetJob: (id) => ask("POST", "jobs/forget", { id }),
    forgetInputs: () => ask("POST", "jobs/forget_inputs", {}),
    /** @returns {Promise<Spend>} */
    spend: () => ask("GET", "jobs/spend"),
    /**
     * The delivered jobs of the same inputs but the seed, the newest first.
     * @param {{ node_id: string, values: Record<string, unknown> } | { job: number }} inputs
     * @returns {Promise<Entry[]>}
     */
    takes: async (inputs) => (await ask("POST", "takes", inputs)).takes ?? [],
    /** @param {CatalogueQuery} query @returns {Promise<CataloguePage>} */
    searchModels: (query) => ask("POST", "models/search", query),
    /** @param {string[]} models their ids @returns {Promise<AddedModels>} */
    addModels: async (models) => {
      /** @type {AddedModels} */
      const all = { added: [], refused: [] };
      for (const some of parts(models, MOST_ADDED)) {
        const { added, refused } = await ask("POST", "models/add", { model_ids: some });
        all.added.push(...added);
        all.refused.push(...refused);
      }
      return all;
    },
    /** @param {string} model @returns {Promise<RemovedModels>} */
    removeModel: (model) => ask("POST", "models/remove", { model_ids: [model] }),
    /** @param {(Partial<CarriedModel> & { node_id: string })[]} models @returns {Promise<NamedModel[]>} */
    nameModels: async (models) => {
      const named = [];
      for (const some of parts(models, MOST_NAMED)) named.push(...((await ask("POST", "models/named", { models: some })).models ?? []));
      return named;
    },
    /** @param {boolean} refresh whether the catalogue is read anew @returns {Promise<CheckedModels>} */
    checkModels: (refresh) => ask("POST", "models/check", { refresh }),
    /** Takes over a model as the catalogue has it now. @param {string} model @returns {Promise<{ node_id: string }>} */
    updateModel: (model) => ask("POST", "models/update", { model_id: model }),
    /** Whether a model's inputs are sent although the catalogue forbids them. @param {string} model @param {boolean} allow */
    sendAsItIs: (model, allow) => ask("POST", "models/as_it_is", { model_id: model, allow }),
    /** @param {string} nodeId @param {string} locale @returns {Promise<NodeTexts>} */
    modelTexts: (nodeId, locale) => ask("GET", `models/texts?${queryText({ node_id: nodeId, locale })}`),
    /** @returns {Promise<Settings>} */
    settings: () => ask("GET", "settings"),
    /** @param {Partial<Record<keyof Settings, number | boolean | null>>} values @returns {Promise<Settings>} */
    storeSettings: (values) => ask("PUT", "settings", values),
    /** The address of a small image of a job's file. @param {number} id @param {number} index @param {number} edge in pixels */
    thumbnail: (id, index, edge = 256) => api.apiURL(`/runcomfy/jobs/thumbnail?id=${id}&index=${index}&edge=${edge}`),
    /** The address of a job's file as it came. @param {number} id @param {number} index */
    file: (id, index) => api.apiURL(`/runcomfy/jobs/file?id=${id}&index=${index}`),
    /** The address of all jobs as CSV. */
    exportAddress: () => api.apiURL("/runcomfy/jobs/export"),
    /**
     * The last report of each node. From now on the server sends reports to this page.
     * @param {string} client the page's id; "" where it has none yet
     * @returns {Promise<Report[]>}
     */
    subscribe: async (client) => (await ask("POST", "progress", { client })).nodes ?? [],
  };
}

/** @param {JobQuery | Record<string, string>} query */
function queryText(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

/**
 * Returns what a person reads of an error: what the server said, and what to do next.
 * @param {unknown} error
 * @param {Translate} t
 */
export function errorText(error, t) {
  if (!(error instanceof RouteError)) return t("error.general");
  if (!error.failure?.kind) return t(error.failure ? "error.general" : "error.unreachable");
  return [failureText(error.failure, t), nextText(error.failure, t)].filter(Boolean).join(" ");
}

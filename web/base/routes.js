/**
 * The pack's own routes, as functions.
 *
 * @import { Account, ConnectionTest, Failure, Job, Messages, Note, Prices, Report } from "../../types/answers.js"
 * @import { Api } from "../../types/host.js"
 * @import { Translate } from "./messages.js"
 *
 * @typedef {ReturnType<typeof createRoutes>} Routes
 */

import { failureText, nextText } from "./receipts.js";

/** A route did not do what it was asked for. `failure` is what the server said; null where it did not answer. */
export class RouteError extends Error {
  /** @param {Failure | null} failure */
  constructor(failure) {
    super(failure?.kind ?? "no answer");
    this.failure = failure;
  }
}

/** @param {Pick<Api, "fetchApi">} api */
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
    /** @returns {Promise<Prices>} */
    prices: async () => (await ask("GET", "prices")).prices ?? {},
    /** @param {string} node a class of nodes @returns {Promise<Job[]>} */
    jobs: async (node) => (await ask("GET", `jobs?node=${encodeURIComponent(node)}`)).jobs ?? [],
    /** Lets one new job be paid for in a job's place. @param {string} requestId @returns {Promise<{ note: Note }>} */
    retryJob: (requestId) => ask("POST", "jobs/retry", { request_id: requestId }),
    /**
     * The last report of each node. From now on the server sends reports to this page.
     * @param {string} client the page's id; "" where it has none yet
     * @returns {Promise<Report[]>}
     */
    subscribe: async (client) => (await ask("POST", "progress", { client })).nodes ?? [],
  };
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

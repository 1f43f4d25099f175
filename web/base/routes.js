/**
 * The pack's own routes, as functions. A failure is a `ServerError` with a code that the page can translate.
 *
 * @import { Account, ConnectionTest, Job, Prices, Report } from "../../types/answers.js"
 * @import { Api } from "../../types/host.js"
 * @import { Translate } from "./messages.js"
 *
 * @typedef {ReturnType<typeof createRoutes>} Routes
 */

export class ServerError extends Error {
  /** @param {string} code @param {string} message @param {string} advice */
  constructor(code, message, advice = "") {
    super(message);
    this.code = code;
    this.advice = advice;
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
      throw new ServerError("unreachable", "The ComfyUI server did not answer.");
    }
    if (!response.ok) throw new ServerError(answer?.code ?? "general", answer?.message ?? "", answer?.advice ?? "");
    return answer;
  }
  return {
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
    /**
     * The last report of each node. From now on the server sends reports to this page.
     * @param {string} client the page's id; "" where it has none yet
     * @returns {Promise<Report[]>}
     */
    subscribe: async (client) => (await ask("GET", `progress?client=${encodeURIComponent(client)}`)).nodes ?? [],
  };
}

/**
 * Returns what a person reads of a failure: the translation of its code, or the server's own sentences.
 * @param {unknown} error
 * @param {Translate} t
 */
export function failureText(error, t) {
  const { code = "general", message = "", advice = "" } = /** @type {ServerError} */ (error) ?? {};
  const known = t.has(`error.${code}`) ? t(`error.${code}`) : message || t("error.general");
  return code === "NoToken" ? known : [known, advice].filter(Boolean).join(" ");
}

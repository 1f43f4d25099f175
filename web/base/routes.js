/**
 * The pack's own routes, as functions. A failure is a `ServerError` with a code that the page can translate.
 *
 * @typedef {{ fetchApi: (path: string, init?: RequestInit) => Promise<Response> }} Api
 */

export class ServerError extends Error {
  /** @param {string} code @param {string} message @param {string} advice */
  constructor(code, message, advice = "") {
    super(message);
    this.code = code;
    this.advice = advice;
  }
}

/** @param {Api} api */
export function createServer(api) {
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
    account: () => ask("GET", "account"),
    storeToken: (token) => ask("PUT", "token", { token }),
    forgetToken: () => ask("DELETE", "token"),
    test: () => ask("POST", "test", {}),
    prices: async () => (await ask("GET", "prices")).prices ?? {},
    jobs: async (node) => (await ask("GET", `jobs?node=${encodeURIComponent(node)}`)).jobs ?? [],
    progress: async (client) => (await ask("GET", `progress?client=${encodeURIComponent(client ?? "")}`)).nodes ?? [],
  };
}

/**
 * Returns what a person reads of a failure: the translation of its code, or the server's own sentences.
 * @param {unknown} error
 * @param {import("./messages.js").Translate} t
 */
export function failureText(error, t) {
  const { code = "general", message = "", advice = "" } = /** @type {ServerError} */ (error) ?? {};
  const known = t.has(`error.${code}`) ? t(`error.${code}`) : message || t("error.general");
  return code === "NoToken" ? known : [known, advice].filter(Boolean).join(" ");
}

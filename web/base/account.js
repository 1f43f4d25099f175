/**
 * What is known of the account's token, for everyone on the page who shows it.
 *
 * @typedef {{ state: "ready" | "missing" | "unusable", kind?: string, source?: string, masked?: string,
 *   message?: string, advice?: string }} Account
 */

/** @param {ReturnType<typeof import("./routes.js").createServer>} server */
export function createAccount(server) {
  /** @type {Account | null} */
  let known = null;
  const listeners = new Set();

  function set(account) {
    known = account;
    for (const listener of [...listeners]) {
      if (listener(account) === false) listeners.delete(listener);
    }
    return account;
  }

  return {
    /** What was heard last, or null. */
    get known() {
      return known;
    },
    refresh: async () => set(await server.account()),
    store: async (token) => set(await server.storeToken(token)),
    forget: async () => set(await server.forgetToken()),
    /**
     * Calls a function with every change until it returns false.
     * @param {(account: Account) => unknown} listener
     * @returns {() => void} ends it
     */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/**
 * What is known of the account's token, for everyone on the page who shows it.
 *
 * @import { Account } from "../../types/answers.js"
 * @import { Routes } from "./routes.js"
 *
 * @typedef {(account: Account) => unknown} Listener
 * @typedef {ReturnType<typeof createAccount>} AccountStore
 */

/** @param {Pick<Routes, "account" | "storeToken" | "forgetToken">} routes */
export function createAccount(routes) {
  /** @type {Account | null} */
  let known = null;
  /** @type {Set<Listener>} */
  const listeners = new Set();

  /** @param {Account} account */
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
    refresh: async () => set(await routes.account()),
    /** @param {string} token */
    store: async (token) => set(await routes.storeToken(token)),
    forget: async () => set(await routes.forgetToken()),
    /**
     * Calls a function with every change until it returns false.
     * @param {Listener} listener
     * @returns {() => void} ends it
     */
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

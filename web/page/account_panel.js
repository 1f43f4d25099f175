/**
 * The account's panel: enter, test and forget the token. The token is sent, and never shown again.
 *
 * @import { Account, Check, ConnectionTest } from "../../types/answers.js"
 * @import { AccountStore } from "../base/account.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 * @import { Models } from "../models/models.js"
 *
 * @typedef {{
 *   t: Translate, routes: Routes, account: AccountStore, models: Pick<Models, "check" | "sendAsItIs" | "update">, note?: string, autofocus?: boolean,
 * }} Page `note` stands above all; `autofocus` lets a dialog put the cursor into the token's field
 */

import { button, confirmed, element, keepEvents } from "../base/elements.js";
import { money } from "../base/format.js";
import { failureText, nextText } from "../base/receipts.js";
import { errorText } from "../base/routes.js";
import { changedModels } from "../models/changed_models.js";
import { SettingsForm } from "./settings_form.js";

const PROFILE_PAGE = "https://www.runcomfy.com/profile";
/** They would keep the token, and offer it elsewhere. */
const NO_PASSWORD_MANAGER = { "data-1p-ignore": "true", "data-lpignore": "true", "data-bwignore": "true" };

export class AccountPanel {
  #document;
  #page;
  #input;
  #inUse;
  #result;
  #save;
  #test;
  #forget;
  #note;
  #models;

  /**
   * @param {Document} document
   * @param {Page} page
   */
  constructor(document, page) {
    const { t, account } = page;
    this.#document = document;
    this.#page = page;
    this.#input = tokenInput(document, t, page.autofocus ?? false);
    this.#inUse = element(document, "span", "in-use");
    this.#result = element(document, "div", "result", "", { role: "status" });
    this.#save = element(document, "button", "button primary", t("panel.save"));
    this.#test = button(document, "button", t("panel.test"), () => this.#run(() => this.#testNow()));
    this.#forget = confirmed(document, t("panel.forget"), t("panel.forgetSure"), () =>
      this.#run(() => this.#forgetNow()),
    );
    this.#note = element(document, "p", "note", page.note ?? "");
    this.#models = element(document, "div", "models-place");
    this.#lookAtModels();
    this.root = this.#build();
    keepEvents(this.root);
    this.#draw(account.known);
    // The host may take the panel off the page and show it again later.
    const panel = new WeakRef(this);
    account.subscribe((known) => {
      const alive = panel.deref();
      if (alive) alive.#draw(known);
      return Boolean(alive);
    });
    account.refresh().catch((error) => this.#tell("bad", errorText(error, t)));
  }

  #build() {
    const document = this.#document;
    const { t, routes } = this.#page;
    const form = element(document, "form", "row", [this.#input, this.#save]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#storeThenTest());
    });
    return element(document, "div", "panel", [
      this.#note,
      element(document, "div", "row", [element(document, "span", "label", t("panel.inUse")), this.#inUse]),
      form,
      element(document, "div", "row", [this.#test, this.#forget]),
      this.#result,
      profileLink(document, t),
      element(document, "p", "small", t("panel.safety")),
      this.#models,
      new SettingsForm(document, { t, routes }).root,
    ]);
  }

  /** @param {() => Promise<void>} action */
  async #run(action) {
    const { t, account } = this.#page;
    for (const each of [this.#save, this.#test, this.#forget]) each.disabled = true;
    try {
      await action();
    } catch (error) {
      this.#tell("bad", errorText(error, t));
    } finally {
      this.#save.disabled = false;
      this.#draw(account.known);
    }
  }

  async #storeThenTest() {
    const token = this.#input.value.trim();
    if (!token) return this.#input.focus();
    await this.#page.account.store(token);
    this.#input.value = "";
    this.#lookAtModels();
    await this.#testNow(this.#page.t("panel.saved"));
  }

  async #testNow(before = "") {
    const { t, routes } = this.#page;
    this.#tell("dim", [before, t("panel.testing")].filter(Boolean).join(" "));
    this.#result.replaceChildren(...findings(this.#document, t, await routes.test()));
  }

  async #forgetNow() {
    await this.#page.account.forget();
    this.#lookAtModels();
    this.#tell("dim", this.#page.t("panel.forgotten"));
  }

  /** What can be told of the models, too, follows from the token. */
  #lookAtModels() {
    const { t, models } = this.#page;
    this.#models.replaceChildren(changedModels(this.#document, { t, models }));
  }

  /** @param {Account | null} known */
  #draw(known) {
    this.#note.hidden = !this.#note.textContent || known?.state === "ready";
    this.#inUse.replaceChildren(...sourceText(this.#document, this.#page.t, known));
    this.#test.disabled = known?.state !== "ready";
    this.#forget.disabled = !(known?.kind === "stored" || known?.state === "unusable");
  }

  /** @param {"dim" | "bad"} tone @param {string} text */
  #tell(tone, text) {
    this.#result.replaceChildren(element(this.#document, "p", tone, text));
  }
}

/** @param {Document} document @param {Translate} t @param {boolean} autofocus */
function tokenInput(document, t, autofocus) {
  const input = element(document, "input", "input", [], {
    type: "password",
    autocomplete: "off",
    spellcheck: "false",
    placeholder: t("panel.placeholder"),
    "aria-label": t("panel.token"),
    ...NO_PASSWORD_MANAGER,
  });
  input.autofocus = autofocus;
  return input;
}

/** @param {Document} document @param {Translate} t @param {Account | null} known */
function sourceText(document, t, known) {
  if (!known) return ["\u2026"];
  if (known.state === "missing") return [t("panel.missing")];
  if (known.state === "unusable") return [element(document, "span", "bad", known.failure ? failureText(known.failure, t) : t("panel.unusable"))];
  return [
    element(document, "code", "mask", known.masked ?? ""),
    element(document, "span", "dim", t(`panel.${known.kind}`, { source: known.source })),
  ];
}

/** @param {Document} document @param {Translate} t @param {ConnectionTest} test */
function findings(document, t, { reachable, token, balance_usd, spent_today_usd, budget_usd }) {
  const rows = [finding(document, t("test.reachable"), reachable.ok, checkText(reachable, t("test.ok"), t))];
  if (reachable.ok) rows.push(finding(document, t("test.token"), token.ok, checkText(token, t("test.accepted"), t)));
  if (token.ok) rows.push(finding(document, t("test.balance"), null, money(balance_usd) || t("test.unknown")));
  rows.push(finding(document, t("test.spent"), null, money(spent_today_usd)));
  rows.push(finding(document, t("test.budget"), null, money(budget_usd) || t("test.noBudget")));
  return [element(document, "dl", "findings", rows.flat()), element(document, "p", "small", t("panel.nothingGenerated"))];
}

/** @param {Check} check @param {string} good @param {Translate} t */
function checkText({ ok, failure }, good, t) {
  if (!failure) return ok ? good : t("test.unknown");
  return [failureText(failure, t), nextText(failure, t)].filter(Boolean).join(" ");
}

/** @param {Document} document @param {string} label @param {boolean | null} ok @param {string} text */
function finding(document, label, ok, text) {
  const tone = ok === null ? "plain" : ok ? "good" : "bad";
  return [element(document, "dt", "", label), element(document, "dd", tone, text)];
}

/** @param {Document} document @param {Translate} t */
function profileLink(document, t) {
  const link = element(document, "a", "", PROFILE_PAGE.replace("https://www.", ""), {
    href: PROFILE_PAGE,
    target: "_blank",
    rel: "noopener noreferrer",
  });
  const [before, after = ""] = t("panel.where").split("{link}");
  return element(document, "p", "small", [before, link, after]);
}

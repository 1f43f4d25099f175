/** The account's panel: enter, test and forget the token. The token is sent, and never shown again. */

import { button, element } from "../node/status_board.js";
import { keepEvents } from "../base/dialog.js";
import { money } from "../base/format.js";
import { failureText } from "../base/routes.js";

const PROFILE_PAGE = "https://www.runcomfy.com/profile";
const SURE_MILLISECONDS = 4000;

export class Panel {
  #page;
  #inUse;
  #result;
  #save;
  #test;
  #forget;
  #seen = false;

  /**
   * @param {Document} document
   * @param {{ t: import("../base/messages.js").Translate, server: any, account: any, note?: string }} page
   */
  constructor(document, page) {
    const { t, account } = page;
    this.document = document;
    this.#page = page;
    this.input = tokenInput(document, t);
    this.#inUse = element(document, "span", "in-use");
    this.#result = element(document, "div", "result");
    this.#result.setAttribute("role", "status");
    this.#save = element(document, "button", "button primary", t("panel.save"));
    this.#test = button(document, "button", t("panel.test"), () => this.#run(() => this.#testNow()));
    this.#forget = confirmed(document, t("panel.forget"), t("panel.forgetSure"), () =>
      this.#run(() => this.#forgetNow()),
    );
    this.root = this.#build();
    keepEvents(this.root);
    this.#draw(account.known);
    account.subscribe((known) => this.#heard(known));
    account.refresh().catch((error) => this.#tell("bad", failureText(error, t)));
  }

  #build() {
    const { document } = this;
    const { t, note } = this.#page;
    const form = element(document, "form", "row", [this.input, this.#save]);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#run(() => this.#storeThenTest());
    });
    return element(document, "div", "panel", [
      ...(note ? [element(document, "p", "note", note)] : []),
      element(document, "div", "row", [element(document, "span", "label", t("panel.inUse")), this.#inUse]),
      form,
      element(document, "div", "row", [this.#test, this.#forget]),
      this.#result,
      whereFrom(document, t),
      element(document, "p", "small", t("panel.safety")),
    ]);
  }

  async #run(action) {
    const { t, account } = this.#page;
    for (const each of [this.#save, this.#test, this.#forget]) each.disabled = true;
    try {
      await action();
    } catch (error) {
      this.#tell("bad", failureText(error, t));
    } finally {
      this.#save.disabled = false;
      this.#draw(account.known);
    }
  }

  async #storeThenTest() {
    const token = this.input.value.trim();
    if (!token) return this.input.focus();
    await this.#page.account.store(token);
    this.input.value = "";
    await this.#testNow(this.#page.t("panel.saved"));
  }

  async #testNow(before = "") {
    const { t, server } = this.#page;
    this.#tell("dim", [before, t("panel.testing")].filter(Boolean).join(" "));
    this.#result.replaceChildren(...findings(this.document, t, await server.test()));
  }

  async #forgetNow() {
    await this.#page.account.forget();
    this.#tell("dim", this.#page.t("panel.forgotten"));
  }

  /** Draws the account again, until the panel is gone from the page. */
  #heard(known) {
    this.#seen ||= this.root.isConnected;
    if (this.#seen && !this.root.isConnected) return false;
    this.#draw(known);
    return true;
  }

  #draw(known) {
    this.#inUse.replaceChildren(...sourceText(this.document, this.#page.t, known));
    this.#test.disabled = known?.state !== "ready";
    this.#forget.disabled = !(known?.kind === "stored" || known?.state === "unusable");
  }

  #tell(tone, text) {
    this.#result.replaceChildren(element(this.document, "p", tone, text));
  }
}

function tokenInput(document, t) {
  const input = element(document, "input", "input");
  input.type = "password";
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = t("panel.placeholder");
  input.setAttribute("aria-label", t("panel.token"));
  // Password managers would keep it, and offer it elsewhere.
  for (const name of ["data-1p-ignore", "data-lpignore", "data-bwignore"]) input.setAttribute(name, "true");
  return input;
}

function confirmed(document, text, question, action) {
  let timer = 0;
  const made = button(document, "button", text, () => {
    if (!timer) {
      made.textContent = question;
      timer = setTimeout(reset, SURE_MILLISECONDS);
      return;
    }
    reset();
    action();
  });
  function reset() {
    clearTimeout(timer);
    timer = 0;
    made.textContent = text;
  }
  return made;
}

function sourceText(document, t, known) {
  if (!known) return ["\u2026"];
  if (known.state === "missing") return [t("panel.missing")];
  if (known.state === "unusable") return [element(document, "span", "bad", known.message || t("panel.unusable"))];
  return [
    element(document, "code", "mask", known.masked),
    element(document, "span", "dim", t(`panel.${known.kind}`, { source: known.source })),
  ];
}

function findings(document, t, { reachable, token, balance_usd, spent_today_usd, budget_usd }) {
  const refused = token.ok === false ? t("test.refused") : t("test.unknown");
  const rows = [
    finding(document, t("test.reachable"), reachable.ok, reachable.ok ? t("test.ok") : t(`test.${reachable.code}`)),
  ];
  if (reachable.ok) rows.push(finding(document, t("test.token"), token.ok, token.ok ? t("test.accepted") : refused));
  if (token.ok) rows.push(finding(document, t("test.balance"), null, money(balance_usd) || t("test.unknown")));
  rows.push(finding(document, t("test.spent"), null, money(spent_today_usd)));
  rows.push(finding(document, t("test.budget"), null, money(budget_usd) || t("test.noBudget")));
  return [element(document, "dl", "findings", rows.flat()), element(document, "p", "small", t("panel.nothingGenerated"))];
}

function finding(document, label, ok, text) {
  const tone = { true: "good", false: "bad" }[String(ok)] ?? "plain";
  return [element(document, "dt", "", label), element(document, "dd", tone, text)];
}

function whereFrom(document, t) {
  const link = element(document, "a", "", PROFILE_PAGE.replace("https://www.", ""));
  link.href = PROFILE_PAGE;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  const [before, after = ""] = t("panel.where").split("{link}");
  return element(document, "p", "small", [before, link, after]);
}

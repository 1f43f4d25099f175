/** The account's panel: enter, test and forget the token. The token is sent, and never shown again. */

import { button, element } from "./board.js";
import { keepEvents } from "./dialog.js";
import { money } from "./format.js";
import { failureText } from "./server.js";

const PROFILE_PAGE = "https://www.runcomfy.com/profile";
const SURE_MILLISECONDS = 4000;

/**
 * @param {Document} document
 * @param {{ t: import("./messages.js").Translate, server: any, account: any, note?: string }} page
 * @returns {HTMLElement}
 */
export function createPanel(document, { t, server, account, note = "" }) {
  const inUse = element(document, "span", "in-use");
  const result = element(document, "div", "result");
  result.setAttribute("role", "status");
  const input = tokenInput(document, t);
  const save = element(document, "button", "button primary", t("panel.save"));
  const test = button(document, "button", t("panel.test"), () => run(testNow));
  const forget = confirmed(document, t("panel.forget"), t("panel.forgetSure"), () => run(forgetNow));
  const buttons = [save, test, forget];
  const form = element(document, "form", "row", [input, save]);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run(storeThenTest);
  });

  async function run(action) {
    for (const each of buttons) each.disabled = true;
    try {
      await action();
    } catch (error) {
      tell(document, result, "bad", failureText(error, t));
    } finally {
      for (const each of buttons) each.disabled = false;
      draw(account.known);
    }
  }

  async function storeThenTest() {
    const token = input.value.trim();
    if (!token) return input.focus();
    await account.store(token);
    input.value = "";
    await testNow(t("panel.saved"));
  }

  async function testNow(before = "") {
    tell(document, result, "dim", [before, t("panel.testing")].filter(Boolean).join(" "));
    result.replaceChildren(...findings(document, t, await server.test()));
  }

  async function forgetNow() {
    await account.forget();
    tell(document, result, "dim", t("panel.forgotten"));
  }

  function draw(known) {
    inUse.replaceChildren(...sourceText(document, t, known));
    test.disabled = known?.state !== "ready";
    forget.disabled = !(known?.kind === "stored" || known?.state === "unusable");
  }

  const root = element(document, "div", "panel", [
    ...(note ? [element(document, "p", "note", note)] : []),
    element(document, "div", "row", [element(document, "span", "label", t("panel.inUse")), inUse]),
    form,
    element(document, "div", "row", [test, forget]),
    result,
    whereFrom(document, t),
    element(document, "p", "small", t("panel.safety")),
  ]);
  keepEvents(root);
  draw(account.known);
  let seen = false;
  account.subscribe((known) => {
    seen ||= root.isConnected;
    if (seen && !root.isConnected) return false;
    draw(known);
    return true;
  });
  account.refresh().catch((error) => tell(document, result, "bad", failureText(error, t)));
  return root;
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

function tell(document, result, tone, text) {
  result.replaceChildren(element(document, "p", tone, text));
}

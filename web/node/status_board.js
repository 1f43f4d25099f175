/**
 * The part of a node that shows its state: an element, and what changes it.
 *
 * @typedef {import("./status_view.js").View} View
 * @typedef {{ view: View | null, price: string, tokenMissing: boolean }} Shown
 */

import { shortId } from "../base/format.js";

/**
 * Makes an element with a class, a text and children.
 * @param {Document} document
 * @param {string} tag
 * @param {string} name the class, without the pack's prefix
 * @param {string | Node | (string | Node)[]} content
 */
export function element(document, tag, name = "", content = []) {
  const made = document.createElement(tag);
  if (name) made.className = name.split(" ").map((part) => `runcomfy-${part}`).join(" ");
  made.append(...[content].flat());
  return made;
}

/**
 * Makes a button.
 * @param {Document} document
 * @param {string} name
 * @param {string} text
 * @param {() => void} onClick
 */
export function button(document, name, text, onClick) {
  const made = element(document, "button", name, text);
  made.type = "button";
  made.addEventListener("click", onClick);
  return made;
}

/**
 * Makes the board of one node.
 * @param {Document} document
 * @param {import("../base/messages.js").Translate} t
 * @param {{ copy: (text: string) => Promise<void>, enterToken: () => void, resized: () => void }} actions
 */
export function createBoard(document, t, actions) {
  const inner = element(document, "div", "board-inner");
  const root = element(document, "div", "board", inner);
  let drawn = "";

  /** @param {Shown} shown */
  function show(shown) {
    const next = JSON.stringify(shown);
    if (next === drawn) return;
    drawn = next;
    const open = inner.querySelector("details")?.open ?? false;
    inner.replaceChildren(...parts(document, t, actions, shown, open));
    actions.resized();
  }

  return { root, inner, show };
}

function parts(document, t, actions, { view, price, tokenMissing }, open) {
  const made = [];
  if (view) {
    made.push(head(document, view));
    if (view.bar !== null) made.push(bar(document, view.bar));
    if (view.lines.length) made.push(element(document, "div", "lines", view.lines.map((line) => row(document, line))));
    if (view.details.length) made.push(details(document, view.details, open));
  }
  if (tokenMissing) {
    const enter = button(document, "link", t("token.enter"), actions.enterToken);
    made.push(element(document, "div", "foot", [element(document, "span", "dim", t("token.none")), enter]));
  } else if (view?.requestId || price) {
    made.push(foot(document, t, actions, view?.requestId, price));
  }
  return made;
}

function head(document, view) {
  const made = element(document, "div", `head ${view.tone}`, [
    element(document, "span", "dot"),
    element(document, "span", "headline", view.headline),
    element(document, "span", "meta", view.meta),
  ]);
  made.setAttribute("role", "status");
  return made;
}

function bar(document, value) {
  const fill = element(document, "div", "fill");
  const made = element(document, "div", value === "unknown" ? "bar unknown" : "bar", fill);
  made.setAttribute("role", "progressbar");
  if (value !== "unknown") {
    fill.style.width = `${(value * 100).toFixed(1)}%`;
    made.setAttribute("aria-valuenow", String(Math.round(value * 100)));
  }
  return made;
}

function details(document, lines, open) {
  if (lines.length < 2) return element(document, "div", "lines", lines.map((line) => row(document, line)));
  const made = element(document, "details", "details", [
    element(document, "summary", "", lines[0]),
    ...lines.slice(1).map((line) => row(document, line)),
  ]);
  made.open = open;
  return made;
}

function row(document, text) {
  return element(document, "div", "line", text);
}

function foot(document, t, actions, requestId, price) {
  const made = element(document, "div", "foot");
  if (requestId) {
    const id = element(document, "code", "id", shortId(requestId));
    id.title = requestId;
    const copy = button(document, "copy", "", async () => {
      const done = await actions.copy(requestId).then(() => true, () => false);
      copy.title = t(done ? "state.copied" : "state.notCopied");
      copy.classList.toggle("runcomfy-done", done);
    });
    copy.title = t("state.copy");
    copy.setAttribute("aria-label", t("state.copy"));
    made.append(element(document, "span", "dim", t("state.request")), id, copy);
  }
  made.append(element(document, "span", "price", price));
  return made;
}

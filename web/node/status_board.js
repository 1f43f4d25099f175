/**
 * The part of a node that shows the state of its run: an element, and what changes it.
 *
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "./next_steps.js"
 * @import { View } from "./status_view.js"
 *
 * @typedef {{ view: View | null, price: string, tokenMissing: boolean }} Shown
 * @typedef {{
 *   copy: (text: string) => Promise<void>, enterToken: () => void, act: (action: Action) => void, resized: () => void,
 * }} Actions
 */

import { button, element, link, requestIdElement, withLinks } from "../base/elements.js";

/**
 * Makes the status board of one node.
 * @param {Document} document
 * @param {Translate} t
 * @param {Actions} actions
 */
export function createStatusBoard(document, t, actions) {
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

/** @param {Document} document @param {Translate} t @param {Actions} actions @param {Shown} shown @param {boolean} open */
function parts(document, t, actions, { view, price, tokenMissing }, open) {
  const made = [];
  if (view) {
    made.push(head(document, view));
    if (view.bar !== null) made.push(bar(document, view.bar));
    if (view.chip) made.push(element(document, "div", `chip ${view.chip.tone}`, view.chip.text));
    if (view.lines.length) made.push(lines(document, view.lines));
    if (view.details.length) made.push(details(document, view.details, open));
    if (view.actions.length) made.push(buttons(document, view.actions, actions.act));
  }
  if (tokenMissing) {
    const enter = button(document, "link", t("token.enter"), actions.enterToken);
    made.push(element(document, "div", "foot", [element(document, "span", "dim", t("token.none")), enter]));
  } else if (view?.requestId || price) {
    made.push(foot(document, t, actions, view?.requestId, price));
  }
  return made;
}

/** @param {Document} document @param {View} view */
function head(document, view) {
  const content = [
    element(document, "span", "dot"),
    element(document, "span", "headline", view.headline),
    element(document, "span", "meta", view.meta),
  ];
  return element(document, "div", `head ${view.tone}`, content, { role: "status" });
}

/** @param {Document} document @param {number | "unknown"} value */
function bar(document, value) {
  const fill = element(document, "div", "fill");
  if (value === "unknown") return element(document, "div", "bar unknown", fill, { role: "progressbar" });
  fill.style.width = `${(value * 100).toFixed(1)}%`;
  const now = String(Math.round(value * 100));
  return element(document, "div", "bar", fill, { role: "progressbar", "aria-valuenow": now });
}

/** @param {Document} document @param {string[]} texts */
function lines(document, texts) {
  return element(document, "div", "lines", texts.map((text) => line(document, text)));
}

/** @param {Document} document @param {string[]} texts @param {boolean} open */
function details(document, texts, open) {
  if (texts.length < 2) return lines(document, texts);
  const made = element(document, "details", "details", [
    element(document, "summary", "", texts[0]),
    ...texts.slice(1).map((text) => line(document, text)),
  ]);
  made.open = open;
  return made;
}

/** @param {Document} document @param {string} text */
function line(document, text) {
  return element(document, "div", "line", withLinks(document, text));
}

/** @param {Document} document @param {Action[]} offered @param {(action: Action) => void} act */
function buttons(document, offered, act) {
  const made = offered.map((action) =>
    action.url
      ? link(document, "step", action.label, action.url, { title: action.title })
      : button(document, "step", action.label, () => act(action), { title: action.title }),
  );
  return element(document, "div", "steps", made);
}

/**
 * @param {Document} document
 * @param {Translate} t
 * @param {Actions} actions
 * @param {string | undefined} requestId
 * @param {string} price
 */
function foot(document, t, actions, requestId, price) {
  const made = element(document, "div", "foot");
  if (requestId) {
    const label = element(document, "span", "dim", t("state.request"));
    made.append(label, requestIdElement(document, requestId), copyButton(document, t, () => actions.copy(requestId)));
  }
  made.append(element(document, "span", "price", price));
  return made;
}

/** @param {Document} document @param {Translate} t @param {() => Promise<void>} copy */
function copyButton(document, t, copy) {
  const label = { title: t("state.copy"), "aria-label": t("state.copy") };
  const made = button(document, "copy", "", click, label);
  async function click() {
    const done = await copy().then(() => true, () => false);
    made.title = t(done ? "state.copied" : "state.notCopied");
    made.classList.toggle("runcomfy-done", done);
  }
  return made;
}

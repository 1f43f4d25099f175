/**
 * The part of a node that shows the state of its run: an element, and what changes it.
 *
 * @import { Translate } from "../base/messages.js"
 * @import { Action } from "./next_steps.js"
 * @import { View } from "./status_view.js"
 * @import { Shown as Take } from "./takes.js"
 *
 * @typedef {{ view: View | null, told: string, takes: Take[], tokenMissing: boolean }} Shown
 * @typedef {{
 *   copy: (text: string) => Promise<void>, enterToken: () => void, act: (action: Action) => void, resized: () => void,
 *   choose: (take: number) => void, compare: () => void,
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
function parts(document, t, actions, { view, told, takes, tokenMissing }, open) {
  const made = [];
  if (view) {
    made.push(head(document, view));
    if (view.bar !== null) made.push(bar(document, view.bar));
    if (view.chip) made.push(element(document, "div", `chip ${view.chip.tone}`, view.chip.text));
    if (view.lines.length) made.push(lines(document, view.lines));
    if (view.details.length) made.push(details(document, view.details, open));
  }
  if (told) made.push(line(document, told));
  if (view?.actions.length || view?.requestId) made.push(foot(document, t, actions, view));
  if (takes.length) made.push(strip(document, t, actions, takes));
  if (tokenMissing) {
    const enter = button(document, "link", t("token.enter"), actions.enterToken);
    made.push(element(document, "div", "foot", [element(document, "span", "dim", t("token.none")), enter]));
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

/** @param {Document} document @param {Action} action @param {(action: Action) => void} act */
function step(document, action, act) {
  if (action.url) return link(document, "step", action.label, action.url, { title: action.title });
  return button(document, "step", action.label, () => act(action), { title: action.title });
}

/** @param {Document} document @param {Translate} t @param {Actions} actions @param {Take[]} takes */
function strip(document, t, actions, takes) {
  const images = takes.map(({ id, title, src, chosen }) => {
    const image = src ? element(document, "img", "strip-image", [], { src, alt: "", decoding: "async", draggable: "false" }) : "\u266a";
    const label = { title: `${title}: ${t("takes.use")}`, "aria-label": title, "aria-pressed": String(chosen) };
    return button(document, chosen ? "strip-take chosen" : "strip-take", image, () => actions.choose(id), label);
  });
  const compare = button(document, "link", t("takes.menu"), actions.compare);
  return element(document, "div", "strip", [...images, compare], { role: "group", "aria-label": t("takes.title") });
}

/** What can be done, and the job that it is about. @param {Document} document @param {Translate} t @param {Actions} actions @param {View} view */
function foot(document, t, actions, { actions: offered, requestId }) {
  const made = offered.map((each) => step(document, each, actions.act));
  return element(document, "div", "foot", requestId ? [...made, request(document, t, actions, requestId)] : made);
}

/** @param {Document} document @param {Translate} t @param {Actions} actions @param {string} requestId */
function request(document, t, actions, requestId) {
  return element(document, "span", "request", [
    element(document, "span", "dim", t("state.request")),
    requestIdElement(document, requestId),
    copyButton(document, t, () => actions.copy(requestId)),
  ]);
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

/**
 * Makes elements. A text goes in as text, never as HTML.
 *
 * @typedef {string | Node | (string | Node)[]} Content
 */

import { shortId } from "./format.js";

const PREFIX = "runcomfy-";
const SURE_MILLISECONDS = 4000;
/** An address without what ends the sentence around it. */
const ADDRESS = /(https:\/\/[^\s<>"']*[^\s<>"'.,;:!?)\u3002\uff0c])/u;
/** What the graph editor would take for itself while a person types or pastes here. */
const KEPT = ["keydown", "keyup", "keypress", "paste", "copy", "cut", "pointerdown", "mousedown", "wheel", "contextmenu"];

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Document} document
 * @param {Tag} tag
 * @param {string} classes separated by spaces, without the pack's prefix
 * @param {Content} content
 * @param {Record<string, string>} attributes
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(document, tag, classes = "", content = [], attributes = {}) {
  const made = document.createElement(tag);
  if (classes) made.className = classes.split(" ").map((name) => PREFIX + name).join(" ");
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...[content].flat());
  return made;
}

/**
 * Makes a button.
 * @param {Document} document
 * @param {string} classes
 * @param {Content} content
 * @param {() => void} onClick
 * @param {Record<string, string>} attributes
 */
export function button(document, classes, content, onClick, attributes = {}) {
  const made = element(document, "button", classes, content, { type: "button", ...attributes });
  made.addEventListener("click", onClick);
  return made;
}

/**
 * Makes a button that asks once more before it does something.
 * @param {Document} document
 * @param {string} text
 * @param {string} question
 * @param {() => void} action
 */
export function confirmed(document, text, question, action) {
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

/**
 * Makes an element that shows a request id: shortened, and whole to who points at it.
 * @param {Document} document
 * @param {string} requestId
 */
export function requestIdElement(document, requestId) {
  return element(document, "code", "id", shortId(requestId), { title: requestId });
}

/**
 * Keeps a person's typing, pasting and scrolling from the graph behind an element.
 * @param {HTMLElement} root
 */
export function keepEvents(root) {
  for (const kind of KEPT) root.addEventListener(kind, (event) => event.stopPropagation());
}

/**
 * Splits a text at its https addresses, and makes these links.
 * @param {Document} document
 * @param {string} text
 * @returns {(string | Node)[]}
 */
export function withLinks(document, text) {
  return text.split(ADDRESS).map((part, place) => (place % 2 ? link(document, "", part, part) : part));
}

/**
 * Makes a link that opens another page beside this one.
 * @param {Document} document
 * @param {string} classes
 * @param {string} text
 * @param {string} url an https address
 * @param {Record<string, string>} attributes
 */
export function link(document, classes, text, url, attributes = {}) {
  const opened = { href: url, target: "_blank", rel: "noopener noreferrer", ...attributes };
  return element(document, "a", classes, text, opened);
}

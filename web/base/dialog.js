/** A modal dialog of the browser's own: above everything, closed by Escape, released when it closes. */

import { button, element } from "../node/status_board.js";

/** What the graph editor would take for itself while a person types or pastes here. */
const KEPT = ["keydown", "keyup", "keypress", "paste", "copy", "cut", "pointerdown", "mousedown", "wheel", "contextmenu"];

/**
 * Keeps a person's typing, pasting and scrolling from the graph behind an element.
 * @param {HTMLElement} root
 */
export function keepEvents(root) {
  for (const kind of KEPT) root.addEventListener(kind, (event) => event.stopPropagation());
}

/**
 * Opens a dialog. One with the same name that is open is closed first.
 * @param {Document} document
 * @param {{ name: string, title: string, close: string, content: HTMLElement }} parts
 * @returns {{ close: () => void }}
 */
export function openDialog(document, { name, title, close, content }) {
  for (const open of document.querySelectorAll(`dialog.runcomfy-${name}`)) open.close();
  const heading = element(document, "h2", "dialog-title", title);
  const closeButton = button(document, "dialog-close", "\u00d7", () => dialog.close());
  closeButton.setAttribute("aria-label", close);
  closeButton.title = close;
  const body = element(document, "div", "dialog-body", [
    element(document, "div", "dialog-head", [heading, closeButton]),
    content,
  ]);
  const dialog = element(document, "dialog", `dialog ${name}`, body);
  dialog.setAttribute("aria-label", title);
  keepEvents(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  if (!content.querySelector("[autofocus]")) {
    heading.tabIndex = -1;
    heading.autofocus = true;
  }
  document.body.append(dialog);
  dialog.showModal();
  return { close: () => dialog.close() };
}

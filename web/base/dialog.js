/** A modal dialog of the browser's own: above everything, closed by Escape, released when it closes. */

import { button, element, keepEvents } from "./elements.js";

/**
 * Opens a dialog. One with the same name that is open is closed first.
 * @param {Document} document
 * @param {{ name: string, title: string, close: string, content: HTMLElement }} parts
 * @returns {{ close: () => void }}
 */
export function openDialog(document, { name, title, close, content }) {
  /** @type {NodeListOf<HTMLDialogElement>} */
  const opened = document.querySelectorAll(`dialog.runcomfy-${name}`);
  for (const open of opened) {
    open.close();
    // The event of its end comes later.
    open.remove();
  }
  const heading = element(document, "h2", "dialog-title", title);
  const label = { "aria-label": close, title: close };
  const body = element(document, "div", "dialog-body", [
    element(document, "div", "dialog-head", [
      heading,
      button(document, "dialog-close", "\u00d7", () => dialog.close(), label),
    ]),
    content,
  ]);
  const dialog = element(document, "dialog", `dialog ${name}`, body, { "aria-label": title });
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

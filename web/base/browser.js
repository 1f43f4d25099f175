/** What a browser wants done by hand. */

/** Adds a style sheet to the page, once. @param {Document} document @param {string} href */
export function addStyle(document, href) {
  if (document.querySelector(`link[href="${href}"]`)) return;
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
}

/**
 * Copies a text; without a secure context the old way is the only one.
 * @param {Window & typeof globalThis} window
 * @param {string} text
 */
export async function copyText(window, text) {
  if (window.navigator.clipboard) return window.navigator.clipboard.writeText(text);
  const { document } = window;
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("not copied");
}

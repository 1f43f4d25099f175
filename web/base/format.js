/** Amounts, spans of time and ids as a person reads them. Pure. */

/**
 * Writes USD with two decimals, and with up to four where two would hide something. `nodes/core/money.py` has the same
 * rule, tested with the same table.
 * @param {number | null | undefined} usd
 */
export function money(usd) {
  if (typeof usd !== "number" || !Number.isFinite(usd)) return "";
  const text = Math.abs(usd).toFixed(4).replace(/(\.\d\d)00$/, "$1").replace(/(\.\d\d\d)0$/, "$1");
  return `${usd < 0 ? "-" : ""}$${text}`;
}

/**
 * Writes a number of bytes: "100 B", "12 KiB", "1.25 MiB". `nodes/core/texts.py` has the same rule.
 * @param {number} bytes
 */
export function byteSize(bytes) {
  if (bytes < 2 ** 10) return `${bytes} B`;
  if (bytes < 2 ** 20) return `${Math.round(bytes / 2 ** 10)} KiB`;
  return `${(Math.round((bytes * 100) / 2 ** 20) / 100).toFixed(2)} MiB`;
}

/**
 * Writes an age in the largest unit that fits: "3 min. ago", in the language of the page.
 * @param {number} seconds
 * @param {string} locale
 */
export function age(seconds, locale) {
  /** @type {[Intl.RelativeTimeFormatUnit, number][]} */
  const units = [
    ["day", 86400],
    ["hour", 3600],
    ["minute", 60],
    ["second", 1],
  ];
  const [unit, size] = units.find(([, length]) => seconds >= length) ?? ["second", 1];
  const format = new Intl.RelativeTimeFormat(locale, { numeric: "always", style: "short" });
  return format.format(-Math.floor(seconds / size), unit);
}

/**
 * Shortens an id in its middle; a short one stays whole.
 * @param {string} id
 */
export function shortId(id) {
  return id.length > 16 ? `${id.slice(0, 8)}\u2026${id.slice(-4)}` : id;
}

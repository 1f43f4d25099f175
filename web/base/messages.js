/**
 * The page's texts in the person's language. The server has the tables and picks the language; see `nodes/core/texts.py`.
 *
 * @import { Note } from "../../types/answers.js"
 *
 * @typedef {Record<string, string>} Table
 * @typedef {Record<string, unknown>} Values a note is said within the text; a name that ends in `usd` stands for an
 *   amount, one in `bytes` for a size; `count` chooses the form of a text that has several
 * @typedef {((key: string, values?: Values) => string) & {
 *   note: (note: Note) => string, has: (key: string) => boolean, locale: string,
 * }} Translate
 */

import { byteSize, money } from "./format.js";

/**
 * Returns a function from keys to texts. An unknown key is its own text.
 * @param {Table} table
 * @param {string} locale
 * @returns {Translate}
 */
export function translator(table, locale = "en") {
  const rules = new Intl.PluralRules(locale);
  /** @param {string} key @param {Values} values @returns {string | undefined} */
  const find = (key, values) =>
    table[key] ?? table[`${key}.${rules.select(Number(values.count))}`] ?? table[`${key}.other`];
  /** @type {Translate} */
  const translate = (key, values = {}) => fill(find(key, values) ?? key, values, translate);
  translate.note = ({ kind, params }) => translate(kind, params);
  translate.has = (key) => table[key] !== undefined;
  translate.locale = locale;
  return translate;
}

/** @param {string} text @param {Values} values @param {Translate} t */
function fill(text, values, t) {
  return text.replace(/\{(\w+)\}/g, (place, name) => (name in values ? written(name, values[name], t) : place));
}

/** @param {string} name @param {unknown} value @param {Translate} t */
function written(name, value, t) {
  if (value !== null && typeof value === "object") return t.note(/** @type {Note} */ (value));
  if (typeof value !== "number") return String(value);
  if (name.endsWith("usd")) return money(value);
  return name.endsWith("bytes") ? byteSize(value) : String(value);
}

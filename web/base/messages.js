/**
 * The page's texts in the person's language, with English for what is missing.
 *
 * @typedef {Record<string, string>} Table
 * @typedef {Record<string, unknown>} Values
 * @typedef {((key: string, values?: Values) => string) & {
 *   count: (key: string, count: number, values?: Values) => string,
 *   has: (key: string) => boolean,
 *   locale: string,
 * }} Translate
 */

export const LOCALES = ["en", "zh", "zh-TW", "ko", "fr", "ja", "es", "ru"];

/**
 * Returns the nearest language there is a table for: "zh-Hant" and "zh-HK" read "zh-TW", "fr-CA" reads "fr".
 * @param {string | undefined} wanted
 */
export function nearestLocale(wanted) {
  const name = (wanted || "en").replace("_", "-");
  if (LOCALES.includes(name)) return name;
  if (/^zh-(hant|tw|hk|mo)/i.test(name)) return "zh-TW";
  const language = name.split("-")[0].toLowerCase();
  return LOCALES.includes(language) ? language : "en";
}

/**
 * Returns a function from keys to texts. An unknown key is its own text.
 * @param {Table} table
 * @param {Table} english
 * @param {string} locale
 * @returns {Translate}
 */
export function translator(table, english, locale = "en") {
  /** @param {string} key @returns {string | undefined} */
  const find = (key) => table[key] ?? english[key];
  /** @type {Translate} */
  const translate = (key, values = {}) => fill(find(key) ?? key, values);
  translate.has = (key) => find(key) !== undefined;
  translate.locale = locale;
  translate.count = (key, count, values = {}) => {
    const form = new Intl.PluralRules(locale).select(count);
    const text = table[`${key}.${form}`] ?? table[`${key}.other`] ?? english[`${key}.${count === 1 ? "one" : "other"}`];
    return fill(text ?? key, { count, ...values });
  };
  return translate;
}

/** @param {string} text @param {Values} values */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
}

/**
 * Loads the table of a language. One that cannot be loaded is replaced by English.
 * @param {string | undefined} wanted
 * @param {(locale: string) => Promise<{ default: Table }>} load
 * @returns {Promise<Translate>}
 */
export async function loadMessages(wanted, load) {
  const locale = nearestLocale(wanted);
  const english = (await load("en")).default;
  try {
    return translator((await load(locale)).default, english, locale);
  } catch {
    return translator(english, english, "en");
  }
}

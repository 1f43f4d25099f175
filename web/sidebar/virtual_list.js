/**
 * A list of which only the rows in sight are in the document, however long it is.
 *
 * @typedef {{ key: string, height: number, value: unknown, make: () => HTMLElement }} Item a row: it is made again when
 *   `value` is another one
 * @typedef {{ top: number, item: Item }} Placed
 */

import { element } from "../base/elements.js";

/** Rows this far out of sight, in pixels, are made as well. */
const MARGIN = 300;

/**
 * Returns where each row lies, and the height of all. Pure.
 * @param {Item[]} items
 */
export function place(items) {
  let top = 0;
  const placed = items.map((item) => {
    const at = { top, item };
    top += item.height;
    return at;
  });
  return { placed, height: top };
}

/**
 * Returns the rows between two heights. Pure.
 * @param {Placed[]} placed
 * @param {number} from
 * @param {number} to
 */
export function between(placed, from, to) {
  let [low, high] = [0, placed.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (placed[middle].top + placed[middle].item.height <= from) low = middle + 1;
    else high = middle;
  }
  let end = low;
  while (end < placed.length && placed[end].top < to) end += 1;
  return placed.slice(low, end);
}

export class VirtualList {
  #space;
  #nearEnd;
  /** @type {Placed[]} */
  #placed = [];
  #height = 0;
  /** @type {Map<string, { value: unknown, row: HTMLElement }>} */
  #rows = new Map();

  /**
   * @param {Document} document
   * @param {() => void} nearEnd the end of the list is nearly in sight
   */
  constructor(document, nearEnd) {
    this.#nearEnd = nearEnd;
    this.#space = element(document, "div", "list-space", "", { role: "list" });
    this.root = element(document, "div", "list", this.#space, { tabindex: "-1" });
    this.root.addEventListener("scroll", () => this.draw(), { passive: true });
    const Observer = document.defaultView?.ResizeObserver;
    if (Observer) new Observer(() => this.draw()).observe(this.root);
  }

  /** @param {Item[]} items */
  show(items) {
    const { placed, height } = place(items);
    this.#placed = placed;
    this.#height = height;
    this.#space.style.height = `${height}px`;
    this.draw();
  }

  /** Scrolls until a row is in sight. @param {string} key */
  reveal(key) {
    const found = this.#placed.find(({ item }) => item.key === key);
    if (!found) return;
    const { scrollTop, clientHeight } = this.root;
    const end = found.top + found.item.height;
    if (found.top < scrollTop) this.root.scrollTop = found.top;
    else if (end > scrollTop + clientHeight) this.root.scrollTop = end - clientHeight;
    this.draw();
  }

  /** Makes the rows that are in sight by now, and drops the others. */
  draw() {
    const { scrollTop, clientHeight } = this.root;
    const wanted = between(this.#placed, scrollTop - MARGIN, scrollTop + clientHeight + MARGIN);
    const keys = new Set(wanted.map(({ item }) => item.key));
    for (const [key, { row }] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    for (const { top, item } of wanted) this.#row(item).style.transform = `translateY(${top}px)`;
    if (clientHeight && scrollTop + clientHeight + MARGIN >= this.#height) this.#nearEnd();
  }

  /** @param {Item} item */
  #row(item) {
    const made = this.#rows.get(item.key);
    if (made && made.value === item.value) return made.row;
    const row = item.make();
    row.style.height = `${item.height}px`;
    if (made) made.row.replaceWith(row);
    else this.#space.append(row);
    this.#rows.set(item.key, { value: item.value, row });
    return row;
  }
}

/**
 * What is done to the host's own nodes and widgets.
 *
 * @import { Badge, BadgeClass, HookValues, HostNode, MenuItem } from "../../types/host.js"
 */

const LOOK = { fgColor: "#fff", bgColor: "#3a5a86" };

/**
 * Calls a function after an object's own one of that name.
 * @template {object} Target
 * @template {keyof Target} Name
 * @param {Target} target
 * @param {Name} name
 * @param {(...values: HookValues<Target[Name]>) => void} extra
 */
export function after(target, name, extra) {
  const own = /** @type {((...values: unknown[]) => unknown) | undefined} */ (target[name]);
  /** @this {unknown} @param {HookValues<Target[Name]>} values */
  function both(...values) {
    const result = own?.apply(this, values);
    extra(...values);
    return result;
  }
  Object.assign(target, { [name]: both });
}

/** Draws a node again. @param {HostNode} node */
export function redraw(node) {
  (node.graph?.setDirtyCanvas ?? node.setDirtyCanvas)?.call(node.graph ?? node, true, true);
}

/** Makes room for what a node holds; a person's larger size stays. @param {HostNode} node */
export function makeRoom(node) {
  const needed = node.computeSize()[1];
  if (needed > node.size[1]) node.setSize?.([node.size[0], needed]);
  redraw(node);
}

/**
 * Adds entries to a node's menu where the frontend has no hook `getNodeMenuItems` and asks the node itself.
 * @param {HostNode} node
 * @param {() => MenuItem[]} items
 */
export function addMenuItems(node, items) {
  const own = node.getExtraMenuOptions;
  node.getExtraMenuOptions = function (canvas, options) {
    const more = own?.call(this, canvas, options) ?? [];
    return [...items(), ...more];
  };
}

/** Takes no room. @type {Badge} */
const NO_BADGE = { text: "", height: 0, getWidth: () => 0, draw() {} };

/**
 * Adds a badge to a node's head, in the host's own form. It is asked for its text whenever the head is drawn.
 * @param {HostNode} node
 * @param {() => string} text '' for none
 * @param {BadgeClass | undefined} known the host's class of badges, where the page names it
 */
export function addBadge(node, text, known) {
  if (!node.badges) return;
  let shown = NO_BADGE;
  const badge = () => {
    const wanted = text();
    const Made = known ?? badgeClass(node.badges ?? [], badge);
    if (shown.text !== wanted) shown = wanted && Made ? new Made({ text: wanted, ...LOOK }) : NO_BADGE;
    return shown;
  };
  node.badges.push(badge);
}

/**
 * The class of the badges that the host itself has put on a node.
 * @param {(Badge | (() => Badge))[]} badges
 * @param {() => Badge} own
 * @returns {BadgeClass | undefined}
 */
function badgeClass(badges, own) {
  const others = badges.filter((badge) => badge !== own).map((badge) => (typeof badge === "function" ? badge() : badge));
  return /** @type {BadgeClass | undefined} */ (others.find(Boolean)?.constructor);
}

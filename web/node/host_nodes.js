/**
 * What is done to the host's own nodes and widgets.
 *
 * @import { HookValues, HostNode, MenuItem } from "../../types/host.js"
 */

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

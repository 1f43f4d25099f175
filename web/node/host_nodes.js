/** What is done to the host's own objects. */

/**
 * Calls a function after an object's own one of that name.
 * @param {any} target
 * @param {string} name
 * @param {(...values: any[]) => void} extra
 */
export function after(target, name, extra) {
  const own = target[name];
  target[name] = function (...values) {
    const result = own?.apply(this, values);
    extra(...values);
    return result;
  };
}

/** Draws a node again. @param {any} node */
export function redraw(node) {
  (node.graph?.setDirtyCanvas ?? node.setDirtyCanvas)?.call(node.graph ?? node, true, true);
}

/** Makes room for what a node holds; a person's larger size stays. @param {any} node */
export function makeRoom(node) {
  const needed = node.computeSize?.()[1] ?? 0;
  if (needed > node.size[1]) node.setSize?.([node.size[0], needed]);
  redraw(node);
}

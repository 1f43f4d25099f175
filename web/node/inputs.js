/**
 * The inputs of a node as a person sets them: the values of its widgets, but for those that a link decides. No DOM.
 *
 * @import { HostNode } from "../../types/host.js"
 */

import { freeWidget, isConnected, widgetValue } from "./graph.js";
import { redraw } from "./host_nodes.js";

const CONTROL = "control_after_generate";

/** Sets the widget of an input; what comes over a link is left to it. @param {HostNode} node @param {string} name @param {unknown} value */
export function setInput(node, name, value) {
  const widget = freeWidget(node, name);
  if (!widget || widget.value === value) return;
  widget.value = value;
  widget.callback?.(value);
}

/**
 * Sets widgets of a node, and fixes its seed: with another one the next run would be another job.
 * @param {HostNode} node
 * @param {[string, unknown][]} inputs
 */
export function setInputs(node, inputs) {
  for (const [name, value] of [...inputs, [CONTROL, "fixed"]]) setInput(node, String(name), value);
  redraw(node);
}

/** The values of a node's inputs that have widgets, but for those that a link decides. @param {HostNode} node */
export function valuesOf(node) {
  const names = (node.inputs ?? []).flatMap(({ widget }) => (widget ? [widget.name] : []));
  const values = names.map((name) => /** @type {[string, unknown]} */ ([name, widgetValue(node, name)]));
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** Whether something is connected that the values of the widgets do not tell. @param {HostNode} node */
export function hasLinks(node) {
  return (node.inputs ?? []).some((_, index) => isConnected(node, index));
}

/**
 * The sidebar's place on the page: a tab with a badge, and the canvas that its jobs are dragged to.
 *
 * @import { App, HostWindow, Point, SidebarTab } from "../../types/host.js"
 */

import { DRAGGED } from "./job_row.js";

const ID = "runcomfy";

/**
 * Adds the tab; returns what opens it and what changes its badge. A host without tabs is left alone.
 * @param {App} app
 * @param {{ title: string, tooltip: string, render: (container: HTMLElement) => void }} sidebar
 */
export function addTab(app, { title, tooltip, render }) {
  const manager = app.extensionManager;
  /** @type {SidebarTab} */
  const tab = { id: ID, title, tooltip, icon: "pi pi-images", iconBadge: "", type: "custom", render };
  manager?.registerSidebarTab?.(tab);
  /** What the host made of the tab: it sees what is written there, and not what is written into `tab`. */
  const shown = () => manager?.getSidebarTabs?.().find(({ id }) => id === ID) ?? tab;
  return {
    open() {
      if (manager?.sidebarTab) manager.sidebarTab.activeSidebarTabId = ID;
    },
    /** @param {number} count nothing is shown for 0 */
    badge(count) {
      const text = count > 99 ? "99+" : count ? String(count) : "";
      if (shown().iconBadge !== text) shown().iconBadge = text;
    },
  };
}

/**
 * Takes the jobs that are dragged to the canvas, before the host looks for files in them.
 * @param {HostWindow} window
 * @param {App} app
 * @param {(requestId: string, event: DragEvent) => void} dropped
 */
export function takeDroppedJobs(window, app, dropped) {
  /** @param {DragEvent} event */
  const isOurs = ({ dataTransfer }) => Array.from(dataTransfer?.types ?? []).includes(DRAGGED);
  /** @param {DragEvent} event */
  const isOverCanvas = ({ clientX, clientY }) => {
    const { left, right, top, bottom } = app.canvas.canvas.getBoundingClientRect();
    const within = clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
    return within && !window.document.elementFromPoint(clientX, clientY)?.closest(".runcomfy-sidebar, .side-bar-panel");
  };
  window.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.stopPropagation();
    if (isOverCanvas(event)) event.preventDefault();
  }, true);
  window.addEventListener("drop", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    if (isOverCanvas(event)) dropped(event.dataTransfer?.getData(DRAGGED) ?? "", event);
  }, true);
}

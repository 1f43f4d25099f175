/**
 * From which of the open workflows each prompt of this page was queued: copies of one workflow have the same id. No DOM.
 *
 * @import { Report } from "../../types/answers.js"
 * @import { Api, App, HostNode } from "../../types/host.js"
 */

import { hasInputs } from "../node/runs.js";

const MOST = 200;

export class Origins {
  /** By the prompt's id. @type {Map<string, { path: string, workflow: string }>} */
  #prompts = new Map();
  /** @type {Promise<unknown>} */
  #queued = Promise.resolve();
  #app;

  /** @param {Pick<App, "extensionManager">} app */
  constructor(app) {
    this.#app = app;
  }

  /** Takes note of every prompt that the page queues. @param {Pick<Api, "queuePrompt">} api */
  follow(api) {
    const own = api.queuePrompt;
    api.queuePrompt = (...values) => {
      const path = this.#path() ?? "";
      const { id } = /** @type {{ id?: string }} */ (values[1].workflow);
      const queued = own.apply(api, values).then((answer) => {
        if (answer?.prompt_id) this.#remember(answer.prompt_id, { path, workflow: id ?? "" });
        return answer;
      });
      this.#queued = queued.catch(() => {});
      return queued;
    };
  }

  /** Ends when the prompt that was queued last is known: what the server tells of it may come before its answer. */
  async settled() {
    await this.#queued;
  }

  /** The id of the workflow that a prompt is of; undefined where another page queued it. @param {string} prompt */
  workflowOf(prompt) {
    return this.#prompts.get(prompt)?.workflow;
  }

  /**
   * Whether a report belongs to the workflow that is shown. Of a prompt that was queued elsewhere, or before the page
   * was loaded, the inputs tell.
   * @param {Report} report
   * @param {HostNode} node the node that has its place
   */
  owns(report, node) {
    const path = this.#prompts.get(report.prompt)?.path;
    if (path && this.#open().includes(path)) return path === this.#path();
    return hasInputs(node, report.inputs);
  }

  /** @param {string} prompt @param {{ path: string, workflow: string }} origin */
  #remember(prompt, origin) {
    this.#prompts.set(prompt, origin);
    if (this.#prompts.size > MOST) this.#prompts.delete([...this.#prompts.keys()][0]);
  }

  #path() {
    return this.#app.extensionManager?.workflow?.activeWorkflow?.path;
  }

  #open() {
    return (this.#app.extensionManager?.workflow?.openWorkflows ?? []).map(({ path }) => path);
  }
}

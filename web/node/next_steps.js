/**
 * From the next steps that the server names to what a person can press, and to what is left to be read. Pure.
 *
 * @import { Note } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 *
 * @typedef {"retry" | "collect" | "collect_all" | "again" | "take" | "token" | "settings" | "update" | "as_is" | "balance" | "jobs" | "open"} ActionKind
 * @typedef {{ kind: ActionKind, label: string, title: string, url?: string, requestIds?: string[], model?: string }} Action `title` is
 *   the sentence that the button stands for
 */

/** Which button stands for a step. The sentence of a step with a button is its tooltip. @type {Record<string, ActionKind>} */
const BUTTONS = {
  "next.allow_retry": "retry",
  "next.collect": "collect",
  "next.wait_on": "collect",
  "next.fetch_again": "collect",
  "next.run_same_inputs": "again",
  "next.run_safely": "again",
  "next.run_list_again": "again",
  "next.ask_again": "again",
  "next.enter_token": "token",
  "next.enter_token_again": "token",
  "next.check_token": "token",
  "next.copy_token": "token",
  "next.add_balance": "balance",
  "next.look_at_generations": "open",
  "next.look_for_job": "open",
  "next.compare_request_id": "open",
};
/** Steps that stay to be read: the button does not say all of it. @type {Record<string, ActionKind>} */
const BESIDE = {
  "next.new_job": "again",
  "next.submit_new_job": "again",
  "next.look_at_inputs_or_seed": "take",
  "next.raise_budget": "settings",
  "next.state_max_cost": "settings",
  "next.keep_files": "settings",
  "next.update_model": "update",
  "next.send_as_is": "as_is",
};
/** @type {ActionKind[]} */
const LINKS = ["balance", "open"];
/** @type {ActionKind[]} */
const ORDER = ["token", "update", "as_is", "settings", "balance", "collect", "collect_all", "retry", "again", "take", "jobs", "open"];

/**
 * Returns the buttons of some steps, and the steps that none stands for.
 * @param {Note[]} steps
 * @param {string | null} requestId the job that they are about
 * @param {Translate} t
 * @returns {{ actions: Action[], rest: Note[] }}
 */
export function nextSteps(steps, requestId, t) {
  /** @type {Map<ActionKind, Action>} */
  const actions = new Map();
  const rest = steps.filter((step) => {
    const kind = kindOf(step, requestId);
    if (!kind) return true;
    const known = actions.get(kind) ?? action(kind, t, t.note(step));
    if (LINKS.includes(kind)) known.url = String(step.params.url);
    const job = step.params.request_id ?? (kind === "collect" ? requestId : null);
    if (step.params.model_id) known.model = String(step.params.model_id);
    if (job) known.requestIds = [...(known.requestIds ?? []), String(job)];
    actions.set(kind, known);
    return !(step.kind in BUTTONS);
  });
  return { actions: sorted([...actions.values()]), rest };
}

/** Returns a button that no step asked for. @param {ActionKind} kind @param {Translate} t @returns {Action} */
export function action(kind, t, title = t(`action.${kind}.title`)) {
  return { kind, label: t(`action.${kind}`), title };
}

/** Returns buttons in the order of their weight. @param {Action[]} actions */
export function sorted(actions) {
  return actions.sort((one, two) => ORDER.indexOf(one.kind) - ORDER.indexOf(two.kind));
}

/** @param {Note} step @param {string | null} requestId @returns {ActionKind | undefined} */
function kindOf({ kind }, requestId) {
  const found = BUTTONS[kind] ?? BESIDE[kind];
  // Of a list there are several jobs: the same inputs find them all.
  return found === "collect" && !requestId ? "again" : found;
}

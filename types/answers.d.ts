/** What the pack's server tells its page, as `nodes/comfyui/routes.py` and the event `runcomfy.progress` send it. */

/** Which token is used. `kind` is where it comes from, `source` that place's name. */
export interface Account {
  state: "ready" | "missing" | "unusable";
  kind?: "stored" | "environment" | "login";
  source?: string;
  masked?: string;
  failure?: Failure;
}

/** Something that is said: the key of a text, and the values in it, which may be notes themselves. */
export interface Note {
  kind: string;
  params: Record<string, string | number | boolean | null | Note>;
}

/** What went wrong. `kind` is a stable word, `reason` the provider's own text, `cost` in USD, `next` what to do. */
export interface Failure {
  kind: string;
  params: Note["params"];
  charge: "no" | "yes" | "unknown";
  cost: number | null;
  request_id: string | null;
  reason: string | null;
  next: Note[];
  /** Of a list: what befell each item that failed. */
  items: Note[];
}

/** `ok` is null where it is not known. */
export interface Check {
  ok: boolean | null;
  failure: Failure | null;
}

/** The texts of a language, by key. */
export interface Messages {
  locale: string;
  messages: Record<string, string>;
}

/** Amounts are in USD; null where RunComfy told none or none is set. */
export interface ConnectionTest {
  reachable: Check;
  token: Check;
  balance_usd: number | null;
  spent_today_usd: number;
  budget_usd: number | null;
}

/** The base price of one image in USD, and the widget that says how many; each is null where it is not told. */
export interface Price {
  usd: number | null;
  count: string | null;
}

/** By node class. */
export type Prices = Record<string, Price>;

export interface Job {
  request_id: string;
  state: string;
  /** What was asked for. */
  size: string;
  count: number | null;
  /** How many hosted files are known. */
  images: number;
  /** What became of it, where its state does not say that. */
  outcome: Note | null;
  cost_usd: number | null;
  age_seconds: number;
  collectable: boolean;
}

/** What a node's run came to so far. `node` is its id in the prompt, `type` its class, `workflow` its graph's id. */
export interface Report {
  node: string;
  type: string;
  prompt: string;
  workflow: string;
  /** What the node was run with: the values of its widgets, without what came over links. */
  inputs: Record<string, string | number | boolean>;
  stage: "preparing" | "submitting" | "queued" | "running" | "downloading" | "delivered" | "stopped" | "failed";
  request_id: string | null;
  seconds: number;
  position: number | null;
  /** From 0 to 1. */
  fraction: number | null;
  done: number;
  total: number;
  cost: number | null;
  kept: boolean;
  /** How each reference travelled; the value `socket` names where it came in. */
  sent: Note[];
  notes: Note[];
  failure: Failure | null;
  /** Of a list: how many of its items have ended. */
  items: { done: number; total: number } | null;
  stopped?: boolean;
  /** Of a report that the server kept: whether its prompt still runs. */
  live?: boolean;
  /** Set by the page: nothing waits for the job any more. */
  left?: boolean;
  /** Set by the page: when it came, in milliseconds on the page's clock. */
  heard?: number;
}

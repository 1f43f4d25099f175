/** What the pack's server tells its page, as `nodes/comfyui/routes.py` and the event `runcomfy.progress` send it. */

/** Which token is used. `kind` is where it comes from, `source` that place's name. */
export interface Account {
  state: "ready" | "missing" | "unusable";
  kind?: "stored" | "environment" | "login";
  source?: string;
  masked?: string;
  message?: string;
  advice?: string;
}

/** `ok` is null where it is not known; `code` is the reason where it is false. */
export interface Check {
  ok: boolean | null;
  code?: string;
}

/** Amounts are in USD; null where RunComfy told none or none is set. */
export interface ConnectionTest {
  reachable: Check;
  token: Check;
  balance_usd: number | null;
  spent_today_usd: number;
  budget_usd: number | null;
}

/** The base price of an image in USD by node class; null where it is not told. */
export type Prices = Record<string, number | null>;

export interface Job {
  request_id: string;
  state: string;
  variant: string | null;
  images: number;
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
  sent: string[];
  notes: string[];
  stopped?: boolean;
  /** Of a report that the server kept: whether its prompt still runs. */
  live?: boolean;
  /** Set by the page: nothing waits for the job any more. */
  left?: boolean;
  /** Set by the page: when it came, in milliseconds on the page's clock. */
  heard?: number;
}

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

/**
 * The base price in USD of a file or of a second of it, as `unit` says, and the widgets that say how many and how long;
 * each is null where it is not told.
 */
export interface Price {
  usd: number | null;
  unit: string | null;
  count: string | null;
  duration: string | null;
}

/** A node whose next job is to be estimated: any name for it, its class, and the values of its widgets. */
export interface EstimateRequest {
  node: string;
  node_id: string;
  values: Record<string, unknown>;
}

/** What one job costs in USD, null where that is not known: learnt from its cost, or the base price. */
export interface Estimate {
  node: string;
  usd: number | null;
  source: "cost" | "price" | "none";
}

/** What a workflow carries of a model: enough to name it and to find the places of its values. */
export interface CarriedModel {
  model_id: string;
  /** Of the structure of its schema. */
  hash: string;
  /** The names of its widgets that are saved, in order. */
  widgets: string[];
}

/** A model of a workflow, as the server knows it: whether it is here, and why it cannot be added. */
export interface NamedModel {
  model_id: string;
  node_id: string;
  here: "" | "pack" | "added";
  name: string;
  price: number | null;
  unit: string;
  hash: string;
  /** That which defines the node first, then the others, the newest first; `widgets` are the saved ones in order. */
  versions?: { hash: string; widgets: string[] }[];
  refused: Failure | null;
}

/** A model of the catalogue. `takes` is what goes in, by kind; `gives` the kind of what comes out. */
export interface CatalogueModel {
  model_id: string;
  name: string;
  maker: string;
  kind: "image" | "video" | "audio";
  task: string;
  price: number | null;
  unit: string;
  takes: { name: string; kind: string; required: boolean }[];
  gives: string;
  node_id: string;
  here: "" | "pack" | "added";
  changed: boolean;
  refused: Failure | null;
}

/** Which models of the catalogue are asked for; '' leaves them all in. `refresh` reads it anew. */
export interface CatalogueQuery {
  search: string;
  kind: string;
  maker: string;
  task: string;
  refresh: boolean;
  offset: number;
  limit: number;
}

/** `failure` is why the catalogue cannot be read now; what was read before is told all the same. */
export interface CataloguePage {
  /** Seconds since the epoch; null where it has never been read. */
  read_at: number | null;
  stale: boolean;
  failure: Failure | null;
  total: number;
  kinds: string[];
  makers: string[];
  tasks: string[];
  models: CatalogueModel[];
}

export interface AddedModels {
  added: { model_id: string; node_id: string; name: string }[];
  refused: { model_id: string; failure: Failure }[];
}

export interface RemovedModels {
  removed: AddedModels["added"];
  refused: AddedModels["refused"];
}

export interface CheckedModels {
  models: CheckedModel[];
  /** Seconds since the epoch; null where the catalogue has never been read. */
  read_at: number | null;
  /** The ids of models whose inputs a person has allowed to be sent as they are. */
  as_it_is: string[];
  failure: Failure | null;
  left_out: Failure[];
}

/** What became of a model since it was added. `by` is what supersedes it. */
export interface CheckedModel {
  model_id: string;
  name: string;
  node_id: string;
  state: "same" | "changed" | "vanished" | "superseded" | "unread";
  changes: Note[];
  by: string;
}

/** The texts of a class of nodes in a language, as the host has them in nodeDefs.json. */
export interface NodeTexts {
  display_name?: string;
  description?: string;
}

/** By node class. */
export type Prices = Record<string, Price>;

/** A job of the record. Times are in seconds since the epoch, amounts in USD. */
export interface Entry {
  id: number;
  request_id: string;
  model_id: string;
  /** The model's name as people read it. */
  model: string;
  /** The class of nodes that runs the model; '' where the pack has none. */
  node_id: string;
  kind: "image" | "video" | "audio";
  /** Its first characters; '' where it is not kept. */
  prompt: string;
  seed: number | null;
  /** What was asked for. */
  size: string;
  count: number | null;
  state: string;
  created_at: number;
  submitted_at: number | null;
  ended_at: number | null;
  duration: number | null;
  estimate: number | null;
  cost: number | null;
  charge: "charged" | "none" | "unknown";
  files: { index: number; kept: boolean; type: string }[];
  hosted: string[];
  /** What became of it, where its state does not say that. */
  outcome: Note | null;
  /** What it needs a person for: its files, a permission to pay again, or a look at what cannot be known. */
  needs: "collect" | "permission" | "look" | "";
  /** Whether a living process works on it. */
  live: boolean;
  retry_allowed: boolean;
  /** Whether its files are being fetched without a graph, and why the last try failed. */
  collecting: boolean;
  failure: Failure | null;
}

/** A job with what it was asked with; both are empty where that is not kept. */
export interface JobDetail extends Entry {
  inputs: Record<string, string | number | boolean>;
  media: { socket: string; sha256: string }[];
}

/** Which jobs are asked for; a member that is missing or empty leaves them all in. `before` is a job's id. */
export interface JobQuery {
  before?: number;
  limit?: number;
  search?: string;
  model?: string;
  state?: string;
  /** YYYY-MM-DD */
  day?: string;
  needs?: 1;
}

/** Jobs, the newest first. `needs` counts all jobs that need a person, whatever was asked for. */
export interface JobPage {
  jobs: Entry[];
  more: boolean;
  needs: number;
  models: { model_id: string; model: string }[];
}

/** A part of what was spent; the name is '' for the jobs that name none. */
export interface Share {
  name: string;
  usd: number;
  jobs: number;
}

/** What was spent, in USD: today, this month, on each of the last days, and in these on each model and by whom. */
export interface Spend {
  today: number;
  month: number;
  days: { day: string; usd: number; jobs: number }[];
  models: { model_id: string; model: string; usd: number; jobs: number }[];
  shares: { user?: Share[]; project?: Share[]; host?: Share[] };
}

export interface Setting {
  value: number | boolean | null;
  source: "environment" | "page" | "default";
}

/** By name. */
export type Settings = Record<"daily_budget_usd" | "keep_mb" | "keep_inputs" | "max_cost_usd", Setting>;

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
  /** What the files are: `video`, `audio`, or images. */
  medium?: string;
  /** How each reference travelled; the value `socket` names where it came in. */
  sent: Note[];
  notes: Note[];
  failure: Failure | null;
  /** Of a list: how many of its items have ended, and the request ids of the jobs under way. */
  items: { done: number; total: number; jobs: string[] } | null;
  stopped?: boolean;
  /** Of a report that the server kept: whether its prompt still runs. */
  live?: boolean;
  /** Set by the page: nothing waits for the job any more. */
  left?: boolean;
  /** Set by the page: when it came, in milliseconds on the page's clock. */
  heard?: number;
}

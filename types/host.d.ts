/**
 * What the pack uses of ComfyUI's page, as it is in the frontends 1.27.10 and 1.58.1. A member that only one of
 * them has, or that a node may lack, is optional.
 */

export type Size = [width: number, height: number];
export type Point = [x: number, y: number];

/** What ComfyUI's `app` offers. `rootGraph` is the whole workflow's graph, `graph` in older frontends the open one. */
export interface App {
  graph: Graph;
  rootGraph?: Graph;
  canvas: Canvas;
  extensionManager?: {
    setting?: { get(id: string): unknown };
    toast?: { add(notice: Notice): void };
    /** The page's store: what is read of it while a node is drawn draws the node again when it changes. */
    runcomfyEstimates?: number;
    registerSidebarTab?(tab: SidebarTab): void;
    getSidebarTabs?(): SidebarTab[];
    sidebarTab?: { activeSidebarTabId?: string | null };
    workflow?: { activeWorkflow?: Workflow | null; openWorkflows?: Workflow[] };
  };
  ui?: { settings?: { getSettingValue?(id: string): unknown } };
  /** There where the frontend asks extensions for the entries of a node's menu. */
  collectNodeMenuItems?(node: HostNode): MenuItem[];
  graphToPrompt(): Promise<Prompt>;
  /** `outputs` are the ids of the output nodes that are wanted; all where there are none. */
  queuePrompt(number: number, count: number, outputs?: string[]): Promise<unknown>;
  /** `workflow` is the tab that the graph is opened in; a new one without it. */
  loadGraphData(graph: SavedGraph, clean: boolean, restoreView: boolean, workflow?: Workflow | null): Promise<unknown>;
  /** Makes a class of nodes of a definition, or makes it anew. */
  registerNodeDef(name: string, definition: NodeDefinition): Promise<unknown>;
  registerExtension(extension: Extension): void;
}

/** A graph as it is run (`output`, by the nodes' ids) and as it is saved. */
export interface Prompt {
  output: Record<string, unknown>;
  workflow: unknown;
}

/** What the canvas shows: `graph` is the open one, `ds` where it lies. */
export interface Canvas {
  canvas: HTMLCanvasElement;
  graph?: Graph | null;
  ds: { scale: number; offset: Point };
  selected_nodes?: Record<string, HostNode>;
  selectNode?(node: HostNode): void;
  convertEventToCanvasOffset?(event: MouseEvent): Point;
}

/** A tab beside the canvas. The host may call `render` again with the same container. */
export interface SidebarTab {
  id: string;
  title: string;
  tooltip?: string;
  icon: string;
  iconBadge?: string;
  type: "custom";
  render(container: HTMLElement): void;
  destroy?(): void;
}

/** A workflow in a tab of the page. */
export interface Workflow {
  path: string;
}

export interface Notice {
  severity: "info" | "warn" | "error";
  summary: string;
  detail?: string;
  /** Milliseconds until it goes away. */
  life?: number;
}

/** What ComfyUI's `api` offers. `clientId` is not there before the first message of the server. */
export interface Api {
  clientId?: string | null;
  initialClientId?: string | null;
  fetchApi(path: string, init?: RequestInit): Promise<Response>;
  /** The address of a route of the server. */
  apiURL(path: string): string;
  queuePrompt(number: number, prompt: Prompt, options?: unknown): Promise<{ prompt_id?: string } | undefined>;
  addEventListener<Name extends keyof ApiEvents>(name: Name, listener: (event: CustomEvent<ApiEvents[Name]>) => void): void;
}

export interface PromptEnd {
  prompt_id: string;
}

/** The events of `api` that the pack listens to, and what each carries. */
export interface ApiEvents {
  "runcomfy.progress": import("./answers.js").Report;
  execution_success: PromptEnd;
  execution_interrupted: PromptEnd;
  execution_error: PromptEnd;
  execution_cached: PromptEnd & { nodes: string[] };
  reconnected: unknown;
  status: unknown;
}

/** What `app.registerExtension` takes, as far as the pack gives it. */
export interface Extension {
  name: string;
  settings: {
    id: string;
    name: string;
    category: string[];
    type: () => HTMLElement;
    defaultValue: string;
  }[];
  commands: { id: string; label: string; icon: string; function: () => void }[];
  menuCommands: { path: string[]; commands: string[] }[];
  getNodeMenuItems(node: HostNode): MenuItem[];
  nodeCreated(node: HostNode): void;
  /** Called before a workflow is opened; what is changed in it is opened. */
  beforeConfigureGraph(graph: SavedGraph): void;
  /** Called with the classes of nodes that are missing; what is taken out of them the host does not tell. */
  afterConfigureGraph(missing: (string | { type: string })[]): void;
  setup(): Promise<void>;
}

/** The element that the page's Vue application is in: its parts are what Vue, Pinia and vue-i18n leave there. */
export interface PageRoot extends Element {
  __vue_app__?: {
    config: { globalProperties: { $pinia?: { _s: { get(name: "nodeDef"): NodeDefStore | undefined } } } };
    _context: { provides: Record<symbol, { global?: PageTexts } | undefined> };
    __VUE_I18N_SYMBOL__: symbol;
  };
}

/** What the page's search looks through. */
export interface NodeDefStore {
  addNodeDef(definition: NodeDefinition): void;
  removeNodeDef?(name: string): void;
}

/** The page's texts, those of the nodes among them. */
export interface PageTexts {
  locale?: string | { value: string };
  mergeLocaleMessage(locale: string, messages: object): void;
  te(key: string): boolean;
  t(key: string): string;
}

/** A class of nodes as `/object_info` tells it. */
export interface NodeDefinition {
  name: string;
  display_name: string;
  description: string;
  category: string;
}

export interface MenuItem {
  content: string;
  callback: () => void;
}

/** A graph of LiteGraph: a workflow, or the inside of a subgraph. */
export interface Graph {
  id?: string;
  nodes?: HostNode[];
  /** What the workflow carries besides its nodes. */
  extra?: Record<string, unknown>;
  add(node: HostNode): unknown;
  serialize?(): SavedGraph;
  onSerialize?(saved: SavedGraph): void;
  getNodeById?(id: string | number): HostNode | null | undefined;
  setDirtyCanvas?(foreground: boolean, background: boolean): void;
}

/** A node of LiteGraph. It has a graph while it is in one, and a `subgraph` if it stands for one. */
export interface HostNode {
  id?: string | number;
  /** Set by ComfyUI on the node or on its class; `type` is not set yet while a node is made. */
  comfyClass?: string;
  type?: string;
  pos: Point;
  size: Size;
  graph?: Graph | null;
  /** What stands in its head. */
  badges?: (Badge | (() => Badge))[];
  subgraph?: Graph;
  inputs: Slot[];
  outputs?: unknown[];
  widgets?: Widget[];
  addInput(name: string, type: string, extra?: Partial<Slot>): unknown;
  removeInput(index: number): void;
  isInputConnected?(index: number): boolean;
  getInputNode?(index: number): HostNode | null | undefined;
  getOutputNodes?(index: number): HostNode[] | null | undefined;
  addDOMWidget(name: string, type: string, element: HTMLElement, options: DOMWidgetOptions): Widget;
  computeSize(): Size;
  setSize?(size: Size): void;
  setDirtyCanvas?(foreground: boolean, background: boolean): void;
  getExtraMenuOptions?(canvas: unknown, options: unknown): MenuItem[] | undefined;
  onAdded?(graph: Graph): void;
  onConfigure?(saved: SavedNode): void;
  onConnectionsChange?(kind: number): void;
  onSerialize?(saved: SavedNode): void;
  onRemoved?(): void;
}

export interface Badge {
  text: string;
  height: number;
  getWidth(context: CanvasRenderingContext2D): number;
  draw(context: CanvasRenderingContext2D, x: number, y: number): void;
}

export type BadgeClass = new (look: { text: string; fgColor: string; bgColor: string }) => Badge;

/** The values that a hook of the host is called with. */
export type HookValues<Hook> = NonNullable<Hook> extends (...values: infer Values) => unknown ? Values : never;

/** A workflow as it is saved. */
export interface SavedGraph {
  nodes?: (SavedNode & { id: string | number; type: string })[];
  definitions?: { subgraphs?: { nodes?: (SavedNode & { id: string | number; type: string })[] }[] };
  extra?: Record<string, unknown>;
}

/** A node within a saved workflow. */
export interface SavedNode {
  /** The values of its widgets in their order. */
  widgets_values?: unknown[];
  size?: Size;
  inputs?: { name?: string; label?: string; link?: number | null }[];
}

/** An input of a node: a socket, or the place where a link may stand in for a widget. */
export interface Slot {
  name: string;
  type: string;
  /** What a person called it. */
  label?: string;
  localized_name?: string;
  link?: number | null;
  shape?: number;
  widget?: { name: string };
}

export interface Widget {
  name: string;
  value?: unknown;
  /** False keeps it out of the saved workflow. */
  serialize?: boolean;
  options?: Partial<DOMWidgetOptions> & { values?: unknown; min?: number; max?: number; advanced?: boolean };
  /** The element of one that is drawn by the browser. */
  element?: HTMLElement;
  callback?(value: unknown): void;
}

export interface DOMWidgetOptions {
  /** False keeps it out of the prompt. */
  serialize: boolean;
  getValue(): string;
  setValue(value: string): void;
  getMinHeight(): number;
  getMaxHeight(): number;
  margin: number;
}

/** The window of ComfyUI's page. */
export type HostWindow = Window &
  typeof globalThis & {
    LiteGraph: { createNode(type: string): HostNode | null | undefined; registered_node_types: Record<string, object> };
    LGraphBadge?: BadgeClass;
  };

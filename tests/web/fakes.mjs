/** A graph and a document, as small as the modules need them, and the texts. */

import { readFileSync } from "node:fs";
import { translator } from "../../web/base/messages.js";

/** Reads a JSON file, by its path in the repository. */
export function read(path) {
  return JSON.parse(readFileSync(new URL(`../../${path}`, import.meta.url), "utf-8"));
}

/** The page's texts in a language. */
export function texts(locale = "en") {
  return translator(read(`locales/${locale}/messages.json`), locale);
}

/** A note as the server sends it. */
export function note(kind, params = {}) {
  return { kind, params };
}

/** A failure as the server sends it. */
export function failure(kind, changes = {}) {
  return { kind, params: {}, charge: "no", cost: null, request_id: null, reason: null, next: [], items: [], ...changes };
}

export function slot(name, type = "IMAGE", link = null) {
  return { name, type, link, localized_name: name.replace("image_", "Image ") };
}

/** A node whose sockets are the first ones, as the host makes it. */
export function node(sockets = 20, widgets = ["prompt", "num_images"]) {
  const names = (stem, count) => Array.from({ length: count }, (_, place) => `${stem}_${place + 1}`);
  const optional = Object.fromEntries(names("image", sockets).map((name) => [name, ["IMAGE", { stem: "image" }]]));
  const made = {
    constructor: { nodeData: { input: { optional } } },
    type: "RunComfyNanoBananaProEdit",
    inputs: [
      ...Array.from({ length: sockets }, (_, place) => slot(`image_${place + 1}`)),
      ...widgets.map((name) => ({ ...slot(name, "STRING"), widget: { name } })),
    ],
    removeInput(index) {
      made.inputs.splice(index, 1);
    },
    addInput(name, type, extra = {}) {
      made.inputs.push({ name, type, link: null, ...extra });
    },
    isInputConnected: (index) => made.inputs[index].link !== null,
    connect(name, link = name) {
      made.inputs.find((each) => each.name === name).link = link;
    },
    disconnect(name) {
      made.inputs.find((each) => each.name === name).link = null;
    },
    names: () => made.inputs.map((each) => each.name).join(" "),
    links: () => made.inputs.filter((each) => each.name.startsWith("image_")).map((each) => each.link),
  };
  return made;
}

/** A report of the server. */
export function report(changes = {}) {
  return {
    node: "1",
    type: "",
    prompt: "p",
    workflow: "w",
    inputs: {},
    stage: "running",
    request_id: null,
    seconds: 0,
    position: null,
    fraction: null,
    done: 0,
    total: 0,
    cost: null,
    kept: false,
    sent: [],
    notes: [],
    failure: null,
    items: null,
    ...changes,
  };
}

/** A job of the record as the server sends it. */
export function entry(id, changes = {}) {
  return {
    id,
    request_id: `request-${id}`,
    model_id: "google/nano-banana-2/text-to-image",
    model: "Nano Banana 2 Text to Image",
    node_id: "RunComfyNanoBanana2TextToImage",
    kind: "image",
    prompt: "a fox",
    seed: 0,
    size: "1K",
    count: 1,
    state: "delivered",
    created_at: 0,
    submitted_at: 0,
    ended_at: 20,
    duration: 20,
    estimate: null,
    cost: 0.1,
    charge: "charged",
    files: [{ index: 0, kept: true, type: "image/png" }],
    hosted: [],
    outcome: null,
    needs: "",
    live: false,
    retry_allowed: false,
    collecting: false,
    failure: null,
    ...changes,
  };
}

class Classes {
  constructor(owner) {
    this.owner = owner;
  }
  toggle(name, on) {
    const names = new Set(this.owner.className.split(" ").filter(Boolean));
    names[on ? "add" : "delete"](name);
    this.owner.className = [...names].join(" ");
  }
}

class FakeElement {
  constructor(tag) {
    this.tag = tag;
    this.className = "";
    this.children = [];
    this.attributes = {};
    this.listeners = {};
    this.style = {};
    this.classList = new Classes(this);
  }
  append(...children) {
    this.children.push(...children);
  }
  replaceChildren(...children) {
    this.children = children;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  addEventListener(kind, listener) {
    this.listeners[kind] = listener;
  }
  querySelector(selector) {
    return this.all().find((each) => each.tag === selector || each.className.split(" ").includes(selector.slice(1))) ?? null;
  }
  all() {
    return this.children.filter((child) => child instanceof FakeElement).flatMap((child) => [child, ...child.all()]);
  }
  get text() {
    return this.children.map((child) => child.text ?? child).join(" ").replace(/\s+/g, " ").trim();
  }
}

export const document = { createElement: (tag) => new FakeElement(tag) };

/**
 * The takes of a node: the delivered jobs of the same inputs but the seed. A person looks at them side by side and
 * chooses which one flows on; that sets the seed of that take, and the next run hands out its kept copy.
 *
 * @import { Entry } from "../../types/answers.js"
 * @import { Translate } from "../base/messages.js"
 * @import { Routes } from "../base/routes.js"
 *
 * @typedef {{
 *   t: Translate, routes: Pick<Routes, "thumbnail" | "file">, takes: Entry[], choose: (take: Entry) => string,
 * }} Page `choose` returns what is said of it
 */

import { button, element } from "../base/elements.js";
import { takeName } from "../node/takes.js";

export class TakesView {
  #document;
  #page;
  #stage;
  #strip;
  #said;
  /** What is looked at, and what it is compared with. @type {[Entry | undefined, Entry | undefined]} */
  #shown;
  #share = 50;

  /**
   * @param {Document} document
   * @param {Page} page
   */
  constructor(document, page) {
    this.#document = document;
    this.#page = page;
    this.#shown = [page.takes[0], page.takes[1]];
    this.#stage = element(document, "div", "takes-stage");
    this.#strip = element(document, "div", "takes-strip", "", { role: "list" });
    this.#said = element(document, "p", "result", "", { role: "status" });
    this.root = element(document, "div", "takes", [this.#stage, this.#strip, this.#said]);
    this.#draw();
  }

  #draw() {
    const { t, takes } = this.#page;
    if (!takes.length) this.#stage.replaceChildren(element(this.#document, "p", "dim", t("takes.none")));
    else this.#stage.replaceChildren(...this.#images());
    this.#strip.replaceChildren(...takes.map((take) => this.#card(take)));
  }

  #images() {
    const [one, other] = this.#shown;
    if (!one) return [];
    const under = this.#image(one);
    if (!other || other.id === one.id) return [element(this.#document, "div", "takes-pair", under)];
    const over = this.#image(other);
    over.classList.add("runcomfy-takes-over");
    const slider = element(this.#document, "input", "takes-slider", [], {
      type: "range",
      min: "0",
      max: "100",
      value: String(this.#share),
      "aria-label": this.#page.t("takes.slider"),
      title: this.#page.t("takes.slider"),
    });
    const cut = () => {
      this.#share = Number(slider.value);
      over.style.clipPath = `inset(0 0 0 ${this.#share}%)`;
    };
    slider.addEventListener("input", cut);
    cut();
    return [element(this.#document, "div", "takes-pair", [under, over]), slider];
  }

  /** @param {Entry} take */
  #image(take) {
    const kept = take.files.find((file) => file.kept);
    const alt = takeName(take, this.#page.t);
    return element(this.#document, "img", "takes-image", [], { src: kept ? this.#page.routes.file(take.id, kept.index) : "", alt });
  }

  /** @param {Entry} take */
  #card(take) {
    const { t, routes } = this.#page;
    const document = this.#document;
    const [one, other] = this.#shown;
    const kept = take.files.find((file) => file.kept);
    const image = element(document, "img", "thumb", [], { src: kept ? routes.thumbnail(take.id, kept.index) : "", alt: "" });
    const label = { title: takeName(take, t), "aria-pressed": String(take.id === one?.id) };
    return element(document, "div", `take${take.id === one?.id ? " chosen" : ""}`, [
      button(document, "job-image", image, () => this.#show([take, one ?? other]), label),
      element(document, "span", "small", takeName(take, t)),
      ...(take.seed === null ? [] : [button(document, "button", t("takes.use"), () => this.#choose(take))]),
      button(document, "link", t("takes.compare"), () => this.#show([one, take])),
    ], { role: "listitem" });
  }

  /** @param {[Entry | undefined, Entry | undefined]} shown */
  #show(shown) {
    this.#shown = shown;
    this.#draw();
  }

  /** @param {Entry} take */
  #choose(take) {
    this.#said.textContent = this.#page.choose(take);
    this.#show([take, this.#shown[0]]);
  }
}

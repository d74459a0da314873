// What is on the stage before a job: the chosen files, a mask that is painted, sliders of a latent, or how to begin.

import { button, h, icon, iconButton } from "../dom.js";
import { keep } from "../route.js";
import { accepts, choose, emptyStage, noModel, noPicture, samplesFor, triedWith } from "./files.js";
import { single, sizeOf } from "./frame.js";
import { LatentPage } from "./latent.js";
import { idleTools, MaskPainter } from "./mask.js";
import { showStrip } from "./strip.js";
import { VerbForm } from "./verb-form.js";

export class VerbStage extends VerbForm {
  ownUrl = null;

  async showFiles() {
    this.side.replaceChildren();
    if (!this.main) return this.showNothing();
    if (!this.files.length) return this.showEmpty();
    const file = this.files[Math.min(this.chosen, this.files.length - 1)];
    if (this.ownUrl) URL.revokeObjectURL(this.ownUrl);
    this.ownUrl = URL.createObjectURL(file);
    const video = file.type.startsWith("video/");
    const size = video ? { width: 640, height: 360 } : await sizeOf(this.ownUrl).catch(() => null);
    if (this.signal.aborted) return undefined;
    this.bar.replaceChildren(h("div", { class: "bar-group" }), h("span", { class: "facts" }, size && !video ? `${file.name} · ${size.width} × ${size.height}` : file.name), h("div", { class: "bar-group" }));
    if (!size) this.stage.replaceChildren(h("p", { class: "note centered" }, `${file.name}: the browser cannot show it, the studio may still read it.`));
    else {
      const { element } = single({ url: this.ownUrl, alt: file.name, kind: video ? "video" : "picture", ...size, signal: this.signal });
      this.stage.replaceChildren(h("div", { class: "rooms" }, h("div", { class: "room" }, element)));
      if (this.mask && !video) this.showMask(element, size);
    }
    this.newPicture();
    this.showStrip(null);
    return undefined;
  }

  newPicture() {
    if (!this.main) {
      if (this.job && this.modelOf()?.inputs.some(({ kind }) => kind === "latent")) this.bar.firstElementChild?.prepend(iconButton("pencil", "Back to the sliders", () => this.leaveJobAndShow()));
      return;
    }
    const another = button("Other picture", () => choose(accepts(this.main), this.main.many, (files) => this.take(files)), { icon: "image-plus", class: "wordless" });
    const back = this.files.length && this.job ? iconButton("pencil", "Back to the picture", () => this.leaveJobAndShow()) : null;
    this.bar.firstElementChild?.prepend(another, ...(back && this.mask ? [back] : []));
  }

  /** A mask that is needed is painted at once; another one when its button asks for it. */
  showMask(element, size) {
    const begin = () => {
      this.painter ??= new MaskPainter({ ...size, signal: this.signal });
      element.append(this.painter.element);
      this.root.classList.add("with-tools");
      this.tools.replaceChildren(this.painter.column());
      this.bar.lastElementChild.replaceChildren(this.painter.sizeControl());
    };
    if (this.mask.required || this.painter) begin();
    else this.bar.lastElementChild.replaceChildren(button("Paint a mask", begin, { icon: "brush", class: "wordless", "data-act": "mask" }));
  }

  noTools() {
    this.tools.replaceChildren(...(this.mask?.required ? [idleTools()] : []));
    if (!this.mask?.required) this.root.classList.remove("with-tools");
  }

  showEmpty() {
    this.noTools();
    const many = this.main.many ? "pictures or a folder" : "a picture";
    const what = this.main.kind === "video" ? "a video" : this.main.video ? "pictures or a video" : many;
    this.stage.replaceChildren(
      emptyStage({ title: `Drop ${what} here`, hint: this.main.required ? "or click to choose; pasting works too" : "or click to choose; some settings need none", accept: accepts(this.main), multiple: this.main.many, onfiles: (files, model) => this.take(files, model), samples: this.main.kind === "video" ? [] : samplesFor(this.verb.name) }),
    );
    this.bar.replaceChildren();
    this.strip.hidden = true;
  }

  /** Sliders of the latent, for a model that makes a picture of one. */
  showLatent(model) {
    const { stage, bar, side, signal } = this;
    const order = () => {
      const truncation = Number.parseFloat(this.options.truncation);
      return { model: model.name, seed: this.options.seed ?? 0, ...(truncation > 0 ? { truncation } : {}) };
    };
    const classes = model.inputs.find(({ kind }) => kind === "class")?.channels ?? 0;
    const ending = new AbortController();
    this.ending = ending;
    let failed = false; // an error of a job stays when the latent has none
    const onerror = (text) => {
      if (!this.latent) return;
      if (text) this.tellProblem(text);
      else if (failed) this.problem.replaceChildren();
      failed = Boolean(text);
    };
    this.latent = new LatentPage({ order, classes, stage, bar, side, signal: AbortSignal.any([signal, ending.signal]), onerror });
  }

  latentChanged(before) {
    if (before.model !== this.options.model) this.show();
    else if (before.seed !== this.options.seed || before.truncation !== this.options.truncation) this.latent.changed(before.seed !== this.options.seed);
  }

  /** Begin with settings that show what is possible. */
  tryOut(options) {
    this.options = { ...("model" in this.options && { model: this.options.model }), ...options };
    this.keepOptions();
    this.showForm();
    return this.run();
  }

  /** A verb that needs no picture begins by its button alone. */
  showNothing() {
    this.noTools();
    this.strip.hidden = true;
    const model = this.modelOf();
    if (model?.inputs.some(({ kind }) => kind === "latent")) {
      this.runButton.disabled = false;
      return this.showLatent(model);
    }
    const needsModel = this.verb.options.required?.includes("model") && !this.verb.models?.length;
    const system = this.catalog.systems.find(({ verbs }) => verbs.includes(this.verb.name))?.name;
    this.stage.replaceChildren(needsModel ? noModel(system) : noPicture(triedWith(this.verb.name, model?.name), (options) => this.tryOut(options)));
    this.bar.replaceChildren();
    this.runButton.disabled = needsModel;
    return undefined;
  }

  /** The chosen files, or the results of a job, as a strip below the stage. */
  showStrip(view) {
    const take = async (place) => {
      if (!view) {
        this.chosen = place;
        return this.show();
      }
      this.state.place = place;
      keep({ n: place || null });
      await view.show();
      return this.showStrip(view);
    };
    const now = view ? (this.state.place ?? 0) : this.chosen;
    showStrip(this.strip, { items: view ? view.shown : this.files, now, take, hidden: view && this.state.view === "grid" });
  }

  tellProblem(text, again, calm = false) {
    this.problem.classList.toggle("calm", calm);
    this.problem.replaceChildren(icon(calm ? "circle-stop" : "circle-alert"), h("span", null, text), again ? button("Try again", again) : "");
  }
}

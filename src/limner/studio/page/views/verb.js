// The page of a verb: its pictures on the stage, its options in the panel, both made from what the service says of it.

import { button, h, icon, iconButton, isTyping, say, words } from "../dom.js";
import { isActive, jobs, onJobs } from "../jobs.js";
import { recall, remember } from "../kept.js";
import { accepts, choose, droppable, emptyStage, fileSlot, noModel, noPicture, samplesFor, triedWith } from "../parts/files.js";
import { fitting, optionForm } from "../parts/form.js";
import { single, sizeOf } from "../parts/frame.js";
import { LatentPage } from "../parts/latent.js";
import { MaskPainter, idleTools } from "../parts/mask.js";
import { ResultView, tellDone } from "../parts/result.js";
import { showStrip } from "../parts/strip.js";
import { styleMixer } from "../parts/styles.js";
import { Working } from "../parts/working.js";
import { go, href, keep, settings, whole } from "../route.js";
import { blob } from "../service.js";

const ENDED = { cancelled: "Cancelled.", interrupted: "The studio was ended before this was done." };
const PICTURES = new Set(["pictures", "picture", "video"]);

class VerbPage {
  constructor(context, verb) {
    Object.assign(this, context, { verb });
    const wanted = (one) => PICTURES.has(one.kind) && (one.required || one.kind === "pictures");
    this.main = verb.inputs.find(wanted);
    this.mask = this.main && verb.inputs.find(({ kind }) => kind === "mask");
    this.style = verb.inputs.find(({ kind }) => kind === "style");
    this.slots = verb.inputs.filter((one) => one !== this.main && PICTURES.has(one.kind));
    this.options = fitting(verb.options, settings(this.params));
    this.styles = this.options.styles ?? [];
    this.files = [];
    this.own = [];
    this.extra = new Map();
    this.chosen = 0;
    this.state = { view: this.params.get("view"), place: whole(this.params, "n"), zoom: this.params.get("zoom") };
    this.job = this.params.get("job");
  }

  async mount(root) {
    const { families, verb } = this;
    this.stage = h("div", { class: "picture" });
    this.bar = h("div", { class: "bar" });
    this.strip = h("div", { class: "strip", hidden: true });
    this.side = h("div", { class: "side" });
    this.problem = h("div", { class: "problem", role: "alert" });
    this.tools = h("div", { class: "tools-place" });
    this.section = h("section", { class: "stage", id: "stage", tabindex: -1, "aria-label": "Picture" }, this.stage, this.problem, this.bar, this.strip);
    this.form = h("div", { class: "form-place" });
    this.runButton = button(verb.title ?? words(verb.name), () => this.run(), { class: "primary", "data-tip": "Begin", "data-key": "Ctrl+Enter", "data-act": "run" });
    this.wrong = h("p", { class: "error", role: "alert" });
    const family = families.find(({ verbs }) => verbs.includes(verb.name));
    const panel = h(
      "aside",
      { class: "panel", id: "panel", "aria-label": "Settings" },
      family.verbs.length > 1
        ? h("nav", { class: "tabs", "aria-label": family.title }, family.verbs.map((name) => h("a", { href: href(name), "aria-current": name === verb.name ? "page" : null }, this.titleOf(name))))
        : null,
      this.form,
      this.side,
      h("div", { class: "panel-foot" }, this.wrong, this.runButton),
    );
    root.replaceChildren(this.tools, this.section, panel);
    this.root = root;
    root.classList.toggle("with-tools", Boolean(this.mask?.required));
    if (this.main) droppable(this.section, (files) => this.take(files), this.signal);
    this.#listen();
    if (this.job) await this.#adopt();
    else await this.#recall();
    if (this.signal.aborted) return;
    this.#showForm();
    await this.show();
  }

  titleOf(name) {
    return this.catalog.verbs.find((one) => one.name === name)?.title ?? words(name);
  }

  #listen() {
    const { signal } = this;
    onJobs(signal, ({ job, before }) => {
      if (job?.id === this.job) this.#jobChanged(job, before);
    });
    addEventListener("paste", (event) => this.main && event.clipboardData?.files.length && this.take([...event.clipboardData.files]), { signal });
    document.addEventListener(
      "keydown",
      (event) => {
        if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
          if (event.target.matches?.("input")) event.target.dispatchEvent(new Event("change")); // what is being typed counts
          this.run();
        }
        if (event.key.toLowerCase() === "z" && !event.ctrlKey && !event.metaKey && !isTyping(event.target)) this.bar.querySelector("[data-act=zoom]")?.click();
      },
      { signal },
    );
    signal.addEventListener("abort", () => this.#ownUrl && URL.revokeObjectURL(this.#ownUrl));
  }

  #showForm() {
    const { verb, catalog, signal } = this;
    const models = verb.models ?? [];
    const fill = (name) => (file) => {
      this.#wrong("");
      this.extra.set(name, file);
      remember(`extra:${verb.name}`, [...this.extra]);
    };
    const slot = (one) => h("div", { class: "field", "data-option": one.name }, chooser(one));
    const chooser = (one) => fileSlot({ label: words(one.name), help: sentences(one.description)[0], accept: accepts(one), signal, file: this.extra.get(one.name), onfile: fill(one.name) }).element;
    const shown = new Map(this.slots.map((one) => [one, slot(one)]));
    const hideSlots = () => {
      for (const [one, element] of shown) element.hidden = this.#isUnused(one);
    };
    hideSlots();
    const form = optionForm({
      schema: verb.options,
      values: this.options,
      models,
      skip: ["styles"],
      unused: (name) => this.#model(name)?.unused ?? [],
      named: (name) => classNames(this.#model(name)),
      onchange: (values) => {
        const before = this.options;
        this.options = values;
        this.#keepOptions();
        hideSlots();
        if (this.latent) this.#latentChanged(before);
      },
    });
    const mixer = this.style && styleMixer({
      known: catalog.styles,
      chosen: this.styles,
      own: this.own,
      signal,
      onchange: ({ styles, own }) => {
        this.styles = styles;
        this.own = own;
        remember(`own:${verb.name}`, own.length ? own : null);
        this.#keepOptions();
      },
    });
    const needed = this.slots.filter(({ required }) => required);
    this.form.replaceChildren(
      ...sentences(verb.description).slice(1, 2).map((one) => h("p", { class: "about" }, one)),
      ...(mixer ? [h("h2", null, "Style"), mixer.element] : []),
      ...needed.map((one) => shown.get(one)),
      ...(mixer ? [h("h2", null, "Settings")] : []),
      form.element,
      ...this.slots.filter((one) => !needed.includes(one)).map((one) => shown.get(one)),
    );
  }

  #keepOptions() {
    this.#wrong("");
    const options = { ...this.options };
    delete options.styles;
    if (this.styles.length) options.styles = this.styles;
    keep({ options: Object.keys(options).length ? JSON.stringify(options) : null });
  }

  async #recall() {
    const { name } = this.verb;
    const files = (this.main && (await recall(`files:${name}`))) ?? [];
    if (!this.files.length) this.files = files; // others may have been dropped since
    if (this.style) this.own = (await recall(`own:${name}`)) ?? [];
    if (this.slots.length) this.extra = new Map(await recall(`extra:${name}`));
  }

  /** The files of a job become those of the page, so that it can be made again with other settings. */
  async #adopt() {
    const job = await jobs.find(this.job);
    if (!job) return;
    const load = async (field) =>
      Promise.all(job.inputs.filter((one) => one.field === field).map(async (one) => new File([await blob(one.url)], one.was || one.name)));
    try {
      const files = this.main ? await load(this.main.name) : [];
      if (!this.files.length) this.files = files; // others may have been dropped since
      if (this.style) this.own = await load(this.style.name);
      for (const { name } of this.slots) this.extra.set(name, (await load(name))[0] ?? null);
    } catch {
      // its files are gone: its results may still be there
    }
  }

  /** Take files onto the stage, and the model that they are for. */
  take(files, model = null) {
    if (model && this.verb.models?.includes(model)) {
      this.options = { ...this.options, model };
      this.#keepOptions();
      this.#showForm();
    }
    if (!this.main.many) files = files.slice(0, 1);
    this.files = files;
    this.chosen = 0;
    this.painter = null;
    this.#leaveJob();
    remember(`files:${this.verb.name}`, files);
    say(`${files.length} ${files.length === 1 ? "file" : "files"} chosen`);
    this.show();
  }

  #leaveJob() {
    this.job = null;
    this.shownJob = null;
    this.state = { view: null, place: 0, zoom: null };
    keep({ job: null, n: null, view: null, zoom: null });
  }

  async run() {
    this.#wrong("");
    if (this.main?.required && !this.files.length) return this.#wrong("Choose a picture first: drop one on the stage.");
    if (this.style?.option === "styles" && this.verb.gives !== "style" && !this.styles.length && !this.own.length && !this.options.model) return this.#wrong("Choose a style first: click one, or drop a picture among them.");
    const open = this.slots.find((one) => one.required && !this.extra.get(one.name) && !this.#isUnused(one));
    if (open) return this.#wrong(`${words(open.name)} is missing: choose a picture, or drop one here.`);
    const missing = (this.verb.options.required ?? []).find((name) => isNothing(this.options[name]));
    if (missing) return this.#wrong(`${this.verb.options.properties[missing].title} is missing: ${this.verb.options.properties[missing].description}`);
    if (this.mask?.required && !this.painter?.isPainted) return this.#wrong("Paint over what is missing first: take the brush.");
    this.runButton.disabled = true;
    try {
      const options = { ...this.options };
      for (const name of this.#model()?.unused ?? []) delete options[name];
      if (this.style && this.styles.length) options.styles = this.styles;
      const job = await jobs.begin(this.verb.name, await this.#sent(), options);
      this.#begun(job);
    } catch (error) {
      this.#wrong(error.message);
    } finally {
      this.runButton.disabled = false;
    }
  }

  async #sent() {
    const sent = this.main ? this.files.map((file) => [this.main.name, file, file.name]) : [];
    for (const file of this.own) sent.push([this.style.name, file, file.name]);
    const used = this.slots.filter((one) => !this.#isUnused(one)).map(({ name }) => name);
    for (const [name, file] of this.extra) if (file && used.includes(name)) sent.push([name, file, file.name]);
    if (this.mask && this.painter?.isPainted) sent.push([this.mask.name, await this.painter.png(), "mask.png"]);
    return sent;
  }

  #begun(job) {
    this.job = job.id;
    this.state = { view: null, place: 0, zoom: null };
    keep({ job: job.id, n: null, view: null, zoom: null });
    this.show();
  }

  /** The row of the form that an error is about: it begins with the name or the title of the option. */
  #optionOf(text) {
    const begins = (words) => text.startsWith(words) && /^[\s:]/.test(text.slice(words.length));
    const rows = [...Object.entries(this.verb.options.properties).map(([name, { title }]) => [name, title]), ...this.slots.map(({ name }) => [name, words(name)])];
    const row = rows.find(([name, title]) => begins(name) || begins(title));
    return row ? this.form.querySelector(`[data-option="${CSS.escape(row[0])}"]`) : null;
  }

  /** An error, at the option that it names if it names one. */
  #wrong(text) {
    for (const old of this.form.querySelectorAll(".error")) old.remove();
    this.wrong.replaceChildren();
    if (!text) return;
    const option = this.#optionOf(text);
    const { title } = this.verb.options.properties[option?.dataset.option] ?? {};
    const named = option && text.startsWith(option.dataset.option) ? title + text.slice(option.dataset.option.length) : text;
    const shown = [icon("circle-alert"), h("span", null, named)];
    if (!option) return this.wrong.replaceChildren(...shown);
    option.closest("details")?.setAttribute("open", "");
    option.append(h("p", { class: "error", role: "alert" }, shown));
    option.scrollIntoView({ block: "nearest" });
  }

  #jobChanged(job, before) {
    if (before?.state !== job.state) {
      if (job.state === "done") tellDone(job);
      if (job.state === "failed") say(`Failed: ${job.error}`);
      return this.show();
    }
    return isActive(job) && this.working?.tell(job);
  }

  #model(name = this.options.model ?? this.verb.options.properties.model?.default ?? this.verb.models?.[0]) {
    return this.catalog.models.find((one) => one.name === name);
  }

  /** Whether the model has no use for these files. */
  #isUnused({ option }) {
    return this.#model()?.unused.includes(option) ?? false;
  }

  async show() {
    this.ending?.abort();
    this.latent = null;
    const job = this.job ? jobs.get(this.job) : null;
    this.section.dataset.state = job && job.state !== "done" ? job.state : "";
    this.problem.replaceChildren();
    if (this.job && !job) this.#problem("That job is no longer here.");
    if (job && isActive(job)) return this.#showActive(job);
    if (job?.state === "failed" && this.#optionOf(job.error)) this.#wrong(job.error);
    else if (job && job.state !== "done" && !isActive(job)) this.#problem(job.error ?? ENDED[job.state], () => this.#again(), job.state === "cancelled");
    if (job && (job.state === "done" || job.results.length)) return this.#showDone(job);
    return this.#showFiles();
  }

  #problem(text, again, calm = false) {
    this.problem.classList.toggle("calm", calm);
    this.problem.replaceChildren(icon(calm ? "circle-stop" : "circle-alert"), h("span", null, text), again ? button("Try again", again) : "");
  }

  async #again() {
    try {
      this.#begun(await jobs.again(this.job));
    } catch (error) {
      this.#problem(error.message);
    }
  }

  #showActive(job) {
    this.#noTools();
    this.strip.hidden = true;
    this.side.replaceChildren();
    const before = job.inputs.find(({ field, kind }) => field === this.main?.name && kind !== "video")?.url;
    this.working = new Working({ job, before, stage: this.stage, bar: this.bar, signal: this.signal, onerror: (text) => this.#problem(text) });
  }

  async #showDone(job) {
    this.#noTools();
    const model = this.catalog.models.find(({ name }) => name === job.options.model);
    const view = new ResultView({
      job,
      palette: model?.palette,
      aligned: this.verb.aligned,
      signal: this.signal,
      stage: this.stage,
      bar: this.bar,
      side: this.side,
      state: this.state,
      keep: (changes) => keep({ ...("view" in changes && { view: changes.view }), ...("place" in changes && { n: changes.place || null }), ...("zoom" in changes && { zoom: changes.zoom }) }),
      onagain: () => this.#again(),
      oncontinue: async (name, file) => {
        await remember(`files:${name}`, [file]);
        go(name);
      },
      onbar: () => this.#addToBar(job),
      verbs: this.catalog.verbs.filter((one) => one.name !== this.verb.name && one.inputs.some(({ kind, required }) => kind === "pictures" && required)),
    });
    if (job.results.length > 3 && this.state.view === null && this.verb.gives === "pictures") this.state.view = "grid";
    if (this.verb.gives === "style") this.state.view ??= "result"; // which has the painting in it
    await view.show();
    this.section.dataset.state = job.state;
    this.#showStrip(job.results.length > 1 ? view : null);
  }

  #addToBar(job) {
    this.#newPicture();
    if (this.verb.gives !== "style" || job.state !== "done") return;
    const styles = job.inputs.map(({ name }) => name.replace(/\.[^.]*$/, ""));
    this.bar.lastElementChild.prepend(button("Paint with it", () => go("stylize", { options: JSON.stringify({ styles: styles.slice(-1) }) }), { icon: "palette", class: "wordless" }));
  }

  #newPicture() {
    if (!this.main) {
      if (this.job && this.#model()?.inputs.some(({ kind }) => kind === "latent")) this.bar.firstElementChild?.prepend(iconButton("pencil", "Back to the sliders", () => this.#leaveJobAndShow()));
      return;
    }
    const another = button("Other picture", () => choose(accepts(this.main), this.main.many, (files) => this.take(files)), { icon: "image-plus", class: "wordless" });
    const back = this.files.length && this.job ? iconButton("pencil", "Back to the picture", () => this.#leaveJobAndShow()) : null;
    this.bar.firstElementChild?.prepend(another, ...(back && this.mask ? [back] : []));
  }

  #leaveJobAndShow() {
    this.#leaveJob();
    this.show();
  }

  async #showFiles() {
    this.side.replaceChildren();
    if (!this.main) return this.#showNothing();
    if (!this.files.length) return this.#showEmpty();
    const file = this.files[Math.min(this.chosen, this.files.length - 1)];
    if (this.#ownUrl) URL.revokeObjectURL(this.#ownUrl);
    this.#ownUrl = URL.createObjectURL(file);
    const video = file.type.startsWith("video/");
    const size = video ? { width: 640, height: 360 } : await sizeOf(this.#ownUrl).catch(() => null);
    if (this.signal.aborted) return undefined;
    this.bar.replaceChildren(h("div", { class: "bar-group" }), h("span", { class: "facts" }, size && !video ? `${file.name} · ${size.width} × ${size.height}` : file.name), h("div", { class: "bar-group" }));
    if (!size) this.stage.replaceChildren(h("p", { class: "note centered" }, `${file.name}: the browser cannot show it, the studio may still read it.`));
    else {
      const { element } = single({ url: this.#ownUrl, alt: file.name, kind: video ? "video" : "picture", ...size, signal: this.signal });
      this.stage.replaceChildren(h("div", { class: "rooms" }, h("div", { class: "room" }, element)));
      if (this.mask && !video) this.#showMask(element, size);
    }
    this.#newPicture();
    this.#showStrip(null);
    return undefined;
  }

  #ownUrl = null;

  /** A mask that is needed is painted at once; another one when its button asks for it. */
  #showMask(element, size) {
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

  #noTools() {
    this.tools.replaceChildren(...(this.mask?.required ? [idleTools()] : []));
    if (!this.mask?.required) this.root.classList.remove("with-tools");
  }

  #showEmpty() {
    this.#noTools();
    const many = this.main.many ? "pictures or a folder" : "a picture";
    const what = this.main.kind === "video" ? "a video" : this.main.video ? "pictures or a video" : many;
    this.stage.replaceChildren(
      emptyStage({ title: `Drop ${what} here`, hint: this.main.required ? "or click to choose; pasting works too" : "or click to choose; some settings need none", accept: accepts(this.main), multiple: this.main.many, onfiles: (files, model) => this.take(files, model), samples: this.main.kind === "video" ? [] : samplesFor(this.verb.name) }),
    );
    this.bar.replaceChildren();
    this.strip.hidden = true;
  }

  /** Sliders of the latent, for a model that makes a picture of one. */
  #showLatent(model) {
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
      if (text) this.#problem(text);
      else if (failed) this.problem.replaceChildren();
      failed = Boolean(text);
    };
    this.latent = new LatentPage({ order, classes, stage, bar, side, signal: AbortSignal.any([signal, ending.signal]), onerror });
  }

  #latentChanged(before) {
    if (before.model !== this.options.model) this.show();
    else if (before.seed !== this.options.seed || before.truncation !== this.options.truncation) this.latent.changed(before.seed !== this.options.seed);
  }

  /** Begin with settings that show what is possible. */
  #try(options) {
    this.options = { ...("model" in this.options && { model: this.options.model }), ...options };
    this.#keepOptions();
    this.#showForm();
    return this.run();
  }

  /** A verb that needs no picture begins by its button alone. */
  #showNothing() {
    this.#noTools();
    this.strip.hidden = true;
    const model = this.#model();
    if (model?.inputs.some(({ kind }) => kind === "latent")) {
      this.runButton.disabled = false;
      return this.#showLatent(model);
    }
    const needsModel = this.verb.options.required?.includes("model") && !this.verb.models?.length;
    const system = this.catalog.systems.find(({ verbs }) => verbs.includes(this.verb.name))?.name;
    this.stage.replaceChildren(needsModel ? noModel(system) : noPicture(triedWith(this.verb.name, model?.name), (options) => this.#try(options)));
    this.bar.replaceChildren();
    this.runButton.disabled = needsModel;
    return undefined;
  }

  /** The chosen files, or the results of a job, as a strip below the stage. */
  #showStrip(view) {
    const take = async (place) => {
      if (!view) {
        this.chosen = place;
        return this.show();
      }
      this.state.place = place;
      keep({ n: place || null });
      await view.show();
      return this.#showStrip(view);
    };
    const now = view ? (this.state.place ?? 0) : this.chosen;
    showStrip(this.strip, { items: view ? view.shown : this.files, now, take, hidden: view && this.state.view === "grid" });
  }
}

const isNothing = (value) => value === undefined || value === null || value.length === 0;

/** What a model calls the classes that it makes pictures of. */
function classNames(model) {
  const number = model?.inputs.find(({ kind }) => kind === "class")?.channels ?? 0;
  return model?.facts.names ?? [...Array(number).keys()].map(String);
}

/** The sentences of a command's help, without those that are about the command line. */
const sentences = (text) => (text ?? "").split(/\n\n|(?<=\.)\s+/).filter((one) => !/Ctrl-C|--\w|limner /.test(one));

export async function mount(root, context) {
  const verb = context.catalog.verbs.find(({ name }) => name === context.page);
  if (!verb) {
    context.head("No such page", "");
    root.replaceChildren(h("section", { class: "stage lone", id: "stage", tabindex: -1 }, h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("circle-alert"), h("strong", null, `There is no page “${context.page}”.`), h("a", { class: "button", href: href("draw") }, "Go to the first one")))));
    return;
  }
  context.head(verb.title ?? words(verb.name), sentences(verb.description)[0] ?? "");
  await new VerbPage(context, verb).mount(root);
}

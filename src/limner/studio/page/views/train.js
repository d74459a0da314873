// Training: choose a folder, see what it holds, start, watch the losses and the samples, stop, go on.

import { button, duration, h, icon, say, words } from "../dom.js";
import { curve } from "../parts/curves.js";
import { fitting, optionForm } from "../parts/form.js";
import { go, href, keep, settings } from "../route.js";
import * as service from "../service.js";

const STATES = { running: "Training", done: "Done", stopped: "Stopped", failed: "Failed", interrupted: "Interrupted", waiting: "Waiting" };
const SAMPLES = 12; // the newest that are shown

class TrainPage {
  constructor(context, systems, schema) {
    Object.assign(this, context, { systems, schema });
    this.system = systems.find(({ name }) => name === this.params.get("system")) ?? systems[0];
    this.data = this.params.get("data") ?? "";
    this.options = fitting(schema, settings(this.params));
    this.id = this.params.get("run");
    this.all = [];
    this.shown = new Map(); // sheets of samples, by their addresses
  }

  async mount(root) {
    this.body = h("div", { class: "train-body" });
    this.problem = h("div", { class: "problem", role: "alert" });
    this.runs = h("nav", { class: "run-list", "aria-label": "Runs" });
    this.found = h("div", { "aria-live": "polite" });
    this.wrong = h("p", { class: "error", role: "alert" });
    root.replaceChildren(h("section", { class: "stage train-stage", id: "stage", tabindex: -1, "aria-label": "Run" }, this.body, this.problem), this.#panel());
    this.signal.addEventListener("abort", () => this.events?.close());
    if (!this.id) this.#nothing(); // at once, so that nothing moves when the runs are known
    await this.#list();
    if (this.id) await this.#watch(this.id);
    else this.#nothing();
  }

  #panel() {
    const system = h("select", { id: "train-system", value: this.system.name, onchange: (event) => this.#choose(event.target.value) }, this.systems.map(({ name, title }) => h("option", { value: name }, `${title} (${name})`)));
    const folder = h("input", { id: "train-data", type: "text", placeholder: "/home/you/photos", autocomplete: "off", spellcheck: "false", value: this.data, onchange: (event) => this.#folder(event.target.value.trim()) });
    Object.assign(this, { systemBox: system, folderBox: folder });
    this.formPlace = h("div", { class: "form-place" });
    this.about = h("p", { class: "about" });
    this.#showForm();
    return h(
      "aside",
      { class: "panel", id: "panel", "aria-label": "Settings" },
      h("div", { class: "field" }, h("label", { for: "train-system", class: "caption" }, "System"), system),
      this.about,
      h("div", { class: "field" }, h("label", { for: "train-data", class: "caption" }, "Folder of pictures, its whole path"), folder),
      button("See what it holds", () => this.#check(), { icon: "folder-check" }),
      this.found,
      this.formPlace,
      h("h2", null, "Runs"),
      this.runs,
      h("div", { class: "panel-foot" }, this.wrong, button("Start training", () => this.#start(), { class: "primary", "data-act": "train" })),
    );
  }

  #showForm() {
    const { presets, paper, titles } = this.system;
    this.about.textContent = paper;
    const properties = { ...this.schema.properties };
    const preset = properties.preset;
    if (preset && presets) properties.preset = { ...preset, enum: Object.keys(presets), titles, description: Object.entries(presets).map(([name, text]) => `${titles[name]}: ${text}.`).join(" ") };
    const form = optionForm({
      schema: { ...this.schema, properties },
      values: this.options,
      late: ["start_from", "styles", "memory", "batch_size", "learning_rate", "seed", "validation", "derive", "assignments"],
      early: ["preset", "steps"],
      onchange: (options) => {
        this.options = options;
        this.#wrong("");
        keep({ options: Object.keys(options).length ? JSON.stringify(options) : null });
      },
    });
    this.formPlace.replaceChildren(form.element);
  }

  #choose(name) {
    this.system = this.systems.find((one) => one.name === name);
    delete this.options.preset;
    keep({ system: name });
    this.#showForm();
    this.found.replaceChildren();
  }

  #folder(path) {
    this.data = path;
    keep({ data: path || null });
    this.found.replaceChildren();
  }

  get #order() {
    return { system: this.system.name, data: this.data, options: this.options };
  }

  async #check() {
    this.#wrong("");
    if (!this.data) return this.#wrong("Name a folder first, with its whole path.");
    this.found.replaceChildren(h("p", { class: "quiet" }, "Looking at the pictures"));
    try {
      this.found.replaceChildren(holding(await service.check(this.#order)));
    } catch (error) {
      this.found.replaceChildren(h("p", { class: "error" }, icon("circle-alert"), h("span", null, error.message)));
    }
    return undefined;
  }

  async #start() {
    this.#wrong("");
    if (!this.data) return this.#wrong("Name a folder first, with its whole path.");
    try {
      const run = await service.train(this.#order);
      await this.#list();
      await this.#watch(run.id);
    } catch (error) {
      this.#wrong(error.message);
    }
    return undefined;
  }

  #wrong(text) {
    this.wrong.replaceChildren(...(text ? [icon("circle-alert"), h("span", null, text)] : []));
  }

  async #list() {
    try {
      this.all = await service.trainings();
    } catch (error) {
      this.all = [];
      this.#wrong(error.message);
    }
    const link = (run) => h("a", { class: "run-link", href: href("train", { run: run.id }), "aria-current": run.id === this.id ? "true" : null }, h("span", null, this.#titleOf(run)), h("small", null, `${STATES[run.state] ?? run.state} · ${new Date(run.made).toLocaleDateString("en", { dateStyle: "medium" })}`));
    this.runs.replaceChildren(...(this.all.length ? this.all.map(link) : [h("p", { class: "quiet note" }, "None yet.")]));
  }

  #titleOf(run) {
    return this.systems.find(({ name }) => name === run.system)?.title ?? words(run.system);
  }

  #nothing() {
    const newest = this.all[0];
    this.body.replaceChildren(
      h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("graduation-cap"), h("strong", null, "Train a system on your own pictures"), h("span", null, "Choose a system and a folder, see what the folder holds, then start. The losses and samples appear here."), newest ? h("a", { class: "button", href: href("train", { run: newest.id }) }, "See the newest run") : "")),
    );
  }

  async #watch(id) {
    this.id = id;
    keep({ run: id });
    this.events?.close();
    try {
      this.#show(await service.training(id));
    } catch (error) {
      this.problem.replaceChildren(icon("circle-alert"), h("span", null, error.message));
      this.#nothing();
      return;
    }
    if (this.signal.aborted) return;
    this.#adopt();
    if (this.run.state !== "running") return;
    this.events = new EventSource(`/v1/train/${encodeURIComponent(id)}/events`);
    this.events.addEventListener("train", (event) => {
      const before = this.run.state;
      this.#show(JSON.parse(event.data));
      if (this.run.state === "running") return;
      this.events.close();
      if (before === "running") say(`Training: ${STATES[this.run.state]}`);
      this.#list();
    });
    this.events.onerror = () => this.events.close();
  }

  /** What a run was asked for becomes that of the page, so that another can be begun with other settings. */
  #adopt() {
    const { system, data, options } = this.run;
    this.system = this.systems.find(({ name }) => name === system) ?? this.system;
    this.data = data ?? "";
    this.options = fitting(this.schema, options ?? {});
    keep({ system: this.system.name, data: this.data || null, options: Object.keys(this.options).length ? JSON.stringify(this.options) : null });
    this.systemBox.value = this.system.name;
    this.folderBox.value = this.data;
    this.#showForm();
  }

  #show(run) {
    this.run = run;
    const listed = this.all.find(({ id }) => id === run.id);
    if (listed && listed.state !== run.state) this.#list();
    const active = run.state === "running";
    const left = active && run.left_seconds ? `${duration(run.left_seconds)} left` : "";
    const facts = [STATES[run.state] ?? run.state, run.step ? `step ${run.step}` : "", run.seconds ? duration(run.seconds) : "", left].filter(Boolean).join(" · ");
    const fill = h("span", { class: "fill" });
    fill.style.transform = `scaleX(${run.done ?? 0})`;
    const act = (does) => () => does(run.id).then((now) => (now ? this.#watch(run.id) : null), (error) => this.problem.replaceChildren(icon("circle-alert"), h("span", null, error.message)));
    const focus = document.activeElement?.dataset.act;
    this.heading ??= h("div");
    this.heading.replaceChildren(
      h(
        "div",
        { class: "train-head" },
        h("div", { class: "grow" }, h("strong", null, this.#titleOf(run)), h("span", { class: "quiet" }, run.data)),
        h("span", { class: "facts" }, facts),
        active ? button("Stop", act(service.stopTraining), { icon: "circle-stop", "data-act": "stop" }) : run.state === "done" ? null : button("Resume", act(service.resumeTraining), { icon: "play", "data-act": "resume" }),
        run.model ? button("Use it", () => this.#use(run), { class: "primary" }) : null,
      ),
      h("div", { class: `progress ${active && !run.done ? "unknown" : ""}`, role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round((run.done ?? 0) * 100) }, fill),
    );
    if (focus) this.heading.querySelector(`[data-act="${focus}"]`)?.focus();
    const { step = [], ...losses } = run.losses ?? {};
    const curves = Object.entries(losses).map(([name, values]) => curve(name, values.map((value, place) => [step[place], value]).filter(([, value]) => value !== null)));
    const sheets = [...(run.samples ?? [])].reverse().slice(0, SAMPLES);
    const parts = [this.heading];
    const [newest, ...older] = sheets;
    const now = [newest && h("div", { class: "sheets newest" }, this.#sheet(newest)), curves.length && h("div", { class: "curves" }, curves)].filter(Boolean);
    parts.push(h("div", { class: `train-now ${now.length > 1 ? "two" : ""}` }, now));
    if (!curves.length && active) parts.push(h("p", { class: "quiet" }, "The first losses come soon."));
    if (older.length) parts.push(h("div", { class: "sheets" }, older.map((one) => this.#sheet(one))));
    for (const note of [...(run.notes ?? []), ...(run.verdict ?? [])]) parts.push(h("p", { class: "quiet" }, note));
    this.body.replaceChildren(...parts);
    this.problem.replaceChildren(...(run.error ? [icon("circle-alert"), h("span", null, run.error)] : []));
  }

  /** A sheet of samples; one that is shown already stays as it is, so that nothing moves. */
  #sheet({ step, url }) {
    if (!this.shown.has(url)) this.shown.set(url, h("figure", null, h("img", { src: url, alt: `Samples at step ${step}`, decoding: "async" }), h("figcaption", null, `Step ${step}`)));
    return this.shown.get(url);
  }

  async #use(run) {
    const models = await service.models();
    const model = models.find(({ name }) => name === run.model);
    const verb = (model?.verbs ?? [model?.verb])[0];
    Object.assign(this.catalog, { models, verbs: await service.verbs() });
    if (model?.palette && verb === "translate") go("draw", { model: model.name });
    else if (verb) go(verb, { options: JSON.stringify({ model: model.name }) });
    else this.#wrong(`${run.model} is not listed yet: begin the studio again.`);
  }
}

/** What a check says of a folder. */
function holding(said) {
  const known = new Set(["system", "folder"]); // which were just chosen
  const plain = ([name, value]) => !known.has(name) && (Array.isArray(value) ? value.length : value !== null && value !== "" && typeof value !== "object");
  return h("dl", { class: "facts-list check-list" }, Object.entries(said).filter(plain).map(([name, value]) => [h("dt", null, words(name)), h("dd", null, Array.isArray(value) ? value.slice(0, 16).join(", ") : String(value))]));
}

export async function mount(root, context) {
  context.head("Train", "Teach a system on your own pictures.");
  const schema = await service.trainSchema();
  if (context.signal.aborted) return;
  await new TrainPage(context, context.catalog.systems, schema).mount(root);
}

// The settings of a verb and the files that it takes beside them, and what is wrong with them, where it is wrong.

import { h, icon, words } from "../dom.js";
import { jobs } from "../jobs.js";
import { recall, remember } from "../kept.js";
import { keep, settings, whole } from "../route.js";
import { blob } from "../service.js";
import { accepts, fileSlot } from "./files.js";
import { fitting, optionForm } from "./form.js";
import { styleMixer } from "./styles.js";

const PICTURES = new Set(["pictures", "picture", "video"]);

export class VerbForm {
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

  showForm() {
    const { verb, catalog, signal } = this;
    const models = verb.models ?? [];
    const fill = (name) => (file) => {
      this.tellWrong("");
      this.extra.set(name, file);
      remember(`extra:${verb.name}`, [...this.extra]);
    };
    const slot = (one) => h("div", { class: "field", "data-option": one.name }, chooser(one));
    const chooser = (one) => fileSlot({ label: words(one.name), help: sentences(one.description)[0], accept: accepts(one), signal, file: this.extra.get(one.name), onfile: fill(one.name) }).element;
    const shown = new Map(this.slots.map((one) => [one, slot(one)]));
    const hideSlots = () => {
      for (const [one, element] of shown) element.hidden = this.isUnused(one);
    };
    hideSlots();
    const form = optionForm({
      schema: verb.options,
      values: this.options,
      models,
      skip: ["styles"],
      unused: (name) => this.modelOf(name)?.unused ?? [],
      named: (name) => classNames(this.modelOf(name)),
      onchange: (values) => {
        const before = this.options;
        this.options = values;
        this.keepOptions();
        hideSlots();
        if (this.latent) this.latentChanged(before);
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
        this.keepOptions();
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

  keepOptions() {
    this.tellWrong("");
    const options = { ...this.options };
    delete options.styles;
    if (this.styles.length) options.styles = this.styles;
    keep({ options: Object.keys(options).length ? JSON.stringify(options) : null });
  }

  async recallFiles() {
    const { name } = this.verb;
    const files = (this.main && (await recall(`files:${name}`))) ?? [];
    if (!this.files.length) this.files = files; // others may have been dropped since
    if (this.style) this.own = (await recall(`own:${name}`)) ?? [];
    if (this.slots.length) this.extra = new Map(await recall(`extra:${name}`));
  }

  /** The files of a job become those of the page, so that it can be made again with other settings. */
  async adoptFiles() {
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

  /** What is missing for a job, in one line; null if nothing is. */
  missing() {
    if (this.main?.required && !this.files.length) return "Choose a picture first: drop one on the stage.";
    if (this.style?.option === "styles" && this.verb.gives !== "style" && !this.styles.length && !this.own.length && !this.options.model) return "Choose a style first: click one, or drop a picture among them.";
    const open = this.slots.find((one) => one.required && !this.extra.get(one.name) && !this.isUnused(one));
    if (open) return `${words(open.name)} is missing: choose a picture, or drop one here.`;
    const option = (this.verb.options.required ?? []).find((name) => isNothing(this.options[name]));
    if (option) return `${this.verb.options.properties[option].title} is missing: ${this.verb.options.properties[option].description}`;
    if (this.mask?.required && !this.painter?.isPainted) return "Paint over what is missing first: take the brush.";
    return null;
  }

  async sent() {
    const sent = this.main ? this.files.map((file) => [this.main.name, file, file.name]) : [];
    for (const file of this.own) sent.push([this.style.name, file, file.name]);
    const used = this.slots.filter((one) => !this.isUnused(one)).map(({ name }) => name);
    for (const [name, file] of this.extra) if (file && used.includes(name)) sent.push([name, file, file.name]);
    if (this.mask && this.painter?.isPainted) sent.push([this.mask.name, await this.painter.png(), "mask.png"]);
    return sent;
  }

  /** The row of the form that an error is about: it begins with the name or the title of the option. */
  optionOf(text) {
    const begins = (words) => text.startsWith(words) && /^[\s:]/.test(text.slice(words.length));
    const rows = [...Object.entries(this.verb.options.properties).map(([name, { title }]) => [name, title]), ...this.slots.map(({ name }) => [name, words(name)])];
    const row = rows.find(([name, title]) => begins(name) || begins(title));
    return row ? this.form.querySelector(`[data-option="${CSS.escape(row[0])}"]`) : null;
  }

  /** An error, at the option that it names if it names one. */
  tellWrong(text) {
    for (const old of this.form.querySelectorAll(".error")) old.remove();
    this.wrong.replaceChildren();
    if (!text) return;
    const option = this.optionOf(text);
    const { title } = this.verb.options.properties[option?.dataset.option] ?? {};
    const named = option && text.startsWith(option.dataset.option) ? title + text.slice(option.dataset.option.length) : text;
    const shown = [icon("circle-alert"), h("span", null, named)];
    if (!option) return this.wrong.replaceChildren(...shown);
    option.closest("details")?.setAttribute("open", "");
    option.append(h("p", { class: "error", role: "alert" }, shown));
    option.scrollIntoView({ block: "nearest" });
  }

  modelOf(name = this.options.model ?? this.verb.options.properties.model?.default ?? this.verb.models?.[0]) {
    return this.catalog.models.find((one) => one.name === name);
  }

  /** Whether the model has no use for these files. */
  isUnused({ option }) {
    return this.modelOf()?.unused.includes(option) ?? false;
  }
}

const isNothing = (value) => value === undefined || value === null || value.length === 0;

/** What a model calls the classes that it makes pictures of. */
function classNames(model) {
  const number = model?.inputs.find(({ kind }) => kind === "class")?.channels ?? 0;
  return model?.facts.names ?? [...Array(number).keys()].map(String);
}

/** The sentences of a command's help, without those that are about the command line. */
export const sentences = (text) => (text ?? "").split(/\n\n|(?<=\.)\s+/).filter((one) => !/Ctrl-C|--\w|limner /.test(one));

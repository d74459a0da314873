// The page of a verb: its pictures on the stage, its options in the panel, both made from what the service says of it.

import { button, h, icon, isTyping, say, words } from "../dom.js";
import { isActive, jobs, onJobs } from "../jobs.js";
import { remember } from "../kept.js";
import { go, href, keep } from "../route.js";
import { droppable } from "../parts/files.js";
import { ResultView, tellDone } from "../parts/result.js";
import { sentences } from "../parts/verb-form.js";
import { VerbStage } from "../parts/verb-stage.js";
import { Working } from "../parts/working.js";

const ENDED = { cancelled: "Cancelled.", interrupted: "The studio was ended before this was done." };

class VerbPage extends VerbStage {
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
    this.root = root;
    root.classList.toggle("with-tools", Boolean(this.mask?.required));
    this.noTools(); // which are as high on a phone as those to come
    root.replaceChildren(this.tools, this.section, panel);
    if (this.main) droppable(this.section, (files) => this.take(files), this.signal);
    this.listen();
    if (this.job) await this.adoptFiles();
    else await this.recallFiles();
    if (this.signal.aborted) return;
    this.showForm();
    await this.show();
  }

  titleOf(name) {
    return this.catalog.verbs.find((one) => one.name === name)?.title ?? words(name);
  }

  listen() {
    const { signal } = this;
    onJobs(signal, ({ job, before }) => {
      if (job?.id === this.job) this.jobChanged(job, before);
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
    signal.addEventListener("abort", () => this.ownUrl && URL.revokeObjectURL(this.ownUrl));
  }

  /** Take files onto the stage, and the model that they are for. */
  take(files, model = null) {
    if (model && this.verb.models?.includes(model)) {
      this.options = { ...this.options, model };
      this.keepOptions();
      this.showForm();
    }
    if (!this.main.many) files = files.slice(0, 1);
    this.files = files;
    this.chosen = 0;
    this.painter = null;
    this.leaveJob();
    remember(`files:${this.verb.name}`, files);
    say(`${files.length} ${files.length === 1 ? "file" : "files"} chosen`);
    this.show();
  }

  leaveJob() {
    this.job = null;
    this.shownJob = null;
    this.state = { view: null, place: 0, zoom: null };
    keep({ job: null, n: null, view: null, zoom: null });
  }

  async run() {
    this.tellWrong("");
    const missing = this.missing();
    if (missing) return this.tellWrong(missing);
    this.runButton.disabled = true;
    try {
      const options = { ...this.options };
      for (const name of this.modelOf()?.unused ?? []) delete options[name];
      if (this.style && this.styles.length) options.styles = this.styles;
      const job = await jobs.begin(this.verb.name, await this.sent(), options);
      this.begun(job);
    } catch (error) {
      this.tellWrong(error.message);
    } finally {
      this.runButton.disabled = false;
    }
  }

  begun(job) {
    this.job = job.id;
    this.state = { view: null, place: 0, zoom: null };
    keep({ job: job.id, n: null, view: null, zoom: null });
    this.show();
  }

  jobChanged(job, before) {
    if (before?.state !== job.state) {
      if (job.state === "done") tellDone(job);
      if (job.state === "failed") say(`Failed: ${job.error}`);
      return this.show();
    }
    return isActive(job) && this.working?.tell(job);
  }

  async show() {
    this.ending?.abort();
    this.latent = null;
    const job = this.job ? jobs.get(this.job) : null;
    this.section.dataset.state = job && job.state !== "done" ? job.state : "";
    this.problem.replaceChildren();
    if (this.job && !job) this.tellProblem("That job is no longer here.");
    if (job && isActive(job)) return this.showActive(job);
    if (job?.state === "failed" && this.optionOf(job.error)) this.tellWrong(job.error);
    else if (job && job.state !== "done" && !isActive(job)) this.tellProblem(job.error ?? ENDED[job.state], () => this.beginAgain(), job.state === "cancelled");
    if (job && (job.state === "done" || job.results.length)) return this.showDone(job);
    return this.showFiles();
  }

  async beginAgain() {
    try {
      this.begun(await jobs.again(this.job));
    } catch (error) {
      this.tellProblem(error.message);
    }
  }

  showActive(job) {
    this.noTools();
    this.strip.hidden = true;
    this.side.replaceChildren();
    const before = job.inputs.find(({ field, kind }) => field === this.main?.name && kind !== "video")?.url;
    this.working = new Working({ job, before, stage: this.stage, bar: this.bar, signal: this.signal, onerror: (text) => this.tellProblem(text) });
  }

  async showDone(job) {
    this.noTools();
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
      onagain: () => this.beginAgain(),
      oncontinue: async (name, file) => {
        await remember(`files:${name}`, [file]);
        go(name);
      },
      onbar: () => this.addToBar(job),
      verbs: this.catalog.verbs.filter((one) => one.name !== this.verb.name && one.inputs.some(({ kind, required }) => kind === "pictures" && required)),
    });
    if (job.results.length > 3 && this.state.view === null && this.verb.gives === "pictures") this.state.view = "grid";
    if (this.verb.gives === "style") this.state.view ??= "result"; // which has the painting in it
    await view.show();
    this.section.dataset.state = job.state;
    this.showStrip(job.results.length > 1 ? view : null);
  }

  addToBar(job) {
    this.newPicture();
    if (this.verb.gives !== "style" || job.state !== "done") return;
    const styles = job.inputs.map(({ name }) => name.replace(/\.[^.]*$/, ""));
    this.bar.lastElementChild.prepend(button("Paint with it", () => go("stylize", { options: JSON.stringify({ styles: styles.slice(-1) }) }), { icon: "palette", class: "wordless" }));
  }

  leaveJobAndShow() {
    this.leaveJob();
    this.show();
  }
}

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

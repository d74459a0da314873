// All that was made, with its settings: looked at, made again, taken away, downloaded together.

import { button, duration, h, icon, iconButton, say, words } from "../dom.js";
import { isActive, jobs, onJobs } from "../jobs.js";
import { titleOfValue } from "../parts/form.js";
import { shownOf } from "../parts/result.js";
import { go, href, keep } from "../route.js";
import { zipPath } from "../service.js";

const PAGE = 100; // jobs that the service lists at once
const STATES = { waiting: "Waiting", running: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled", interrupted: "Interrupted" };

const when = (job) => new Date(job.made).toLocaleString("en", { dateStyle: "medium", timeStyle: "short" });

class Gallery {
  constructor(context) {
    Object.assign(this, context);
    this.verb = this.params.get("verb") ?? "";
    this.open = this.params.get("job");
    this.picked = new Set();
  }

  async mount(root) {
    this.grid = h("div", { class: "gallery" });
    this.problem = h("div", { class: "problem", role: "alert" });
    this.bar = h("div", { class: "bar" });
    this.panel = h("aside", { class: "panel", id: "panel", "aria-label": "Details" });
    root.replaceChildren(h("section", { class: "stage gallery-stage", id: "stage", tabindex: -1, "aria-label": "Gallery" }, this.grid, this.problem, this.bar), this.panel);
    onJobs(this.signal, ({ job, before }) => (job && before && job.state === before.state ? this.#progress(job) : this.#soon()));
    this.#show();
    try {
      await jobs.load();
      if (this.open) await jobs.find(this.open);
    } catch (error) {
      this.#wrong(error.message);
    }
    this.#show();
  }

  /** Many jobs may change at once: the gallery is drawn once for all of them. */
  #soon() {
    this.drawing ??= requestAnimationFrame(() => {
      this.drawing = null;
      if (!this.signal.aborted) this.#show();
    });
  }

  #show() {
    const held = document.activeElement?.closest("[data-job]")?.dataset.job;
    const all = jobs.all();
    const verbs = [...new Set(all.map(({ verb }) => verb))];
    const listed = all.filter(({ verb }) => !this.verb || verb === this.verb);
    for (const id of this.picked) if (!jobs.get(id)) this.picked.delete(id);
    const older = all.length >= PAGE && !this.ended ? [h("div", { class: "older", role: "listitem" }, button("Show older", () => this.#older(), { "data-act": "older" }))] : [];
    this.grid.replaceChildren(...(listed.length ? [...listed.map((job) => this.#card(job)), ...older] : [this.#nothing(all.length > 0)]));
    if (held) this.grid.querySelector(`[data-job="${CSS.escape(held)}"] .card-open`)?.focus();
    this.grid.classList.toggle("none", !listed.length);
    if (listed.length) Object.assign(this.grid, { role: "list", ariaLabel: "What was made" });
    else for (const name of ["role", "aria-label"]) this.grid.removeAttribute(name);
    this.#bar(verbs, listed);
    this.#details();
  }

  async #older() {
    try {
      this.ended = !(await jobs.loadOlder());
    } catch (error) {
      this.#wrong(error.message);
    }
    this.#show();
  }

  #nothing(filtered) {
    return h("div", { class: "empty" }, h("div", { class: "drop still" }, icon("images"), h("strong", null, filtered ? "Nothing of this kind yet." : "Nothing has been made yet."), h("span", null, "Whatever you make stays here, with all its settings."), h("a", { class: "button", href: href("stylize") }, "Begin with a style")));
  }

  #card(job) {
    const shown = shownOf(job)[0];
    const input = job.inputs.find(({ kind }) => kind === "picture");
    const image = shown?.kind === "video" ? h("video", { src: shown.url, muted: true, preload: "metadata" }) : shown || input ? h("img", { src: (shown ?? input).url, alt: "", loading: "lazy", decoding: "async", class: shown ? "" : "dim" }) : icon("file");
    const check = h("input", { type: "checkbox", "aria-label": `Pick ${this.#titleOf(job)} of ${when(job)}`, checked: this.picked.has(job.id), onchange: (event) => this.#pick(job.id, event.target.checked) });
    const words = [this.#titleOf(job), job.state === "done" ? (job.results.length > 1 ? `${job.results.length} files` : "") : this.#stateOf(job)];
    return h(
      "div",
      { class: "card", role: "listitem", "data-job": job.id, "data-state": job.state, "aria-current": job.id === this.open ? "true" : null },
      h("button", { type: "button", class: "card-open", "aria-label": `${words.join(" ").trim()}, ${job.state}, ${when(job)}`, onclick: () => this.#opened(job.id), ondblclick: () => this.#page(job) }, h("span", { class: "thumb" }, image), h("span", { class: "card-words" }, h("b", null, words[0]), " ", h("span", { class: `state ${job.state}` }, words[1]))),
      check,
    );
  }

  #stateOf(job) {
    return job.state === "running" && job.done ? `${Math.round(job.done * 100)} %` : STATES[job.state];
  }

  #titleOf(job) {
    return this.catalog.verbs.find(({ name }) => name === job.verb)?.title ?? words(job.verb);
  }

  #progress(job) {
    const state = this.grid.querySelector(`[data-job="${CSS.escape(job.id)}"] .state`);
    if (state) state.textContent = this.#stateOf(job);
  }

  #pick(id, on) {
    if (on) this.picked.add(id);
    else this.picked.delete(id);
    this.#bar([...new Set(jobs.all().map(({ verb }) => verb))], jobs.all());
  }

  #opened(id) {
    this.open = id;
    keep({ job: id });
    for (const card of this.grid.querySelectorAll("[data-job]")) {
      if (card.dataset.job === id) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
    }
    this.#details();
    if (matchMedia("(max-width: 760px)").matches) this.panel.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  #bar(verbs, listed) {
    const filter = h("select", { "aria-label": "Show", value: this.verb, onchange: (event) => this.#filter(event.target.value) }, h("option", { value: "" }, "Everything"), verbs.map((verb) => h("option", { value: verb }, this.#titleOf({ verb }))));
    const ids = [...this.picked];
    const done = ids.filter((id) => jobs.get(id)?.results.length);
    this.bar.replaceChildren(
      h("div", { class: "bar-group" }, h("div", { class: "select-button" }, filter)),
      h("span", { class: "facts" }, ids.length ? `${ids.length} picked` : `${listed.length} ${listed.length === 1 ? "job" : "jobs"}`),
      h(
        "div",
        { class: "bar-group" },
        ids.length ? button("Delete", () => this.#remove(ids), { icon: "trash-2" }) : null,
        done.length ? h("a", { class: "button primary", href: zipPath(done), download: "limner.zip" }, icon("file-archive"), h("span", null, "Zip")) : null,
        !ids.length && listed.length ? button("Pick all", () => this.#pickAll(listed), { icon: "list-checks" }) : null,
      ),
    );
  }

  #pickAll(listed) {
    for (const { id } of listed) this.picked.add(id);
    this.#show();
  }

  #filter(verb) {
    this.verb = verb;
    keep({ verb: verb || null });
    this.#show();
  }

  #details() {
    const job = this.open && jobs.get(this.open);
    this.panel.classList.toggle("bare", !job);
    if (!job) return this.panel.replaceChildren(h("p", { class: "quiet about" }, jobs.all().length ? "Choose a picture to see how it was made." : ""));
    const known = this.catalog.verbs.find(({ name }) => name === job.verb)?.options.properties ?? {};
    const options = Object.entries(job.options).filter(([, value]) => value !== null && value !== "");
    const shown = shownOf(job);
    const row = (name, value) => [h("dt", null, name), h("dd", null, value)];
    return this.panel.replaceChildren(
      h("h2", null, this.#titleOf(job)),
      shown[0] && shown[0].kind !== "video" ? h("img", { class: "detail-picture", src: shown[0].url, alt: "Result", width: shown[0].width, height: shown[0].height }) : "",
      h(
        "dl",
        { class: "facts-list" },
        row("State", STATES[job.state]),
        row("Made", when(job)),
        job.seconds ? row("Took", duration(job.seconds)) : [],
        job.inputs.length ? row("From", job.inputs.map(({ was, name }) => was || name).join(", ")) : [],
        shown[0]?.width ? row("Size", `${shown[0].width} × ${shown[0].height}`) : [],
        options.map(([name, value]) => row(known[name]?.title ?? words(name), titleOfValue(known[name], value))),
      ),
      job.error ? h("p", { class: "error" }, icon("circle-alert"), h("span", null, job.error)) : "",
      h(
        "div",
        { class: "panel-foot two" },
        isActive(job) ? button("Cancel", () => jobs.cancel(job.id).catch((error) => this.#wrong(error.message)), { icon: "x" }) : button("Make again", () => this.#again(job), { icon: "rotate-ccw" }),
        button("Open", () => this.#page(job), { class: "primary" }),
        iconButton("trash-2", "Delete", () => this.#remove([job.id])),
      ),
    );
  }

  #page(job) {
    const options = Object.keys(job.options).length ? JSON.stringify(job.options) : null;
    go(job.verb, { options, job: job.id });
  }

  async #again(job) {
    try {
      this.#page(await jobs.again(job.id));
    } catch (error) {
      this.#wrong(error.message);
    }
  }

  async #remove(ids) {
    const many = ids.length === 1 ? "this job and its files" : `${ids.length} jobs and their files`;
    if (!(await confirmed(`Delete ${many}?`))) return;
    try {
      for (const id of ids) await jobs.remove(id);
      say("Deleted");
    } catch (error) {
      this.#wrong(error.message);
    }
    this.picked.clear();
    this.#show();
  }

  #wrong(text) {
    this.problem.replaceChildren(icon("circle-alert"), h("span", null, text));
  }
}

/** Ask before something is lost. */
function confirmed(question) {
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.close();
      dialog.remove();
      resolve(answer);
    };
    const dialog = h("dialog", { class: "ask", "aria-label": question, oncancel: () => end(false) }, h("p", null, question), h("div", { class: "panel-foot two" }, button("Keep", () => end(false)), button("Delete", () => end(true), { class: "primary" })));
    document.body.append(dialog);
    dialog.showModal();
  });
}

export async function mount(root, context) {
  context.head("Gallery", "All that was made here, with its settings.");
  await new Gallery(context).mount(root);
}

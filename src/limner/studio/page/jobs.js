// What the service has made, is making and will make, kept up to date.

import * as service from "./service.js";

const ACTIVE = new Set(["waiting", "running"]);
const EVERY = 1000; // milliseconds between two looks at the list while something runs

/** What is told when the service does not answer, though something runs, and when it does again. */
export const SILENT = "silent";

export const isActive = (job) => ACTIVE.has(job.state);

class Jobs extends EventTarget {
  silent = false;
  #known = new Map();
  #newest = [];
  #older = [];
  #asked = new Set(); // single ones, wherever they are in the list
  #events = null;
  #timer = 0;

  /** Newest first, as the service lists them; what was begun since then comes before. */
  all() {
    const listed = new Set([...this.#newest, ...this.#older]);
    const newer = [...this.#known.keys()].filter((id) => !listed.has(id) && !this.#asked.has(id)).reverse();
    return [...newer, ...listed, ...this.#asked].filter((id, place, ids) => ids.indexOf(id) === place).map((id) => this.#known.get(id)).filter(Boolean);
  }

  get(id) {
    return this.#known.get(id);
  }

  get active() {
    return this.all().filter(isActive);
  }

  async load() {
    const kept = new Set([...this.#older, ...this.#asked]);
    const gone = new Set([...this.#known.keys()].filter((id) => !kept.has(id))); // what begins now may not be listed yet
    const listed = await service.jobs();
    this.#newest = listed.map(({ id }) => id);
    for (const job of listed) {
      gone.delete(job.id);
      this.#take(job);
    }
    for (const id of gone) this.#forget(id);
    this.#look();
    return this.all();
  }

  /** A job that an address names; undefined if there is none. */
  async find(id) {
    if (!this.#known.has(id)) {
      try {
        this.#take(await service.job(id));
        this.#asked.add(id);
      } catch {
        // it was deleted
      }
    }
    return this.#known.get(id);
  }

  /** Load those that are older than all that are known; false if there are none. */
  async loadOlder() {
    const listed = await service.jobs(this.#older.at(-1) ?? this.#newest.at(-1));
    this.#older.push(...listed.map(({ id }) => id));
    for (const job of listed) this.#take(job);
    return listed.length > 0;
  }

  async begin(verb, files, options) {
    return this.#began(await service.begin(verb, files, options));
  }

  async again(id) {
    return this.#began(await service.again(id));
  }

  async cancel(id) {
    this.#take(await service.cancel(id));
  }

  async remove(id) {
    await service.remove(id);
    this.#forget(id);
  }

  /** Follow one job by the second; browsers hold few connections open, so it is one at a time. */
  follow(id) {
    this.#events?.close();
    this.#events = null;
    const job = this.#known.get(id);
    if (!job || !isActive(job)) return;
    const events = new EventSource(service.eventsPath(id));
    this.#events = events;
    events.addEventListener("job", (event) => {
      const now = JSON.parse(event.data);
      this.#take(now);
      if (!isActive(now)) events.close();
    });
    events.onerror = () => events.close(); // the list still tells, by the second
  }

  #began(job) {
    this.#take(job);
    this.#look();
    return job;
  }

  #take(job) {
    const before = this.#known.get(job.id);
    if (before && !isActive(before) && isActive(job)) return; // a list that is older than what is known
    this.#known.set(job.id, job);
    if (JSON.stringify(before) !== JSON.stringify(job)) this.#tell(job, before);
  }

  #forget(id) {
    const before = this.#known.get(id);
    if (before && this.#known.delete(id)) this.#tell(null, before);
  }

  #tell(job, before) {
    this.dispatchEvent(new CustomEvent("change", { detail: { job, before } }));
  }

  #tellSilent(silent) {
    if (silent === this.silent) return;
    this.silent = silent;
    this.dispatchEvent(new CustomEvent(SILENT));
  }

  #look() {
    clearTimeout(this.#timer);
    if (!this.active.length) return;
    this.#timer = setTimeout(async () => {
      try {
        await this.load();
        this.#tellSilent(false);
      } catch (error) {
        this.#tellSilent(!error.status);
        this.#look();
      }
    }, EVERY);
  }
}

export const jobs = new Jobs();

/** Call a function at each change, until the signal ends it. */
export function onJobs(signal, then) {
  jobs.addEventListener("change", (event) => then(event.detail), signal && { signal });
}

// Pictures that follow a drawing or sliders: the newest wins, and the stroke never waits.

import { ServiceError } from "../service.js";

const WAIT = 60; // milliseconds of a debounce
const MOST = 2; // one that the model works on, one that waits; the service drops the older of two that wait
const GONE = 409; // a newer drawing came before this one's turn

export class Live {
  #timer = 0;
  #asked = 0;
  #shown = 0;
  #flying = 0;
  #again = false;
  #session = crypto.randomUUID?.() ?? String(Math.random());

  /** ask(session, signal): gives a picture; onpicture(it, milliseconds); onerror(text); onbusy(whether one is awaited). */
  constructor({ ask, onpicture, onerror, onbusy, signal }) {
    Object.assign(this, { ask, onpicture, onerror, onbusy, signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
  }

  /** What is drawn or set has changed. */
  soon() {
    this.began ??= performance.now();
    if (this.#timer) return; // while the hand moves, a picture still comes now and then
    this.#timer = setTimeout(() => {
      this.#timer = 0;
      this.#ask();
    }, WAIT);
  }

  async #ask() {
    if (this.signal.aborted) return;
    if (this.#flying >= MOST) {
      this.#again = true;
      return;
    }
    const number = (this.#asked += 1);
    const began = this.began ?? performance.now();
    this.began = null;
    this.#flying += 1;
    this.onbusy(true);
    try {
      const picture = await this.ask(this.#session, this.signal);
      if (number > this.#shown) {
        this.#shown = number;
        this.onpicture(picture, performance.now() - began);
      }
    } catch (error) {
      if (error instanceof ServiceError && error.status !== GONE && number === this.#asked) this.onerror(error.message);
    } finally {
      this.#flying -= 1;
      if (!this.#flying) this.onbusy(false);
      if (this.#again) {
        this.#again = false;
        this.soon();
      }
    }
  }
}

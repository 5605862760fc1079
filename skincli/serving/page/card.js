// One image: waiting, being judged, and then its answer or why there is none.

import { summary, told, warn } from "./answer.js";
import { announce, clone } from "./dom.js";
import { modelOf } from "./model.js";
import { Picture } from "./picture.js";
import { ask } from "./server.js";

let cards = 0;

export class Card {
  #file;
  #parts;
  #picture;
  #stopper = new AbortController();
  #changed;
  state = "waiting"; // then working, and at last done, failed, locked (no key) or cancelled

  /** `changed` is called when the state is another. */
  constructor(file, changed) {
    const { copy, parts } = clone("card");
    this.#file = file;
    this.#parts = parts;
    this.#changed = changed;
    this.element = copy.firstElementChild;
    parts.name.textContent = file.name;
    parts.name.id = `card-${++cards}`;
    this.element.setAttribute("aria-labelledby", parts.name.id);
    parts["remove-text"].textContent = `Remove ${file.name}`;
    this.#picture = new Picture(parts, file);
    parts.cancel.addEventListener("click", () => { this.cancel(); this.focus(); });
  }

  get pending() { return this.state === "waiting" || this.state === "working"; }

  onRemove(remove) { this.#parts.remove.addEventListener("click", remove); }
  onRetry(retry) { this.#parts.retry.addEventListener("click", () => { retry(); this.focus(); }); }
  focus() { this.#parts.name.focus(); }

  /** Wait for a turn: returns what is to be done then, which throws nothing. */
  wait() {
    this.#stopper = new AbortController();
    const { signal } = this.#stopper;
    this.#become("waiting", "Waiting for its turn");
    return () => this.#judge(signal);
  }

  cancel() {
    if (!this.pending) return;
    this.#stopper.abort();
    this.#fail("cancelled", "Cancelled");
  }

  remove() {
    this.cancel();
    this.#picture.release();
    this.element.remove();
  }

  async #judge(signal) {
    if (signal.aborted) return;
    this.#become("working", "Being judged");
    try {
      const answer = await this.#ask(signal);
      const model = await modelOf(answer.model.digest);
      if (!signal.aborted) this.#show(answer, model);
    } catch (error) {
      if (!signal.aborted) this.#fail(error.status === 401 ? "locked" : "failed", error.message);
    }
  }

  #ask(signal) {
    const body = new FormData();
    body.append("images", this.#file, this.#file.name);
    const pausing = (seconds) => {
      this.#parts["wait-text"].textContent = `The server is busy: asking again in ${seconds} s`;
    };
    return ask("v1/predict?heatmap=true", { method: "POST", body }, signal, pausing);
  }

  #show(answer, model) {
    const [prediction] = answer.predictions;
    warn(this.#parts, prediction);
    this.#parts.told.replaceChildren(told(prediction, answer, model));
    this.#parts.told.classList.toggle("unsure", prediction.abstain);
    this.#picture.showAnswer(prediction);
    announce(summary(prediction));
    this.#become("done", "");
  }

  #fail(state, text) {
    this.#parts["failure-text"].textContent = text;
    announce(`${this.#file.name}: ${text}`);
    this.#become(state, "");
  }

  #become(state, text) {
    const { wait, failure, told: shown } = this.#parts;
    this.state = state;
    this.element.dataset.state = state;
    this.element.setAttribute("aria-busy", this.pending);
    this.#parts["wait-text"].textContent = text;
    wait.hidden = !this.pending;
    shown.hidden = state !== "done";
    failure.hidden = this.pending || state === "done";
    this.#changed();
  }
}

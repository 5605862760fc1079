/** Runs jobs in the order given, a few at a time. */
export class Queue {
  #limit;
  #running = 0;
  #waiting = [];

  constructor(limit) {
    this.#limit = limit;
  }

  /** `job` is an async function that throws nothing. */
  add(job) {
    this.#waiting.push(job);
    this.#next();
  }

  async #next() {
    if (this.#running === this.#limit || !this.#waiting.length) return;
    this.#running++;
    await this.#waiting.shift()();
    this.#running--;
    this.#next();
  }
}

// Questions to the server: with the API key, and asked again where it is busy.

const ATTEMPTS = 6;
const LONGEST_PAUSE = 60;
const BUSY = [429, 503];
const LOST = "The server cannot be reached, or it ended the connection. The file may be too large.";

/** The server said no, and why. `status` is 0 where it said nothing. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export const key = {
  get value() { return sessionStorage.getItem("key") ?? ""; },
  set value(text) { sessionStorage.setItem("key", text); },
};

/** The JSON that a path answers. `onPause` is told the seconds before each further attempt. */
export async function ask(path, options = {}, signal = undefined, onPause = () => {}) {
  for (let attempt = 1; ; attempt++) {
    const answer = await send(path, options, signal);
    if (answer.ok) return answer.json();
    if (!BUSY.includes(answer.status) || attempt === ATTEMPTS) throw await refusalOf(answer);
    const seconds = pauseBefore(answer, attempt);
    onPause(Math.ceil(seconds));
    await sleep(seconds, signal);
  }
}

async function send(path, options, signal) {
  const headers = { ...options.headers };
  if (key.value) headers.Authorization = `Bearer ${key.value}`;
  try {
    return await fetch(path, { ...options, headers, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0, LOST);
  }
}

async function refusalOf(answer) {
  const problem = await answer.json().catch(() => ({}));
  return new Refusal(answer.status, problem.detail ?? problem.title ?? `Status ${answer.status}`);
}

/** As long as the server says; a little more, so that not all come back at once. */
function pauseBefore(answer, attempt) {
  const told = answer.headers.get("Retry-After");
  const seconds = told === null ? 2 ** (attempt - 1) : Number(told);
  const until = Number.isNaN(seconds) ? (Date.parse(told) - Date.now()) / 1000 : seconds;
  const wanted = Number.isNaN(until) ? 1 : Math.max(until, 0.5);
  return Math.min(wanted, LONGEST_PAUSE) * (1 + Math.random() / 4);
}

function sleep(seconds, signal) {
  return new Promise((resolve, reject) => {
    const stop = () => { clearTimeout(timer); reject(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); resolve(); }, 1000 * seconds);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

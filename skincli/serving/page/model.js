// What is served: asked for once, and again when an answer comes from another model.

import { element, fillFacts, parts, percent } from "./dom.js";
import { ask } from "./server.js";

const shown = parts(document.getElementById("model"));
let asked = null;

/** The description of the model with this digest; of whatever is served, without one. */
export async function modelOf(digest) {
  asked ??= load();
  const known = await asked;
  if (digest && known.digest !== digest) asked = load();
  return asked;
}

async function load() {
  const pausing = (seconds) => say(`The server is not ready: asking again in ${seconds} s`);
  try {
    const model = await ask("v1/model", {}, undefined, pausing);
    show(model);
    return model;
  } catch (error) {
    asked = null;
    say(error.message);
    throw error;
  }
}

function say(text) {
  shown.state.textContent = text;
  shown.state.hidden = !text;
}

function show(model) {
  say("");
  shown.synthetic.hidden = !model.synthetic;
  fillFacts(shown.facts, factsOf(model));
  shown["classes-title"].hidden = false;
  shown.classes.replaceChildren(...model.classes.map(classLine));
}

function factsOf(model) {
  const { lineage } = model;
  const aim = `${Math.round(100 * model.target_sensitivity)}\u00a0%`;
  return {
    Name: model.name,
    Version: model.version,
    Registry: model.registry,
    Digest: model.digest.slice(0, 16),
    Task: model.task === "binary" ? "benign or malignant" : `${model.classes.length} diagnoses`,
    Network: `${model.backbone}, ${model.image_size} × ${model.image_size} pixels`,
    Flagged: `from a malignant risk of ${percent(model.operating_point)}, chosen to find ${aim} of malignant lesions`,
    Measured: measured(model.metrics),
    Data: lineage.data_name,
    Licence: lineage.data_licence,
    Split: `by ${lineage.split}`,
    Trained: lineage.created?.slice(0, 10),
    Run: lineage.run_id?.slice(0, 16),
    Commit: lineage.git_commit?.slice(0, 12),
    Beware: lineage.data_warnings?.join("; "),
  };
}

function measured(metrics) {
  const words = Object.entries(metrics).map(
    ([name, value]) => `${name.replaceAll("_", " ")} ${value.toFixed(3)}`,
  );
  return words.join(", ");
}

function classLine(info) {
  const line = document.createElement("li");
  line.append(element("code", info.code), element("span", info.name));
  if (info.malignant) {
    const tag = element("span", "▲ malignant");
    tag.className = "tag";
    line.append(tag);
  }
  return line;
}

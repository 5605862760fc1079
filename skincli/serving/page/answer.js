// What the model says of one image, in words and bars.

import { clone, fillFacts, percent } from "./dom.js";
import { attachFeedback } from "./feedback.js";

const REASONS = {
  blurred: "The picture is too blurred to be judged.",
  unlike_training_images: "The picture is unlike those that the model has learnt from.",
  benign_or_malignant: "Benign and malignant diagnoses may both be true.",
};

/** The elements that tell of a prediction. `answer` is the server's, `model` its description. */
export function told(prediction, answer, model) {
  const { copy, parts } = clone("told");
  parts["diagnosis-kind"].textContent = prediction.abstain
    ? "Nearest diagnosis, not to be relied on"
    : "Diagnosis";
  const { name, code } = prediction.diagnosis;
  parts.diagnosis.textContent = `${name} (${code})`;
  fillRisk(parts, prediction, model);
  parts.bars.append(...bars(prediction, model));
  parts.set.textContent = prediction.conformal_set.map((c) => `${nameOf(model, c)} (${c})`).join(", ") || "none";
  fillFacts(parts.details, details(prediction, answer));
  attachFeedback(parts, prediction, model);
  return copy;
}

/** Warn, in the parts of a card, of an answer not to rely on. */
export function warn(parts, prediction) {
  const strange = prediction.out_of_distribution;
  parts.abstains.hidden = !prediction.abstain && !strange;
  parts["abstains-title"].textContent = prediction.abstain
    ? "The model abstains: do not rely on this answer."
    : "Out of distribution.";
  const novelty = `It is out of distribution: novelty ${prediction.novelty.toFixed(2)}, where 1 is the limit.`;
  const reason = REASONS[prediction.abstain_reason] ?? prediction.abstain_reason ?? "";
  parts["abstains-text"].textContent = `${reason} ${strange ? novelty : ""}`;
}

/** One sentence for a screen reader. */
export function summary(prediction) {
  const { name } = prediction.diagnosis;
  const risk = `malignant risk ${percent(prediction.malignant_probability)}`;
  const decision = prediction.malignant ? "flagged as malignant" : "not flagged";
  const start = prediction.abstain ? "the model abstains, do not rely on its answer:" : "";
  return `${prediction.filename}: ${start} ${name}, ${risk}, ${decision}`;
}

function fillRisk(parts, prediction, model) {
  const point = percent(model.operating_point);
  parts.risk.classList.toggle("flagged", prediction.malignant);
  parts.risk.style.setProperty("--share", prediction.malignant_probability);
  parts.risk.style.setProperty("--point", Math.min(model.operating_point, 1));
  parts["risk-share"].textContent = percent(prediction.malignant_probability);
  parts.decision.textContent = prediction.malignant ? "Flagged as malignant" : "Not flagged";
  const side = prediction.malignant ? "at or above" : "below";
  parts["decision-why"].textContent = `, ${side} the operating point of ${point}`;
  parts["decision-icon"].setAttribute("href", `static/icons.svg#${prediction.malignant ? "above" : "below"}`);
}

function bars(prediction, model) {
  const shares = Object.entries(prediction.probabilities).sort(([, a], [, b]) => b - a);
  return shares.map(([code, share]) => {
    const line = clone("bar").copy.firstElementChild;
    const malignant = Boolean(infoOf(model, code)?.malignant);
    line.classList.toggle("malignant", malignant);
    line.style.setProperty("--share", share);
    line.querySelector(".name").textContent = nameOf(model, code);
    line.querySelector("code").textContent = code;
    line.querySelector(".tag").hidden = !malignant;
    line.querySelector(".share").textContent = percent(share);
    return line;
  });
}

function details(prediction, answer) {
  const { name, version, digest } = answer.model;
  return {
    Model: version ? `${name}, version ${version}` : name,
    Digest: digest.slice(0, 16),
    Prediction: prediction.id,
    Novelty: `${prediction.novelty.toFixed(2)} (1 is the limit)`,
    Decoding: `${prediction.timings.decode_ms.toFixed(1)} ms`,
    Network: `${prediction.timings.network_ms.toFixed(1)} ms`,
  };
}

const infoOf = (model, code) => model.classes.find((info) => info.code === code);
const nameOf = (model, code) => infoOf(model, code)?.name ?? code;

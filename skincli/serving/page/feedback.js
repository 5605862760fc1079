// What the lesion was found to be, told to the server.

import { element } from "./dom.js";
import { ask } from "./server.js";

let forms = 0;

export function attachFeedback(parts, prediction, model) {
  const form = parts.feedback.querySelector("form");
  parts.confirmed.id = `confirmed-${++forms}`;
  parts["confirmed-label"].htmlFor = parts.confirmed.id;
  parts.confirmed.append(...model.classes.map(choice));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    give(parts, prediction.id);
  });
}

function choice(info) {
  const option = element("option", `${info.name} (${info.code})`);
  option.value = info.code;
  return option;
}

async function give(parts, id) {
  const { confirmed, "feedback-text": said } = parts;
  const body = JSON.stringify({ prediction_id: id, diagnosis: confirmed.value });
  const headers = { "Content-Type": "application/json" };
  said.textContent = "Sending …";
  try {
    await ask("v1/feedback", { method: "POST", headers, body });
    said.textContent = `Thank you: noted as ${confirmed.selectedOptions[0].textContent}`;
  } catch (error) {
    said.textContent = `Not noted: ${error.message}`;
  }
}

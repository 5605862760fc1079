// The field for an API key, which is there only where the server asks for one.

import { announce } from "./dom.js";
import { modelOf } from "./model.js";
import { key } from "./server.js";

/** `onAccepted` is called once the server has taken a key. */
export function attachKeyForm(onAccepted) {
  const form = document.getElementById("key");
  const field = document.getElementById("key-value");
  const problem = document.getElementById("key-problem");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.textContent = "";
    key.value = field.value.trim();
    try {
      await modelOf();
    } catch (error) {
      problem.textContent = error.status === 401 ? "The server does not know this key" : error.message;
      field.focus();
      return;
    }
    field.value = "";
    form.hidden = true;
    document.getElementById("choose").focus();
    onAccepted();
  });
  return {
    open() {
      if (form.hidden) announce("This server asks for an API key");
      form.hidden = false;
    },
  };
}

// The page: images in, a card for each, a few sent at a time.

import { Card } from "./card.js";
import { announce } from "./dom.js";
import { takeImages } from "./intake.js";
import { attachKeyForm } from "./keyform.js";
import { modelOf } from "./model.js";
import { Queue } from "./queue.js";

const AT_ONCE = 3;
const queue = new Queue(AT_ONCE);
const $ = (id) => document.getElementById(id);
let cards = [];

const keyForm = attachKeyForm(() => {
  for (const card of cards.filter(({ state }) => state === "locked")) submit(card);
});

function take(files) {
  const added = files.map((file) => new Card(file, refresh));
  cards = [...added, ...cards];
  $("cards").prepend(...added.map((card) => card.element));
  announce(files.length === 1 ? "1 image added" : `${files.length} images added`);
  for (const card of added) {
    card.onRemove(() => drop(card));
    card.onRetry(() => submit(card));
    submit(card);
  }
}

function submit(card) {
  queue.add(card.wait());
}

/** Forget a card, and leave the focus where a keyboard goes on. */
function drop(card) {
  const next = cards[cards.indexOf(card) + 1] ?? cards[cards.indexOf(card) - 1];
  cards = cards.filter((other) => other !== card);
  card.remove();
  refresh();
  if (next) next.focus();
  else $("choose").focus();
}

function refresh() {
  const answered = cards.filter((card) => !card.pending).length;
  $("results").hidden = !cards.length;
  $("progress").hidden = answered === cards.length;
  $("progress").max = Math.max(cards.length, 1);
  $("progress").value = answered;
  $("progress-text").textContent = `${answered} of ${cards.length} done`;
  $("stop").hidden = answered === cards.length;
  if (cards.some(({ state }) => state === "locked")) keyForm.open();
}

$("stop").addEventListener("click", () => {
  for (const card of cards) card.cancel();
  $("results-title").focus();
});
$("clear").addEventListener("click", () => {
  for (const card of cards) card.remove();
  cards = [];
  refresh();
  $("choose").focus();
});
takeImages(take);
modelOf().catch((error) => { if (error.status === 401) keyForm.open(); });

// Pieces of index.html, found and filled. Words of a server or a file only ever become text.

/** A copy of a template's content, and its elements by their `data-part`. */
export function clone(id) {
  const copy = document.getElementById(id).content.cloneNode(true);
  return { copy, parts: parts(copy) };
}

export function parts(root) {
  const found = [...root.querySelectorAll("[data-part]")];
  return Object.fromEntries(found.map((element) => [element.dataset.part, element]));
}

export function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

/** Fill a `<dl>`; what is null or empty is left out. */
export function fillFacts(list, facts) {
  const told = Object.entries(facts).filter(([, value]) => value != null && value !== "");
  list.replaceChildren(...told.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
}

export function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1\u00a0%";
  return `${(100 * share).toFixed(1)}\u00a0%`;
}

/** Say something to those who do not see the page. */
export function announce(text) {
  const news = document.getElementById("news");
  news.append(element("p", text));
  while (news.childElementCount > 10) news.firstElementChild.remove();
}

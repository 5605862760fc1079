// Not a module: it runs before the page is drawn, so that no wrong theme flashes up.
const theme = {
  get dark() {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  },
  choose(name) {
    document.documentElement.dataset.theme = name;
    try { localStorage.setItem("theme", name); } catch { /* storage is switched off */ }
  },
  recall() {
    try {
      const chosen = localStorage.getItem("theme");
      if (chosen) document.documentElement.dataset.theme = chosen;
    } catch { /* storage is switched off */ }
  },
};

theme.recall();
addEventListener("DOMContentLoaded", () => {
  const button = document.getElementById("theme");
  const text = document.getElementById("theme-text");
  const show = () => { text.textContent = theme.dark ? "Light theme" : "Dark theme"; };
  button.addEventListener("click", () => { theme.choose(theme.dark ? "light" : "dark"); show(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
});

// The theme: system, light or dark. Loaded before the page is drawn, so that it never flashes.
(() => {
  const root = document.documentElement;
  const modes = ["system", "light", "dark"];
  let mode = localStorage.getItem("theme") ?? "system";

  function paint() {
    if (mode === "system") root.removeAttribute("data-theme");
    else root.dataset.theme = mode;
  }

  function name() {
    for (const toggle of document.querySelectorAll("[data-theme-toggle]")) {
      const words = toggle.dataset.words.split("|");
      toggle.querySelector("[data-theme-name]").textContent = words[modes.indexOf(mode)];
    }
  }

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    mode = modes[(modes.indexOf(mode) + 1) % modes.length];
    localStorage.setItem("theme", mode);
    paint();
    name();
  });
  document.addEventListener("DOMContentLoaded", name);
  // The zone of this computer, for readers who have chosen none.
  document.cookie = `zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;
  if (!modes.includes(mode)) mode = "system";
  root.classList.remove("no-script");
  paint();
})();

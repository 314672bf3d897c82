// Keys. "/" searches, "g" and a letter goes to a page, "j" and "k" move through the list marked data-list,
// "?" lists all, and any other letter presses the visible element that carries it in data-key.
// One switch turns single keys off, for people who speak to their computer.
(() => {
  const waitForSecondKey = 1200;
  let goingSince = -Infinity;

  const enabled = () => localStorage.getItem("keys") !== "off";
  const visible = (element) => element.checkVisibility();
  const find = (selector) => [...document.querySelectorAll(selector)].find(visible);

  function typing(target) {
    return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true]");
  }

  function rows() {
    return [...document.querySelectorAll("[data-list] [data-row]")].filter(visible);
  }

  function move(step) {
    const list = rows();
    if (!list.length) return;
    const current = list.findIndex((row) => row === document.activeElement || row.contains(document.activeElement));
    const chosen = current >= 0 ? current : list.findIndex((row) => row.hasAttribute("aria-current"));
    const next = list[Math.min(Math.max(chosen + step, 0), list.length - 1)];
    next.focus();
    if (next.closest("[data-list=follow]") && !next.hasAttribute("aria-current")) next.click();
  }

  function open(id) {
    const dialog = document.getElementById(id);
    if (!dialog) return false;
    dialog.showPopover();
    return true;
  }

  function press(key) {
    const element = find(`[data-key="${CSS.escape(key)}"]`);
    if (!element) return false;
    if (element.matches("textarea, input, select")) element.focus();
    else element.click();
    return true;
  }

  function act(event) {
    if (performance.now() - goingSince < waitForSecondKey) {
      goingSince = -Infinity;
      const place = find(`[data-go="${CSS.escape(event.key)}"]`);
      if (place) place.click();
      return Boolean(place);
    }
    if (event.key === "g") {
      goingSince = performance.now();
      return true;
    }
    if (event.key === "/") return open("search");
    if (event.key === "?") return open("shortcuts");
    if (event.key === "j" || event.key === "k") {
      move(event.key === "j" ? 1 : -1);
      return true;
    }
    return press(event.key);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      const form = event.target.closest("form[data-send-key]");
      if (form) form.requestSubmit();
      return;
    }
    if (event.key === "Escape" && typing(event.target)) event.target.blur();
    if (event.ctrlKey || event.metaKey || event.altKey || !enabled() || typing(event.target)) return;
    if (document.querySelector("[popover]:popover-open") && event.key !== "?") return;
    if (act(event)) event.preventDefault();
  });

  document.addEventListener("DOMContentLoaded", () => {
    const control = document.querySelector("[data-keys-switch]");
    if (!control) return;
    control.checked = enabled();
    control.addEventListener("change", () => localStorage.setItem("keys", control.checked ? "on" : "off"));
  });
})();

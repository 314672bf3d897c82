// What pages do by themselves: toasts, selects that submit, the world's clock, the mark on a number that moved.
(() => {
  const stay = 8000;

  function fade(toast) {
    setTimeout(() => toast.matches(":hover, :focus-within") ? fade(toast) : toast.remove(), stay);
  }

  function complain(words) {
    const toast = document.getElementById("toast-fail").content.firstElementChild.cloneNode(true);
    toast.querySelector("span").textContent = words;
    document.getElementById("toasts").append(toast);
    fade(toast);
  }

  // An answer to a part of the page that failed arrives as problem details (RFC 9457).
  document.addEventListener("htmx:responseError", (event) => {
    try {
      const problem = JSON.parse(event.detail.xhr.responseText);
      complain([problem.title, problem.fix].filter(Boolean).join(" "));
    } catch {
      complain(`${event.detail.xhr.status} ${event.detail.xhr.statusText}`);
    }
  });

  document.addEventListener("click", (event) => {
    event.target.closest("[data-close]")?.closest(".toast").remove();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // The clock of the sandbox's world runs here as it does there; each page load sets it again.
  function tick() {
    for (const element of document.querySelectorAll("[data-world-now]")) {
      const start = Date.parse(element.dataset.worldNow);
      const world = new Date(start + performance.now() * Number(element.dataset.speed));
      const format = new Intl.DateTimeFormat(document.documentElement.lang, {
        weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
        timeZone: element.dataset.zone,
      });
      const part = Object.fromEntries(format.formatToParts(world).map(({ type, value }) => [type, value]));
      element.textContent = `${part.weekday} ${part.day} ${part.month} ${part.hour}:${part.minute}`;
    }
  }

  // Numbers with the same data-moves are compared before and after a part is swapped.
  let before = new Map();
  const numbers = () => new Map([...document.querySelectorAll("[data-moves]")].map((n) => [n.dataset.moves, n]));
  document.addEventListener("htmx:beforeSwap", () => {
    before = new Map([...numbers()].map(([name, node]) => [name, node.textContent]));
  });
  document.addEventListener("htmx:sseBeforeMessage", () => {
    before = new Map([...numbers()].map(([name, node]) => [name, node.textContent]));
  });
  function mark() {
    for (const [name, node] of numbers()) {
      if (before.has(name) && before.get(name) !== node.textContent) node.classList.add("moved");
    }
  }
  document.addEventListener("htmx:afterSettle", mark);
  document.addEventListener("htmx:sseMessage", mark);

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll(".toasts .toast").forEach(fade);
    const address = new URL(location.href);
    if (address.searchParams.has("said")) {
      address.searchParams.delete("said");
      history.replaceState(history.state, "", address);
    }
    if (document.querySelector("[data-world-now]")) {
      tick();
      setInterval(tick, 1000);
    }
  });
})();

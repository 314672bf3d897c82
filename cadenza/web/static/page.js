// What pages do by themselves: toasts, selects that submit, boxes that choose all, the world's clock, live parts that keep their reader.
(() => {
  const stay = 8000;

  // htmx notes the page's address, which may hold names somebody searched for; nothing here reads it (ASVS 14.3.3).
  sessionStorage.removeItem("htmx-current-path-for-history");

  // On a phone the tabs scroll sideways; the one that is open is in sight.
  document.querySelector(".tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });

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
  // What is being written is kept by the server; when it no longer knows us, the words beside it say what to do.
  document.addEventListener("htmx:responseError", (event) => {
    const words = event.detail.xhr.status === 401 && event.detail.elt.dataset.signedOut;
    if (words) {
      event.detail.target.textContent = words;
      return;
    }
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

  // A button that cannot be taken back asks first; its words say what will be lost.
  let asking = null;
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-ask]");
    const dialog = document.getElementById("ask");
    if (button && dialog && asking !== button) {
      event.preventDefault();
      asking = button;
      const words = button.cloneNode(true);
      words.querySelector("kbd")?.remove();
      const name = words.textContent.trim();
      dialog.querySelector("h2").textContent = `${name}?`;
      dialog.querySelector("p").textContent = button.dataset.ask;
      dialog.querySelector("[data-ask-yes]").textContent = name;
      dialog.showPopover();
    } else if (event.target.closest("[data-ask-yes]")) {
      dialog.hidePopover();
      const { form } = asking;
      if (!form.isConnected) { // a live part was drawn anew while the question stood
        form.hidden = true;
        document.body.append(form);
      }
      form.requestSubmit(asking);
    }
  });
  document.getElementById("ask")?.addEventListener("toggle", (event) => {
    if (event.newState === "closed") setTimeout(() => (asking = null));
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
    const all = event.target.closest("[data-choose-all]");
    if (all) for (const box of all.form.querySelectorAll("[name=chosen]")) box.checked = all.checked;
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

  // A live part is drawn anew while somebody reads it: what they have opened and where they are stays,
  // and numbers that moved are marked.
  const parts = "[sse-swap]";
  const reachable = "a[href], button, summary, input, select, textarea, [tabindex]";
  let before = null;

  function remember(part) {
    const active = document.activeElement;
    const stops = [...part.querySelectorAll(reachable)];
    before = {
      numbers: new Map([...part.querySelectorAll("[data-moves]")].map((node) => [node.dataset.moves, node.textContent])),
      open: [...part.querySelectorAll("details")].map((fold) => fold.open),
      place: part.contains(active) ? stops.indexOf(active) : -1,
      address: part.contains(active) ? active.getAttribute("href") : null,
    };
  }

  function restore(part) {
    if (!before) return;
    part.querySelectorAll("details").forEach((fold, i) => (fold.open = before.open[i] ?? fold.open));
    if (before.place >= 0) {
      const stops = [...part.querySelectorAll(reachable)];
      const same = before.address && stops.find((stop) => stop.getAttribute("href") === before.address);
      (same || stops[before.place])?.focus({ preventScroll: true });
    }
    for (const node of part.querySelectorAll("[data-moves]")) {
      const was = before.numbers.get(node.dataset.moves);
      if (was !== undefined && was !== node.textContent) node.classList.add("moved");
    }
    before = null;
  }

  document.addEventListener("htmx:sseBeforeMessage", (event) => remember(event.target.closest(parts)));
  document.addEventListener("htmx:sseMessage", (event) => restore(event.target.closest(parts)));

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

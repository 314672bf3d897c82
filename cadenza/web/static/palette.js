// The command palette: "/" or Ctrl K opens it. What this page and the rail can do is found here, campaigns and people
// by the server; arrows choose, Enter does. Without a choice Enter searches people, as it does without any script.
(() => {
  const dialog = document.getElementById("search");
  if (!dialog) return;
  const field = document.getElementById("search-words");
  const list = document.getElementById("palette-list");
  const commands = document.getElementById("palette-commands");
  const most = 8;
  let places = [];

  const words = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("kbd, svg, .count").forEach((part) => part.remove());
    return (copy.textContent.trim() || element.getAttribute("aria-label") || "").replace(/\s+/g, " ");
  };
  const shown = (element) => element.checkVisibility() && !element.disabled && !element.closest("[popover]");

  // Everything that has a key of its own can be done by name as well.
  function gather() {
    const here = [...document.querySelectorAll("main button[data-key], main a[data-key]")].filter(shown);
    const rail = [...document.querySelectorAll(".rail a:not(.brand), main .tabs a")];
    const found = new Map();
    for (const element of [...here, ...rail]) if (words(element)) found.set(words(element), element);
    places = [...found];
  }

  function option([name, element], index) {
    const made = document.createElement("div");
    made.role = "option";
    made.id = `palette-command-${index}`;
    made.ariaSelected = "false";
    made.textContent = name;
    made.addEventListener("click", () => {
      dialog.hidePopover();
      element.click();
    });
    return made;
  }

  function draw() {
    const asked = field.value.trim().toLocaleLowerCase();
    const found = places.filter(([name]) => name.toLocaleLowerCase().includes(asked)).slice(0, most);
    commands.replaceChildren(...found.map(option));
    commands.hidden = !found.length;
    choose(null);
  }

  const options = () => [...list.querySelectorAll("[role=option]")];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(next) {
    for (const each of options()) each.ariaSelected = String(each === next);
    if (next) {
      field.setAttribute("aria-activedescendant", next.id);
      next.scrollIntoView({ block: "nearest" });
    } else field.removeAttribute("aria-activedescendant");
  }

  function step(by) {
    const all = options();
    if (!all.length) return;
    const at = all.indexOf(chosen());
    choose(all[(at + by + all.length + (at < 0 && by < 0 ? 1 : 0)) % all.length]);
  }

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    dialog.togglePopover();
  });

  dialog.addEventListener("beforetoggle", (event) => {
    if (event.newState !== "open") return;
    field.value = "";
    document.getElementById("palette-found").replaceChildren();
    gather();
    draw();
  });
  field.addEventListener("input", draw);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter" && chosen()) chosen().click();
    else return;
    event.preventDefault();
  });
})();

// Search, filter, sort and step through the rows. Without this script the page shows all of them.
(() => {
  "use strict";
  const STEP = 100;
  const root = document.documentElement;
  const body = document.querySelector(".rows tbody");
  if (!body) return;
  root.classList.add("js");

  const text = (row) => [...row.querySelectorAll("th, .finding, .claimed, .pixels")].map((cell) => cell.textContent).join(" ").toLowerCase();
  const rows = [...body.rows].map((row, index) => ({
    row, index, words: null, path: row.dataset.path,
    tags: row.dataset.tags.split(" "), pixels: row.dataset.p, header: row.dataset.h,
    confidence: row.dataset.c === undefined ? -1 : Number(row.dataset.c),
  }));
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const all = document.getElementById("all");
  const steps = document.getElementById("steps");
  const empty = document.getElementById("empty");
  const clear = document.getElementById("clear");
  const links = [...document.querySelectorAll("a[data-show], a[data-class]")];
  const number = new Intl.NumberFormat("en");
  const collator = new Intl.Collator("en", { numeric: true });
  const unknown = (value) => (value === undefined ? 9 : Number(value));
  const comparisons = {
    urgency: (a, b) => a.index - b.index,
    path: (a, b) => collator.compare(a.path, b.path),
    pixels: (a, b) => unknown(a.pixels) - unknown(b.pixels),
    header: (a, b) => unknown(a.header) - unknown(b.header),
    confidence: (a, b) => a.confidence - b.confidence,
  };
  const state = { show: "all", class: "", q: "", sort: "urgency", down: false };
  let limit = STEP;
  let sorted = "urgency";

  const matches = (entry) => {
    if (state.show !== "all" && !entry.tags.includes(state.show)) return false;
    if (state.class !== "" && entry.pixels !== state.class) return false;
    if (!state.q) return true;
    entry.words ??= text(entry.row);
    return state.q.toLowerCase().split(/\s+/).every((word) => entry.words.includes(word));
  };

  const sort = () => {
    const wanted = state.sort + (state.down ? "-" : "");
    if (wanted === sorted) return;
    const compare = comparisons[state.sort];
    rows.sort((a, b) => (state.down ? -1 : 1) * compare(a, b) || a.index - b.index);
    body.append(...rows.map((entry) => entry.row));
    sorted = wanted;
  };

  const draw = () => {
    sort();
    let found = 0;
    for (const entry of rows) {
      const match = matches(entry);
      if (match) found += 1;
      entry.row.classList.toggle("on", match && found <= limit);
    }
    const shown = Math.min(found, limit);
    count.textContent = found === rows.length && shown === found
      ? `All ${number.format(found)} shown`
      : `${number.format(shown)} shown of ${number.format(found)} that match, ${number.format(rows.length)} in all`;
    steps.hidden = shown === found;
    more.textContent = `Show ${number.format(Math.min(STEP, found - shown))} more`;
    all.textContent = `Show all ${number.format(found)}`;
    empty.hidden = found > 0;
    body.parentElement.hidden = found === 0;
    clear.hidden = state.show === "all" && state.class === "" && state.q === "";
    for (const link of links) {
      const current = link.dataset.show !== undefined ? link.dataset.show === state.show : link.dataset.class === state.class;
      if (current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const head of document.querySelectorAll("th[data-sort]")) {
      if (head.dataset.sort === state.sort) head.setAttribute("aria-sort", state.down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    order.value = state.sort + (state.down ? "-" : "");
    if (search.value !== state.q) search.value = state.q;
  };

  // The state lives in the address, so that a view can be kept, sent and gone back to.
  const address = () => {
    const words = new URLSearchParams();
    if (state.show !== "all") words.set("show", state.show);
    if (state.class !== "") words.set("class", state.class);
    if (state.q) words.set("q", state.q);
    if (state.sort !== "urgency") words.set("sort", state.sort + (state.down ? "-" : ""));
    return `#${words}`;
  };
  const remember = (replace) => {
    try {
      history[replace ? "replaceState" : "pushState"](null, "", address());
    } catch {
      // Some browsers keep no history for local files.
    }
  };
  const recall = () => {
    const words = new URLSearchParams(location.hash.slice(1));
    state.show = words.get("show") || "all";
    state.class = words.get("class") || "";
    state.q = words.get("q") || "";
    const wanted = words.get("sort") || "urgency";
    state.down = wanted.endsWith("-");
    state.sort = wanted.replace(/-$/, "");
    if (!Object.hasOwn(comparisons, state.sort)) state.sort = "urgency";
    limit = STEP;
    draw();
  };
  const change = (changes, replace) => {
    Object.assign(state, changes);
    limit = STEP;
    draw();
    remember(replace);
  };

  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      if (link.dataset.show !== undefined) change({ show: link.dataset.show === state.show ? "all" : link.dataset.show });
      else change({ class: link.dataset.class === state.class ? "" : link.dataset.class });
    });
  }
  for (const head of document.querySelectorAll("th[data-sort]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const same = state.sort === head.dataset.sort;
      change({ sort: head.dataset.sort, down: same && !state.down });
    });
  }
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => change({ q: search.value.trim() }, true), 150);
  });
  order.addEventListener("change", () => change({ sort: order.value.replace(/-$/, ""), down: order.value.endsWith("-") }));
  clear.addEventListener("click", () => {
    change({ show: "all", class: "", q: "" });
    search.focus();
  });
  // Focus goes to the first row that was added: the button that was pressed may be gone.
  const widen = (wanted) => {
    const before = limit;
    limit = wanted;
    draw();
    const first = body.querySelectorAll("tr.on")[before];
    if (first) {
      first.cells[0].tabIndex = -1;
      first.cells[0].focus({ preventScroll: false });
    }
  };
  more.addEventListener("click", () => widen(limit + STEP));
  all.addEventListener("click", () => widen(Infinity));
  addEventListener("hashchange", recall);
  addEventListener("popstate", recall);
  recall();
})();

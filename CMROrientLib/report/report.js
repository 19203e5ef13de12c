// Search, filter, sort and step through the rows. Without this script the page shows all of them.
(() => {
  "use strict";
  const STEP = 100;
  const MANY = 1000;
  const root = document.documentElement;
  const body = document.querySelector(".rows tbody");
  if (!body) return;
  root.classList.add("js");
  // What links jump to without this script would scroll a kept view past its search field.
  for (const anchor of body.querySelectorAll("span[id]")) anchor.remove();

  // The first rows are in the table, the others wait as text in <noscript>: a browser lays out only
  // what is shown, and ten thousand images open at once.
  const rest = document.getElementById("rest");
  const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&#34;": '"', "&#39;": "'", "&#10;": " " };
  const unescaped = (text) => text.replace(/&[#\w]+;/g, (name) => ENTITIES[name] ?? name);
  const attributes = (tag) => Object.fromEntries([...tag.matchAll(/ data-(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, unescaped(value)]));
  const lines = [...body.rows].map((row) => ({ html: row.outerHTML, data: { ...row.dataset } }));
  for (const line of rest ? rest.textContent.split("\n") : []) {
    if (!line.startsWith("<tr ")) continue;
    lines.push({ html: line.replace(/<span id="[^"]*"><\/span>/g, ""), data: attributes(line.slice(0, line.indexOf(">"))) });
  }

  const plain = (html) => unescaped(html.replace(/<wbr>|<img[^>]*>/g, "").replace(/<[^>]*>/g, " ")).toLowerCase();
  const rows = lines.map(({ html, data }, index) => ({
    html, data, index, words: null, path: data.path, tags: data.tags.split(" "), pixels: data.p, header: data.h,
    confidence: data.c === undefined ? -1 : Number(data.c),
  }));
  const search = document.getElementById("search");
  const order = document.getElementById("order");
  const count = document.getElementById("count");
  const more = document.getElementById("more");
  const many = document.getElementById("many");
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
  let drawn = [];
  const announce = () => dispatchEvent(new CustomEvent("rowsdrawn", { detail: { all: rows, matching: drawn } }));
  addEventListener("decidable", announce);
  const state = { show: "all", class: "", q: "", sort: "urgency", down: false };
  let limit = STEP;
  let sorted = "urgency";

  const matches = (entry, words) => {
    if (state.show !== "all" && !entry.tags.includes(state.show)) return false;
    if (state.class !== "" && entry.pixels !== state.class) return false;
    if (words.length === 0) return true;
    entry.words ??= plain(entry.html);
    return words.every((word) => entry.words.includes(word));
  };

  const sort = () => {
    const wanted = state.sort + (state.down ? "-" : "");
    if (wanted === sorted) return;
    const compare = comparisons[state.sort];
    rows.sort((a, b) => (state.down ? -1 : 1) * compare(a, b) || a.index - b.index);
    sorted = wanted;
  };

  const draw = (from = 0) => {
    sort();
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const matching = rows.filter((entry) => matches(entry, words));
    const found = matching.length;
    if (from === 0) body.replaceChildren();
    body.insertAdjacentHTML("beforeend", matching.slice(from, limit).map((entry) => entry.html).join(""));
    const shown = Math.min(found, limit);
    const part = shown === found ? "" : `, the first ${number.format(shown)} shown`;
    count.textContent = found === rows.length
      ? `All ${number.format(found)}${part || " shown"}`
      : `${number.format(found)} of ${number.format(rows.length)} match${part}`;
    steps.hidden = shown === found;
    const left = found - shown;
    more.textContent = `Show ${number.format(Math.min(STEP, left))} more`;
    many.textContent = left > MANY ? `Show ${number.format(MANY)} more` : `Show all ${number.format(found)}`;
    many.hidden = left <= STEP;
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
    drawn = matching;
    announce();
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
    draw(before);
    const first = body.rows[before];
    if (first) {
      first.cells[0].tabIndex = -1;
      first.cells[0].focus();
    }
  };
  more.addEventListener("click", () => widen(limit + STEP));
  many.addEventListener("click", () => widen(limit + MANY));
  // The link that skips to the table says nothing of the view.
  const follow = () => location.hash !== "#images" && recall();
  addEventListener("hashchange", follow);
  addEventListener("popstate", follow);
  recall();
  if (location.hash.length > 1) scrollTo(0, 0);
})();

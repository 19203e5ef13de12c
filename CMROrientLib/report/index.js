// The index of a report of many pages: filters over pages, search in all names, the decisions of all pages as one CSV.
(() => {
  "use strict";
  const MOST = 50;
  const byId = (id) => document.getElementById(id);
  const number = new Intl.NumberFormat("en");
  document.documentElement.classList.add("js");
  const lines = [...document.querySelectorAll("#pages tbody tr")];
  const addressOf = (line) => line.querySelector("th a").getAttribute("href").split("#")[0];
  const links = [...document.querySelectorAll("a[data-show], a[data-class]")];
  const state = { show: "all", class: "" };

  const draw = () => {
    let shown = 0;
    const view = new URLSearchParams();
    if (state.show !== "all") view.set("show", state.show);
    if (state.class !== "") view.set("class", state.class);
    for (const line of lines) {
      const kinds = line.dataset.tags.split(" ");
      const classes = line.dataset.classes.split(" ");
      line.hidden = (state.show !== "all" && !kinds.includes(state.show)) || (state.class !== "" && !classes.includes(state.class));
      shown += !line.hidden;
      line.querySelector("th a").href = `${addressOf(line)}${[...view].length ? `#${view}` : ""}`;
    }
    byId("count").textContent = shown === lines.length ? `All ${number.format(shown)} pages` : `${number.format(shown)} of ${number.format(lines.length)} pages`;
    byId("clear").hidden = [...view].length === 0 && !byId("search")?.value;
    for (const link of links) {
      const current = link.dataset.show !== undefined ? link.dataset.show === state.show : link.dataset.class === state.class;
      if (current) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  for (const link of links) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      const { show, class: turned } = link.dataset;
      if (show !== undefined) state.show = show === state.show ? "all" : show;
      else state.class = turned === state.class ? "" : turned;
      draw();
    });
  }

  // Names that begin as the one before are written down without that beginning.
  let names = null;
  const read = () => {
    names = [];
    let page = 0;
    let before = "";
    const unescaped = (text) => text.replaceAll("&lt;", "<").replaceAll("&amp;", "&");
    for (const line of byId("names").textContent.split("\n")) {
      if (!line.trim()) continue;
      if (line.startsWith("#")) {
        page = Number(line.slice(1));
        before = "";
        continue;
      }
      const space = line.indexOf(" ");
      // Letters are counted as Python counts them, characters beyond the first 65,536 as one.
      const kept = Number(line.slice(0, space));
      const beginning = /[\ud800-\udfff]/.test(before) ? [...before].slice(0, kept).join("") : before.slice(0, kept);
      before = beginning + unescaped(line.slice(space + 1));
      names.push({ name: before, page });
    }
  };
  const find = () => {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const list = byId("found");
    list.hidden = words.length === 0;
    if (words.length) {
      if (!names) read();
      const found = names.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
      list.replaceChildren(...found.slice(0, MOST).map(({ name, page }) => {
        const entry = document.createElement("li");
        const link = document.createElement("a");
        link.href = `${addressOf(lines[page - 1])}#${new URLSearchParams({ q: name })}`;
        link.textContent = name;
        const where = document.createElement("span");
        where.className = "fine";
        where.textContent = `page ${page}`;
        entry.append(link, where);
        return entry;
      }));
      const told = document.createElement("li");
      told.textContent = found.length > MOST ? `${number.format(found.length)} names match, the first ${MOST} are shown` : found.length ? `${number.format(found.length)} ${found.length === 1 ? "name matches" : "names match"}` : "No name matches.";
      list.prepend(told);
    }
    draw();
  };
  let waiting = 0;
  byId("search")?.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 150);
  });
  byId("clear").addEventListener("click", () => {
    Object.assign(state, { show: "all", class: "" });
    if (byId("search")) {
      byId("search").value = "";
      find();
      byId("search").focus();
    } else draw();
  });

  // Pages keep what is decided on them where the browser lets them; some let the index see it, too.
  const STORE = `cmrorient-decisions:${location.pathname}`;
  const REPORT = byId("saving").dataset.report;
  const stored = () => {
    try {
      const found = JSON.parse(localStorage.getItem(STORE));
      return Array.isArray(found) ? found : [];
    } catch {
      // What is no such thing is nobody's decision.
      return [];
    }
  };
  // An image that is in the archive no longer, but in a table, would have the table refused.
  let paths = null;
  const isThere = (path) => {
    if (!byId("search")) return true;
    if (!names) read();
    paths ??= new Set(names.map(({ name }) => name));
    return paths.has(path);
  };
  // What is in a file that was saved from an earlier report a run may have taken over.
  const current = ([key, kept]) => (kept.unsaved || kept.report === REPORT) && isThere(JSON.parse(key)[0]);
  const plural = (count, one, several) => `${number.format(count)} ${count === 1 ? one : several}`;
  const tell = () => {
    const found = stored().filter(current).map(([, kept]) => kept);
    const pages = new Set(found.map((kept) => kept.page)).size;
    byId("saving").hidden = found.length === 0;
    byId("decided").textContent = `${plural(found.length, "decision", "decisions")} on ${plural(pages, "page", "pages")} in this browser.`;
  };
  // Table programs take cells that begin like this for formulas; the reader of the table knows the mark.
  const cell = (text) => {
    const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",;\n\r\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  byId("save").addEventListener("click", () => {
    const rows = [["path", "series", "orientation", "decided_by"]];
    const all = stored();
    for (const [key, kept] of all) {
      if (!current([key, kept])) continue;
      rows.push([...JSON.parse(key), kept.choice, "user"]);
      Object.assign(kept, { unsaved: false, report: REPORT });
    }
    localStorage.setItem(STORE, JSON.stringify(all));
    const csv = `\uFEFF${rows.map((row) => row.map(cell).join(",")).join("\n")}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = "decisions.csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    byId("saved").hidden = false;
  });
  addEventListener("pageshow", tell);
  addEventListener("storage", tell);
  tell();
  draw();
})();

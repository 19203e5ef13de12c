// A person decides: a large view of each image, a choice of its class, and the decisions as a CSV.
(() => {
  "use strict";
  const dialog = document.getElementById("decide");
  if (!dialog || !dialog.showModal) return;
  document.documentElement.classList.add("deciding");
  const byId = (id) => document.getElementById(id);
  const OTHER = "not-short-axis";
  const INVERSE = [0, 1, 2, 3, 4, 6, 5, 7];
  // Pages of one report share a store: an image may be on another page when the report is written anew.
  const INDEX = document.querySelector('meta[name="cmrorient-index"]')?.content ?? "";
  const STORE = `cmrorient-decisions:${new URL(INDEX, location.href).pathname}`;
  const REPORT = dialog.dataset.report;
  const radios = [...dialog.querySelectorAll("input")];
  const labels = Object.fromEntries(radios.map((radio) => [radio.value, radio.parentElement.querySelector("span span").firstChild.textContent]));
  const keyOf = (data) => JSON.stringify([data.path, data.series ?? ""]);
  const plural = (number) => `${number} ${number === 1 ? "decision" : "decisions"}`;
  // What is decided by key, whether it is in a file already, and rows as the page has them.
  const decisions = new Map();
  let unsaved = false;
  let known = null;
  let matching = [];
  let opened = null;
  let drawing = 0;

  const parsed = (entry) => {
    const body = document.createElement("tbody");
    body.innerHTML = entry.html;
    return body.rows[0];
  };
  const dataOf = (entry) => (entry.data ??= { ...parsed(entry).dataset });
  const candidates = () => matching.filter((entry) => dataOf(entry).found !== undefined);

  // A page that is loaded anew, or closed by mistake, still has the decisions where the browser keeps any.
  const stored = () => {
    try {
      const found = JSON.parse(localStorage.getItem(STORE));
      return Array.isArray(found) ? found : [];
    } catch {
      return [];
    }
  };
  const keep = () => {
    const all = new Map(stored());
    for (const key of known.keys()) all.delete(key);
    for (const [key, choice] of decisions) all.set(key, { choice, unsaved, report: REPORT, page: location.pathname });
    try {
      if (all.size) localStorage.setItem(STORE, JSON.stringify([...all]));
      else localStorage.removeItem(STORE);
    } catch {
      // Some browsers keep nothing for local files; the page warns before it is left.
    }
  };
  const recall = () => {
    let dropped = false;
    for (const [key, kept] of stored()) {
      const data = known.get(key);
      if (!data) continue;
      // What a run has taken over since is the page's own.
      if (data.found === undefined || (data.person && data.found === kept.choice) || !Object.hasOwn(labels, kept.choice)) {
        dropped = true;
        continue;
      }
      decisions.set(key, kept.choice);
      unsaved ||= Boolean(kept.unsaved);
    }
    // Else the index would hand it out again.
    if (dropped) keep();
  };

  const tell = () => {
    byId("saving").hidden = decisions.size === 0;
    byId("decided").textContent = `${plural(decisions.size)}, ${unsaved ? "not saved" : "saved"}`;
    byId("saved").hidden = unsaved;
    for (const row of document.querySelectorAll("#images tbody tr[data-found]")) {
      const choice = decisions.get(keyOf(row.dataset));
      let badge = row.querySelector(".yours");
      if (choice === undefined) {
        badge?.remove();
        continue;
      }
      if (!badge) {
        badge = document.createElement("span");
        badge.className = "badge good yours";
        row.querySelector(".finding > span").append(badge);
      }
      badge.textContent = `Your decision: ${labels[choice]}`;
    }
  };

  const load = (base64, kind) => new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = `data:image/${kind};base64,${base64}`;
  });
  const draw = async (row) => {
    const number = ++drawing;
    const cell = row.querySelector(".stored");
    const small = cell.querySelector("img");
    const jpeg = cell.dataset.views ?? small.getAttribute("src").split("base64,")[1];
    const picture = await load(jpeg, "jpeg");
    const outlines = cell.dataset.outlines ? await load(cell.dataset.outlines, "png") : null;
    if (number !== drawing || !picture) return;
    const side = cell.dataset.views ? picture.naturalHeight : Math.max(picture.naturalWidth, picture.naturalHeight);
    const tiles = cell.dataset.views ? Math.round(picture.naturalWidth / side) : 1;
    const canvases = Array.from({ length: tiles }, (_, tile) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = side;
      const context = canvas.getContext("2d");
      if (cell.dataset.views) {
        for (const layer of [picture, outlines]) if (layer) context.drawImage(layer, tile * side, 0, side, side, 0, 0, side, side);
      } else {
        context.drawImage(picture, (side - picture.naturalWidth) / 2, (side - picture.naturalHeight) / 2);
      }
      const frame = document.createElement("div");
      frame.append(canvas);
      return frame;
    });
    byId("views").replaceChildren(...canvases);
    turn();
  };

  const choiceOf = (entry) => decisions.get(keyOf(dataOf(entry)));
  const turn = () => {
    const data = dataOf(opened);
    const choice = choiceOf(opened) ?? data.found;
    const turned = choice === OTHER || choice === "" ? 0 : INVERSE[Number(choice)];
    for (const canvas of byId("views").querySelectorAll("canvas")) canvas.className = `k${turned}`;
    const words = choice === OTHER ? "As stored: not short-axis, the image is left alone."
      : choice === "" ? "As stored: nobody has decided yet."
        : choice === "0" ? "As stored, which is standard orientation." : `As corrected from: ${labels[choice]}.`;
    byId("decide-shown").textContent = (choiceOf(opened) === undefined ? "" : "Your decision. ") + words;
    byId("views").setAttribute("aria-label", `Slices from one end to the other. ${words}`);
    byId("decide-found").textContent = `${data.found === "" ? "undecided" : labels[data.found]}${data.person ? ", decided by a person" : ""}`;
    for (const radio of radios) radio.checked = radio.value === (choiceOf(opened) ?? "found");
  };

  const show = (entry) => {
    opened = entry;
    const row = parsed(entry);
    const data = dataOf(entry);
    const list = candidates();
    const place = list.indexOf(entry);
    byId("decide-name").textContent = data.path + (data.series === undefined ? "" : `, series ${data.series}`);
    byId("decide-place").textContent = `Image ${place + 1} of ${list.length}`;
    byId("previous").disabled = place <= 0;
    byId("following").disabled = place >= list.length - 1;
    byId("views").replaceChildren();
    turn();
    draw(row);
    if (!dialog.open) dialog.showModal();
    if (document.activeElement === document.body || document.activeElement?.disabled) byId("decide-close").focus();
  };
  const step = (by) => {
    const list = candidates();
    const next = list[list.indexOf(opened) + by];
    if (next) show(next);
  };
  const decide = (choice) => {
    const data = dataOf(opened);
    const before = choiceOf(opened);
    if (choice === "found") decisions.delete(keyOf(data));
    else decisions.set(keyOf(data), choice);
    if (choiceOf(opened) !== before) unsaved = decisions.size > 0;
    keep();
    turn();
    tell();
  };

  // Table programs take cells that begin like this for formulas; the reader of the table knows the mark.
  const cell = (text) => {
    const safe = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",;\n\r\t]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  const save = () => {
    if (!decisions.size) return;
    const lines = [["path", "series", "orientation", "decided_by"]];
    for (const [key, choice] of decisions) lines.push([...JSON.parse(key), choice, "user"]);
    const csv = `\uFEFF${lines.map((line) => line.map(cell).join(",")).join("\n")}\n`;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([csv], { type: "text/csv" }));
    link.download = dialog.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
    unsaved = false;
    keep();
    tell();
  };

  const rowsShown = () => [...document.querySelectorAll("#images tbody tr[data-found]")];
  const entryOf = (row) => matching.find((entry) => keyOf(dataOf(entry)) === keyOf(row.dataset));
  addEventListener("rowsdrawn", (event) => {
    matching = event.detail.matching;
    if (!known) {
      known = new Map(event.detail.all.map((entry) => [keyOf(dataOf(entry)), dataOf(entry)]));
      recall();
    }
    tell();
  });
  document.getElementById("images").addEventListener("click", (event) => {
    const row = event.target.closest("tbody tr[data-found]");
    if (!row || event.target.closest("a, summary, details[open]") || String(getSelection())) return;
    row.querySelector(".decide").focus();
    show(entryOf(row));
  });
  dialog.addEventListener("change", (event) => decide(event.target.value));
  dialog.addEventListener("close", () => {
    const row = rowsShown().find((shown) => keyOf(shown.dataset) === keyOf(dataOf(opened)));
    row?.querySelector(".decide").focus();
  });
  byId("previous").addEventListener("click", () => step(-1));
  byId("following").addEventListener("click", () => step(1));
  byId("save").addEventListener("click", save);
  byId("review").addEventListener("click", () => {
    const entry = matching.find((one) => decisions.has(keyOf(dataOf(one))));
    if (entry) show(entry);
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.matches?.("input:not([type=radio]), select, textarea");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { key } = event;
    const by = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[key];
    if (key === "s") save();
    else if (dialog.open) {
      if (/^[0-7]$/.test(key)) decide(key);
      else if (key === "n") decide(OTHER);
      else if (key === "u" || key === "Backspace") decide("found");
      else if (by) step(by);
      else return;
    } else {
      const list = rowsShown();
      const at = list.indexOf(document.activeElement?.closest("tr"));
      // Arrows scroll the page, but from a row's own button they go to the next one.
      if (!by || (key.startsWith("Arrow") && at < 0)) return;
      (at < 0 ? list[0] : list[at + by])?.querySelector(".decide").focus();
    }
    event.preventDefault();
  });
  addEventListener("beforeunload", (event) => {
    if (unsaved) event.preventDefault();
  });
  dispatchEvent(new Event("decidable"));
})();

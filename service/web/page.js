// The page for people: one query in, answers of another kind out. Text from the service is only
// ever set as text, never as markup.

const byId = (id) => document.getElementById(id);
const NAMES = { audio: "Sound", image: "Image", video: "Video", lyrics: "Lyrics", score: "Score" };
const NOTATION = /\.(musicxml|mxl|xml|mei|midi?|abc|krn|pdf)$/i;
const SAMPLES = 8;

let pairs = new Map(); // "audio-to-video" -> names of the spaces that cover it
let running = null; // AbortController of the search under way

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children.filter((child) => child !== null));
  return element;
}

async function ask(address, options = {}) {
  const response = await fetch(address, options);
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  const body = isJson ? await response.json() : null;
  if (!response.ok) {
    const message = body ? `${body.title}: ${body.detail}` : `The service answered ${response.status}.`;
    throw Object.assign(new Error(message), { kind: body?.type });
  }
  return body;
}

function chosen(group) {
  return document.querySelector(`#${group} input:checked`)?.value ?? null;
}

function fillChips(group, modalities, wanted) {
  const selected = modalities.includes(wanted) ? wanted : modalities[0];
  byId(group).replaceChildren(
    ...modalities.map((modality) =>
      make(
        "label",
        {},
        make("input", { type: "radio", name: group, value: modality, checked: modality === selected }),
        make("span", { textContent: NAMES[modality] }),
      ),
    ),
  );
}

function showTargets() {
  const source = chosen("sources");
  const targets = targetsOf(source);
  const usual = targets.find((target) => target !== source);
  const current = chosen("targets");
  fillChips("targets", targets, current && current !== source ? current : usual);
  showSpaces();
}

function showSpaces() {
  const names = pairs.get(`${chosen("sources")}-to-${chosen("targets")}`) ?? [];
  byId("space").replaceChildren(...names.map((name) => make("option", { value: name, textContent: name })));
}

function modalityOf(file) {
  if (NOTATION.test(file.name)) return "score";
  const kind = file.type.split("/")[0];
  return { audio: "audio", video: "video", image: "image", text: "lyrics" }[kind] ?? null;
}

function takeAs(modality) {
  const radio = document.querySelector(`#sources input[value="${modality}"]`);
  if (radio && !radio.checked) {
    radio.checked = true;
    showTargets();
    showSamples();
  }
}

function fileChosen() {
  const file = byId("file").files[0];
  byId("file-name").textContent = file ? file.name : "Choose a file, or drop one here";
  if (file) {
    byId("text").value = "";
    takeAs(modalityOf(file));
  }
}

function textTyped() {
  if (byId("text").value.trim()) {
    byId("file").value = "";
    byId("file-name").textContent = "Choose a file, or drop one here";
    takeAs("lyrics");
  }
}

function showError(message) {
  byId("error").textContent = message;
  byId("error").hidden = !message;
}

function queryForm() {
  const file = byId("file").files[0];
  const text = byId("text").value.trim();
  if (!file && !text) return null;
  const form = new FormData();
  if (file) form.append("file", file);
  else if (chosen("sources") === "lyrics") form.append("text", text);
  else form.append("file", new Blob([text], { type: "text/plain" }), "query.txt");
  return form;
}

// Ask for an answer and show it; `otherwise` is tried when the item lies in no space for the target.
async function run(address, options = {}, otherwise = null) {
  running?.abort();
  running = new AbortController();
  const mine = running;
  const button = document.querySelector("button[type=submit]");
  button.disabled = true;
  showError("");
  try {
    showAnswer(await ask(address, { ...options, signal: mine.signal }));
  } catch (error) {
    if (error.name === "AbortError") return;
    if (otherwise && error.kind === "urn:kyomei:error:no-embedding") await otherwise();
    else showError(error.message);
  } finally {
    if (running === mine) button.disabled = false;
  }
}

function search(event) {
  event.preventDefault();
  const form = queryForm();
  if (!form) {
    showError("Choose a file or type a lyric first.");
    return;
  }
  const settings = new URLSearchParams({ k: byId("k").value || "12", space: byId("space").value });
  run(`/search/${chosen("sources")}-to-${chosen("targets")}?${settings}`, { method: "POST", body: form });
}

function targetsOf(modality, space = null) {
  return Object.keys(NAMES).filter((target) => {
    const names = pairs.get(`${modality}-to-${target}`);
    return names && (space === null || names.includes(space));
  });
}

function findSimilar(item, targets, space = null) {
  const [target, ...others] = targets;
  const settings = new URLSearchParams({ target, k: byId("k").value || "12" });
  if (space !== null) settings.set("space", space);
  const otherwise = others.length ? () => findSimilar(item, others) : null;
  return run(`/items/${item.id}/similar?${settings}`, {}, otherwise);
}

function showAnswer(answer) {
  const { query, results, took_ms: took } = answer;
  const facts = [
    `${NAMES[query.modality]} query`,
    query.duration_seconds === null ? null : `${query.duration_seconds.toFixed(1)} s`,
    query.width === null ? null : `${query.width} × ${query.height}`,
    `space ${answer.space}`,
    `${Math.round(took.total)} ms`,
    `typicality ${query.typicality.toFixed(2)}`,
  ];
  byId("summary").textContent = facts.filter(Boolean).join(" · ");
  byId("note").textContent = query.note ? `This query is ${query.note}.` : "";
  byId("note").hidden = !query.note;
  byId("results-heading").textContent = results.length ? `${results.length} answers` : "No answers";
  byId("results").replaceChildren(...results.map((result) => resultCard(result, answer.space)));
  byId("answer").hidden = false;
  byId("results-heading").focus({ preventScroll: true });
  byId("answer").scrollIntoView({ behavior: "smooth", block: "start" });
}

// "bars 5–8 · 0:12–0:20": where the part of a song that was found lies.
function placeOf(excerpt) {
  if (!excerpt) return null;
  const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
  const range = (word, first, last) => (first === last ? `${word} ${first}` : `${word}s ${first}–${last}`);
  const parts = [
    excerpt.first_bar === null ? null : range("bar", excerpt.first_bar, excerpt.last_bar),
    excerpt.first_line === null ? null : range("line", excerpt.first_line, excerpt.last_line),
    excerpt.page === null ? null : `page ${excerpt.page}, staff ${excerpt.staff}`,
    excerpt.start_seconds === null ? null : `${clock(excerpt.start_seconds)}–${clock(excerpt.end_seconds)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function resultCard({ rank, score, item, excerpt, query_excerpt: asked }, space) {
  const meter = make("meter", { min: 0, max: 1, value: Math.max(0, score) });
  meter.setAttribute("aria-label", `Score ${score.toFixed(2)}`);
  return make(
    "li",
    {},
    shown(excerpt ? { ...item, media_url: excerpt.media_url, preview_url: excerpt.preview_url } : item),
    make(
      "div",
      { className: "heading" },
      make("span", { className: "rank", textContent: `${rank}.` }),
      make("strong", { textContent: item.title }),
      item.label ? make("span", { className: "facts", textContent: item.label }) : null,
    ),
    excerpt ? make("div", { className: "place", textContent: placeOf(excerpt) }) : null,
    asked ? make("div", { className: "facts asked", textContent: `by ${placeOf(asked)} of the query` }) : null,
    make("div", { className: "score" }, meter, make("span", { textContent: score.toFixed(2) })),
    actions(item, space),
  );
}

function shown(item) {
  const name = `${NAMES[item.modality]}: ${item.title}`;
  const preview = () => make("img", { src: item.preview_url, alt: name, loading: "lazy" });
  switch (item.modality) {
    case "audio": {
      const player = make("audio", { src: item.media_url, controls: true, preload: "none" });
      player.setAttribute("aria-label", name);
      return make("div", {}, preview(), player);
    }
    case "video": {
      if (!item.media_type.startsWith("video/")) return preview();
      const player = make("video", { src: item.media_url, controls: true, preload: "metadata", playsInline: true });
      player.poster = item.preview_url; // stays visible where the browser lacks the codec
      player.setAttribute("aria-label", name);
      return player;
    }
    case "lyrics":
      return lines(item);
    case "score":
      return Object.assign(preview(), { className: "sheet" });
    default:
      return preview();
  }
}

function lines(item) {
  const words = make("pre", { textContent: "…" });
  fetch(item.preview_url)
    .then((response) => (response.ok ? response.text() : item.title))
    .then((text) => { words.textContent = text; })
    .catch(() => { words.textContent = item.title; });
  return words;
}

function actions(item, space) {
  const buttons = targetsOf(item.modality, space).map((target) => {
    const button = make("button", { type: "button", textContent: `→ ${NAMES[target]}` });
    button.setAttribute("aria-label", `Find ${NAMES[target]} like ${item.title}`);
    button.addEventListener("click", () => findSimilar(item, [target], space));
    return button;
  });
  return make("div", { className: "actions" }, ...buttons, make("a", { href: item.media_url, textContent: "file" }));
}

async function showSamples() {
  const modality = chosen("sources");
  const settings = new URLSearchParams({ modality, limit: 1 });
  try {
    const { total } = await ask(`/items?${settings}`);
    settings.set("limit", SAMPLES);
    settings.set("offset", Math.floor(Math.random() * Math.max(1, total - SAMPLES + 1)));
    const { items } = await ask(`/items?${settings}`);
    byId("try").hidden = items.length === 0;
    byId("samples").replaceChildren(...items.map(sampleButton));
  } catch (error) {
    byId("try").hidden = true;
    showError(error.message);
  }
}

function sampleButton(item) {
  const picture =
    item.modality === "lyrics" ? null : make("img", { src: item.preview_url, alt: "", loading: "lazy" });
  const label = item.label ? `${item.title} · ${item.label}` : item.title;
  const button = make("button", { type: "button" }, picture, make("span", { textContent: label }));
  button.setAttribute("aria-label", `Use ${NAMES[item.modality]} ${label} as the query`);
  button.addEventListener("click", () => {
    const target = chosen("targets");
    findSimilar(item, [target, ...targetsOf(item.modality).filter((other) => other !== target)]);
  });
  return button;
}

function acceptDrops() {
  const drop = byId("drop");
  const stop = (event) => event.preventDefault();
  for (const type of ["dragover", "drop"]) document.addEventListener(type, stop);
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    drop.classList.remove("over");
    if (event.dataTransfer.files.length) {
      byId("file").files = event.dataTransfer.files;
      fileChosen();
    }
  });
}

async function start() {
  try {
    for (const space of await ask("/spaces")) {
      for (const pair of space.pairs) pairs.set(pair, [...(pairs.get(pair) ?? []), space.name]);
    }
  } catch (error) {
    showError(error.message);
    return;
  }
  const sources = Object.keys(NAMES).filter((name) => [...pairs.keys()].some((pair) => pair.startsWith(`${name}-to-`)));
  fillChips("sources", sources, sources[0]);
  showTargets();
  showSamples();
  acceptDrops();
  byId("sources").addEventListener("change", () => { showTargets(); showSamples(); });
  byId("targets").addEventListener("change", showSpaces);
  byId("file").addEventListener("change", fileChosen);
  byId("text").addEventListener("input", textTyped);
  byId("query").addEventListener("submit", search);
}

start();

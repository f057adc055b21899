// The explorer: what a person chooses goes to Bokeh's plot and DataTables' table, and what is selected in one to the other.
// Every text from data becomes textContent. Samples are numbers 0 … N − 1; `rows` are those that pass the filters.
const page = JSON.parse(document.getElementById("data").textContent), N = page.sample_id.length, architectures = page.choices.filter((choice) => choice.whole);
const get = (id) => document.getElementById(id);

// ---- Texts and elements
const escapes = new Map(page.escapes), printed = (text) => escapes.get(text) ?? text;
const sampleName = (i) => printed(page.sample_id[i]);
const className = (i) => printed(page.classes[page.class_of[i]]);
const splitName = (i) => printed(page.splits[page.split_of[i]]);
const said = (count) => count.toLocaleString("en");
const raised = (exponent) => exponent.replace("+", "").replace(/./g, (sign) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign] ?? "⁻");
const shortNumber = (value) => String(Number(value.toPrecision(4))).replace(/e(.+)$/, (_, exponent) => ` × 10${raised(exponent)}`).replace(/^-/, "−");
const written = (value) => (Number.isNaN(value) ? "–" : Number.isFinite(value) ? shortNumber(value) : value > 0 ? "∞" : "−∞");
function element(name, text = "", attributes = {}, kind = "http://www.w3.org/1999/xhtml") {
  const made = Object.assign(document.createElementNS(kind, name), { textContent: text });
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  return made;
}

// ---- What runs say of samples
const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const unpacked = async (text, Type) => new Type(await new Response(new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
for (const choice of page.choices) { // an architecture's runs or one run
  choice.status = await unpacked(choice.status, Uint8Array); // [N], places in page.statuses
  for (const [name, values] of Object.entries(choice.values)) choice.values[name] = await unpacked(values, Float64Array); // [N]
}
const bits = page.traces && (await unpacked(page.traces.correct, Uint8Array)); // [R, N, E]
const isRight = (r, i, e, bit = (r * N + i) * page.traces.epochs.length + e) => (bits[bit >> 3] >> (bit & 7)) & 1;

// ---- What is chosen
const axes = { x: {}, y: {} };
const searched = page.path.map((path, i) => [sampleName(i), className(i), printed(path)].join("\n").toLowerCase()); // [N]
let rows = [], drawn = [], selected = new Set(), detailed = -1, isOurs = false;
function readAxis(side) {
  const name = get(`${side}_statistic`).value, { title, unit, definition } = page.statistics[name], choice = page.choices[get(`${side}_runs`).value], isLog = get(`${side}_scale`).value === "log";
  const parts = [`${title}${unit && ` (${unit})`}`, printed(choice.title)];
  axes[side] = { name, title, choice, isLog, parts, label: parts.join(", "), values: choice.values[name] };
  get(`${side}_definition`).textContent = `${title}: ${definition}.`;
}
function passing() {
  const ofClass = get("class").value, ofSplit = get("split").value, asked = architectures.map((choice, k) => [choice.status, get(`status_${k}`).value]).filter(([, wanted]) => wanted);
  return [...Array(N).keys()].filter((i) => (!ofClass || page.class_of[i] === +ofClass) && (!ofSplit || page.split_of[i] === +ofSplit) && asked.every(([status, wanted]) => status[i] === +wanted));
}

// ---- The plot
await Bokeh.embed.embed_item(page.plot, "plot");
const [plot, source, here, ring] = ["plot", "source", "here", "ring"].map((name) => Bokeh.documents[0].get_model_by_name(name));
if (matchMedia("(pointer: coarse)").matches) for (const tool of plot.toolbar.tools) tool.active &&= tool.type === "TapTool"; // fingers scroll
const made = (name, values) => new (Bokeh.Models.get(name))(values);
const dark = matchMedia("(prefers-color-scheme: dark)");
const inks = (...names) => names.map((name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim());
const isPlaced = ({ values, isLog }, i) => Number.isFinite(values[i]) && !(isLog && values[i] <= 0);
const extent = ({ values }) => drawn.reduce(([low, high], i) => [Math.min(low, values[i]), Math.max(high, values[i])], [Infinity, -Infinity]);
function rangeOf(axis) {
  const [low, high] = (drawn.length ? extent(axis) : [1, 1]).map((value) => (axis.isLog ? Math.log10(value) : value));
  const margin = 0.04 * (high - low) || 0.5;
  return [low - margin, high + margin].map((value) => (axis.isLog ? 10 ** value : value));
}
const shortened = (text, letters = [...text]) => (letters.length > 45 ? `${letters.slice(0, 24).join("")}…${letters.slice(-20).join("")}` : text);
function setAxis(side, { isLog, parts }, [shown]) {
  const [start, end] = rangeOf(axes[side]), ticker = made(isLog ? "LogTicker" : "BasicTicker"), formatter = made(isLog ? "LogTickFormatter" : "BasicTickFormatter", isLog ? { ticker } : {});
  plot[`${side}_range`].setv({ start, end, reset_start: start, reset_end: end });
  shown.setv({ ticker, formatter, axis_label: made("PlainText", { text: parts.map((part) => shortened(part)).join("\n") }) }); // in other labels $$ begins a formula
  plot[`${side}_scale`] = made(isLog ? "LogScale" : "LinearScale");
}
function drawPlot() {
  const { x, y } = axes, { status } = y.choice, colours = inks("--never", "--lost", "--held"), ties = new Map();
  drawn = rows.filter((i) => isPlaced(x, i) && isPlaced(y, i));
  const place = (i) => `${x.values[i]} ${y.values[i]}`, sizeOf = (i) => Math.min(7 * Math.sqrt(ties.get(place(i))), 28); // its area: how many are on one point
  for (const i of drawn) ties.set(place(i), (ties.get(place(i)) ?? 0) + 1);
  source.data = { x: drawn.map((i) => x.values[i]), y: drawn.map((i) => y.values[i]), row: drawn, size: drawn.map(sizeOf),
    colour: drawn.map((i) => colours[status[i]]), marker: drawn.map((i) => page.markers[status[i]]) };
  setAxis("x", x, plot.below);
  setAxis("y", y, plot.left);
  markSelected();
  describePlot(x, y);
}
const showHere = (samples) => { here.data = { x: samples.map((i) => axes.x.values[i]), y: samples.map((i) => axes.y.values[i]) }; };
function markSelected() {
  isOurs = true;
  source.selected.indices = drawn.flatMap((i, place) => (selected.has(i) ? [place] : []));
  isOurs = false;
}
function paint() { // in the colours of the page, light or dark
  document.documentElement.classList.toggle("dark", dark.matches); // DataTables asks
  const [ink, quiet, paper, line] = inks("--ink", "--quiet", "--paper", "--line");
  ring.glyph.line_color = ink, plot.setv({ background_fill_color: paper, border_fill_color: paper, outline_line_color: line });
  for (const axis of [...plot.below, ...plot.left]) axis.setv({ axis_label_text_color: ink, major_label_text_color: ink, axis_line_color: quiet, major_tick_line_color: quiet });
  for (const grid of plot.center) grid.grid_line_color = line;
}

// ---- What is said
function missing({ label, values, isLog }) {
  const count = (test) => rows.filter((i) => test(values[i])).length;
  const parts = [[count(Number.isNaN), "without a value"], [count((value) => Math.abs(value) === Infinity), "infinite"],
    [isLog && count((value) => Number.isFinite(value) && value <= 0), "at 0 or below, where a log axis has no place"]];
  const all = parts.filter(([number]) => number).map(([number, what]) => `${said(number)} ${what}`).join(", ");
  return all && `${label}: of ${said(rows.length)} samples ${all}. `;
}
function describePlot(x, y) {
  const span = (axis) => `${axis.label}, ${extent(axis).map(written).join(" to ")}`, lacking = [...new Set([missing(x), missing(y)])].join("");
  get("coloured").textContent = printed(y.choice.group);
  get("caption").textContent = drawn.length ? `${said(drawn.length)} samples. Horizontal: ${span(x)}. Vertical: ${span(y)}.` : "No sample has a place in this plot.";
  get("missing").textContent = lacking && `${lacking}They are in the table, not in the plot.`;
}
function tell() {
  const hidden = selected.size - rows.filter((i) => selected.has(i)).length;
  get("told").textContent = `${said(rows.length)} of ${said(N)} samples shown, ${said(selected.size)} selected${hidden ? `, ${said(hidden)} of them not shown` : ""}.`;
  const decided = Object.values(DECISIONS).map((name) => `${said([...decisions.values()].filter(({ word }) => word === name).length)} ${name}`);
  if (review) get("reviewed").textContent = `Download the data set as reviewed: ${decided.join(", ")}`;
  get("download").textContent = selected.size ? `Download the ${said(selected.size)} selected as CSV` : `Download all ${said(found().length)} found as CSV`;
}

// ---- The review: what a second reader decides of samples, by place: { word, to }, the class that it then has
let isReviewing = false, downloaded = "[]"; // whether the table shows them, and those that the last file holds
const { review } = page, decisions = new Map(), DECISIONS = { k: "keep", r: "relabel", d: "drop" };
function showDecision(cell, i) {
  const { word, to } = decisions.get(i) ?? {}, told = word === "relabel" ? `→ ${printed(page.classes[to])}` : "";
  const buttons = Object.values(DECISIONS).map((name) => element("button", name, { type: "button", tabindex: -1, "aria-pressed": name === word }));
  cell.replaceChildren(...buttons, element("span", told, { dir: "auto", role: "status" }));
}
const decisionsAsText = () => JSON.stringify([...decisions].sort(([one], [other]) => one - other));
addEventListener("beforeunload", (event) => { if (decisionsAsText() !== downloaded) event.returnValue = !event.preventDefault(); }); // the browser asks; true for older ones
function decide(line, word) {
  const i = +boxOf(line).dataset.row, to = word === "relabel" ? +(get("new_label").value || review.suggested[i]) : page.class_of[i], before = decisions.get(i);
  if (to < 0) return void (line.lastChild.lastChild.textContent = "the runs suggest no class: choose one under “Relabel to”");
  if (before?.word === word && before.to === to) decisions.delete(i); else decisions.set(i, { word, to });
  showDecision(line.lastChild, i);
  tell();
}

// ---- The table
const unknownLast = (sign) => (a, b) => Number.isNaN(a) - Number.isNaN(b) || sign * ((a > b) - (a < b)); // in both directions
Object.assign(DataTables.default.ext.type.order, { "known-asc": unknownLast(1), "known-desc": unknownLast(-1) });
const number = (valueOf) => ({ type: "known", className: "dt-body-right",
  render: (_, kind, { row }) => (kind === "display" ? "" : valueOf(row)),
  createdCell: (cell, _, { row }) => { cell.textContent = written(valueOf(row)); } });
const text = (valueOf, before = () => []) => ({ type: "string", className: "text", // no text is read as HTML
  render: (_, kind, { row }) => (kind === "display" ? "" : valueOf(row)),
  createdCell: (cell, _, { row }) => cell.replaceChildren(...before(row), element("span", shortened(valueOf(row)), { dir: "auto" })) }); // the whole is in the panel
const columns = [
  { title: "✓", orderable: false, searchable: false, render: () => "", createdCell: (cell, _, { row }) => cell.replaceChildren(tick(row)) },
  { title: "Sample", ...text(sampleName, (i) => (page.sprites ? [thumbnail(i, 36)] : [])) },
  { title: "Class", ...text(className) },
  { title: "Split", ...text(splitName) },
  { title: "Horizontal", ...number((i) => axes.x.values[i]) },
  { title: "Vertical", ...number((i) => axes.y.values[i]) },
  { title: "Times lost, all runs", ...number((i) => page.times_lost[i]) },
  ...(review ? [{ title: "Rank", ...number((i) => review.rank[i]) }, { title: "Runs that agree", ...text((i) => review.agree[i]) },
    { title: "Taken for", ...text((i) => (review.suggested[i] < 0 ? "" : printed(page.classes[review.suggested[i]]))) },
    { title: "Decision (keys k, r, d)", render: (_, kind, { row }) => decisions.get(row)?.word ?? "", createdCell: (cell, _, { row }) => showDecision(cell, row) }].map((one) => ({ ...one, visible: false })) : []),
];
const records = Array.from({ length: N }, (_, row) => ({ row })), data = null, table = new DataTables.default("#table", { columns: columns.map((column) => ({ data, ...column })), order: [[6, "desc"]], autoWidth: false, searching: false, language: page.language });
const found = () => table.rows({ search: "applied" }).data().toArray().map(({ row }) => row);
function fillTable() {
  if (!selected.size && get("rows").value === "selected") get("rows").value = "found";
  const ranked = rows.filter((i) => review?.rank[i]), isTraining = (i) => page.splits[page.split_of[i]] === "train", wasReviewing = isReviewing;
  const wanted = { found: rows, selected: rows.filter((i) => selected.has(i)), review: ranked.filter(isTraining), held_out: ranked.filter((i) => !isTraining(i)) }[get("rows").value];
  isReviewing = ["review", "held_out"].includes(get("rows").value);
  if (isReviewing !== wasReviewing) table.order([isReviewing ? [7, "asc"] : [6, "desc"]]).columns([3, 4, 5, 6]).visible(!isReviewing).columns([7, 8, 9, 10]).visible(isReviewing);
  Object.values(axes).forEach(({ label }, k) => { // for eyes and for screen readers
    const name = axes.x.label === axes.y.label ? `${label} (${["horizontal", "vertical"][k]})` : label;
    table.column(4 + k).header().querySelector(".dt-column-title").textContent = table.settings()[0].aoColumns[4 + k].ariaTitle = name;
  });
  table.clear().rows.add(wanted.map((i) => records[i])).draw();
}
const tick = (row) => Object.assign(element("input", "", { type: "checkbox", "aria-label": `Select ${sampleName(row)}, class ${className(row)}`, "data-row": row }), { checked: selected.has(row) });
function select(chosen, narrows) { // narrows: the table to the selection
  selected = new Set(chosen);
  if (narrows) get("rows").value = "selected";
  markSelected(), fillTable();
}

// ---- One sample
const sheets = []; // addresses of those that were needed so far
function thumbnail(i, side) {
  const { side: tile, columns: wide, sheets: files, sizes } = page.sprites, sheet = Math.floor(i / wide ** 2), place = i % wide ** 2;
  sheets[sheet] ??= URL.createObjectURL(new Blob([bytesOf(files[sheet])], { type: "image/jpeg" }));
  const [width, height] = sizes[i], scale = side / Math.max(width, height), kind = scale > 2 ? "thumbnail grown" : "thumbnail";
  return Object.assign(element("span", "", { class: kind, role: "img", "aria-label": `image of ${sampleName(i)}` }), { style: `width:${width * scale}px;height:${height * scale}px;background:url(${sheets[sheet]}) `
    + `${-(place % wide) * tile * scale}px ${-Math.floor(place / wide) * tile * scale}px/${wide * tile * scale}px auto` });
}
function raster(r, i) {
  const paths = { held: "", lost: "", before: "" }, shapes = { held: [0, 1], lost: [0.5, 0.5], before: [0.84, 0.16] }, losses = [], SVG = "http://www.w3.org/2000/svg";
  let wasLearned = 0;
  page.traces.epochs.forEach((epoch, e) => {
    const right = isRight(r, i, e);
    if (!right && e && isRight(r, i, e - 1)) losses.push(epoch);
    const state = right ? "held" : wasLearned ? "lost" : "before", [top, high] = shapes[state];
    wasLearned ||= right;
    paths[state] += `M${e + 0.06} ${top}h.88v${high}h-.88z`;
  });
  const label = losses.length ? `lost at epoch ${losses.join(", ")}` : wasLearned ? "never forgotten" : "never learned";
  const svg = element("svg", "", { viewBox: `0 0 ${page.traces.epochs.length} 1`, preserveAspectRatio: "none", class: "raster", role: "img", "aria-label": label }, SVG);
  svg.append(...Object.entries(paths).map(([name, d]) => element("path", "", { class: name, d }, SVG)));
  return svg;
}
function histories(i) {
  const made = element("table"), { epochs, taken } = page.traces;
  made.append(element("caption", `Epochs ${epochs[0]} to ${epochs.at(-1)}: a full grey block is right, a half violet one lost, a thin line not yet learned.${taken ? " Beside it: what it was taken for when lost." : ""}`));
  page.runs.forEach(({ title, seed }, r) => {
    if (title !== page.runs[r - 1]?.title) made.insertRow().append(element("th", printed(title), { scope: "rowgroup", colspan: 3, dir: "auto" }));
    const line = made.insertRow();
    line.append(element("th", `seed ${seed}`, { scope: "row" }));
    line.insertCell().append(raster(r, i));
    line.insertCell().append(element("span"));
    line.lastChild.lastChild.append(...(taken?.[i]?.[r] ?? []).flatMap(([name, after]) => [element("bdi", printed(name)), after])); // each turned by its own letters
  });
  return made;
}
function detail(i, hint = "") {
  if (i === detailed) return;
  showHere(drawn.includes((detailed = i)) ? [i] : []);
  const head = element("div", "", { class: "head" }), names = element("div"), list = element("dl"), facts = page.path[i] ? [["Path", printed(page.path[i])]] : [];
  names.append(element("h2", sampleName(i), { dir: "auto" }), element("p", className(i), { dir: "auto" }), element("p", splitName(i), { dir: "auto" }));
  head.append(...(page.sprites ? [thumbnail(i, 128)] : []), names);
  facts.push(["Times lost, all runs", said(page.times_lost[i])]);
  for (const { group, status } of architectures) facts.push([printed(group), page.statuses[status[i]]]);
  for (const { title, choice, values } of Object.values(axes)) facts.push([title, `${written(values[i])} · ${printed(choice.title)}`]);
  for (const [name, value] of facts) list.append(element("dt", name, { dir: "auto" }), element("dd", value, { dir: "auto" }));
  get("details").replaceChildren(...(hint ? [element("p", hint, { class: "quiet" })] : []), head, ...(page.traces ? [histories(i)] : []), list);
}

// ---- The downloads
const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
function cell(value) {
  if (typeof value === "number") return Number.isNaN(value) ? "" : String(value).replace("Infinity", "inf");
  return quoted(/^\s*[=+\-@]|^[\t\r]/.test(value) ? `'${value}` : value); // a spreadsheet would take it for a formula
}
function save(name, fields, chosen, cellOf) { // fields: what a column says of a sample
  const lines = [Object.keys(fields), ...chosen.map((i) => Object.values(fields).map((valueOf) => valueOf(i)))], file = new Blob(lines.map((line) => `${line.map(cellOf).join(",")}\r\n`), { type: "text/csv" });
  element("a", "", { href: URL.createObjectURL(file), download: `${page.dataset.replace(/[^\w.-]+/g, "_")}_${name}.csv` }).click();
}
const OF_SAMPLE = { split: (i) => page.splits[page.split_of[i]], sample_id: (i) => page.sample_id[i], path: (i) => page.path[i] };
function download() {
  const fields = { sample_index: (i) => page.sample_index[i], ...OF_SAMPLE, label: (i) => page.labels[page.class_of[i]], class_name: (i) => page.classes[page.class_of[i]],
    times_lost: (i) => page.times_lost[i] };
  for (const { group, status } of architectures) fields[`status, ${group}`] = (i) => page.statuses[status[i]];
  for (const { name, choice, values } of Object.values(axes)) fields[`${name}, ${choice.title}`] = (i) => values[i];
  save("samples", fields, (selected.size ? [...selected] : found()).sort((a, b) => a - b), cell);
}
function downloadReviewed() { // as the adapter csv reads it: every text as it is
  const left = [...Array(N).keys()].filter((i) => decisions.get(i)?.word !== "drop"), label_before = (i) => page.classes[page.class_of[i]];
  save("reviewed", { ...OF_SAMPLE, label: (i) => page.classes[decisions.get(i)?.to ?? page.class_of[i]], group: (i) => review.group[i],
    decision: (i) => decisions.get(i)?.word ?? "", label_before }, left, quoted);
  downloaded = decisionsAsText();
}

// ---- What a person does
function open() { // the most forgotten, where no other one is shown
  const listed = found(), most = listed.reduce((best, i) => (page.order_of_forgetting[i] < page.order_of_forgetting[best] ? i : best), listed[0]), hint = "Point at a mark, or move through the table, to see another one.";
  if (listed.length) detail(most, `${page.times_lost[most] ? "The most forgotten of these samples, by hazard, training first" : "No run forgot any of these samples"}. ${hint}`);
  else get("details").replaceChildren(element("p", "The table lists no sample.", { class: "quiet" }));
}
function refresh() {
  const before = detailed;
  detailed = -1;
  ["x", "y"].forEach(readAxis);
  const listed = passing(), words = get("search").value.toLowerCase().split(/\s+/); // "" is in every text
  rows = listed.filter((i) => words.every((word) => searched[i].includes(word)));
  selected = new Set(listed.filter((i) => selected.has(i))); // a search leaves the selection as it is
  showHere([]);
  drawPlot();
  fillTable();
  rows.includes(before) ? detail(before) : open();
}
const boxOf = (row) => row?.querySelector("input"), body = get("table").tBodies[0];
const ACTS = { controls: ["change", refresh], filters: ["reset", () => setTimeout(refresh)], search: ["input", refresh], rows: ["change", fillTable], download: ["click", download], // reset: once the lists are
  select_all: ["click", () => select([...selected, ...found()])], clear: ["click", () => select([], true)], reviewed: ["click", downloadReviewed] };
for (const [id, [kind, act]] of Object.entries(ACTS)) get(id)?.addEventListener(kind, act);
table.on("draw", tell);
for (const kind of ["focusin", "mouseover"]) body.addEventListener(kind, ({ target }) => {
  if (boxOf(target.closest("tr"))) detail(+boxOf(target.closest("tr")).dataset.row);
});
body.addEventListener("change", ({ target }) => { selected[target.checked ? "add" : "delete"](+target.dataset.row); markSelected(); tell(); });
body.addEventListener("click", ({ target }) => target.matches("button") && decide(target.closest("tr"), target.textContent));
function rowAfter(line, step) { // past the end of the table's page that of the next one
  const place = [...body.rows].indexOf(line) + step, to = table.page() + step;
  if (body.rows[place] || to < 0 || to >= table.page.info().pages) return body.rows[place];
  table.page(to).draw("page");
  return [...body.rows].at(step > 0 ? 0 : -1);
}
body.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key], line = event.target.closest("tr");
  const word = isReviewing && !event.ctrlKey && !event.metaKey && !event.altKey && DECISIONS[event.key.toLowerCase()];
  if (step || word) event.preventDefault();
  if (word) decide(line, word);
  if (step) boxOf(rowAfter(line, step))?.focus();
});
source.selected.properties.indices.change.connect(() => {
  if (isOurs) return;
  const chosen = source.selected.indices.map((place) => drawn[place]);
  if (chosen.length) detail(chosen[0]);
  select(chosen, true);
});
source.inspect.connect(() => source.inspected.indices.length && detail(drawn[source.inspected.indices[0]]));
dark.addEventListener("change", () => { paint(); drawPlot(); });
paint();
refresh();

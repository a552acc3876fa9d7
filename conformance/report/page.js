
"use strict";
// All that was seen is put into the page as text: nothing here makes markup of it.

const { runs, verdicts, severities } = JSON.parse(document.getElementById("data").textContent);
const SIGNS = {
  PASS: "\u2713", FAIL: "\u2715", "NON-STRICT": "\u2248", INFO: "i", UNIMPLEMENTED: "\u2013", "NOT-ASKED": "\u00b7",
  INCONCLUSIVE: "?", INCOMPLETE: "\u2026", FLAKY: "\u21c4",
};
const ROLES = {
  client: ["The fake", "A good client"], server: ["The check", "A good server"], recording: ["The check", "A good record"],
};
const byId = name => document.getElementById(name);

/** An element with a class, and children that are elements or text. */
function make(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}

const severityClass = severity => severity.replace("$", "money");
const counted = (number, thing) => `${number} ${thing}${number === 1 ? "" : "s"}`;
const unique = list => [...new Set(list)];

function badge(verdict, waived) {
  const made = make("span", `badge ${verdict}${waived ? " waived" : ""}`, make("span", "", SIGNS[verdict]));
  made.firstChild.setAttribute("aria-hidden", "true");
  made.append(make("span", "word", verdict + (waived ? ", waived" : "")));
  made.title = waived ? `${verdict}, waived: ${waived}` : verdict;
  return made;
}

function command(text) {
  const button = make("button", "copy", "Copy");
  button.type = "button";
  button.addEventListener("click", () => {
    navigator.clipboard.writeText(text).then(() => { button.textContent = "Copied"; }, () => { button.textContent = "Select it"; });
  });
  return make("div", "line", make("code", "", text), button);
}

// The runs, at the top.

function card(run) {
  const there = verdicts.filter(verdict => run.counts[verdict]).reverse();
  const shares = make("div", "shares", ...there.map(verdict => {
    const share = make("i", verdict);
    share.style.flexGrow = run.counts[verdict];
    return share;
  }));
  const counts = there.map(verdict => make("span", verdict, make("b", "", String(run.counts[verdict])), ` ${verdict}`));
  const meta = `${run.started.replace("T", " ").replace("Z", " UTC")}, ${run.seconds.toFixed(1)} s, edition ${run.edition}, Safelight ${run.safelight}`;
  const waivers = run.waivers.map(one => make(
    "li", one.state === "used" || one.state === "not selected" ? "soft" : "stale",
    `Waiver of ${one.case} until ${one.until}, ${one.state}: ${one.reason}`));
  return make(
    "article", "run", make("h2", "", run.name),
    make("p", `headline ${{ 0: "PASS", 1: "FAIL", 3: "INCOMPLETE" }[run.exit_code]}`, run.headline), shares, make("div", "counts", ...counts),
    run.lost ? make("p", "lost", `${run.lost} credits lost`) : null, make("p", "meta", meta),
    waivers.length ? make("ul", "waivers", ...waivers) : null,
    run.tasks.length ? make("ul", "tasks", ...run.tasks.map(task => make("li", "", `made: ${task}`))) : null,
    command(run.command));
}

// The matrix: one row a case, whichever runs have it.

/** `4` of `4.7`, `S1` of `S10`, `U` of `U3`. */
const groupOf = case_ => case_.id.match(/^[^.]+(?=\.)|^\D\d(?=\d)|^[^]/)[0];

function rowsOf() {
  const found = new Map();
  runs.forEach((run, column) => run.cases.forEach(case_ => {
    if (!found.has(case_.id)) found.set(case_.id, { case: case_, cells: runs.map(() => null) });
    found.get(case_.id).cells[column] = case_;
  }));
  const order = new Intl.Collator("en", { numeric: true });
  return [...found.values()].sort((one, other) => order.compare(one.case.id, other.case.id));
}

const rows = rowsOf();
const filter = { text: "", group: "", verdicts: new Set(), severities: new Set(), differ: false };

function table() {
  const head = make("tr", "", make("th", "id", runs[0].kind === "client" ? "Case" : "Check"), make("th", "", "Fact"), make("th", "severity", "Severity"));
  for (const run of runs) {
    const cell = make("th", "cell", runs.length > 1 ? run.name : "Verdict");
    cell.title = run.name;
    head.append(cell);
  }
  byId("matrix").classList.toggle("many", runs.length > 4);
  byId("matrix").append(make("thead", "", head));
  let body = null;
  for (const row of rows) {
    const group = groupOf(row.case);
    if (!body || body.dataset.group !== group) {
      const title = make("th", "", row.case.group ? `${group} ${row.case.group}` : `Group ${group}`);
      title.colSpan = 3 + runs.length;
      body = make("tbody", "", make("tr", "group", title));
      body.dataset.group = group;
      byId("matrix").append(body);
    }
    body.append(caseRow(row));
  }
}

function caseRow(row) {
  row.button = make("button", "", row.case.fact);
  row.button.type = "button";
  row.button.setAttribute("aria-expanded", "false");
  row.line = make(
    "tr", "case", make("td", "id", row.case.id), make("td", "fact", row.button), make("td", "severity", row.case.severity),
    ...row.cells.map(cell => make("td", "cell", cell ? badge(cell.verdict, cell.waived) : "")));
  row.line.dataset.id = row.case.id;
  row.line.addEventListener("click", () => { if (!String(getSelection())) toggle(row); });
  row.text = [row.case.id, row.case.fact, row.case.does, row.case.good, ...row.cells.flatMap(cell => cell
    ? cell.findings.map(one => `${one.rule} ${one.sentence}`) : [])].join(" ").toLowerCase();
  return row.line;
}

function toggle(row, open = !row.detail) {
  if (open === Boolean(row.detail)) return;
  row.line.classList.toggle("open", open);
  row.button.setAttribute("aria-expanded", String(open));
  if (open) {
    const inside = make("td", "", ...detail(row));
    inside.colSpan = 3 + runs.length;
    row.detail = make("tr", "detail", inside);
    row.line.after(row.detail);
    drawAll(row.detail);
    history.replaceState(null, "", `#${encodeURIComponent(row.case.id)}`);
  } else {
    row.detail.remove();
    row.detail = null;
  }
}

// One case, opened.

function detail(row) {
  const [who, good] = ROLES[runs[0].kind];
  const told = make("dl", "");
  for (const [label, text] of [[who, row.case.does], [good, row.case.good]]) {
    if (text) told.append(make("dt", "", label), make("dd", "", text));
  }
  const why = row.case.why ? make("p", "why", row.case.why) : null;
  return [make("div", "told", told, why), ...row.cells.map((cell, column) => cell ? seen(cell, runs[column]) : null).filter(Boolean)];
}

function seen(cell, run) {
  const lost = cell.findings.reduce((sum, one) => sum + one.lost, 0);
  const title = make("h3", "", run.name, badge(cell.verdict, cell.waived), lost ? make("span", "lost", `${lost} credits lost`) : "");
  const alone = cell.trials.length === 1;
  return make(
    "section", "seen", title, cell.waived ? make("p", "soft", `Waived: ${cell.waived}`) : null,
    ...cell.trials.map(trial => trialOf(trial, cell.findings.filter(one => one.trial === trial.name), alone)),
    cell.again ? command(cell.again) : null);
}

function trialOf(trial, findings, alone) {
  const inside = [
    findings.length ? make("ul", "findings", ...findings.map(finding)) : null,
    trial.remark ? make("p", "remark", trial.remark) : null,
    drawing(trial.timeline),
    make("p", "facts", [trial.ended && `Ended with ${trial.ended}`, `${trial.seconds.toFixed(2)} s`].filter(Boolean).join(", ")),
    trial.timeline.length ? requests(trial.timeline) : null,
    trial.output ? folded("output", "What it wrote", make("pre", "", trial.output)) : null,
  ];
  if (alone && !trial.name) return make("div", "trial", ...inside);
  const made = make("details", "trial", make("summary", "", trial.name || "once", badge(trial.verdict)), ...inside);
  made.open = trial.verdict !== "PASS";
  made.addEventListener("toggle", () => drawAll(made));
  return made;
}

function finding(one) {
  const made = make("li", "", make("span", "level", one.severity), make("span", "", `${one.sentence} `, make("code", "", one.rule)));
  made.firstChild.classList.add(severityClass(one.severity));
  const facts = [["where", one.pointer], ["who says so", one.provenance], ["expected", one.expected], ["got", one.got]]
    .filter(([, text]) => text).flatMap(([label, text]) => [make("dt", "", label), make("dd", "", text)]);
  made.append(make("div", "further", facts.length ? make("dl", "", ...facts) : null, one.curl ? command(one.curl) : null));
  return made;
}

const folded = (className, title, inside) => make("details", className, make("summary", "", title), inside);
const isBad = row => !/^[123]\d\d$/.test(row.answer);

function requests(timeline) {
  const head = make("tr", "", ...["at", "took", "task", "request", "answer", "fault", "outcome"].map(name => make("th", "", name)));
  const lines = timeline.map(row => make(
    "tr", "", make("td", "number", `${row.at.toFixed(3)} s`), make("td", "number", row.took === null ? "" : `${row.took.toFixed(3)} s`),
    make("td", "number", row.task === null ? "" : String(row.task)), make("td", "", row.request),
    make("td", isBad(row) ? "bad" : "", `${row.answer} ${row.word}`), make("td", "fault", row.fault),
    make("td", row.outcome === "ok" ? "" : "bad", row.outcome)));
  const table = make("table", "", make("thead", "", head), make("tbody", "", ...lines));
  return folded("requests", counted(timeline.length, "request"), make("div", "scroll", table));
}

// The drawing: a lane for each kind of request, a band for each task.

const GUTTER = 62, LANE = 26, BAND = 16, MAX_BANDS = 4;

function drawing(timeline) {
  const made = make("div", "drawing");
  made.timeline = timeline;
  return made;
}

function drawAll(within) {
  for (const place of within.querySelectorAll(".drawing")) {
    if (place.clientWidth && place.timeline.length) place.replaceChildren(drawn(place.timeline, place.clientWidth), legend(place.timeline));
  }
}

function legend(timeline) {
  const faults = unique(timeline.map(row => row.fault).filter(Boolean));
  return make("p", "legend", ...faults.map(fault => make("span", "", `\u26a1 ${fault}`)));
}

function shape(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function drawn(timeline, width) {
  const end = Math.max(0.05, ...timeline.map(row => row.at + (row.took || 0)));
  const x = seconds => GUTTER + (seconds / end) * (width - GUTTER - 14);
  const tasks = unique(timeline.map(row => row.task).filter(task => task !== null)).slice(0, MAX_BANDS);
  const lanes = unique(timeline.map(row => row.kind || "other"));
  const top = tasks.length * (BAND + 3) + 6, bottom = top + lanes.length * LANE;
  const picture = shape("svg", { viewBox: `0 0 ${width} ${bottom + 20}`, height: bottom + 20, role: "img" });
  picture.setAttribute("aria-label", `${counted(timeline.length, "request")} in ${end.toFixed(2)} seconds; the list is below`);
  picture.append(...axis(end, x, bottom, width));
  tasks.forEach((task, number) => picture.append(...band(timeline.filter(row => row.task === task), task, number * (BAND + 3), x)));
  lanes.forEach((lane, number) => picture.append(
    ...laneOf(timeline.filter(row => (row.kind || "other") === lane), lane, top + number * LANE, x)));
  return picture;
}

function axis(end, x, bottom, width) {
  const steps = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60, 300, 1800];
  const step = steps.find(one => end / one <= width / 90) || 7200;
  const ticks = [];
  for (let at = 0; at <= end * 1.0001; at += step) {
    ticks.push(shape("line", { class: "grid", x1: x(at), x2: x(at), y1: 0, y2: bottom }));
    ticks.push(shape("text", { x: x(at), y: bottom + 14, "text-anchor": "middle" }, `${+at.toFixed(2)} s`));
  }
  return ticks;
}

function band(rows, task, y, x) {
  const parts = [shape("text", { x: 0, y: y + 12 }, `task ${task}`)];
  const known = rows.filter(row => row.phase);
  known.forEach((row, number) => {
    if (number && known[number - 1].phase === row.phase) return;
    const next = known.slice(number).find(later => later.phase !== row.phase);
    const from = x(row.at), to = Math.max(from + 6, x(next ? next.at : rows[rows.length - 1].at));
    parts.push(shape("rect", { class: `phase ${row.phase}`, x: from, y, width: to - from, height: BAND, rx: 3 }, shape("title", {}, row.phase)));
    if (to - from > 50) parts.push(shape("text", { class: "phase-name", x: from + 5, y: y + 12 }, row.phase));
  });
  return parts;
}

function laneOf(rows, lane, y, x) {
  const middle = y + LANE / 2, parts = [shape("text", { x: 0, y: middle + 4 }, lane)];
  rows.forEach((row, number) => {
    const before = rows[number - 1];
    const from = x(row.at), width = Math.max(4, x(row.at + (row.took || 0)) - from);
    const left = before ? x(before.at + (before.took || 0)) + 6 : from;
    if (from - left > 8) parts.push(shape("line", { class: "gap", x1: left, x2: from - 3, y1: middle, y2: middle }));
    if (from - left > 54) {
      const gap = row.at - before.at - (before.took || 0);
      parts.push(shape("text", { x: (left + from) / 2, y: middle - 3, "text-anchor": "middle" }, `${gap.toFixed(2)} s`));
    }
    const said = `${row.at.toFixed(3)} s: ${row.request}, ${row.answer} ${row.word}${row.fault ? `, fault: ${row.fault}` : ""}`;
    const style = `bar ${lane}${isBad(row) ? " bad" : ""}${row.fault ? " struck" : ""}`;
    parts.push(shape("rect", { class: style, x: from, y: middle - 8, width, height: 16, rx: 2 }, shape("title", {}, said)));
    if (row.fault) parts.push(bolt(from + width / 2, middle));
  });
  return parts;
}

const bolt = (x, y) => shape("path", { class: "bolt", d: `M${x + 2} ${y - 18}l-6 9h4l-2 7 7-10h-4l3-6z` });

// Filters.

function chip(text, className, pressed, press) {
  const made = make("button", `chip ${className}`, text);
  made.type = "button";
  made.setAttribute("aria-pressed", String(pressed()));
  made.refresh = () => made.setAttribute("aria-pressed", String(pressed()));
  made.addEventListener("click", () => { press(); show(); });
  return made;
}

const flip = (set, value) => { if (!set.delete(value)) set.add(value); };

function filters() {
  const search = make("input", "");
  Object.assign(search, { type: "search", id: "search", placeholder: "Search id, fact, finding" });
  search.setAttribute("aria-label", "Search");
  search.addEventListener("input", () => { filter.text = search.value.trim().toLowerCase(); show(); });
  const select = make("select", "", new Option("All groups", ""));
  select.id = "group";
  select.setAttribute("aria-label", "Group");
  for (const group of unique(rows.map(row => groupOf(row.case)))) {
    const title = rows.find(row => groupOf(row.case) === group).case.group;
    select.append(new Option(`${group} ${title}`.trim(), group));
  }
  select.addEventListener("change", () => { filter.group = select.value; show(); });
  const there = name => value => rows.some(row => row.cells.some(cell => cell && cell[name] === value));
  const total = verdict => runs.reduce((sum, run) => sum + run.counts[verdict], 0);
  const ofVerdicts = verdicts.filter(there("verdict")).map(verdict => chip(
    `${SIGNS[verdict]} ${verdict} ${total(verdict)}`, verdict, () => filter.verdicts.has(verdict), () => flip(filter.verdicts, verdict)));
  const ofSeverities = severities.filter(there("severity")).map(severity => chip(
    severity, "", () => filter.severities.has(severity), () => flip(filter.severities, severity)));
  const differ = runs.length > 1
    ? [chip("Only differences", "", () => filter.differ, () => { filter.differ = !filter.differ; })] : [];
  byId("filters").append(search, select, make("div", "chips", ...ofVerdicts), make("div", "chips", ...ofSeverities, ...differ));
}

function fits(row) {
  const verdictsOf = row.cells.map(cell => cell ? cell.verdict : "");
  return (!filter.text || row.text.includes(filter.text)) && (!filter.group || groupOf(row.case) === filter.group)
    && (!filter.verdicts.size || verdictsOf.some(verdict => filter.verdicts.has(verdict)))
    && (!filter.severities.size || filter.severities.has(row.case.severity))
    && (!filter.differ || unique(verdictsOf).length > 1);
}

function show() {
  for (const row of rows) {
    row.line.hidden = !fits(row);
    if (row.detail) row.detail.hidden = row.line.hidden;
  }
  for (const body of byId("matrix").tBodies) body.hidden = !body.querySelector(".case:not([hidden])");
  byId("empty").hidden = rows.some(row => !row.line.hidden);
  for (const made of document.querySelectorAll(".chip")) made.refresh();
}

function reset() {
  Object.assign(filter, { text: "", group: "", differ: false });
  filter.verdicts.clear();
  filter.severities.clear();
  byId("search").value = byId("group").value = "";
  show();
}

// Keys.

function move(by) {
  const visible = rows.filter(row => !row.line.hidden);
  const now = visible.findIndex(row => row.line.contains(document.activeElement) || (row.detail && row.detail.contains(document.activeElement)));
  const next = visible[now < 0 ? 0 : Math.min(visible.length - 1, Math.max(0, now + by))];
  if (next) next.button.focus();
}

addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") {
    rows.forEach(row => toggle(row, false));
    reset();
    return;
  }
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
  const deed = { "/": () => byId("search").focus(), j: () => move(1), k: () => move(-1), ArrowDown: () => move(1), ArrowUp: () => move(-1) }[event.key];
  if (deed) {
    event.preventDefault();
    deed();
  }
});

function openNamed() {
  const named = rows.find(row => `#${encodeURIComponent(row.case.id)}` === location.hash);
  if (!named) return;
  toggle(named, true);
  named.line.scrollIntoView();
}

byId("what").textContent = runs.length > 1 ? `${runs.length} ${runs[0].kind}s side by side` : `${runs[0].kind} report`;
byId("runs").append(...runs.map(card));
byId("reset").addEventListener("click", reset);
filters();
table();
show();
openNamed();
addEventListener("hashchange", openNamed);
addEventListener("resize", () => drawAll(document));

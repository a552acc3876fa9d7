// The page of a fake: what happens in one session, live, and what one can do there.

import { Refusal, ask, bring, choose, fetched, listen } from "./api.js";
import { Detail } from "./detail.js";
import { byId, make, toast } from "./dom.js";
import { chosen, onChange, showAll, showAlone } from "./filters.js";
import { RequestForm } from "./forms.js";
import { List } from "./list.js";
import { forget } from "./pictures.js";
import { PlanForm, drawPlan } from "./plan.js";
import { entryRow, exchangeRow, fillEntry, fillExchange, fillTask, taskRow } from "./rows.js";
import { forgetAll, keep, keepEntries, seen, unfinished } from "./seen.js";

const LOOK_SECONDS = { active: 1, idle: 4 };

let stop = new AbortController();
let asked = 0;

const lists = {
  tasks: new List(byId("task-list"), {
    label: "Tasks, the newest first", height: 58, narrow: 84, row: taskRow, open: task => detail.open({ task }),
    fill: (row, task) => fillTask(row, task, seen.byTask.get(task.id), seen.now(), () => lists.tasks.draw(true)),
  }),
  exchanges: new List(byId("exchange-list"), {
    label: "Exchanges, the newest first", height: 32, narrow: 52, row: exchangeRow, open: exchange => detail.open({ exchange }),
    fill: (row, exchange) => fillExchange(row, exchange, seen.tasks.get(exchange.task_id)),
  }),
  ledger: new List(byId("ledger-list"), {
    label: "Lines of the ledger, the newest first", height: 32, row: entryRow, open: entry => openTask(entry.task_id),
    fill: (row, entry) => fillEntry(row, entry, seen.tasks.get(entry.task_id)),
  }),
};
const detail = new Detail(seen, () => look(), id => showTask(id));

function openTask(id) {
  const task = seen.tasks.get(id);
  if (task) detail.open({ task });
}

// What comes in.

function hear(kind, data) {
  if (kind === "exchange") keep(data);
  else if (kind === "began") meet(data.session);
  else toast("The session was closed. A client that comes with its key, or PUT /_safelight/session, opens it again.");
  soon();
}

/** Another session of this key has begun, unless it is the one that we came for. */
function meet(session) {
  if (seen.session && seen.session !== session) begin();
  seen.session = session;
}

function begin() {
  forgetAll();
  forget();
  if (detail.isOpen) detail.close();
}

let isDue = false;

/** Draw, and look at tasks, plan and ledger, within a moment: however many exchanges come in it. */
function soon() {
  if (isDue) return;
  isDue = true;
  setTimeout(() => {
    isDue = false;
    draw();
    look();
  }, 150);
}

let looking = null;

/** Ask for what changes without an exchange. One look at a time; whoever asks meanwhile gets the next one. */
function look() {
  if (looking) return (looking.next ??= looking.then(() => look()));
  const now = lookOnce().catch(complain).finally(() => { looking = null; });
  looking = now;
  return now;
}

async function lookOnce() {
  const { epoch } = seen;
  const [first, last] = [unfinished(), [...seen.tasks.values()].pop()];
  const from = first ? first.number - 1 : last?.number ?? 0;
  const [session, tasks, plan, ledger] = await Promise.all([
    ask("GET", "/session"), all("/tasks", "tasks", from), ask("GET", "/plan"), all("/ledger", "entries", seen.entries.at(-1)?.number ?? 0)]);
  if (epoch !== seen.epoch) return; // this was about a session that is no longer shown
  for (const task of tasks) seen.tasks.set(task.id, task);
  keepEntries(ledger);
  Object.assign(seen, { settings: session.settings, clock: session.clock, heardAt: performance.now() });
  asked = performance.now();
  byId("balance").textContent = session.balance.toLocaleString("en");
  byId("account").textContent = `${session.balance.toLocaleString("en")} credits are left.`;
  drawPlan(plan);
  draw();
  detail.freshen();
}

async function all(path, name, from) {
  const things = [];
  for (let cursor = from; cursor !== null;) {
    const data = await ask("GET", `${path}?cursor=${cursor}`);
    things.push(...data[name]);
    ({ cursor } = data);
  }
  return things;
}

function complain(error) {
  if (error instanceof Refusal && error.status === 401) byId("ask-token").open || byId("ask-token").showModal();
  else toast(error instanceof Refusal ? error.message : "The fake does not answer. Is it still running?");
}

// What is shown.

function draw() {
  const { tasks, exchanges, isAll } = chosen();
  lists.tasks.set(tasks);
  lists.exchanges.set(exchanges);
  lists.ledger.set(seen.entries);
  byId("no-tasks").hidden = tasks.length > 0;
  byId("no-exchanges").hidden = exchanges.length > 0;
  byId("no-tasks").textContent = isAll ? "No task yet. Submit one here, or let your client do it." : "No task fits these filters.";
  byId("no-exchanges").textContent = isAll ? "Nothing came with this key yet." : "No exchange fits these filters.";
  byId("all").hidden = isAll;
  const count = (shown, whole) => (shown === whole ? whole.toLocaleString("en") : `${shown.toLocaleString("en")} of ${whole.toLocaleString("en")}`);
  byId("tasks-count").textContent = tasks.length.toLocaleString("en");
  byId("journal-count").textContent = exchanges.length.toLocaleString("en");
  byId("journal-said").textContent = count(exchanges.length, seen.exchanges.length);
  const phases = Object.groupBy(tasks, task => task.phase);
  byId("phases").replaceChildren(...["queued", "running", "done", "failed"].filter(name => phases[name])
    .map(name => make("span", { className: `phase ${name}` }, `${phases[name].length} ${name}`)));
}

function showTask(id) {
  showAlone(id);
  draw();
}

function tick() {
  const { clock } = seen;
  if (document.hidden || !clock) return;
  const isVirtual = clock.kind === "virtual";
  byId("time").textContent = `${seen.now().toFixed(1)} s`;
  byId("freeze").setAttribute("aria-pressed", String(Boolean(clock.frozen)));
  byId("freeze").textContent = clock.frozen ? "Go on" : "Freeze";
  byId("freeze").hidden = byId("speed").hidden = isVirtual;
  if (!isVirtual && document.activeElement !== byId("speed")) showSpeed(clock.speed ?? 1);
  const isActive = unfinished() !== undefined;
  if (isActive) lists.tasks.draw(true);
  if (detail.shown?.task) detail.moveOn(detail.shown.task);
  if (performance.now() - asked > 1000 * (isActive ? LOOK_SECONDS.active : LOOK_SECONDS.idle)) look();
}

function showSpeed(speed) {
  const select = byId("speed");
  if (![...select.options].some(one => Number(one.value) === speed)) select.add(make("option", { value: speed }, `×${speed}`));
  select.value = String(speed);
}

// What one can do.

async function doing(deed) {
  try {
    await deed();
    await look();
  } catch (error) {
    complain(error);
  }
}

async function submit(form) {
  const { name } = form.operation;
  if (form.operation.price && byId("by-hand").checked) await ask("POST", "/next", { axis: "ticks", queued: 1, running: 2 });
  const { status, answer, wire } = await ask("POST", "/send", { operation: name, parameters: form.parameters() });
  const says = answer?.error?.message || (answer?.data ? JSON.stringify(answer.data) : wire || "no JSON");
  byId("submitted").textContent = `${status || "no answer"}: ${says}`;
  byId("submitted").className = `said ${status === 200 ? "good" : "bad"}`;
}

async function saveHar() {
  const blob = await (await fetched("/journal?format=har")).blob();
  const link = make("a", { href: URL.createObjectURL(blob), download: "safelight.har" });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function turnLight() {
  const { light } = document.documentElement.dataset;
  const isDark = light ? light === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.light = isDark ? "light" : "dark";
  localStorage.setItem("safelight-light", document.documentElement.dataset.light);
}

function showPart(name) {
  document.body.dataset.tab = name;
  if (["submit", "plan", "ledger"].includes(name)) document.body.dataset.side = name;
  markTabs();
  requestAnimationFrame(draw);
}

/** The arrows go from tab to tab, and show what each has. */
function turn(event) {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  const tabs = [...document.querySelectorAll("nav [role=tab]")].filter(tab => tab.checkVisibility());
  const next = tabs[(tabs.indexOf(event.target) + step + tabs.length) % tabs.length];
  event.preventDefault();
  next.focus();
  showPart(next.dataset.part);
}

const narrow = matchMedia("(max-width: 62rem)");

function markTabs() {
  const shown = narrow.matches ? document.body.dataset.tab : document.body.dataset.side;
  for (const tab of document.querySelectorAll("nav [role=tab]")) tab.setAttribute("aria-selected", String(tab.dataset.part === shown));
  document.querySelector("nav [aria-selected=true]").scrollIntoView({ block: "nearest", inline: "nearest" });
}

function keys(event) {
  const isTyping = event.target.matches("input, textarea, select");
  if (event.key === "Escape") {
    if (detail.isOpen) detail.close();
    else if (isTyping) event.target.blur();
    else reset();
  } else if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "ArrowDown" && event.target === byId("search")) {
    byId("task-list").focus();
    lists.tasks.choose(0);
  }
}

function reset() {
  showAll();
  draw();
}

async function showSessions() {
  const { sessions, origin } = await ask("GET", "/sessions");
  seen.origin = origin;
  const select = byId("session");
  const names = new Set(sessions.map(one => one.fingerprint));
  select.replaceChildren(...sessions.map(one => make("option", { value: one.fingerprint }, `${one.user ? `${one.user}  ` : ""}${one.fingerprint}`)));
  return { names, first: sessions[0]?.fingerprint };
}

async function enter(name) {
  stop.abort();
  stop = new AbortController();
  byId("session").value = name;
  choose(name);
  begin();
  draw();
  location.replace(`#${name}`);
  listen(hear, (isLive, error) => {
    byId("live").className = `live ${isLive ? "on" : "off"}`;
    byId("live").textContent = isLive ? "live" : "not connected";
    if (error) complain(error);
  }, stop.signal);
  await look();
}

async function start() {
  const { names, first } = await showSessions();
  const wanted = location.hash.slice(1);
  const [{ operations }, catalogue] = await Promise.all([ask("GET", "/operations"), ask("GET", "/faults")]);
  const form = new RequestForm(operations);
  new PlanForm(catalogue, plan => { drawPlan(plan); look(); });
  byId("by-operation").append(...[...operations.map(one => one.name), "upload"].map(name => make("option", { value: name }, name)));
  byId("request").addEventListener("submit", event => { event.preventDefault(); doing(() => submit(form)); });
  if (first) await enter(names.has(wanted) ? wanted : first);
  else toast("No session is open: a client that comes with a key opens one.");
}

function wire() {
  onChange(draw);
  for (const tab of document.querySelectorAll("nav [role=tab]")) tab.addEventListener("click", () => showPart(tab.dataset.part));
  document.querySelector("nav").addEventListener("keydown", turn);
  byId("by-task").addEventListener("click", () => showTask(""));
  byId("all").addEventListener("click", reset);
  byId("freeze").addEventListener("click", () => doing(() => ask("POST", "/clock", { freeze: !seen.clock.frozen })));
  byId("speed").addEventListener("change", event => doing(() => ask("POST", "/clock", { scale: Number(event.target.value) })));
  byId("advance").addEventListener("click", () => doing(() => ask("POST", "/clock", { advance: 10 })));
  byId("har").addEventListener("click", () => doing(saveHar));
  byId("light").addEventListener("click", turnLight);
  byId("session").addEventListener("focus", () => { const now = byId("session").value; showSessions().then(() => { byId("session").value = now; }, complain); });
  byId("session").addEventListener("change", event => enter(event.target.value).catch(complain));
  byId("token-form").addEventListener("submit", () => { bring(byId("token").value); location.reload(); });
  document.addEventListener("keydown", keys);
  const light = localStorage.getItem("safelight-light");
  if (light) document.documentElement.dataset.light = light;
  setInterval(tick, 250);
  narrow.addEventListener("change", markTabs);
  showPart("tasks");
}

wire();
start().catch(complain);

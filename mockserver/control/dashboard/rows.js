// A row for each task, exchange and line of the ledger: made once, and written again for whatever scrolls into it.

import { make, seconds, svg } from "./dom.js";
import { result } from "./pictures.js";

export const KINDS = {
  image_generation: "submit", image_editing: "submit", video_generation: "submit", task_status: "poll", upload: "image", user_balance: "balance",
};

/** A text, written only where it is another than before. */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Timelines.

const WIDE = 1000;
const TALL = 10;

export function timeline() {
  const lit = name => svg("rect", { class: name, height: TALL });
  return svg("svg", { class: "timeline", viewBox: `0 0 ${WIDE} ${TALL}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    lit("queued rest"), lit("running rest"), lit("queued"), lit("running"), svg("path", { class: "polls" }), svg("path", { class: "struck" }));
}

/** Units of its axis that a task has had, those that it has in all, and those of waiting. */
export function lengths(task, now) {
  const total = { queued: 0, running: 0, unseen: 0 };
  let isEndless = false;
  for (const step of task.timeline) {
    const [name, dwell] = typeof step === "string" ? [step, 0] : step;
    if (typeof step === "string" && name in total) isEndless = true;
    if (name in total && typeof dwell === "number") total[name] += dwell;
  }
  const isOver = task.phase === "done" || task.phase === "failed";
  const known = total.queued + total.running + total.unseen;
  const had = { seconds: now - task.submitted, polls: task.polls }[task.axis] ?? (task.phase === "running" ? total.queued : 0);
  const whole = isEndless ? Math.max(known, had * 1.3, 10) : Math.max(known, 1e-9);
  return { had: isOver ? whole : Math.max(0, Math.min(had, whole)), whole, queued: isEndless && !total.running && task.phase === "queued" ? whole : total.queued + total.unseen };
}

const place = (element, from, to) => {
  element.setAttribute("x", from.toFixed(1));
  element.setAttribute("width", Math.max(0, to - from).toFixed(1));
};

export function drawTimeline(drawn, task, exchanges, now) {
  const { had, whole, queued } = lengths(task, now);
  const at = units => Math.min(WIDE, (units / whole) * WIDE);
  const [restQueued, restRunning, litQueued, litRunning, polls, struck] = drawn.children;
  place(restQueued, 0, at(queued));
  place(restRunning, at(queued), WIDE);
  place(litQueued, 0, at(Math.min(had, queued)));
  place(litRunning, at(queued), at(Math.max(had, queued)));
  drawn.setAttribute("class", `timeline ${task.phase}`);
  const marks = { polls: "", struck: "" };
  let number = 0;
  for (const one of exchanges || []) {
    if (one.operation !== "task_status") continue;
    number += 1;
    const x = Math.max(4, Math.min(WIDE - 4, at(task.axis === "seconds" ? one.at - task.submitted : number)));
    marks[one.fault ? "struck" : "polls"] += `M${x.toFixed(1)} 0v${TALL}`;
  }
  polls.setAttribute("d", marks.polls || "M0 0");
  struck.setAttribute("d", marks.struck || "M0 0");
}

// Tasks.

export function taskRow() {
  const parts = {
    image: make("img", { alt: "", hidden: true }), sign: make("span", {}), name: make("b", {}), prompt: make("span", { className: "prompt" }),
    drawn: timeline(), phase: make("span", { className: "phase" }), polls: make("span", { className: "quiet number" }),
  };
  const row = make("div", { className: "row task" }, make("span", { className: "thumb" }, parts.image, parts.sign),
    make("span", { className: "what" }, parts.name, parts.prompt), parts.drawn, parts.phase, parts.polls);
  row.parts = parts;
  return row;
}

export const promptOf = task => (typeof task.request.prompt === "string" ? task.request.prompt : task.request.prompt ? "a whole ComfyUI workflow" : "");

export function fillTask(row, task, exchanges, now, come) {
  const { image, sign, name, prompt, drawn, phase, polls } = row.parts;
  write(name, `${task.number} ${task.workflow}`);
  write(prompt, promptOf(task));
  write(phase, task.phase === "running" && task.progress !== null ? `running ${task.progress} %` : task.phase);
  phase.className = `phase ${task.phase}`;
  write(polls, `${task.polls} ${task.polls === 1 ? "poll" : "polls"}`);
  const found = task.phase === "done" && !task.operation.startsWith("video") ? result(task.id, come) : null;
  image.hidden = !found;
  if (found && image.src !== found.url) image.src = found.url;
  write(sign, found ? "" : { done: "▶", failed: "✕" }[task.phase] || "");
  drawTimeline(drawn, task, exchanges, now);
}

// Exchanges.

const MOST_GAP = 5;

export function exchangeRow() {
  const parts = Object.fromEntries(["time", "kind", "whose", "status", "said", "mark", "gap"].map(name => [name, make("span", { className: name })]));
  const bar = make("i", {});
  const row = make("div", { className: "row exchange" }, ...Object.values(parts), bar);
  row.parts = { ...parts, bar };
  return row;
}

export const hintsOf = exchange => [...exchange.violations, ...exchange.advice].map(one => one.message);

/** What an exchange came to, in a few words. */
export function said(exchange) {
  if (exchange.fault) return exchange.fault;
  if (exchange.violations.length) return exchange.violations[0].message;
  if (exchange.outcome !== "ok") return exchange.answer?.error?.message || exchange.outcome;
  return { poll: exchange.answer?.data?.status || exchange.phase, image: exchange.media_type }[KINDS[exchange.operation]] || exchange.answer?.data?.status || "ok";
}

export const moodOf = exchange => (exchange.fault ? "fault" : exchange.violations.length ? "wrong" : exchange.outcome === "ok" ? "ok" : "refused");

export function fillExchange(row, exchange, task) {
  const { time, kind, whose, status, said: words, mark, gap, bar } = row.parts;
  const mood = `row exchange ${moodOf(exchange)}`;
  if (row.className !== mood) row.className = mood;
  write(time, exchange.at.toFixed(2));
  write(kind, KINDS[exchange.operation] || exchange.operation || "unknown");
  write(whose, task ? `#${task.number}` : "");
  write(status, exchange.status ? String(exchange.status) : exchange.wire || "…");
  write(words, said(exchange));
  const hints = exchange.advice.length;
  write(mark, hints ? (hints === 1 ? "hint" : `${hints} hints`) : "");
  write(gap, exchange.gap === null ? "" : `+${seconds(exchange.gap)}`);
  bar.style.width = `${Math.min(1, (exchange.gap || 0) / MOST_GAP) * 56}px`;
}

// The ledger.

export function entryRow() {
  const parts = Object.fromEntries(["time", "reason", "credits"].map(name => [name, make("span", { className: name })]));
  const row = make("div", { className: "row entry" }, ...Object.values(parts));
  row.parts = parts;
  return row;
}

export function fillEntry(row, entry, task) {
  const { time, reason, credits } = row.parts;
  write(time, entry.at.toFixed(2));
  write(reason, `${entry.reason}${task ? ` #${task.number}` : ""}`);
  write(credits, `${entry.credits > 0 ? "+" : "−"}${Math.abs(entry.credits)}`);
  credits.className = `credits ${entry.credits > 0 ? "back" : "taken"}`;
}

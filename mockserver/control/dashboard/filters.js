// The filters: which tasks and exchanges are shown.

import { byId } from "./dom.js";
import { hintsOf, moodOf, promptOf } from "./rows.js";
import { seen } from "./seen.js";

const FIELDS = ["search", "by-operation", "by-outcome", "by-phase"];
/** The id of the task that is shown alone. */
let alone = "";

const OUTCOMES = {
  ok: one => one.outcome === "ok" && !one.fault, wrong: one => one.violations.length > 0, refused: one => moodOf(one) === "refused",
  fault: one => Boolean(one.fault), hint: one => one.advice.length > 0,
};

export function chosen() {
  const text = byId("search").value.trim().toLowerCase();
  const [operation, outcome, phase] = ["by-operation", "by-outcome", "by-phase"].map(name => byId(name).value);
  const has = texts => !text || texts().join(" ").toLowerCase().includes(text);
  const exchanges = seen.exchanges.filter(one => (!operation || one.operation === operation) && (!alone || one.task_id === alone)
    && (!outcome || OUTCOMES[outcome](one)) && (!phase || one.phase === phase)
    && has(() => [one.target, one.body, one.task_id, one.outcome, one.fault, one.wire, one.status, ...hintsOf(one)]));
  const ofOutcome = outcome ? new Set(exchanges.map(one => one.task_id)) : null;
  const tasks = [...seen.tasks.values()].filter(one => (!operation || one.operation === operation || ["task_status", "upload"].includes(operation))
    && (!alone || one.id === alone) && (!phase || one.phase === phase) && (!ofOutcome || ofOutcome.has(one.id))
    && has(() => [one.id, one.workflow, one.operation, one.phase, one.reason, promptOf(one)]));
  return { tasks, exchanges, isAll: !(text || operation || outcome || phase || alone) };
}

/** Show one task and its exchanges alone; without an id, all again. */
export function showAlone(id) {
  alone = id;
  byId("by-task").hidden = !id;
  byId("by-task").textContent = id ? `task ${seen.tasks.get(id)?.number ?? id}  ✕` : "";
}

export function onChange(change) {
  for (const name of FIELDS) byId(name).addEventListener("input", change);
}

export function showAll() {
  for (const name of FIELDS) byId(name).value = "";
  showAlone("");
}

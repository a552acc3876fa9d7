// What came of tasks, fetched through control, so that no client's counting is disturbed; a number of them is kept.

import { fetched } from "./api.js";

const MAX_KEPT = 120;
const MAX_WAITING = 40;
const AT_ONCE = 2;

const kept = new Map();
const waiting = [];
let running = 0;

/** `{url, type}` of a task's result if it is here; or else null, and `come` is called once it is. */
export function result(id, come) {
  if (kept.has(id)) {
    const found = kept.get(id);
    kept.delete(id);
    kept.set(id, found);
    return found;
  }
  if (!waiting.some(one => one.id === id)) waiting.push({ id, come });
  if (waiting.length > MAX_WAITING) waiting.shift();
  work();
  return null;
}

export function forget() {
  for (const { url } of kept.values()) URL.revokeObjectURL(url);
  kept.clear();
  waiting.length = 0;
}

async function work() {
  if (running >= AT_ONCE || !waiting.length) return;
  running += 1;
  const { id, come } = waiting[waiting.length - 1];
  try {
    const blob = await (await fetched(`/tasks/${encodeURIComponent(id)}/result`)).blob();
    kept.set(id, { url: URL.createObjectURL(blob), type: blob.type });
    if (kept.size > MAX_KEPT) {
      const [oldest, { url }] = kept.entries().next().value;
      URL.revokeObjectURL(url);
      kept.delete(oldest);
    }
    come();
  } catch { /* it is forgotten, or its session is: then there is nothing to show */ }
  const place = waiting.findIndex(one => one.id === id);
  if (place >= 0) waiting.splice(place, 1);
  running -= 1;
  work();
}

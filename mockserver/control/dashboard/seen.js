// What the page knows of its session: all that it was told, within bounds.

const MOST_EXCHANGES = 10_000;
const MOST_ENTRIES = 10_000;

export const seen = {
  session: "", epoch: 0, tasks: new Map(), exchanges: [], byTask: new Map(), entries: [], settings: {}, origin: "", clock: null, heardAt: 0,
  now() {
    if (!this.clock) return 0;
    const runs = this.clock.kind !== "virtual" && !this.clock.frozen;
    return this.clock.passed + (runs ? ((performance.now() - this.heardAt) / 1000) * (this.clock.speed ?? 1) : 0);
  },
};

/** Forget all: another session has begun. */
export function forgetAll() {
  seen.tasks.clear();
  seen.byTask.clear();
  Object.assign(seen, { session: "", epoch: seen.epoch + 1, exchanges: [], entries: [] });
}

function drop(exchange) {
  const its = seen.byTask.get(exchange.task_id);
  if (its?.length > 1) its.shift();
  else seen.byTask.delete(exchange.task_id);
}

/** Keep an exchange: in the place of what was heard of it before its end, where it is told again. */
export function keep(exchange) {
  const all = seen.exchanges;
  if (!all.length || exchange.number > all[all.length - 1].number) all.push(exchange);
  else {
    const place = all.findLastIndex(one => one.number === exchange.number);
    if (place >= 0) all[place] = exchange;
  }
  if (all.length > MOST_EXCHANGES) drop(all.shift());
  if (exchange.task_id) {
    const its = seen.byTask.get(exchange.task_id) || [];
    const place = its.findIndex(one => one.number === exchange.number);
    if (place >= 0) its[place] = exchange;
    else its.push(exchange);
    seen.byTask.set(exchange.task_id, its);
  }
}

/** Keep the next lines of the ledger. */
export function keepEntries(entries) {
  seen.entries = [...seen.entries, ...entries].slice(-MOST_ENTRIES);
}

export const isUnfinished = task => task.phase === "queued" || task.phase === "running";
export const unfinished = () => [...seen.tasks.values()].find(isUnfinished);

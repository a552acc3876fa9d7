// One task or one exchange, opened: all that is known of it, what can be done with it, and copies that run.

import { ask } from "./api.js";
import * as copies from "./copies.js";
import { byId, counted, make, seconds, toast } from "./dom.js";
import { result } from "./pictures.js";
import { KINDS, drawTimeline, hintsOf, said, timeline } from "./rows.js";

const MOST_EXCHANGES = 200;
const MOST_CHARACTERS = 20_000;

const text = value => (typeof value === "string" ? value : JSON.stringify(value, null, 2)).slice(0, MOST_CHARACTERS);
const facts = rows => make("dl", {}, ...rows.filter(([, value]) => value !== null && value !== undefined && value !== "")
  .flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, String(value))]));
const button = (name, does, more = {}) => make("button", { type: "button", onclick: does, ...more }, name);

const rounded = value => (typeof value === "number" ? Number(value.toFixed(3)) : value);
const timelineText = steps => steps.map(step => [step].flat().map(rounded).join(" ")).join(" → ");

/** Buttons that show something to run, and put it on the clipboard. */
function copying(made) {
  const shown = make("pre", { className: "copied", hidden: true, tabIndex: 0 });
  const note = make("span", { className: "quiet", role: "status" });
  const copy = async name => {
    shown.textContent = made[name]();
    shown.hidden = false;
    shown.dataset.kind = name;
    try {
      await navigator.clipboard.writeText(shown.textContent);
      note.textContent = "copied";
    } catch {
      getSelection().selectAllChildren(shown);
      note.textContent = "selected: copy it from here";
    }
  };
  const names = { curl: "curl", pytest: "pytest test", scenario: "scenario" };
  return make("div", { className: "copying" }, make("div", { className: "row" }, make("span", { className: "quiet" }, "Copy as"),
    ...Object.entries(names).map(([name, says]) => button(says, () => copy(name), { className: `copy-${name}` })), note), shown);
}

export class Detail {
  /** `seen` has tasks, exchanges by task, settings and `now()`; `after` is called when something was done, `showTask` filters. */
  constructor(seen, after, showTask) {
    Object.assign(this, { seen, after, showTask, box: byId("detail"), shown: null });
  }

  get isOpen() { return !this.box.hidden; }

  open(shown) {
    this.back = this.isOpen ? this.back : document.activeElement;
    this.shown = shown;
    this.box.hidden = false;
    document.body.classList.add("with-detail");
    this.draw();
    this.box.scrollTop = 0;
    this.box.focus({ preventScroll: true });
  }

  close() {
    this.shown = null;
    this.box.hidden = true;
    document.body.classList.remove("with-detail");
    this.back?.focus({ preventScroll: true });
  }

  draw() {
    const { task, exchange } = this.shown;
    this.box.replaceChildren(...(task ? this.ofTask(task) : this.ofExchange(exchange)));
  }

  /** Draw a task again that may have changed, but for what somebody reads or copies. */
  freshen(isAsked = false) {
    if (!this.isOpen || !this.shown.task) return;
    const task = this.seen.tasks.get(this.shown.task.id);
    if (!task) return;
    const isSame = task.phase === this.shown.task.phase && task.polls === this.shown.task.polls;
    this.shown.task = task;
    const isBusy = this.box.querySelector(".copied:not([hidden]), input:focus");
    if (isSame || (isBusy && !isAsked)) this.moveOn(task);
    else this.drawAgain();
  }

  drawAgain() {
    const hadFocus = this.box.contains(document.activeElement);
    this.draw();
    if (hadFocus) this.box.focus({ preventScroll: true });
  }

  moveOn(task) {
    const drawn = this.box.querySelector(".timeline");
    if (drawn) drawTimeline(drawn, task, this.seen.byTask.get(task.id), this.seen.now());
  }

  head(title, says) {
    return make("div", { className: "head" }, make("h2", {}, title), says && make("span", { className: `phase ${says}` }, says),
      button("✕", () => this.close(), { className: "icon", ariaLabel: "Close", title: "Close (Esc)" }));
  }

  ofTask(task) {
    const exchanges = this.seen.byTask.get(task.id) || [];
    const drawn = timeline();
    drawTimeline(drawn, task, exchanges, this.seen.now());
    const isOver = task.phase === "done" || task.phase === "failed";
    const act = (path, body) => () => this.act(`/tasks/${encodeURIComponent(task.id)}/${path}`, body);
    const reason = make("input", { placeholder: "reason, or the service's own", ariaLabel: "Why it fails", autocomplete: "off" });
    return [
      this.head(`Task ${task.number}`, task.phase), make("p", { className: "id" }, task.id), this.result(task), drawn,
      make("div", { className: "row" },
        button("Poll", () => this.act("/send", { operation: "task_status", parameters: { task_id: task.id } }), { className: "poll" }),
        task.axis === "ticks" ? button("Release", act("release", {}), { className: "release", disabled: isOver }) : null,
        button("Show it alone", () => this.showTask(task.id), { className: "plain" })),
      make("form", { className: "row fail", hidden: isOver, onsubmit: event => {
        event.preventDefault();
        act("fail", reason.value ? { reason: reason.value } : {})();
      } }, reason, make("button", { className: "danger" }, "Fail")),
      facts([["workflow", task.workflow], ["reason", task.reason], ["submitted", seconds(task.submitted)], ["time in", task.axis],
        ["timeline", timelineText(task.timeline)], ["price", counted(task.price, "credit")], ["seed", task.seed]]),
      make("h3", {}, "Request"), make("pre", {}, text(task.request)),
      exchanges.length ? copying(this.copies(task, exchanges)) : null,
      make("h3", {}, counted(exchanges.length, "exchange")),
      make("ol", { className: "its" }, ...exchanges.slice(-MOST_EXCHANGES).map(one => make("li", {}, button(
        `${one.at.toFixed(2)}  ${KINDS[one.operation] || one.operation}  ${one.status || one.wire}  ${said(one)}`, () => this.open({ exchange: one }), { className: "plain" })))),
    ].filter(Boolean);
  }

  result(task) {
    if (task.phase !== "done") return null;
    const found = result(task.id, () => this.isOpen && this.shown.task?.id === task.id && this.drawAgain());
    if (!found) return make("div", { className: "result" });
    return found.type.startsWith("video") ? make("video", { className: "result", src: found.url, controls: true, muted: true, loop: true })
      : make("img", { className: "result", src: found.url, alt: `The picture of task ${task.number}` });
  }

  ofExchange(exchange) {
    const task = this.seen.tasks.get(exchange.task_id);
    const hints = hintsOf(exchange);
    const its = task && exchange.operation !== "user_balance" ? (this.seen.byTask.get(task.id) || []).filter(one => one.number <= exchange.number) : [exchange];
    return [
      this.head(KINDS[exchange.operation] || exchange.operation || "Request", ""),
      make("p", { className: "id" }, `${exchange.method} ${exchange.target}`),
      hints.length ? make("ul", { className: "hints" }, ...hints.map(one => make("li", {}, one))) : null,
      facts([["answer", exchange.status || "nothing was sent"], ["outcome", exchange.outcome], ["fault", exchange.fault], ["on the wire", exchange.wire],
        ["phase", exchange.phase], ["at", seconds(exchange.at)], ["after", seconds(exchange.gap)], ["took", seconds(exchange.took)],
        ["sent", exchange.body_bytes === null ? "" : counted(exchange.body_bytes, "byte")], ["key leaks in", exchange.leaks.join(", ")]]),
      task ? make("div", { className: "row" }, button(`Open task ${task.number}`, () => this.open({ task }))) : null,
      copying(this.copies(task, its, [exchange])),
      make("h3", {}, "Request"), make("pre", {}, [...Object.entries(exchange.headers).map(([name, value]) => `${name}: ${value}`), ...(exchange.body ? ["", text(exchange.body)] : [])].join("\n")),
      make("h3", {}, "Answer"), make("pre", {}, exchange.answer === null ? `nothing that is kept (${exchange.media_type || "no media type"})` : text(exchange.answer)),
    ].filter(Boolean);
  }

  copies(task, exchanges, alone = exchanges) {
    const { settings, origin } = this.seen;
    return {
      curl: () => copies.curl(alone, origin),
      pytest: () => copies.pytest(task, exchanges, settings),
      scenario: () => copies.scenario(task, exchanges, settings),
    };
  }

  async act(path, body) {
    try {
      await ask("POST", path, body);
      await this.after();
      this.freshen(true);
    } catch (error) {
      toast(error.message);
    }
  }
}

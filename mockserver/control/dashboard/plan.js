// The plan: its rules with what became of them, and a line that completes another one from the catalogue.

import { ask } from "./api.js";
import { byId, counted, make } from "./dom.js";

const MAX_NEAR = 12;

/** What can stand next: the text of the line then, what to show, and what that does. */
export function completions(text, catalogue) {
  const colon = text.indexOf(":");
  if (colon < 0) {
    const typed = text.trim().toLowerCase();
    return /[\s#]/.test(text.trim()) ? [] : catalogue.kinds.filter(kind => kind.startsWith(typed))
      .map(kind => ({ text: `${kind}: `, shown: kind, does: "requests of this kind" }));
  }
  const typed = text.slice(colon + 1).trim().toLowerCase();
  if (/\s/.test(typed)) return [];
  const named = catalogue.faults.filter(one => one.form.startsWith(typed));
  const said = typed ? catalogue.faults.filter(one => !named.includes(one) && one.does.toLowerCase().includes(typed)) : [];
  return [...named, ...said].map(one => ({ text: `${text.slice(0, colon)}: ${one.example}`, shown: one.form, does: one.does }));
}

export class PlanForm {
  constructor(catalogue, show) {
    Object.assign(this, { catalogue, show, near: [], active: -1, line: byId("rule") });
    this.line.addEventListener("input", () => this.suggest());
    this.line.addEventListener("focus", () => this.suggest());
    this.line.addEventListener("blur", () => this.close());
    this.line.addEventListener("keydown", event => this.key(event));
    byId("rule-form").addEventListener("submit", event => {
      event.preventDefault();
      this.add();
    });
    byId("clear-plan").addEventListener("click", () => this.send("PUT", []));
  }

  suggest() {
    byId("wrong").hidden = true;
    this.near = completions(this.line.value, this.catalogue).slice(0, MAX_NEAR);
    this.active = -1;
    byId("near").replaceChildren(...this.near.map((one, index) => make(
      "li", { role: "option", id: `near-${index}`, onmousedown: event => { event.preventDefault(); this.take(index); } },
      make("code", {}, one.shown), make("span", {}, one.does))));
    this.mark();
  }

  mark() {
    byId("near").hidden = !this.near.length;
    this.line.setAttribute("aria-expanded", String(this.near.length > 0));
    [...byId("near").children].forEach((one, index) => one.setAttribute("aria-selected", String(index === this.active)));
    byId("near").children[this.active]?.scrollIntoView({ block: "nearest" });
    if (this.active >= 0) this.line.setAttribute("aria-activedescendant", `near-${this.active}`);
    else this.line.removeAttribute("aria-activedescendant");
  }

  close() {
    this.near = [];
    this.active = -1;
    this.mark();
  }

  take(index) {
    this.line.value = this.near[index].text;
    this.close();
    if (this.line.value.endsWith(": ")) this.suggest();
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && this.near.length) this.active = (this.active + step + this.near.length + (this.active < 0 && step < 0 ? 1 : 0)) % this.near.length;
    else if ((event.key === "Enter" || event.key === "Tab") && this.active >= 0) this.take(this.active);
    else if (event.key === "Escape" && this.near.length) this.near = [];
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.mark();
  }

  async add() {
    if (this.line.value.trim()) await this.send("POST", [this.line.value]);
  }

  async send(method, rules) {
    this.close();
    try {
      this.show(await ask(method, "/plan", { rules }));
      this.line.value = "";
      byId("wrong").hidden = true;
    } catch (error) {
      this.point(error.message);
    }
  }

  /** The sentence of the fake, below the place in the rule that it means. */
  point(sentence) {
    const column = Number(sentence.match(/column (\d+) of/)?.[1] || 0);
    const place = column ? `${this.line.value}\n${" ".repeat(column - 1)}^\n` : "";
    byId("wrong").textContent = place + sentence;
    byId("wrong").hidden = false;
    this.line.focus();
    this.close();
  }
}

export function drawPlan(plan) {
  const reasons = Object.fromEntries(plan.undelivered.map(one => [one.rule, one]));
  byId("rules").replaceChildren(...plan.rules.map(one => {
    const missed = reasons[one.rule];
    const state = one.delivered ? "delivered" : missed?.was_due ? "due" : "waits";
    const says = one.delivered ? `delivered ${counted(one.delivered, "time")}` : missed?.reason || "not delivered yet";
    return make("li", { className: state }, make("code", {}, one.rule), make("span", {}, says));
  }));
  byId("no-rules").hidden = plan.rules.length > 0;
  byId("clear-plan").hidden = !plan.rules.length;
  byId("plan-count").textContent = plan.rules.length || "";
  const delivered = plan.rules.reduce((sum, one) => sum + one.delivered, 0);
  byId("delivered").textContent = delivered;
  byId("delivered").nextSibling.textContent = delivered === 1 ? " fault" : " faults";
}

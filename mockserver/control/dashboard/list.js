// A list of which only the rows in sight are elements: ten thousand things scroll as ten do.

import { make } from "./dom.js";

const MORE_ROWS = 6;

/** What a thing is known by when it is told again. */
const keyOf = thing => thing.number ?? thing;

export class List {
  /** `make()` gives an empty row, `fill(row, thing)` writes a thing into it, `open(thing)` is what Enter does. */
  constructor(host, { label, height, narrow = height, row, fill, open }) {
    Object.assign(this, { host, heights: [height, narrow], row, fill, open, things: [], rows: [], active: -1 });
    this.space = make("div", { className: "space" });
    host.append(this.space);
    for (const [name, value] of Object.entries({ role: "listbox", "aria-label": label, tabindex: "0" })) host.setAttribute(name, value);
    host.addEventListener("scroll", () => this.soon(), { passive: true });
    host.addEventListener("keydown", event => this.key(event));
    host.addEventListener("click", event => this.click(event));
    this.media = matchMedia("(max-width: 62rem)");
    new ResizeObserver(() => this.draw(true)).observe(host);
  }

  get height() { return this.heights[Number(this.media.matches)]; }

  /** The newest of these, which are given last, stands on top. Who has scrolled away from there sees the same as before. */
  set(things) {
    const indexOf = thing => (thing ? things.length - 1 - things.findLastIndex(one => keyOf(one) === keyOf(thing)) : things.length);
    const top = this.host.scrollTop;
    const grown = indexOf(this.things[this.things.length - 1]);
    const chosen = indexOf(this.things[this.things.length - 1 - this.active]);
    this.things = things;
    this.space.style.height = `${things.length * this.height}px`;
    if (grown && grown < things.length && top > 0) this.host.scrollTop = top + grown * this.height;
    this.active = chosen < things.length ? chosen : -1;
    this.draw(true);
  }

  soon() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw(false);
    });
  }

  /** Place the rows in sight; those that show the same thing as before are written again if `again`. */
  draw(again) {
    const { host, things, height } = this;
    if (!host.clientHeight) return;
    const wanted = Math.min(things.length, Math.ceil(host.clientHeight / height) + 2 * MORE_ROWS);
    while (this.rows.length < wanted) this.add();
    while (this.rows.length > wanted) this.rows.pop().remove();
    const first = Math.max(0, Math.min(things.length - wanted, Math.floor(host.scrollTop / height) - MORE_ROWS));
    for (let index = first; index < first + wanted; index += 1) {
      const row = this.rows[index % wanted];
      const thing = things[things.length - 1 - index];
      if (again || row.index !== index || row.thing !== thing) this.place(row, index, thing);
    }
  }

  add() {
    const row = this.row();
    row.setAttribute("role", "option");
    this.rows.push(row);
    this.space.append(row);
  }

  place(row, index, thing) {
    if (row.index !== index) {
      row.index = index;
      row.style.transform = `translateY(${index * this.height}px)`;
      row.id = `${this.host.id}-${index}`;
      row.setAttribute("aria-posinset", index + 1);
    }
    row.setAttribute("aria-setsize", this.things.length);
    row.setAttribute("aria-selected", String(index === this.active));
    row.thing = thing;
    this.fill(row, thing);
  }

  click(event) {
    const row = event.target.closest("[role=option]");
    if (!row) return;
    this.choose(row.index);
    this.open(row.thing);
  }

  choose(index) {
    this.active = Math.max(0, Math.min(this.things.length - 1, index));
    const { host, height } = this;
    const top = this.active * height;
    if (top < host.scrollTop) host.scrollTop = top;
    if (top + height > host.scrollTop + host.clientHeight) host.scrollTop = top + height - host.clientHeight;
    this.draw(true);
    host.setAttribute("aria-activedescendant", `${host.id}-${this.active}`);
  }

  key(event) {
    const page = Math.max(1, Math.floor(this.host.clientHeight / this.height) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === "Enter" && this.active >= 0) this.open(this.things[this.things.length - 1 - this.active]);
    else if (event.key in moves && this.things.length) this.choose(this.active + moves[event.key]);
    else return;
    event.preventDefault();
  }
}

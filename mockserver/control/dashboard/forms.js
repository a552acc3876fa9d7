// A form for each operation, made of the JSON Schema of its request. What is typed is sent, right or wrong.

import { byId, make } from "./dom.js";

/** A field for a property; empty means: left out. */
function field(name, stated, isRequired, change) {
  const title = stated.title || name;
  const isWide = !["integer", "number"].includes(stated.type);
  return make("label", { className: isWide ? "field wide" : "field", title: [title, stated.description].filter(Boolean).join(". ") },
    make("span", {}, name, make("i", {}, ` ${isRequired ? `${title}, needed` : title}`)), input(name, stated, isRequired, change));
}

function input(name, stated, isRequired, change) {
  const named = { name, onchange: change };
  if (stated.enum) {
    const options = stated.enum.map(value => make("option", { value, selected: value === stated.default }, String(value)));
    return make("select", named, ...options);
  }
  const usual = stated.default === undefined ? "" : String(stated.default);
  if (name === "prompt") return make("textarea", { ...named, rows: 2, required: isRequired, value: "a lighthouse at dusk" });
  if (stated["x-recognized"] === "image") return picture(named);
  const isNumber = ["integer", "number"].includes(stated.type);
  const limits = isNumber ? [stated.minimum, stated.maximum].map(limit => limit ?? "").join(" to ") : "";
  return make("input", { ...named, inputMode: isNumber ? "decimal" : "text", placeholder: usual || limits, autocomplete: "off" });
}

/** A picture: its URL or Base64, or a file of this machine. */
function picture(named) {
  const text = make("input", { ...named, placeholder: "https://…, Base64, or choose a file", autocomplete: "off" });
  const file = make("input", { type: "file", accept: "image/*", ariaLabel: "A picture from a file", onchange: () => {
    const reader = new FileReader();
    reader.addEventListener("load", () => { text.value = reader.result; });
    if (file.files[0]) reader.readAsDataURL(file.files[0]);
  } });
  return make("span", { className: "picture" }, text, file);
}

export class RequestForm {
  constructor(operations) {
    this.operations = Object.fromEntries(operations.map(one => [one.name, one]));
    const submits = operations.filter(one => one.price).map(one => one.name);
    const order = [...new Set(["image_generation", ...submits, ...Object.keys(this.operations)])].filter(name => this.operations[name]);
    byId("operation").replaceChildren(...order.map(name => make("option", { value: name }, name)));
    byId("operation").addEventListener("change", () => this.draw());
    this.draw();
  }

  get operation() { return this.operations[byId("operation").value]; }

  draw() {
    const { request, price } = this.operation;
    const stated = Object.entries(request.properties || {}).filter(([name]) => name !== "api_key");
    const choice = request["x-choice"];
    const ordered = [...stated.filter(([name]) => name === "prompt" || name === choice), ...stated.filter(([name]) => name !== "prompt" && name !== choice)];
    const required = request.required || [];
    byId("fields").replaceChildren(...ordered.map(([name, one]) => field(name, one, required.includes(name), () => this.choose())));
    byId("price").textContent = price ? `${price} credits` : "free";
    byId("by-hand").closest("label").hidden = !price;
    this.choose();
  }

  /** Show what has an effect with the workflow, or the mode, that is chosen, and what is then the default. */
  choose() {
    const chosen = this.input(this.operation.request["x-choice"])?.value;
    for (const [name, stated] of Object.entries(this.operation.request.properties || {})) {
      const each = this.input(name);
      if (!each) continue;
      each.closest("label").hidden = Boolean(chosen && stated["x-effective-for"] && !stated["x-effective-for"].includes(chosen));
      const own = stated["x-defaults"]?.[chosen];
      if (own !== undefined && each.tagName === "INPUT") each.placeholder = String(own);
      else if (stated["x-defaults"] && stated.default !== undefined) each.placeholder = String(stated.default);
    }
  }

  input(name) { return name ? byId("fields").querySelector(`[name="${CSS.escape(name)}"]`) : null; }

  parameters() {
    const found = {};
    for (const [name, stated] of Object.entries(this.operation.request.properties || {})) {
      const each = this.input(name);
      if (each && !each.closest("label").hidden && each.value !== "") found[name] = valueOf(each.value, stated);
    }
    return found;
  }
}

function valueOf(text, stated) {
  const types = [stated.type].flat();
  if (types.includes("integer") || types.includes("number")) return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  if (types.includes("object") && text.trim().startsWith("{")) {
    try { return JSON.parse(text); } catch { return text; }
  }
  return text;
}

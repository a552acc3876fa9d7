// A task, or an exchange, as something to run: curl, a pytest test, a scenario. Pure functions of what was seen.

const PATHS = ["/v1/index.php", "/TS-AI-API/v1/index.php", "/"];

/** The settings of a session that a copy names where they are otherwise. */
const USUAL = { vocabulary: "published", errors: "object", limits: "reject", requests: "published", cost_scale: 1, directives: true };

/** What a test would be held to, and these exchanges do not keep: switch of the marker -> how that is seen. */
const SWITCHES = {
  contract: one => one.violations.length > 0 || !one.operation,
  only_issued_ids: one => one.operation === "task_status" && one.status === 404,
  retry_after_kept: one => "retry-after" in one.answer_headers,
  no_poll_after_401: one => one.status === 401,
};

const shell = text => `'${text.replaceAll("'", "'\\''")}'`;

/** A value of JSON as Python writes it. */
export function python(value) {
  if (value === null) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (typeof value === "object") return `{${Object.entries(value).map(([name, one]) => `${JSON.stringify(name)}: ${python(one)}`).join(", ")}}`;
  return JSON.stringify(value).replaceAll("\u007f", "\\u007f");
}

/** The target without a key, which goes into a header. */
function targetOf(exchange) {
  const url = new URL(exchange.target, "http://x");
  url.searchParams.delete("api_key");
  return url;
}

export function curl(exchanges, origin) {
  return exchanges.map(exchange => {
    const url = targetOf(exchange);
    const lines = [`curl ${exchange.method === "GET" ? "" : `-X ${exchange.method} `}${shell(origin + url.pathname + url.search)}`];
    if (!url.pathname.startsWith("/uploads/")) lines.push('-H "x-api-key: $SAFELIGHT_API_KEY"');
    if (exchange.body) lines.push(`-H ${shell(`content-type: ${exchange.headers["content-type"] || "application/json"}`)}`, `--data-raw ${shell(exchange.body)}`);
    return lines.join(" \\\n  ");
  }).join("\n");
}

/** What a fault rule says goes wrong: what stands behind its colon. */
const faultOf = rule => rule.replace(/^(?:[^:"']|"(?:\\.|[^"\\])*"|'[^']*')*:\s*/s, "");
const kindOf = rule => rule.match(/^[^\s:#]*/)[0];

/** The rules that strike these exchanges and nothing else: each fault with the number of the request that it struck. */
export function planOf(exchanges) {
  const counts = {};
  const rules = [];
  for (const exchange of exchanges) {
    counts[exchange.operation] = (counts[exchange.operation] || 0) + 1;
    if (exchange.fault) rules.push(`${kindOf(exchange.fault)}#${counts[exchange.operation]}: ${faultOf(exchange.fault)}`);
  }
  return rules;
}

/** How long a task takes, in the words of the settings. */
function timeOf(task) {
  const dwells = { queued: 0, running: 0 };
  let end = "";
  for (const step of task.timeline) {
    const [name, dwell, word] = typeof step === "string" ? [step, "never"] : step;
    const isOdd = end || word || (name in dwells ? dwells[name] !== 0 || (name === "queued" && dwells.running !== 0) : !["done", "failed"].includes(name));
    if (isOdd) return { timeline: task.timeline };
    if (name in dwells) dwells[name] = typeof dwell === "number" ? Math.floor(dwell * 1000) / 1000 : dwell;
    if (dwell === "never") end = name;
  }
  const fails = end === "failed" ? { fail: task.reason || true } : {};
  const time = task.axis === "seconds" ? dwells : { [task.axis]: [dwells.queued, dwells.running] };
  return { ...time, ...fails };
}

/** The options of the marker `safelight` under which it goes as it went. */
export function optionsOf(task, exchanges, settings) {
  const own = Object.fromEntries(Object.entries(USUAL).filter(([name, usual]) => settings[name] !== usual).map(([name]) => [name, settings[name]]));
  if (settings.down?.length) own.down = settings.down;
  if (Object.keys(settings.prices || {}).length) own.prices = settings.prices;
  if (exchanges.some(exchange => exchange.status === 402)) own.balance = 0;
  return { ...(task ? timeOf(task) : {}), ...own };
}

export function scenario(task, exchanges, settings) {
  const description = task ? `Task ${task.number} (${task.workflow}) as it went` : `${exchanges[0].operation || "a request"} as it went`;
  return `${JSON.stringify({ description, options: optionsOf(task, exchanges, settings), plan: planOf(exchanges) }, null, 2)}\n`;
}

export function pytest(task, exchanges, settings) {
  const options = { ...optionsOf(task, exchanges, settings), ...(task && { ids: [task.id] }) };
  const plan = planOf(exchanges);
  if (plan.length) options.faults = plan;
  for (const [name, isBroken] of Object.entries(SWITCHES)) if (exchanges.some(isBroken)) options[name] = false;
  const marker = Object.entries(options).map(([name, value]) => `${name}=${python(value)}`);
  const steps = stepsOf(task, exchanges);
  return [
    "import httpx", "import pytest", "", "",
    ...(marker.length ? [`@pytest.mark.safelight(${marker.join(", ")})`] : []),
    `def test_${task ? `task_${task.number}` : exchanges[0].operation || "a_request"}_as_it_went(safelight):`,
    '    """Copied from the page of a fake. Let your client make these requests, and say what it should make of them."""',
    '    with httpx.Client(headers={"x-api-key": safelight.api_key}) as http:',
    ...steps.map(line => `        ${line}`), "",
  ].join("\n");
}

function stepsOf(task, exchanges) {
  const lines = [];
  let milliseconds = 0;
  let hasResult = false;
  for (const exchange of exchanges) {
    const isFile = exchange.operation === "upload";
    if (isFile && !hasResult) continue;
    // Rounded up, while what a task takes is rounded down: nobody asks earlier in its life than was asked.
    const passed = task && exchange !== exchanges[0] ? Math.ceil((exchange.at - task.submitted) * 1000) : 0;
    if (task?.axis === "seconds" && passed > milliseconds) {
      lines.push(`safelight.clock.advance(${(passed - milliseconds) / 1000})`);
      milliseconds = passed;
    }
    lines.push(...(isFile ? fileStep(exchange) : step(exchange)));
    if (!isFile) hasResult = exchange.phase === "done" && exchange.operation === "task_status" && !exchange.fault && exchange.status === 200;
  }
  return lines;
}

const fileStep = exchange => checked(exchange, 'http.get(answer.json()["data"]["result"]["image_url"])', "picture");

function step(exchange) {
  const url = targetOf(exchange);
  const isEntry = PATHS.includes(url.pathname);
  const target = isEntry ? "safelight.url" : `httpx.URL(safelight.url).join(${python(url.pathname)})`;
  const verb = { GET: "get(", POST: "post(" }[exchange.method] || `request(${python(exchange.method)}, `;
  const parts = [`params=${python(Object.fromEntries(url.searchParams))}`, ...bodyOf(exchange)];
  return checked(exchange, `http.${verb}${target}, ${parts.join(", ")})`, "answer");
}

/** The body as `json=` where that sends the same, or else as it was. */
function bodyOf(exchange) {
  if (!exchange.body) return [];
  try {
    if (exchange.method !== "GET" && !/\d{16}|\d\.0\b|\d[eE]/.test(exchange.body)) return [`json=${python(JSON.parse(exchange.body))}`];
  } catch { /* it is no JSON */ }
  if (exchange.method === "GET") return [];
  return [`content=${python(exchange.body)}`, 'headers={"content-type": "application/json"}'];
}

function checked(exchange, call, name) {
  if (exchange.status === 0 || exchange.wire) return ["with pytest.raises(httpx.TransportError):", `    ${call}`];
  return [`${name} = ${call}`, `assert ${name}.status_code == ${exchange.status}`];
}

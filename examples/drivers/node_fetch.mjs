// One picture from the API, with Node's own fetch: a driver for `safelight check client`.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const told = (name) => process.env[`SAFELIGHT_${name}`];
const [poll, timeout, deadline] = ["POLL", "REQUEST_TIMEOUT", "DEADLINE"].map((name) => 1000 * told(`${name}_SECONDS`));
const key = { "x-api-key": told("API_KEY") };
const end = performance.now() + deadline;
const magic = ["89504e47", "ffd8ff", "1a45dfa3"];
let taskId = told("TASK_ID");

class Failed extends Error {} // there is no picture
class GaveUp extends Error {} // there was no end by the deadline
class Bad extends Error {} // an answer that says nothing about the task

const plain = (text) => String(text).replace(/[\p{Cc}\p{Cf}]/gu, " ").slice(0, 500);

function reasonOf(error) {
  while (error && typeof error === "object") error = error.error || error.message;
  return typeof error === "string" && error ? plain(error) : "no reason was given";
}

async function sleep(milliseconds) {
  if (performance.now() + milliseconds > end) throw new GaveUp("no end by the deadline");
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// Status and body of one answer; a body that is too large is not read to its end.
async function whole(url, options, most) {
  let answer;
  const chunks = [];
  let size = 0;
  try {
    answer = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(timeout), ...options });
    for await (const chunk of answer.body ?? []) {
      chunks.push(chunk);
      if ((size += chunk.length) > most) throw new Bad("an answer that is too large");
    }
  } catch (error) {
    throw error instanceof Bad ? error : new Bad(error.cause?.code ?? error.name);
  }
  return { status: answer.status, headers: answer.headers, body: Buffer.concat(chunks) };
}

function waitOf(stated) {
  if (!stated) return 0;
  return Number.isFinite(+stated) ? 1000 * +stated : Date.parse(stated) - Date.now() || 0;
}

// The data of an answer. Throws Failed where it is final, Bad where it says nothing.
async function ask(method, query, body) {
  const url = `${told("BASE_URL")}?${new URLSearchParams(query)}`;
  const headers = body ? { ...key, "content-type": "application/json" } : key;
  const { status, headers: answered, body: text } = await whole(url, { method, headers, body }, 2e6);
  if (status === 429 || status >= 500) {
    throw Object.assign(new Bad(`HTTP ${status}`), { wait: waitOf(answered.get("retry-after")) });
  }
  let envelope;
  try {
    envelope = JSON.parse(text.toString());
  } catch {
    throw new (status >= 300 && status !== 404 ? Failed : Bad)(`HTTP ${status}, and no JSON`);
  }
  if (status === 404 || !envelope || typeof envelope !== "object") throw new Bad(`HTTP ${status}: ${reasonOf(envelope)}`);
  if (envelope.success !== true || status >= 300) throw new Failed(reasonOf(envelope));
  if (!envelope.data || typeof envelope.data !== "object") throw new Bad("an answer without data");
  return envelope.data;
}

// Sent once: an answer that is lost may have been paid for.
async function submit() {
  let data;
  try {
    data = await ask("POST", { endpoint: "image_generation" }, told("PARAMETERS"));
  } catch (error) {
    if (!(error instanceof Bad)) throw error;
    throw new Failed(`no answer to the submit (${error.message}); it is not sent again`);
  }
  if (typeof data.id !== "string" || !data.id) throw new Failed("the answer to the submit has no task id");
  return data.id;
}

async function wait() {
  for (let bad = 0, gap = poll; ; await sleep(gap)) {
    try {
      const data = await ask("GET", { endpoint: "task_status", task_id: taskId });
      if (data.id !== undefined && data.id !== taskId) throw new Bad("an answer about another task");
      if (["completed", "done"].includes(data.status)) {
        const url = [data.result?.image_url, data.result?.video_url].find((one) => typeof one === "string" && one);
        if (!url) throw new Failed("the task is done, and there is no URL of its picture");
        return new URL(url, told("BASE_URL"));
      }
      if (["failed", "cancelled"].includes(data.status)) throw new Failed(`${data.status}: ${reasonOf(data.error)}`);
      [bad, gap] = [0, poll];
    } catch (error) {
      if (!(error instanceof Bad)) throw error;
      if (++bad === 6) throw new Failed(`the status of task ${taskId} is unknown: ${error.message}`);
      gap = Math.max(gap * 1.5, error.wait ?? 0);
    }
  }
}

// Without the key: the picture can live anywhere.
async function download(url) {
  for (let number = 1; ; number++) {
    try {
      const { status, headers, body } = await whole(url, { redirect: "follow" }, 5e7);
      if (status !== 200) throw new Bad(`HTTP ${status}`);
      if (!magic.some((start) => body.toString("hex", 0, 4).startsWith(start))) throw new Bad("this is no picture");
      if (body.length < Number(headers.get("content-length"))) throw new Bad("it was cut short");
      const file = join(told("OUT_DIR"), `${taskId.replace(/[^\w-]/g, "")}.png`);
      await writeFile(file, body);
      return file;
    } catch (error) {
      if (!(error instanceof Bad)) throw error;
      if (number === 4) throw new Failed(`the picture cannot be had: ${error.message}`);
      await sleep(poll * number);
    }
  }
}

function finish(code, said) {
  console.log(JSON.stringify({ ...said, task_id: taskId ?? null }));
  process.exit(code);
}

process.on("SIGTERM", () => finish(1, { outcome: "interrupted" }));
try {
  taskId ??= await submit();
  finish(0, { outcome: "ok", file: await download(await wait()) });
} catch (error) {
  const known = error instanceof Failed || error instanceof GaveUp;
  const code = error instanceof GaveUp ? 3 : 1;
  finish(code, { outcome: code === 3 ? "gave up" : "failed", reason: known ? error.message : plain(error.message) });
}

// What the page asks of control, always for one session: its fingerprint stands for the key, which the page never has.

const HERE = "/_safelight";
let session = "";
let token = sessionStorage.getItem("safelight-token") || "";

export const choose = name => { session = name; };

export function bring(text) {
  token = text;
  sessionStorage.setItem("safelight-token", text);
}

export class Refusal extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

function headers(more = {}) {
  return { ...(session && { "x-safelight-session": session }), ...(token && { "x-safelight-token": token }), ...more };
}

export async function fetched(path, options = {}) {
  const answer = await fetch(HERE + path, { ...options, headers: headers(options.headers), cache: "no-store" });
  if (answer.ok) return answer;
  const document = await answer.json().catch(() => null);
  throw new Refusal(answer.status, document?.error?.message || `the fake answers ${answer.status}`);
}

export async function ask(method, path, body) {
  const json = body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
  return (await (await fetched(path, { method, ...json })).json()).data;
}

/** Hear of each exchange until `signal` ends that; when the connection is lost it goes on where it was. */
export async function listen(hear, live, signal) {
  let last = "";
  while (!signal.aborted) {
    try {
      const answer = await fetched("/events", { signal, headers: last ? { "last-event-id": last } : {} });
      live(true);
      for await (const event of events(answer.body)) {
        last = event.id || last;
        if (event.data) hear(event.event, JSON.parse(event.data));
      }
    } catch (error) {
      if (signal.aborted) return;
      live(false, error);
    }
    live(false);
    await new Promise(go => { setTimeout(go, 1000); });
  }
}

/** The server-sent events in a body. */
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (text + value).split("\n\n");
    text = blocks.pop();
    for (const block of blocks) {
      yield Object.fromEntries(block.split("\n").map(line => {
        const colon = line.indexOf(":");
        return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
      }));
    }
  }
}

// A client of orval, on fetch: submits a picture, and polls until it is there.
import { imageGeneration, taskStatus } from "../paths/orval";

export async function picture(baseUrl: string, key: string): Promise<string> {
  const there = globalThis.fetch;
  globalThis.fetch = (path, options) => there(new URL(String(path), baseUrl), options);
  const options = { headers: { "x-api-key": key } };
  const submitted = await imageGeneration({ prompt: "a lighthouse", workflow: "rr3" }, options);
  if (submitted.status !== 200) throw new Error(submitted.data.error.message);
  // @ts-expect-error: the types are no `any`
  submitted.data.data.ident;
  const task_id = submitted.data.data.id;
  for (;;) {
    const polled = await taskStatus({ task_id }, options);
    if (polled.status !== 200) throw new Error(polled.data.error.message);
    const task = polled.data.data;
    if (task.status === "failed") throw new Error(task.error);
    if (task.status === "completed") return task.result.image_url;
  }
}

// A client of @hey-api/openapi-ts: submits a picture, and polls until it is there.
import { imageGeneration, taskStatus } from "../paths/hey-api";
import { client } from "../paths/hey-api/client.gen";

export async function picture(baseUrl: string, key: string): Promise<string> {
  client.setConfig({ baseUrl, auth: key });
  const submitted = await imageGeneration({ body: { prompt: "a lighthouse", workflow: "rr3" }, throwOnError: true });
  // @ts-expect-error: the types are no `any`
  submitted.data.data.ident;
  const task_id = submitted.data.data.id;
  for (;;) {
    const polled = await taskStatus({ query: { task_id }, throwOnError: true });
    const task = polled.data.data;
    if (task.status === "failed") throw new Error(task.error);
    if (task.status === "completed") return task.result.image_url;
  }
}

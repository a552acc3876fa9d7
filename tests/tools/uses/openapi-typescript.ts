// A client with the types of openapi-typescript: submits a picture, and polls until it is there.
import createClient from "openapi-fetch";
import type { paths } from "../paths/openapi-typescript";

export async function picture(baseUrl: string, key: string): Promise<string> {
  const client = createClient<paths>({ baseUrl, headers: { "x-api-key": key } });
  const submitted = await client.POST("/v1/image_generation", { body: { prompt: "a lighthouse", workflow: "rr3" } });
  if (submitted.error) throw new Error(submitted.error.error.message);
  // @ts-expect-error: the types are no `any`
  submitted.data.data.ident;
  const task_id = submitted.data.data.id;
  for (;;) {
    const polled = await client.GET("/v1/task_status", { params: { query: { task_id } } });
    if (polled.error) throw new Error(polled.error.error.message);
    const task = polled.data.data;
    if (task.status === "failed") throw new Error(task.error);
    if (task.status === "completed") return task.result.image_url;
  }
}

// What openapi-typescript makes of the document of the control routes.
import createClient from "openapi-fetch";
import type { paths } from "../control/openapi-typescript";

export async function tasks(baseUrl: string, key: string): Promise<unknown> {
  const client = createClient<paths>({ baseUrl, headers: { "x-api-key": key } });
  await client.POST("/_safelight/next", { body: { timeline: [["queued", 2], "done"] } });
  return (await client.GET("/_safelight/tasks")).data?.data["tasks"];
}

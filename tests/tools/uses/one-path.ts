// What openapi-typescript makes of the document of one path: an answer is that of any operation of its method.
import type { paths } from "../one-path/openapi-typescript";

type Answer = paths["/v1/index.php"]["get"]["responses"][200]["content"]["application/json"];

export function found(answer: Answer): string | number {
  const data = answer.data;
  if ("balance" in data) return data.balance;
  return data.result ? data.result.image_url : data.status;
}

// Compiles all schemas of a folder, then reads lines [schema, document] and answers each with whether it is valid.
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Ajv2020 } from "ajv/dist/2020.js";

const [folder, unicodeRegExp] = process.argv.slice(2);
const schemas = readdirSync(folder).map((name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")));
const said = [];
const logger = { log: (one) => said.push(one), warn: (one) => said.push(one), error: (one) => said.push(one) };
const ajv = new Ajv2020({ strict: false, unicodeRegExp: unicodeRegExp === "true", logger, schemas });
for (const { $id } of schemas) ajv.getSchema($id);
console.log(JSON.stringify(said));

for await (const line of createInterface({ input: process.stdin })) {
  const [schema, document] = JSON.parse(line);
  console.log(JSON.stringify(ajv.validate(`${schema}.json`, document)));
}

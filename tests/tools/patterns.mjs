// Reads lines [pattern, [[unit, times], ...]], and answers each with whether the text fits, without and with the flag u.
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const [pattern, parts] = JSON.parse(line);
  const text = parts.map(([unit, times]) => unit.repeat(times)).join("");
  const answers = ["", "u"].map((flags) => {
    try {
      return new RegExp(pattern, flags).test(text);
    } catch (error) {
      return String(error);
    }
  });
  console.log(JSON.stringify(answers));
}

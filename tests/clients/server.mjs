// Ask questions with the server SDK: `node server.mjs ADDRESS SECRET QUESTIONS`, where QUESTIONS is a
// JSON list of [type, key, default, context]. Prints a JSON list of the details.
import { OpenFeature } from "@openfeature/server-sdk";
import { OFREPProvider } from "@openfeature/ofrep-provider";

const [baseUrl, secret, questions] = process.argv.slice(2);

await OpenFeature.setProviderAndWait(
  new OFREPProvider({ baseUrl, headers: [["Authorization", `Bearer ${secret}`]] }),
);
const client = OpenFeature.getClient();
const details = [];
for (const [type, key, fallback, context] of JSON.parse(questions)) {
  details.push(await client[`get${type}Details`](key, fallback, context));
}
console.log(JSON.stringify(details));
await OpenFeature.close();

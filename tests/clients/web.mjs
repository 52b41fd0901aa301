// Stay connected with the web SDK: `node web.mjs ADDRESS SECRET poll|stream`. Reads commands from stdin, one JSON
// list a line, and prints one JSON document for each:
//   ["context", context]       sets the context
//   ["ask", type, key, default] prints the details
//   ["changed"]                waits for flags to change, and prints their keys
//   ["statuses"]               prints the status of each response so far
import { createInterface } from "node:readline";
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";
import { EventSource } from "eventsource";

const [baseUrl, secret, how] = process.argv.slice(2);
if (how === "stream") globalThis.EventSource = EventSource; // which browsers have, and Node has not
const statuses = [];
const changes = [];
let tell = null;

async function counted(...request) {
  const response = await fetch(...request);
  statuses.push(response.status);
  return response;
}

const provider = new OFREPWebProvider({
  baseUrl,
  headers: [["Authorization", `Bearer ${secret}`]],
  pollInterval: how === "poll" ? 200 : 0, // milliseconds
  cacheMode: "disabled", // Node has no local storage
  fetchImplementation: counted,
});
const client = OpenFeature.getClient();
client.addHandler(ProviderEvents.ConfigurationChanged, (event) => {
  changes.push(event.flagsChanged);
  tell?.();
});

const commands = {
  async context(context) {
    await OpenFeature.setContext(context);
    return client.providerStatus;
  },
  ask: (type, key, fallback) => client[`get${type}Details`](key, fallback),
  statuses: () => statuses,
  async changed() {
    if (!changes.length) await new Promise((resolve) => { tell = resolve; });
    return changes.shift();
  },
};

try {
  await OpenFeature.setProviderAndWait(provider, { targetingKey: "1" });
  console.log(JSON.stringify(client.providerStatus));
} catch (error) {
  console.log(JSON.stringify(client.providerStatus));
}
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...rest] = JSON.parse(line);
  console.log(JSON.stringify((await commands[command](...rest)) ?? null));
}
await OpenFeature.close();

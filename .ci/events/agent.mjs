// An agent: a client of AI SDK, its store in memory, and the callback of the client
// itself.
import http from 'node:http';
import { createMCPClient, experimental_createMCPEventWebhook as createMCPEventWebhook } from '@ai-sdk/mcp';

// startAgent starts an agent of a server at a URL. It calls onEvent with each event.
export async function startAgent(url, token, onEvent) {
  const subscriptions = new Map(), controls = [], refused = [];
  const store = {
    get: async key => subscriptions.get(key),
    getById: async id => [...subscriptions.values()].find(s => s.id === id),
    set: async s => void subscriptions.set(s.key, s),
    update: async (key, patch) => void subscriptions.set(key, { ...subscriptions.get(key), ...patch }),
    delete: async key => void subscriptions.delete(key),
  };
  const handle = createMCPEventWebhook({
    store,
    onEvent: async ({ event }) => onEvent(event),
    onGap: async ({ gap }) => void controls.push(gap),
    onTerminated: async ({ termination }) => void controls.push(termination),
  });
  const callback = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answer = await handle(new Request(new URL(request.url, `http://${request.headers.host}`), {
      method: request.method, headers: request.headers, body: Buffer.concat(chunks),
    }));
    if (answer.status >= 400 && answer.status !== 503) refused.push(answer.status);
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    response.end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise(resolve => callback.listen(0, '127.0.0.1', resolve));
  const headers = { Authorization: `Bearer ${token}` };
  const client = await createMCPClient({ transport: { type: 'http', url: `${url}/mcp`, headers }, experimental_events: { store } });
  return {
    client, events: client.experimental_events, controls,
    refused, // statuses of requests that are not the agent's
    subscribe: ConversationSid => client.experimental_events.subscribe({
      name: 'onMessageAdded', arguments: { ConversationSid },
      delivery: { mode: 'webhook', url: `http://127.0.0.1:${callback.address().port}/events`, allowInsecureLocalhost: true },
    }),
    // poll is what the client does not have.
    poll: async (ConversationSid, cursor) => {
      const response = await fetch(`${url}/mcp`, {
        method: 'POST', headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'events/poll', params: { name: 'onMessageAdded', arguments: { ConversationSid }, cursor } }),
      });
      return (await response.json()).result;
    },
  };
}

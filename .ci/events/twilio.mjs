// The sandbox in place of Twilio, and what somebody does in it.
import { freePort, start } from './process.mjs';

export async function startTwilio(server, authToken) {
  const url = `http://127.0.0.1:${await freePort()}`;
  await start(server, ['sandbox', '--http', new URL(url).host], { TWILIO_AUTH_TOKEN: authToken }, `${url}/_sandbox/deliveries`);
  const ask = async (path, options = {}) => {
    const response = await fetch(url + path, { ...options, headers: { Authorization: 'Basic ' + btoa('SK1:secret'), 'X-Twilio-Webhook-Enabled': 'true' } });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  return {
    url,
    add: (conversation, Body) => ask(`/v1/Conversations/${conversation}/Messages`, { method: 'POST', body: new URLSearchParams({ Author: 'alice', Body }) }),
    webhooks: async conversation => (await ask(`/v1/Conversations/${conversation}/Webhooks`)).webhooks.filter(w => w.configuration.url?.includes('/events/')),
    // failures are the deliveries that were not accepted.
    failures: async () => (await ask('/_sandbox/deliveries')).filter(d => d.status !== 204 && d.url.includes('/events/')),
  };
}

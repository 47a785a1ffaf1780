// A sandbox of Twilio in front of the one of the server: it adds the messages of a
// conversation, and calls the webhooks as Twilio does when a message is added.
import { createHmac, randomBytes } from 'node:crypto';
import http from 'node:http';

const call = (url, options, body) => new Promise((resolve, reject) => {
  const request = http.request(url, options, response => {
    const chunks = [];
    response.on('data', chunk => chunks.push(chunk));
    response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) }));
  });
  request.on('error', reject);
  request.end(body);
});

export async function startTwilio(sandbox, authToken) {
  const messages = {}; // of each conversation, the oldest first
  const failures = [];
  const authorization = 'Basic ' + Buffer.from('SK1:secret').toString('base64');

  async function webhooks(conversation) {
    const { body } = await call(`${sandbox}/v1/Conversations/${conversation}/Webhooks`, { headers: { authorization } });
    return JSON.parse(body).webhooks.filter(w => w.configuration.url?.includes('/events/'));
  }

  async function fire(conversation, message) {
    await Promise.all((await webhooks(conversation)).map(async w => {
      const form = {
        AccountSid: message.account_sid, ConversationSid: conversation, EventType: 'onMessageAdded', MessageSid: message.sid,
        Index: String(message.index), Body: message.body, Author: message.author, Attributes: message.attributes, DateCreated: message.date_created, Source: 'SDK',
      };
      const signed = w.configuration.url + Object.keys(form).sort().map(name => name + form[name]).join('');
      const headers = {
        'content-type': 'application/x-www-form-urlencoded', 'i-twilio-idempotency-token': randomBytes(16).toString('hex'),
        'x-twilio-signature': createHmac('sha1', authToken).update(signed).digest('base64'),
      };
      const { status } = await call(w.configuration.url, { method: 'POST', headers }, new URLSearchParams(form).toString()).catch(error => ({ status: error.code }));
      if (status !== 204) failures.push(status);
    }));
  }

  async function add(conversation, body) {
    const list = messages[conversation] ??= [];
    const message = {
      sid: 'IM' + randomBytes(16).toString('hex'), account_sid: 'AC' + 'a'.repeat(32), conversation_sid: conversation, index: list.length, body,
      author: 'alice', participant_sid: null, attributes: '{}', media: null, date_created: new Date().toISOString().replace(/\.\d+/, ''),
    };
    list.push(message);
    await fire(conversation, message);
    return message;
  }

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, 'http://twilio');
    const conversation = url.pathname.match(/^\/v1\/Conversations\/([^/]+)\/Messages$/)?.[1];
    if (conversation) {
      const size = Number(url.searchParams.get('PageSize')), from = Number(url.searchParams.get('PageToken') ?? 0);
      const newest = [...messages[conversation] ?? []].reverse();
      const next = from + size < newest.length ? `https://conversations.twilio.com${url.pathname}?PageToken=${from + size}` : null;
      response.end(JSON.stringify({ messages: newest.slice(from, from + size), meta: { next_page_url: next } }));
      return;
    }
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { host, ...headers } = request.headers;
    const answer = await call(sandbox + request.url, { method: request.method, headers }, Buffer.concat(chunks));
    response.writeHead(answer.status, answer.headers);
    response.end(answer.body);
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, add, webhooks, failures, close: () => server.close() };
}

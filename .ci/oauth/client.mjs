// Signs in with the official TypeScript client, lists, and creates, for which
// the client asks for one more scope: node client.mjs URL ISSUER GRANT ERA [PREFIX]
//
// GRANT is authorization_code or client_credentials, ERA legacy or modern. With
// PREFIX, that of scopes, the client is registered with the issuer.
import assert from 'node:assert/strict';
import { Client, ClientCredentialsProvider, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { browse } from './browser.mjs';

const [url, issuer, grant, era, prefix = ''] = process.argv.slice(2);
const [read, write] = ['webhooks:read', 'webhooks:write'].map((scope) => prefix + scope);
const redirectUrl = 'http://127.0.0.1:9/callback'; // the browser stops there
const conversation = 'CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb';

// A public client that names a client metadata document as its ID.
class PublicClient {
  client = prefix ? { client_id: 'registered' } : undefined;
  requests = []; // parameters of the authorization requests
  redirectUrl = redirectUrl;
  clientMetadataUrl = 'https://client.example/mcp.json';
  clientMetadata = { client_name: 'check', redirect_uris: [redirectUrl], grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'], token_endpoint_auth_method: 'none' };
  state() { return 'state'; }
  clientInformation() { return this.client; }
  saveClientInformation(client) { this.client = client; }
  tokens() { return this.saved; }
  saveTokens(tokens) { this.saved = tokens; }
  codeVerifier() { return this.verifier; }
  saveCodeVerifier(verifier) { this.verifier = verifier; }
  discoveryState() { return this.discovery; }
  saveDiscoveryState(state) { this.discovery = state; }
  async redirectToAuthorization(request) {
    this.requests.push(Object.fromEntries(request.searchParams));
    this.callback = await browse(request, redirectUrl);
  }
}

const provider = grant === 'authorization_code' ? new PublicClient() :
  new ClientCredentialsProvider({ clientId: 'ci', clientSecret: 'ci-secret', expectedIssuer: issuer, scope: read });

// connected calls f with a client, after a sign-in if one is required.
async function connected(f) {
  for (;;) {
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider: provider });
    const client = new Client({ name: 'check', version: '1' }, { versionNegotiation: { mode: era === 'modern' ? 'auto' : 'legacy' } });
    try {
      await client.connect(transport);
      return await f(client);
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || !provider.callback) throw error;
      await transport.finishAuth(provider.callback.searchParams);
      provider.callback = undefined;
    } finally {
      await client.close();
    }
  }
}

const { tools } = await connected((client) => client.listTools());
assert.ok(tools.some((tool) => tool.name === 'create_conversation_webhook'), 'every tool is listed');
assert.equal(provider.tokens().scope, read);

const list = await connected((client) => client.callTool({ name: 'list_conversation_webhooks', arguments: { ConversationSid: conversation } }));
assert.ok(Array.isArray(list.structuredContent.webhooks), JSON.stringify(list));
assert.equal(provider.tokens().scope, read);

const created = await connected((client) => client.callTool({
  name: 'create_conversation_webhook',
  arguments: { ConversationSid: conversation, Target: 'webhook', 'Configuration.Url': 'https://example.com/hook', 'Configuration.Filters': ['onMessageAdded'] },
}));
assert.match(created.structuredContent?.sid ?? '', /^WH/, JSON.stringify(created));
// The roles of a registered application do not depend on what it asks for.
assert.deepEqual(provider.tokens().scope.split(' ').sort(), prefix && grant === 'client_credentials' ? [read] : [read, write]);

for (const [i, request] of (provider.requests ?? []).entries()) {
  assert.equal(request.resource, url);
  assert.equal(request.client_id, prefix ? 'registered' : provider.clientMetadataUrl);
  assert.equal(request.code_challenge_method, 'S256');
  assert.equal(request.scope.split(' ').includes(write), i > 0, 'the first sign-in asks for read only');
}

// An OAuth 2.1 authorization server for ./run: node provider.mjs PORT KEYFILE RESOURCE...
//
// It signs with the private key in KEYFILE, which it creates if there is none;
// the file's name is the key ID. It issues access tokens for the RESOURCEs: to
// the client "ci" by its secret, and to anyone who follows the redirects of an
// authorization request, as the user alice. It prints each request.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import Provider, { errors } from 'oidc-provider';
import { exportJWK, generateKeyPair } from 'jose';

const [port, keyFile, ...resources] = process.argv.slice(2);
const scopes = ['webhooks:read', 'webhooks:write'];
const lifetime = 300; // seconds

// The client metadata document that public clients name as their ID. The
// provider fetches it through its setting fetch, so that no TLS is needed.
const clientMetadata = {
  client_id: 'https://client.example/mcp.json',
  client_name: 'check',
  redirect_uris: ['http://127.0.0.1/callback', 'http://127.0.0.1:6276/oauth/callback'],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
  application_type: 'native',
};

async function signingKey() {
  if (!existsSync(keyFile)) {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true });
    writeFileSync(keyFile, JSON.stringify({ ...await exportJWK(privateKey), kid: basename(keyFile), use: 'sig', alg: 'RS256' }));
  }
  return JSON.parse(readFileSync(keyFile, 'utf8'));
}

function resourceServer(ctx, resource) {
  if (!resources.includes(resource)) throw new errors.InvalidTarget();
  return { audience: resource, scope: scopes.join(' '), accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } };
}

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [await signingKey()] },
  clients: [{ client_id: 'ci', client_secret: 'ci-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
  scopes: ['openid', 'offline_access', ...scopes],
  pkce: { required: () => true },
  ttl: { AccessToken: lifetime, ClientCredentials: lifetime, Grant: lifetime, Session: lifetime, Interaction: lifetime },
  cookies: { keys: ['check'] },
  features: {
    clientCredentials: { enabled: true },
    clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, useGrantedResource: () => true, getResourceServerInfo: resourceServer },
  },
  fetch: (url, options) => String(url) === clientMetadata.client_id ? Response.json(clientMetadata) : fetch(url, options),
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (ctx, { uid }) => `/approve/${uid}` },
});

provider.use(async (ctx, next) => {
  console.log(ctx.method, ctx.path);
  if (!ctx.path.startsWith('/approve/')) return next();
  const { params } = await provider.interactionDetails(ctx.req, ctx.res);
  const grant = new provider.Grant({ accountId: 'alice', clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? '');
  grant.addResourceScope(params.resource, params.scope ?? '');
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'alice' }, consent: { grantId: await grant.save() } });
});

provider.listen(port, '127.0.0.1', () => console.log('listening'));

// Judges what the Inspector wrote with --format json, for one check of run.
// Usage: node check.mjs CHECK STDOUT STDERR   (two files)
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

const [check, stdout, stderr] = process.argv.slice(2);

const webhooks = ["list_conversation_webhooks", "create_conversation_webhook"];
const manage = ["ensure_conversation_webhook", "fetch_conversation_webhook", "update_conversation_webhook", "delete_conversation_webhook"];
const conversations = ["list_conversations", "list_participant_conversations", "fetch_conversation", "list_conversation_services", "check_conversation_webhooks"];
const configuration = ["fetch_webhook_configuration", "update_webhook_configuration", "list_address_configurations"];
const docs = ["search_documentation", "get_documentation"];
const all = [...webhooks, ...manage, ...conversations, ...configuration, ...docs];

const view = "ui://twilio-conversations/webhooks.html";
const page = (name) => `twilio-conversations://docs/${name}`;
const pages = ["operations", "guides"].flatMap((kind) =>
  readdirSync(new URL(`../../internal/docs/${kind}`, import.meta.url)).sort().map((file) => page(`${kind}/${file.replace(/\.md$/, "")}`)));

const skills = [
  ["twilio-conversation-webhooks", ["finding", "addressing", "targets", "events", "safe-creates", "troubleshooting", "levels"]],
  ["receive-twilio-webhooks", ["receiving", "testing", "troubleshooting"]],
].flatMap(([name, guides]) => ["SKILL.md", ...guides.map((guide) => `references/${guide}.md`)].map((file) => `skill://${name}/${file}`));

// A check gets the object that was written, all objects if there are several lines, and what is on stderr.
const checks = {
  "tools: no flags": tools(webhooks),
  "tools: --toolsets webhooks": tools(webhooks),
  "tools: --toolsets manage": tools(manage),
  "tools: --toolsets conversations": tools(conversations),
  "tools: --toolsets configuration": tools(configuration),
  "tools: --toolsets configuration --read-only": tools(["fetch_webhook_configuration", "list_address_configurations"]),
  "tools: --toolsets docs": tools(docs),
  "tools: --toolsets webhooks,manage,conversations": tools([...webhooks, ...manage, ...conversations]),
  "tools: --toolsets all": tools(all),
  "tools: --toolsets all --read-only": tools(["list_conversation_webhooks", "fetch_conversation_webhook", ...conversations,
    "fetch_webhook_configuration", "list_address_configurations", ...docs]),
  "tools: /docs/mcp": tools(docs),

  "conversations: one of them"({ result }) {
    assert.equal(result.structuredContent.conversations.length, 1);
  },
  "conversations: of an address"({ result }) {
    const { conversations } = result.structuredContent;
    assert.ok(conversations.length > 0);
    for (const conversation of conversations) {
      assert.equal(conversation.participant_messaging_binding.address, "+15558675310");
    }
  },
  "conversations: by unique name"({ result }) {
    assert.equal(result.structuredContent.sid, "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  },
  services({ result }) {
    assert.equal(result.structuredContent.services.length, 2);
  },
  check({ result }) {
    const { conversation, webhooks, findings } = result.structuredContent;
    assert.equal(conversation.unique_name, "support/42");
    assert.equal(webhooks.length, 3);
    assert.ok(findings.some(({ severity }) => severity === "problem"));
  },
  "error: Identity and Address"({ result }) {
    assert.equal(result.isError, true);
    assert.match(text(result), /Identity/);
    assert.match(text(result), /Address/);
  },
  configuration({ result }) {
    assert.equal(result.structuredContent.post_webhook_url, "https://example.com/account");
  },
  addresses({ result }) {
    assert.equal(result.structuredContent.address_configurations[0].address, "+15017122662");
  },
  "configuration: update"({ result }) {
    assert.equal(result.structuredContent.post_webhook_url, "https://example.com/new");
  },

  "list: three webhooks"({ result }) {
    assert.equal(result.structuredContent.webhooks.length, 3);
  },
  "create: --tool-args-json": created,
  "create: --tool-arg": created,
  "ensure: the webhook exists"({ result }) {
    assert.equal(result.structuredContent.sid, "WH00000000000000000000000000000001");
    assert.equal(result._meta.existing, true);
  },
  "ensure: a new webhook"({ result }) {
    assert.match(result.structuredContent.sid, /^WH[0-9a-f]{32}$/);
    assert.deepEqual(result.structuredContent.configuration.triggers, ["help, please"]);
    assert.equal(result._meta.existing, false);
  },
  fetch({ result }) {
    assert.equal(result.structuredContent.sid, "WH00000000000000000000000000000003");
    assert.equal(result.structuredContent.target, "studio");
  },
  update({ result }) {
    const { sid, configuration } = result.structuredContent;
    assert.equal(sid, "WH00000000000000000000000000000001");
    assert.equal(configuration.url, "https://example.com/new");
    assert.deepEqual(configuration.filters.sort(), ["onConversationRemoved", "onMessageAdded"]);
  },
  delete({ result }) {
    assert.deepEqual(result.structuredContent, { sid: "WH00000000000000000000000000000002", deleted: true });
  },
  "error: unknown conversation"({ result }) {
    assert.match(text(result), /\bcode 20404\b/);
  },
  "error: PageSize 9"({ result }) {
    assert.match(text(result), /(^| )PageSize must be at most 5, not 9\.$/);
  },
  "error: no create"({ error }) {
    assert.equal(error.code, -32602);
    assert.match(error.message, /there is no tool "create_conversation_webhook"/);
  },

  search_documentation({ result }) {
    const [first] = result.structuredContent.results;
    assert.equal(first.uri, page("guides/limits"));
    assert.match(first.passage, /50361/);
    assert.deepEqual(JSON.parse(text(result)), result.structuredContent);
  },
  get_documentation({ result }) {
    assert.deepEqual(result.structuredContent.pages.map(({ uri }) => uri), [page("guides/limits")]);
    assert.deepEqual(result.structuredContent.missing, ["nothing"]);
    assert.match(text(result), /^# Limits\n/);
  },
  "resources/list: the pages, the view and the skills": resources([...pages, ...skills, view]),
  "resources/list: the pages": resources(pages),
  "resources/templates/list"({ result }) {
    const templates = result.resourceTemplates.map(({ uriTemplate }) => uriTemplate);
    assert.deepEqual(templates.sort(), [page("guides/{guide}"), page("operations/{operation}")]);
  },
  "resources/read"({ result }) {
    const [{ uri, mimeType, text }] = result.contents;
    assert.deepEqual([uri, mimeType], [page("guides/limits"), "text/markdown"]);
    assert.match(text, /^# Limits\n/);
  },
  "resources/read: an unknown URI"({ error }) {
    assert.match(error.message, /there is no resource "twilio-conversations:\/\/docs\/guides\/nothing"/);
  },
  "completion/complete: a guide"({ result }) {
    assert.deepEqual(result.completion.values, ["events"]);
  },

  "prompts/list"({ result }) {
    assert.deepEqual(result.prompts.map(({ name }) => name).sort(), ["audit_webhooks", "connect_bot", "connect_studio_flow", "why_does_my_webhook_not_fire"]);
    for (const prompt of result.prompts) {
      assert.ok(prompt.arguments.every(({ description }) => description), `every argument of ${prompt.name} is described`);
    }
  },
  "prompts/list: none"({ result }) {
    assert.deepEqual(result.prompts, []);
  },
  "prompts/get"({ result }) {
    const [{ content }] = result.messages;
    assert.match(content.text, /ensure_conversation_webhook/);
    const wanted = {
      ConversationSid: "empty room", Target: "webhook", "Configuration.Url": "https://example.com/bot?a=b",
      "Configuration.Filters": ["onMessageAdded", "onParticipantAdded"],
    };
    assert.ok(content.text.includes(JSON.stringify(wanted)), "the message has the arguments of the tool");
  },
  "prompts/get: no Url"({ error }) {
    assert.match(error.message, /argument Url is required/);
  },
  "completion/complete: an event"({ result }) {
    const events = ["Added", "Updated", "Removed"].map((what) => `onMessageAdded, onMessage${what}`);
    assert.deepEqual(result.completion.values.sort(), events.sort());
  },

  "tools/list --app-info"(_, infos) {
    assert.deepEqual(infos.map(({ toolName }) => toolName), all);
    const withView = infos.filter(({ hasApp }) => hasApp);
    assert.deepEqual(withView.map(({ toolName }) => toolName), [...webhooks, "ensure_conversation_webhook", "fetch_conversation_webhook", "check_conversation_webhooks"]);
    for (const { resourceUri, resourceMimeType, csp } of withView) {
      assert.deepEqual([resourceUri, resourceMimeType, csp], [view, "text/html;profile=mcp-app", {}]);
    }
  },
};

// Findings of --strict that are warnings leave the exit code at 0. They are in schemaFindings, beside result, and
// in words on stderr, where the server itself writes nothing.
function tools(names) {
  return (answer, _, errors) => {
    assert.deepEqual(answer.result.tools.map(({ name }) => name), names);
    assert.deepEqual(Object.keys(answer), ["result"]);
    assert.equal(errors, "");
  };
}

function resources(uris) {
  return ({ result }) => {
    assert.deepEqual(result.resources.map(({ uri }) => uri).sort(), [...uris].sort());
    assert.ok(result.resources.every(({ title, description, mimeType }) => title && description && mimeType));
  };
}

function created({ result }) {
  const { sid, configuration } = result.structuredContent;
  assert.match(sid, /^WH[0-9a-f]{32}$/);
  assert.equal(configuration.url, "https://example.com/hook?a=b");
  assert.deepEqual(configuration.filters.sort(), ["onMessageAdded", "onMessageRemoved"]);
  assert.equal(configuration.replay_after, 0);
}

function text(result) {
  return result.content.map((block) => block.text).join("\n");
}

try {
  const [output, errors] = [stdout, stderr].map((file) => readFileSync(file, "utf8"));
  const answers = (output || errors).trim().split("\n").map((line) => JSON.parse(line));
  checks[check](answers[0], answers, errors);
} catch (reason) {
  console.error(reason.message);
  process.exitCode = 1;
}

// Judges what the Inspector wrote with --format json, for one check of run.
// Usage: node check.mjs CHECK STDOUT STDERR   (two files)
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const [check, stdout, stderr] = process.argv.slice(2);

const checks = {
  // Warnings leave the exit code at 0. They are in schemaFindings, beside
  // result, and in words on stderr, where the server itself writes nothing.
  "tools/list --strict"(answer, errors) {
    assert.deepEqual(Object.keys(answer), ["result"]);
    assert.equal(errors, "");
  },
  "both tools are listed"({ result }) {
    const names = result.tools.map((tool) => tool.name).sort();
    assert.deepEqual(names, ["create_conversation_webhook", "list_conversation_webhooks"]);
  },
  "list: three webhooks"({ result }) {
    assert.equal(result.structuredContent.webhooks.length, 3);
  },
  "create: --tool-args-json": created,
  "create: --tool-arg": created,
  "error: unknown conversation"({ result }) {
    assert.match(text(result), /\bcode 20404\b/);
  },
  "error: PageSize 9"({ result }) {
    assert.match(text(result), /(^| )PageSize must be at most 5, not 9\.$/);
  },
  "resources/list"({ result }) {
    const pages = result.resources.filter((resource) => resource.uri.startsWith("twilio-conversations://docs/"));
    assert.equal(pages.length, 14);
    assert.ok(pages.every((page) => page.title && page.description && page.mimeType === "text/markdown" && page.annotations.audience));
  },
  "resources/templates/list"({ result }) {
    const templates = result.resourceTemplates.map((template) => template.uriTemplate).sort();
    assert.deepEqual(templates, ["twilio-conversations://docs/guides/{guide}", "twilio-conversations://docs/operations/{operation}"]);
  },
  "resources/read"({ result }) {
    assert.match(result.contents[0].text, /^# Events\n/);
  },
  "resources/read: unknown"(_, errors) {
    assert.match(errors, /there is no resource/);
  },
  "prompts/list"({ result }) {
    const names = result.prompts.map((prompt) => prompt.name).sort();
    assert.deepEqual(names, ["audit_webhooks", "connect_bot", "connect_studio_flow"]);
  },
  "prompts/get"({ result }) {
    assert.match(result.messages[0].content.text, /support\/42[^]*list_conversation_webhooks[^]*create_conversation_webhook/);
  },
  "documentation: two tools"({ result }) {
    assert.deepEqual(result.tools.map((tool) => tool.name), ["search_documentation", "get_documentation"]);
  },
  "documentation: search"({ result }) {
    assert.equal(result.structuredContent.results[0].uri, "twilio-conversations://docs/guides/events");
    assert.deepEqual(JSON.parse(text(result)), result.structuredContent);
  },
  "documentation: get"({ result }) {
    assert.match(text(result), /^# Events\n/);
    assert.deepEqual(result.structuredContent.missing, ["nothing"]);
  },
  "documentation: no page"({ result }) {
    assert.match(text(result), /There is no page "nothing"\. The pages are list, create,/);
  },
};

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
  checks[check](JSON.parse(readFileSync(stdout, "utf8") || "{}"), readFileSync(stderr, "utf8"));
} catch (reason) {
  console.error(reason.message);
  process.exitCode = 1;
}

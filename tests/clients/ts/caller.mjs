// The TypeScript SDK's client of the 1.x line, steered by lines of JSON on standard input.
//
// node caller.mjs URL. One request a line: {"id", "list": true}, or {"id", "tool", "arguments"}.
// One answer a line, with the request's id and in any order: {"names"}, {"text", "structured",
// "isError"}, or {"refused": message} where the server answered with a JSON-RPC error. The end of
// the input ends the session and the process.

import { createInterface } from 'node:readline';

import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpError } from '@modelcontextprotocol/sdk/types.js';

const CALL_MILLISECONDS = 60_000;

const transport = new StreamableHTTPClientTransport(new URL(process.argv[2]));
const client = new Client({ name: 'pgmcp-scenario-typescript', version: '1' });

async function names() {
  const listed = await client.listTools();
  return { names: listed.tools.map((tool) => tool.name) };
}

async function call({ tool, arguments: given }) {
  const parameters = { name: tool, arguments: given };
  const result = await client.callTool(parameters, undefined, { timeout: CALL_MILLISECONDS });
  const texts = result.content.filter((part) => part.type === 'text').map((part) => part.text);
  return {
    text: texts.join('\n'),
    structured: result.structuredContent ?? null,
    isError: result.isError === true,
  };
}

async function answer(request) {
  try {
    return request.list ? await names() : await call(request);
  } catch (error) {
    if (error instanceof McpError) {
      return { refused: error.message };
    }
    throw error;
  }
}

function say(answered) {
  process.stdout.write(`${JSON.stringify(answered)}\n`);
}

await client.connect(transport);
if (!transport.sessionId) {
  throw new Error('the gateway assigned no Mcp-Session-Id');
}
say({ revision: transport.protocolVersion, server: client.getServerVersion() });
const running = new Set();
for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  const task = answer(request).then((answered) => say({ id: request.id, ...answered }));
  running.add(task);
  task.finally(() => running.delete(task));
}
await Promise.all(running);
await transport.terminateSession();
await client.close();

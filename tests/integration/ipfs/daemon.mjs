// A real IPFS node for one test, off line: `node daemon.mjs REPO_DIRECTORY`.
// Prints {"api": "/ip4/127.0.0.1/tcp/PORT"} when it answers, and stops when its standard input closes, so that no node
// outlives the test that started it.
import process from "node:process";

// The libraries expect a newer Node.js than 20.
Promise.withResolvers ??= function () {
  const parts = {};
  parts.promise = new Promise((resolve, reject) => Object.assign(parts, { resolve, reject }));
  return parts;
};

const { create } = await import("ipfs-core");
const { HttpApi } = await import("ipfs-http-server");

const anyPort = "/ip4/127.0.0.1/tcp/0";
const node = await create({
  repo: process.argv[2],
  offline: true,
  silent: true,
  config: { Addresses: { Swarm: [], API: anyPort, Gateway: anyPort }, Bootstrap: [], Discovery: { MDNS: { Enabled: false } } },
});
const api = new HttpApi(node);
await api.start();
const { port } = new URL(api._apiServers[0].info.uri);
process.stdout.write(`${JSON.stringify({ api: `/ip4/127.0.0.1/tcp/${port}` })}\n`);

process.stdin.resume();
process.stdin.on("end", async () => {
  await api.stop();
  await node.stop();
  process.exit(0);
});

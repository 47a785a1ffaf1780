// Programs that run until this one ends.
import { spawn } from 'node:child_process';
import net from 'node:net';

export const freePort = () => new Promise(resolve => {
  const server = net.createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

// start starts a program, and waits until a URL of it answers.
export async function start(program, args, env, url) {
  const child = spawn(program, args, { env: { PATH: process.env.PATH, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  child.log = '';
  child.stderr.on('data', data => { child.log += data; });
  process.on('exit', () => child.kill()); // nginx ends its workers only if it is asked
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null) throw new Error(`${program} ended: ${child.log}`);
    const answered = await fetch(url).then(() => true, () => false);
    if (answered) return child;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${url} does not answer: ${child.log}`);
}

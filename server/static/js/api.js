/** The REST API from a page: JSON in, JSON out, and an Error that says what the server said. */

/**
 * @param {string} method
 * @param {string} path below the server's address, as /api/v1/runs
 * @param {object} [body]
 * @param {{headers?: Record<string, string>, signal?: AbortSignal}} [more]
 * @returns {Promise<any>}
 */
export async function call(method, path, body, more = {}) {
  const headers = { Accept: "application/json", ...more.headers };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: more.signal,
  });
  if (answer.status === 401) location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
  if (!answer.ok) throw new Error(await problem(answer));
  return answer.status === 204 ? null : answer.json();
}

/** @param {string} path */
export async function text(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(await problem(answer));
  return { text: await answer.text(), headers: answer.headers };
}

/** @param {Response} answer */
async function problem(answer) {
  try {
    const { error } = await answer.json();
    return error.todo ? `${error.message} ${error.todo}` : error.message;
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

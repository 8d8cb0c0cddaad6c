// Asking the server: its own endpoints as JSON, S3 as XML. S3 is asked by XMLHttpRequest because it parses an answer
// into a document by itself: the page's policy lets nobody else make markup of text.

export class Refused extends Error {}
export class Gone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

export async function ask(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
      cache: "no-store",
    });
  } catch {
    throw new Gone();
  }
  const text = await answer.text();
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Refused(text.trim() || `${method} ${path} was answered with ${answer.status}.`);
  }
  if (!answer.ok) throw new Refused(value.error || `${method} ${path} was answered with ${answer.status}.`);
  return value;
}

export const get = (path) => ask("GET", `/_headrace/${path}`);
export const post = (path, body) => ask("POST", `/_headrace/${path}`, body);
export const remove = (path) => ask("DELETE", `/_headrace/${path}`);

const child = (node, name) => [...node.children].find((one) => one.localName === name)?.textContent ?? "";

function refusal(request) {
  const root = request.responseType === "document" && request.response?.documentElement;
  if (root && root.localName === "Error") return `${child(root, "Code")}: ${child(root, "Message")}`;
  return `The server answered ${request.status} ${request.statusText}.`;
}

export function s3(method, path, { body, headers, as = "document", progress } = {}) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, path);
    request.responseType = as;
    for (const [name, value] of Object.entries(headers || {})) request.setRequestHeader(name, value);
    if (progress) request.upload.onprogress = (event) => progress(event.loaded, event.total);
    request.onload = () =>
      request.status < 300
        ? resolve(request)
        : reject(Object.assign(new Refused(refusal(request)), { status: request.status }));
    request.onerror = () => reject(new Gone());
    request.send(body);
  });
}

// One piece a key: browsers resolve "." and ".." between slashes before they send anything. A key that is nothing else
// cannot be asked for by a browser at all.
export const objectPath = (bucket, key) => `/${encodeURIComponent(bucket)}/${encodeURIComponent(key)}`;
export const addressable = (key) => key !== "." && key !== "..";

// S3's own wish for the answer's headers: whatever the object says it is, it is saved and never shown in this origin.
export function downloadPath(bucket, key) {
  const name = encodeURIComponent(key.slice(key.lastIndexOf("/") + 1) || "object").replace(
    /['()*!]/g,
    (c) => `%${c.charCodeAt(0).toString(16)}`,
  );
  const disposition = encodeURIComponent(`attachment; filename*=UTF-8''${name}`);
  return `${objectPath(bucket, key)}?response-content-type=application%2Foctet-stream&response-content-disposition=${disposition}`;
}

const unescaped = (text) => {
  const spaced = text.replace(/\+/g, " ");
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
};

export async function listObjects(bucket, { prefix = "", token = "", most = 50 } = {}) {
  const query = new URLSearchParams({ "list-type": "2", "encoding-type": "url", "max-keys": String(most) });
  if (prefix) query.set("prefix", prefix);
  if (token) query.set("continuation-token", token);
  const root = (await s3("GET", `/${encodeURIComponent(bucket)}?${query}`)).response.documentElement;
  const objects = [...root.children].filter((node) => node.localName === "Contents");
  return {
    next: child(root, "NextContinuationToken"),
    objects: objects.map((node) => ({
      key: unescaped(child(node, "Key")),
      size: Number(child(node, "Size")),
      modified: child(node, "LastModified"),
    })),
  };
}

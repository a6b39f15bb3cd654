// Keeps the page for use without a network. FILES and VERSION are set where the page is served.
const CACHE = `creditbank-verifier-${self.VERSION}`;
const LATER = ["vendor/zxing.js", "vendor/zxing_reader.wasm", "vendor/jsonld.js"];

self.addEventListener("install", (event) => {
  const now = self.FILES.filter((name) => !LATER.includes(name));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(now)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys())
        if (name.startsWith("creditbank-verifier-") && name !== CACHE) await caches.delete(name);
      await self.clients.claim();
    })(),
  );
});

// The page asks for the rest once it is idle, so that its camera works without a network too.
self.addEventListener("message", (event) => {
  if (event.data === "rest") event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(LATER)));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const base = new URL("./", self.location);
  const asked = new URL(request.url);
  if (request.method !== "GET" || asked.origin !== base.origin) return;
  const name = asked.pathname.slice(base.pathname.length);
  // A QR code's link has no slash at its end; a redirect keeps its fragment.
  if (request.mode === "navigate" && `${asked.pathname}/` === base.pathname) event.respondWith(Response.redirect(base));
  else if (request.mode === "navigate" && name === "") event.respondWith(kept("./", request));
  else if (self.FILES.includes(name)) event.respondWith(kept(name, request));
});

async function kept(name, request) {
  const cache = await caches.open(CACHE);
  const found = await cache.match(name);
  if (found) return found;
  const response = await fetch(request);
  if (response.ok && self.FILES.includes(name)) await cache.put(name, response.clone());
  return response;
}

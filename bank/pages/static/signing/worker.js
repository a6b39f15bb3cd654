// Signs and appends an upload's awards away from the page, so that the page stays at hand.
//
// The next batch is signed while the one before is on its way. What was handed in is known to the
// server, and a record gives the same lot again: whoever stops may go on, and nothing is doubled.
import { base64url } from "/v/core/bytes.js";
import { encode } from "/v/core/canonical.js";
import { canonicaliser } from "/v/core/rdf.js";
import { Institution, unitCredits } from "./institution.js";
import { shapedCanonicaliser } from "./nquads.js";

const BATCH = 200;
let isPaused = false;

self.onmessage = async ({ data }) => {
  if (data.pause) {
    isPaused = true;
    return;
  }
  isPaused = false;
  try {
    await run(data);
  } catch (error) {
    self.postMessage({ problem: error.message });
  }
};

async function run({ keys, about, upload, token, shapes }) {
  self.postMessage({ state: "preparing" });
  const send = sender(token);
  const read = async (address) => {
    const response = await fetch(address, { headers: { Accept: "application/json" } });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
    return answer;
  };
  const { results, done, alone } = await read(`/registrar/uploads/${upload}/results`);
  const institution = new Institution(keys, about, await canonicaliserOf(read, shapes));
  const units = unitCredits(results);
  if (!done) await publish(institution, units, upload, send);
  if (results.length - done > alone && !(await approved(institution, results, units, upload, send))) return self.postMessage({ state: isPaused ? "paused" : "waiting" });
  self.postMessage({ state: "signing" });
  let sending = Promise.resolve();
  for (let start = done; start < results.length && !isPaused; start += BATCH) {
    const batch = results.slice(start, start + BATCH);
    const submissions = await signed(institution, batch, units, send);
    await sending;
    if (isPaused) break;
    const reached = start + batch.length;
    sending = send(`/registrar/uploads/${upload}/signed/statements`, { statements: submissions, done: reached }).then(({ outcomes }) =>
      self.postMessage({ done: reached, declined: declinedOf(batch, outcomes) }),
    );
    // A failure is told where it is waited for.
    sending.catch(() => {});
  }
  await sending;
  if (isPaused) return self.postMessage({ state: "paused" });
  self.postMessage({ state: "finished", next: (await send(`/registrar/uploads/${upload}/signed/finish`, {})).next });
}

async function publish(institution, units, upload, send) {
  self.postMessage({ state: "units" });
  const all = [...units.values()];
  for (let start = 0; start < all.length; start += BATCH) {
    const statements = [];
    for (const { unit, credits } of all.slice(start, start + BATCH)) statements.push(await institution.publishUnit(unit, credits));
    const { outcomes } = await send(`/registrar/uploads/${upload}/signed/statements`, { statements, done: 0 });
    const place = outcomes.findIndex(({ outcome }) => outcome === "declined");
    if (place >= 0) throw new Error(`${statements[place].signed.statement.body.unit}: ${outcomes[place].reason}`);
  }
}

// More awards than one person hands in: whether a second person has approved exactly these.
async function approved(institution, results, units, upload, send) {
  self.postMessage({ state: "batch" });
  const awards = [];
  for (let start = 0; start < results.length && !isPaused; start += BATCH) {
    const batch = results.slice(start, start + BATCH);
    const slots = await slotsOf(institution, batch, send);
    awards.push(...(await Promise.all(batch.map((result, place) => institution.awarding(result, creditsOf(units, result), slots[place])))));
  }
  if (isPaused) return false;
  const signed = await institution.approveBatch(awards);
  return (await send(`/registrar/uploads/${upload}/signed/batch`, { awards: awards.map(base64url), signed })).approved;
}

async function signed(institution, batch, units, send) {
  const slots = await slotsOf(institution, batch, send);
  const now = new Date();
  return Promise.all(batch.map((result, place) => institution.award(result, creditsOf(units, result), slots[place], now)));
}

async function slotsOf(institution, batch, send) {
  const lots = await Promise.all(batch.map((result) => institution.lot(result.source_key)));
  return (await send("/registrar/slots", { lots })).slots;
}

const creditsOf = (units, { unit }) => units.get(`${unit.code}@${unit.version}`).credits;

const declinedOf = (batch, outcomes) =>
  outcomes.flatMap(({ outcome, reason }, place) => (outcome === "declined" ? [{ line: batch[place].line, reason }] : []));

function sender(token) {
  return async (address, value) => {
    const headers = { "Content-Type": "application/json", Accept: "application/json", "X-Form-Token": token };
    const response = await fetch(address, { method: "POST", headers, body: encode(value) });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.detail || `${response.status}`);
    return answer;
  };
}

async function canonicaliserOf(read, shapes) {
  let contexts;
  const whole = async (document) => {
    contexts ??= await read("/v/data/contexts.json");
    return canonicaliser(() => import("/v/vendor/jsonld.js"), contexts)(document);
  };
  return shapedCanonicaliser(await read(shapes), whole);
}

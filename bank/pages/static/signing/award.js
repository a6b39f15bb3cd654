// One award: corrected, suspended, reinstated, or proposed for revocation.
import { get, institution, send, unlocking } from "./desk.js";

const box = document.querySelector("[data-award]");
const problem = document.querySelector("[data-problem]");
let keys = null;

unlocking((found) => {
  keys = found;
  for (const button of box.querySelectorAll("form button")) button.disabled = false;
});

for (const form of box?.querySelectorAll("form") ?? [])
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      location.assign(await acts[form.dataset.act](Object.fromEntries(new FormData(form))));
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      button.disabled = false;
    }
  });

const { award: lot, appeal } = box?.dataset ?? {};

const acts = {
  correct: async ({ credits, grade, expires, reason }) => {
    const own = await institution(keys);
    const { result, available } = await get(`/registrar/awards/${lot}/result`);
    const after = { ...result, credits, grade: grade || null, expires: expires || null };
    const successor = await own.correction(lot, after);
    const { slots } = await send("/registrar/slots", { lots: [successor] });
    await append([await own.correct(lot, after, available, slots[0], new Date(), reason, appeal)]);
    return `/registrar/awards/${successor}`;
  },
  suspend: ({ reason }) => event("suspend", { appeal, lot, reason }),
  reinstate: ({ reason }) => event("reinstate", { lot, reason }),
  revoke: async ({ reason }) => {
    const signed = await (await institution(keys)).state("revoke", { appeal, lot, reason });
    return (await send("/registrar/signed/proposals", { signed })).next;
  },
};

async function event(kind, body) {
  await append([{ signed: await (await institution(keys)).state(kind, body) }]);
  return location.pathname;
}

async function append(statements) {
  const { outcomes } = await send("/registrar/signed/statements", { statements });
  const declined = outcomes.find(({ outcome }) => outcome === "declined");
  if (declined) throw new Error(declined.reason);
}

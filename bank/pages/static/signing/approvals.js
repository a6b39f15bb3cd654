// The second person's signature under what the first has signed.
import { parse } from "/v/core/canonical.js";
import { institution, send, unlocking } from "./desk.js";

const problem = document.querySelector("[data-problem]");
let keys = null;

unlocking((found) => {
  keys = found;
  for (const button of document.querySelectorAll("[data-sign]")) button.disabled = false;
});

for (const item of document.querySelectorAll("[data-approval]"))
  item.querySelector("[data-sign]")?.addEventListener("click", async ({ target }) => {
    problem.hidden = true;
    target.disabled = true;
    try {
      const signed = await (await institution(keys)).join(parse(item.dataset.signed));
      location.assign((await send(`/registrar/approvals/${item.dataset.approval}/sign`, { signed })).next);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
      target.disabled = false;
    }
  });

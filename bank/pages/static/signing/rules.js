// Recognition rules: a draft is tried on one award or on all, then signed; or a rule withdrawn.
import { institution, send, unlocking } from "./desk.js";

const form = document.querySelector("[data-draft]");
const problem = document.querySelector("[data-problem]");
const outcome = document.querySelector("[data-outcome]");
const texts = Object.fromEntries([...document.querySelectorAll("[data-text]")].map((item) => [item.dataset.text, item.textContent]));
let keys = null;

unlocking((found) => {
  keys = found;
  for (const button of document.querySelectorAll("[data-publish], [data-withdraw]")) button.disabled = false;
});

form.addEventListener("submit", (event) => event.preventDefault());
on("[data-try]", async () => show(await send("/registrar/rules/try", { rule: draft(), lot: document.getElementById("try-lot").value.trim() })));
on("[data-publish]", async () => {
  await append("rule.publish", draft());
  location.assign("/registrar/rules");
});
for (const button of document.querySelectorAll("[data-withdraw]"))
  on(button, async () => {
    await append("rule.withdraw", { code: button.dataset.code, version: Number(button.dataset.version) });
    location.assign("/registrar/rules");
  });

function on(target, act) {
  const button = typeof target === "string" ? document.querySelector(target) : target;
  button?.addEventListener("click", async () => {
    problem.hidden = true;
    if (form.contains(button) && !form.reportValidity()) return;
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    button.disabled = false;
  });
}

/** The rule's body, of what the form says; what is left empty is not asked. */
function draft() {
  const data = new FormData(form);
  const text = (name) => String(data.get(name) ?? "").trim();
  const listed = (name) => text(name).split(/[,，\s]+/).filter(Boolean);
  const institutions = data.getAll("institutions");
  const source = {};
  if (institutions.length) source.institutions = institutions.map(String).sort();
  const units = listed("units");
  if (units.length && institutions.length === 1) {
    source.units = units.map((unit) => ({ institution: String(institutions[0]), unit }));
    delete source.institutions;
  }
  const fields = listed("fields");
  if (fields.length) source.fields = fields.sort();
  if (text("framework") && text("level")) Object.assign(source, { framework: text("framework"), level: text("level") });
  if (text("grade")) source.grade = text("grade");
  if (text("age")) source.age = Number(text("age"));
  source.ratio = text("ratio") || "1";
  const body = {
    code: text("code"),
    from: text("from"),
    rounding: { mode: "down", step: text("step") },
    sources: [source],
    target: text("target"),
    title: { en: text("title_en"), zh: text("title_zh") },
    until: text("until"),
    version: Number(text("version")),
  };
  return text("cap") ? { ...body, cap: text("cap") } : body;
}

async function append(kind, body) {
  const signed = await (await institution(keys)).state(kind, body);
  const { outcomes } = await send("/registrar/signed/statements", { statements: [{ signed }] });
  if (outcomes[0].outcome === "declined") throw new Error(outcomes[0].reason);
}

function show(found) {
  outcome.replaceChildren(...(found.decisions ? decided(found.decisions) : tried(found)));
  outcome.hidden = false;
}

function decided(decisions) {
  return decisions.flatMap((decision) => {
    const title = element("h3", decision.recognised ? `${texts.yes}: ${decision.credits} ${texts.credits}` : texts.no);
    const lines = element("ul");
    for (const line of decision.lines) {
      const item = element("li", `${line.passed === false ? "✗" : line.passed === null ? "?" : "✓"} ${line.sentence}`);
      item.lang = "en";
      lines.append(item);
    }
    return [title, lines];
  });
}

function tried(trial) {
  const facts = element("dl");
  facts.className = "facts";
  const line = (name, value) => facts.append(element("dt", name), element("dd", String(value)));
  line(texts.lots, trial.lots);
  for (const [name, count] of Object.entries(trial.outcomes)) if (count) line(texts[name], count);
  line(texts.before, trial.before);
  line(texts.after, trial.after);
  if (trial.unchecked) line(texts.unchecked, trial.unchecked);
  const examples = element("ul");
  for (const one of trial.examples) examples.append(element("li", `${texts[one.outcome]}: ${one.unit} (${one.lot}) ${one.failed.join("; ")}`));
  return [facts, examples];
}

function element(name, text = "") {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

// The report as a page: the verdict first, then who and what, the checks, and the evidence.
// Everything of the credential enters as text, never as markup.
import { sentence, word } from "./core/report.js";
import { advice } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const LOOKS = {
  "verified": ["verified", "M20 6 9 17l-5-5"],
  "verified with a caution": ["caution", "M12 3 2 21h20L12 3Zm0 6v6m0 3v.01"],
  "not verified": ["bad", "M5 5l14 14M19 5 5 19"],
  "cannot tell": ["open", "M8.5 9a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1.2-1.5 2.3m0 3v.01"],
};
const WORST_FIRST = ["not verified", "cannot tell", "verified with a caution", "verified"];
const MARKS = {
  passed: "M20 6 9 17l-5-5",
  caution: "M12 3 2 21h20L12 3Zm0 6v6m0 3v.01",
  failed: "M5 5l14 14M19 5 5 19",
  open: "M8.5 9a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1.2-1.5 2.3m0 3v.01",
  not: "M6 12h12",
};

/** Elements of the result of `report`, for the page's section; `say` are the page's words. */
export function resultView(result) {
  const { report, tables, language, say } = result;
  const told = [say(report.verdict), report.verdict.startsWith("verified") && say("identity")];
  return [banner(report.verdict, told, tables, language), ...details(result)];
}

/** Elements of several results under one share link: the worst verdict, then each to be opened. */
export function sharedView({ results, tables, language, say }) {
  const worst = WORST_FIRST.find((one) => results.some(({ report }) => report.verdict === one));
  const good = results.filter(({ report }) => report.verdict === "verified").length;
  const told = [say("sharedCount", { good, count: results.length }), good && say("identity")];
  const items = results.map((one) => {
    const [look, path] = LOOKS[one.report.verdict];
    const { achievement, learner } = one.report.subject;
    return element("details", { className: "shared" },
      element("summary", {},
        element("span", {}, element("b", { dir: "auto" }, achievement || say("claims")), " ", element("span", { dir: "auto" }, learner)),
        element("span", { className: `tag ${look}` }, icon(path), word(tables, "verdicts", one.report.verdict, language)),
      ),
      element("p", {}, say(one.report.verdict)),
      ...details({ ...one, tables, language, say }),
    );
  });
  return [banner(worst, told, tables, language), element("h2", {}, say("sharedAwards")), ...items];
}

function banner(verdict, told, tables, language) {
  const [look, path] = LOOKS[verdict];
  const title = element("h1", { id: "verdict", tabIndex: -1 }, word(tables, "verdicts", verdict, language));
  const lines = told.filter(Boolean).map((text) => element("p", {}, text));
  return element("div", { className: `verdict ${look}`, role: "status" }, icon(path), element("div", {}, title, ...lines));
}

function details({ report, evidence, tables, language, say }) {
  return [
    report.subject.credential && about(report, language, say),
    element("h2", {}, say("checks")),
    element("ul", { className: "checks" }, ...worstFirst(report.checks).map((one) => checkView(one, tables, language, say))),
    element("p", { className: "hint" }, say("checkedAt", {
      day: report.at.slice(0, 10), time: report.at.slice(11, 16), version: report.trust.version,
    })),
    element("details", { className: "evidence" },
      element("summary", {}, say("evidence")),
      element("p", {}, say("evidenceLead")),
      element("pre", { tabIndex: 0 }, JSON.stringify(forEngineers(report, evidence), null, 2)),
    ),
  ].filter(Boolean);
}

function about({ subject, verdict }, language, say) {
  const registered = subject.issuerNames[language];
  const rows = [
    ["learner", subject.learner],
    ["achievement", subject.achievement],
    ["credits", subject.credits],
    ["level", subject.level],
    ["issuer", registered ?? say("notRegistered", { did: subject.issuer })],
    ["validFrom", subject.validFrom],
    ["validUntil", subject.validUntil || say("noEnd")],
  ].filter(([, value]) => value);
  const isBad = verdict === "not verified";
  return element("div", { className: `about ${isBad ? "claimed" : ""}` },
    isBad && element("h2", {}, say("claims")),
    element("dl", {}, ...rows.flatMap(([name, value]) => [
      element("dt", {}, say(name)),
      element("dd", { className: name === "learner" ? "who" : "", dir: "auto" }, value),
    ])),
  );
}

function checkView(one, tables, language, say) {
  const kind = kindOf(one);
  const outcome = word(tables, "outcomes", one.outcome, language);
  const marked = one.outcome === "passed" && one.caution ? `${outcome}, ${say("caution")}` : outcome;
  const told = [marked, one.date].filter(Boolean).join(" · ");
  const help = advice(one);
  return element("li", { className: `mark-${kind}` },
    icon(MARKS[kind]),
    element("h3", {}, word(tables, "names", one.name, language), " ", element("span", {}, `(${told})`)),
    element("p", { className: "says" }, sentence(tables, one, language)),
    help && element("p", { className: "do" }, say(help)),
  );
}

/** What decided comes first; the rest stays in the order it was checked. */
function worstFirst(checks) {
  const ranks = ["failed", "open", "caution"];
  const rank = (one) => (ranks.includes(kindOf(one)) ? ranks.indexOf(kindOf(one)) : ranks.length);
  return checks.toSorted((one, other) => rank(one) - rank(other));
}

function kindOf({ outcome, caution, unknown }) {
  if (outcome === "failed") return "failed";
  if (unknown) return "open";
  if (caution) return "caution";
  return outcome === "passed" ? "passed" : "not";
}

/** The whole report, with the receipt's parts laid open. */
function forEngineers(report, { credential, receipt, form }) {
  return { report, form, credential, receipt: receipt === null ? null : receipt.split("\n") };
}

function icon(path) {
  const picture = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({
    viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": "2.6", "stroke-linecap": "round",
    "stroke-linejoin": "round", "aria-hidden": "true",
  }))
    picture.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  picture.append(line);
  return picture;
}

/** An element with properties and children; falsy children are left out. */
export function element(tag, properties, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children.filter(Boolean));
  return made;
}

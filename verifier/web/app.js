// The page: what is shown to it goes through the core, and the report comes back to the screen.
import { enclosedTrust, isOneFile, json } from "./assets.js";
import { Camera } from "./camera.js";
import { BadTrust, Newer, Several, Unreadable } from "./core/errors.js";
import { readEvidence, readFragment, readText } from "./core/evidence.js";
import { day } from "./core/moment.js";
import { canonicaliser } from "./core/rdf.js";
import { shown } from "./core/spelling.js";
import { verify } from "./core/verification.js";
import { isCredential, pixels, textsIn } from "./decoder.js";
import { readShare, shareOf } from "./share.js";
import { TrustStore } from "./store.js";
import { element, resultView, sharedView } from "./view.js";
import { Told, wordsIn } from "./words.js";

const CLEAR_AFTER = 120; // seconds
const DAY = 86_400_000;
const ADVICE = [[Several, "isSeveral"], [Newer, "isNewer"], [BadTrust, "isBadTrust"], [Error, "isUnreadable"]];
const $ = (id) => document.getElementById(id);

const state = { language: navigator.language.startsWith("zh") ? "zh" : "en", results: [], clock: 0, left: 0, refreshing: null, problem: null };
let say = wordsIn(state.language);
const camera = new Camera($("video"));
const [tables, dictionary, contexts] = await Promise.all(["sentences.json", "dictionary-1.json", "contexts.json"].map(json));
const dictionaries = { 1: dictionary };
const canonicalise = canonicaliser(() => import("./vendor/jsonld.js"), contexts);
const store = await openStore();

async function openStore() {
  const opened = await TrustStore.open().catch((error) => {
    problem(error);
    return new TrustStore();
  });
  const enclosed = enclosedTrust();
  if (enclosed) await opened.add(enclosed).catch(() => {}); // a newer one is kept already
  return opened;
}

function paint() {
  document.documentElement.lang = state.language === "zh" ? "zh-Hans" : "en";
  document.title = say("name");
  for (const place of document.querySelectorAll("[data-words]")) place.textContent = say(place.dataset.words);
  $("language").textContent = state.language === "zh" ? "English" : "中文";
  $("language").lang = state.language === "zh" ? "en" : "zh-Hans";
  paintTrust();
  if (state.problem) paintProblem();
  if (state.results.length) paintResult();
}

function paintTrust() {
  const now = Date.now();
  const items = store.bundles.map((trust) => {
    const line = say("trustItem", {
      name: shown(trust.names[state.language]), version: trust.version, issued: day(trust.issued),
      age: age(trust.issued, now), members: trust.members.size,
    });
    const warning =
      now > trust.expires ? say("trustOver", { until: day(trust.expires) })
      : now > trust.nextUpdate ? say("trustDue", { due: day(trust.nextUpdate) })
      : now < trust.issued ? say("trustEarly") : "";
    const root = element("code", { title: trust.fingerprint }, trust.fingerprint.slice(0, 16));
    return element("li", {}, line, element("br", {}), say("trustRoot"), " ", root, warning && element("p", { className: "old" }, `⚠ ${warning}`));
  });
  $("banks").replaceChildren(...(items.length ? items : [element("li", {}, say("trustNone"))]));
}

function age(then, now) {
  const days = Math.round((Date.parse(day(now)) - Date.parse(day(then))) / DAY);
  if (days < 0) return say("inFuture");
  return days === 0 ? say("today") : days === 1 ? say("yesterday") : say("daysAgo", { days });
}

/** Check whatever `read` gives: evidence, or several under a share link. */
async function check(read) {
  clear();
  $("busy").textContent = say("checking");
  const started = performance.now();
  try {
    const shown = [await read()].flat();
    // Whoever is quicker than the first trust bundle gets the answer with it, not a complaint.
    if (!store.bundles.length) await state.refreshing;
    if (!store.bundles.length) throw new Told("noTrust");
    const results = [];
    for (const evidence of shown) results.push(await checked(evidence));
    state.results = results;
    startClock();
    performance.measure(`${shown[0].form}-to-verdict`, { start: started });
  } catch (error) {
    problem(error);
  } finally {
    $("busy").textContent = "";
  }
}

async function checked(evidence) {
  const trust = store.forEvidence(evidence);
  return { evidence, report: await verify(evidence, trust, Date.now(), canonicalise) };
}

function paintResult() {
  const buttons = element("div", { className: "ways" },
    button("another", () => { clear(); $("ask-title").focus(); }),
    button("print", () => window.print()),
  );
  const left = element("p", { className: "hint clears" }, element("span", { id: "clears" }), " ", button("keep", stopClock));
  const words = { tables, language: state.language, say };
  const [only, ...more] = state.results;
  const view = more.length ? sharedView({ results: state.results, ...words }) : resultView({ ...only, ...words });
  $("result").replaceChildren(...view, buttons, ...(state.clock ? [left] : []));
  $("result").hidden = false;
  $("ask").hidden = true;
  paintClock();
}

function button(name, act) {
  const made = element("button", { type: "button", onclick: act }, say(name));
  made.dataset.act = name;
  return made;
}

// A result is somebody's personal data: it does not stay on a screen that nobody looks at.
function startClock() {
  state.left = CLEAR_AFTER;
  clearInterval(state.clock);
  state.clock = setInterval(() => {
    state.left--;
    if (state.left > 0) return paintClock();
    clear();
    $("busy").textContent = say("cleared");
    $("ask-title").focus();
  }, 1000);
  paintResult();
  $("verdict").focus();
}

function stopClock() {
  clearInterval(state.clock);
  state.clock = 0;
  paintResult();
  $("verdict").focus();
}

function paintClock() {
  const place = $("clears");
  if (place) place.textContent = say("clears", { seconds: state.left });
}

function clear() {
  camera.stop();
  $("camera").hidden = true;
  clearInterval(state.clock);
  Object.assign(state, { results: [], clock: 0 });
  $("result").hidden = true;
  $("ask").hidden = false;
  $("result").replaceChildren();
  hideProblem();
  $("text").value = "";
}

function hideProblem() {
  state.problem = null;
  $("problem").hidden = true;
}

function problem(error) {
  state.problem = error;
  paintProblem();
  $("problem").hidden = false;
  $("problem-title").focus();
}

/** What to do, in the reader's language; what exactly is wrong is told in English, as in a report. */
function paintProblem() {
  const error = state.problem;
  const isTold = error instanceof Told;
  const isKnown = error instanceof Unreadable || error instanceof BadTrust;
  const advice = isTold ? say(error.word, error.values) : say(ADVICE.find(([kind]) => error instanceof kind)[1]);
  const why = say("because", { reason: shown(isKnown ? error.message : String(error)) });
  $("problem-title").textContent = say("problem");
  $("problem-text").replaceChildren(element("p", {}, advice), ...(isTold ? [] : [element("p", {}, why)]));
  if (!isTold && !isKnown) console.error(error);
}

async function openFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (isTrust(bytes)) return takeTrust(bytes);
  await check(async () => (await readEvidence(bytes, file.name, dictionaries)) ?? fromPicture(file));
}

async function fromPicture(file) {
  const picture = await pixels(file);
  const texts = picture ? await textsIn(picture) : [];
  if (!texts.length) throw new Told("noCode", { name: file.name });
  if (texts.length > 1 && isCredential(texts[0])) throw new Told("manyCodes", { name: file.name });
  return fromCode(texts[0]);
}

async function fromCode(text) {
  if (!isCredential(text)) throw new Told("otherCode", { text: shown(text.slice(0, 300)) });
  return readText(text, "the QR code", dictionaries);
}

const isTrust = (bytes) => new TextDecoder().decode(bytes.subarray(0, 15)) === '{"signatures":[';

async function takeTrust(bytes) {
  try {
    const trust = await store.add(bytes, agree);
    if (!trust) return;
    hideProblem();
    $("trust-state").textContent = say("imported", { name: trust.names[state.language], version: trust.version });
    await checkAgain();
  } catch (error) {
    problem(error);
  }
  paintTrust();
}

/** Whoever gives somebody a false credential can give a false bank's trust bundle with it. */
function agree(trust) {
  const dialog = $("confirm");
  const names = trust.names[state.language];
  $("confirm-text").textContent = say("confirmText", { name: shown(names), domain: shown(trust.domain), members: trust.members.size });
  $("confirm-root").textContent = trust.fingerprint.match(/.{8}/g).join(" ");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** What is on the screen, once more, where there is a newer trust bundle now. */
async function checkAgain() {
  const { results } = state;
  if (!results.some(({ evidence, report }) => store.forEvidence(evidence).version !== report.trust.version)) return;
  const again = [];
  for (const { evidence } of results) again.push(await checked(evidence));
  if (state.results !== results) return;
  state.results = again;
  paintResult();
}

/** Get the bank's newest trust bundle; without a network the one kept is used. */
async function refresh() {
  try {
    const response = await fetch("trust.json", { cache: "no-cache" });
    if (!response.ok) throw new TypeError(`${response.status}`);
    await store.add(new Uint8Array(await response.arrayBuffer()));
    $("trust-state").textContent = say("refreshed");
    await checkAgain();
  } catch (error) {
    if (error instanceof BadTrust) problem(error);
    else $("trust-state").textContent = say("offline");
  }
  paintTrust();
}

/** A QR code that a phone's own camera opened, or a share link's secret, is in the fragment; it stays nowhere. */
async function takeFragment() {
  const fragment = location.hash.slice(1);
  if (!fragment) return;
  history.replaceState(null, "", location.pathname + location.search);
  const secret = shareOf(fragment);
  await check(() => (secret === null ? readFragment(fragment, dictionaries) : readShare(secret)));
}

async function scan(device) {
  clear();
  $("ask").hidden = true;
  $("camera").hidden = false;
  $("camera-title").focus();
  $("camera-state").textContent = say("starting");
  $("video").onplaying = async () => {
    $("camera-state").textContent = say("looking");
    $("torch").hidden = !camera.hasTorch;
    $("switch").hidden = (await camera.next()) === null;
  };
  try {
    const text = await camera.scan(device);
    if (text !== null) await check(() => fromCode(text));
  } catch (error) {
    clear();
    const isRefused = error instanceof DOMException || error instanceof TypeError;
    problem(isRefused ? new Told("noCamera") : error);
  }
}

function listen() {
  $("language").onclick = () => {
    state.language = state.language === "zh" ? "en" : "zh";
    say = wordsIn(state.language);
    paint();
  };
  $("scan").onclick = () => scan();
  $("stop").onclick = () => { clear(); $("scan").focus(); };
  $("switch").onclick = async () => scan(await camera.next());
  $("torch").onclick = async () => {
    const on = $("torch").ariaPressed !== "true";
    await camera.setTorch(on);
    $("torch").ariaPressed = String(on);
  };
  $("check").onclick = () => {
    const text = $("text").value.trim();
    return check(() => readText(text, say("pasteLabel"), dictionaries));
  };
  for (const [id, take] of [["file", openFile], ["trust-file", async (file) => takeTrust(new Uint8Array(await file.arrayBuffer()))]])
    $(id).onchange = async ({ target }) => {
      const [file] = target.files;
      if (file) await take(file);
      target.value = "";
    };
  $("refresh").onclick = refresh;
  $("refresh").hidden = isOneFile();
  $("confirm-yes").onclick = () => $("confirm").close("yes");
  $("confirm-no").onclick = () => $("confirm").close("no");
  window.onhashchange = takeFragment;
  document.ondragover = (event) => { event.preventDefault(); document.body.classList.add("over"); };
  document.ondragleave = () => document.body.classList.remove("over");
  document.ondrop = async (event) => {
    event.preventDefault();
    document.body.classList.remove("over");
    const [file] = event.dataTransfer.files;
    if (file) await openFile(file);
  };
  document.onpaste = async (event) => {
    const [file] = event.clipboardData.files;
    if (file && event.target !== $("text")) await openFile(file);
  };
}

/** Keep the page for use without a network; the decoder too, once there is nothing else to do. */
async function keepOffline() {
  if (isOneFile() || !("serviceWorker" in navigator)) return;
  const wide = new URL(".", location.href).pathname.replace(/\/$/, "");
  await navigator.serviceWorker
    .register("sw.js", { scope: wide || "./" })
    .catch(() => navigator.serviceWorker.register("sw.js"))
    .then(() => navigator.serviceWorker.ready)
    .then(({ active }) => !navigator.connection?.saveData && active.postMessage("rest"))
    .catch(() => {}); // without it the page still works, online
}

paint();
listen();
if (!isOneFile()) state.refreshing = refresh();
document.documentElement.dataset.ready = "yes";
performance.mark("ready");
await takeFragment();
await state.refreshing;
await keepOffline();

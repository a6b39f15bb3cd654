// The page that signs an upload: keys, a button, and how far it has come.
import { about, formToken, unlocking } from "./desk.js";

const box = document.querySelector("[data-signing]");
const part = (name) => box.querySelector(`[data-${name}]`);
const texts = Object.fromEntries([...document.querySelectorAll("[data-text]")].map((item) => [item.dataset.text, item.textContent]));
const bar = box.querySelector("progress");
const worker = new Worker("/static/signing/worker.js", { type: "module" });
let keys = null;
let begun = 0;
let first = 0;

unlocking((found) => {
  keys = found;
  part("start").disabled = false;
});

part("start").addEventListener("click", () => {
  part("problem").hidden = true;
  part("waiting").hidden = true;
  part("start").disabled = true;
  part("pause").hidden = false;
  begun = performance.now();
  first = bar.value;
  worker.postMessage({ keys, about: about(), upload: box.dataset.upload, token: formToken(), shapes: document.getElementById("institution").dataset.shapes });
});

part("pause").addEventListener("click", () => worker.postMessage({ pause: true }));

worker.onmessage = ({ data }) => {
  if (data.state) part("state").textContent = texts[data.state];
  if (data.done !== undefined) {
    bar.value = data.done;
    part("count").textContent = data.done;
    const rate = Math.round((data.done - first) / ((performance.now() - begun) / 1000));
    part("rate").textContent = `· ${rate} ${texts.rate}`;
    for (const { line, reason } of data.declined) decline(line, reason);
  }
  if (data.problem) {
    part("problem").textContent = data.problem;
    part("problem").hidden = false;
  }
  if (data.state === "waiting") part("waiting").hidden = false;
  if (data.problem || data.state === "paused" || data.state === "waiting") {
    part("start").disabled = false;
    part("pause").hidden = true;
  }
  if (data.state === "finished") {
    part("pause").hidden = true;
    if (part("declined-box").hidden) location.assign(data.next);
  }
};

function decline(line, reason) {
  part("declined-box").hidden = false;
  const item = document.createElement("li");
  item.textContent = `${line}: ${reason}`;
  part("declined").append(item);
}

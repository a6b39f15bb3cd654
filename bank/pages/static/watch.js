// Follows work that the server does in the background, and opens the page anew when it is done.
const PAUSE = 800;
const number = new Intl.NumberFormat(document.documentElement.lang);

async function follow(place) {
  const bar = place.querySelector("progress");
  const text = place.querySelector("[data-done]");
  for (;;) {
    await new Promise((later) => setTimeout(later, PAUSE));
    let state;
    try {
      state = await (await fetch(place.dataset.watch, { headers: { Accept: "application/json" } })).json();
    } catch {
      continue; // the server is away for a moment
    }
    if (!state.running) {
      location.reload();
      return;
    }
    bar.max = Math.max(1, state.total);
    bar.value = state.done;
    text.textContent = number.format(state.done);
  }
}

for (const place of document.querySelectorAll("[data-watch]")) follow(place);

// A file dropped on a form, or chosen: its name is shown.
for (const form of document.querySelectorAll("[data-drop]")) {
  const input = form.querySelector("input[type=file]");
  const place = form.querySelector(".drop");
  const chosen = form.querySelector("[data-chosen]");
  const tell = () => (chosen.textContent = input.files[0]?.name ?? "");
  input.addEventListener("change", tell);
  for (const kind of ["dragenter", "dragover"])
    place.addEventListener(kind, (event) => {
      event.preventDefault();
      place.classList.add("over");
    });
  for (const kind of ["dragleave", "drop"]) place.addEventListener(kind, () => place.classList.remove("over"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    tell();
  });
}

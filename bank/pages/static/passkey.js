// Passkeys: asks the browser for one as the server's options say, and sends its answer.
const from = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const to = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function post(address, fields) {
  const token = document.querySelector('meta[name="form-token"]')?.content ?? "";
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-Form-Token": token } });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail || `${response.status}`);
  return answer;
}

function creation(options) {
  return {
    ...options,
    challenge: from(options.challenge),
    user: { ...options.user, id: from(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map((item) => ({ ...item, id: from(item.id) })),
  };
}

function described(credential) {
  const { response } = credential;
  const fields = response.attestationObject
    ? { attestationObject: to(response.attestationObject), transports: response.getTransports?.() ?? [] }
    : { authenticatorData: to(response.authenticatorData), signature: to(response.signature), userHandle: response.userHandle ? to(response.userHandle) : null };
  return JSON.stringify({
    id: credential.id,
    rawId: to(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment,
    response: { clientDataJSON: to(response.clientDataJSON), ...fields },
  });
}

async function run(button) {
  const { options: asked, finish, kind } = button.dataset;
  const form = button.form ?? button.closest("form");
  const fields = form ? Object.fromEntries([...new FormData(form)].filter(([, value]) => typeof value === "string")) : {};
  const options = await post(asked, fields);
  const credential =
    kind === "create"
      ? await navigator.credentials.create({ publicKey: creation(options) })
      : await navigator.credentials.get({ publicKey: { ...options, challenge: from(options.challenge), allowCredentials: [] } });
  const { next } = await post(finish, { ...fields, answer: described(credential) });
  location.assign(next);
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  if (!window.PublicKeyCredential) button.disabled = true;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    const problem = document.getElementById("passkey-problem");
    problem.hidden = true;
    if (button.form && ![...button.form.elements].filter((item) => item.matches("[data-needed]")).every((item) => item.reportValidity())) return;
    button.disabled = true;
    try {
      await run(button);
    } catch (error) {
      problem.textContent = error.name === "NotAllowedError" ? problem.dataset.cancelled : error.message;
      problem.hidden = false;
    }
    button.disabled = false;
  });
}

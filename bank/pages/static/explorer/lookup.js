// The commitment of a credential in a file, worked out here; only it goes to the server.
import { base64url, utf8 } from "/v/core/bytes.js";
import { encode, without } from "/v/core/canonical.js";
import { readEvidence } from "/v/core/evidence.js";
import { sha256 } from "/v/vendor/noble.js";

const problem = document.querySelector("[data-lookup] [data-problem]");

document.getElementById("file").addEventListener("change", async ({ target }) => {
  problem.hidden = true;
  try {
    const file = target.files[0];
    const { credential } = await readEvidence(new Uint8Array(await file.arrayBuffer()), file.name, {});
    location.assign(`/explore/lookup?q=${base64url(sha256(utf8(encode(without(credential, "proof")))))}`);
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
  }
});

// Times @digitalbazaar/vc: one JSON question on stdin, {"rate"} or {"verified"} on stdout.
//   {"mode": "issue"|"verify", "suite", "count", "credential", "contexts", "controller", "seed", "method"}
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {readFileSync} from 'node:fs';

const question = JSON.parse(readFileSync(0, 'utf8'));
const documents = new Map(Object.entries(question.contexts));
documents.set(question.controller.id, question.controller);
for(const method of question.controller.verificationMethod) {
  documents.set(method.id, method);
}
const documentLoader = async url => {
  if(!documents.has(url)) {
    throw new Error(`there is no document ${url}`);
  }
  return {contextUrl: null, documentUrl: url, document: documents.get(url), tag: 'static'};
};
const isJcs = question.suite === 'eddsa-jcs-2022';

async function verify() {
  const suites = {'eddsa-jcs-2022': [jcs.createVerifyCryptosuite()], 'eddsa-rdfc-2022': [rdfc]};
  suites.both = Object.values(suites).flat();
  const done = await vc.verifyCredential({
    credential: question.credential,
    suite: suites[question.suite].map(cryptosuite => new DataIntegrityProof({cryptosuite})),
    documentLoader,
    checkStatus: async () => ({verified: true})
  });
  if(!done.verified) {
    throw done.error;
  }
}

let signer;
async function issue() {
  const cryptosuite = isJcs ? jcs.createSignCryptosuite() : rdfc;
  const {proof, ...credential} = question.credential;
  await vc.issue({
    credential, suite: new DataIntegrityProof({signer, cryptosuite}), documentLoader
  });
}

if(question.mode === 'issue') {
  const key = await Ed25519Multikey.generate({
    id: question.method,
    controller: question.controller.id,
    seed: Uint8Array.from(Buffer.from(question.seed, 'hex'))
  });
  signer = key.signer();
}
const once = question.mode === 'issue' ? issue : verify;
for(let i = 0; i < question.warm; ++i) {
  await once();
}
const start = process.hrtime.bigint();
for(let i = 0; i < question.count; ++i) {
  await once();
}
const seconds = Number(process.hrtime.bigint() - start) / 1e9;
process.stdout.write(JSON.stringify({rate: question.count / seconds}));

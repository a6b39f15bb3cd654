// Verifies and issues credentials with @digitalbazaar/vc: a JSON question on each line of stdin, a
// JSON answer on each line of stdout. Started by tests/conformance/test_peer_digitalbazaar.py.
//
//   {"credential", "suites", "contexts", "controller", "now"}          -> {"verified", "error"}
//   {"credential", "suites", "contexts", "method", "seed", "created"}  -> {"credential", "error"}
//
// `contexts` maps URLs to JSON-LD contexts, `controller` is the issuer's DID document, `seed` (hex)
// makes a question ask for a signature under the verification method `method`.
import net from 'node:net';
import readline from 'node:readline';

import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/eddsa-jcs-2022-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite as rdfc} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';

// Nothing may be fetched: a connection fails, whatever library asks for it.
net.Socket.prototype.connect = () => {
  throw new Error('the network is out of bounds here');
};

const SUITES = {
  'eddsa-rdfc-2022': {verifying: () => rdfc, signing: () => rdfc},
  'eddsa-jcs-2022': {verifying: jcs.createVerifyCryptosuite, signing: jcs.createSignCryptosuite}
};

function loaderOf({contexts, controller}) {
  const documents = new Map(Object.entries(contexts));
  if(controller) {
    documents.set(controller.id, controller);
    for(const method of controller.verificationMethod) {
      documents.set(method.id, method);
    }
  }
  return async url => {
    if(!documents.has(url)) {
      throw new Error(`there is no document ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document: documents.get(url), tag: 'static'};
  };
}

async function verify(question) {
  const {verified, error} = await vc.verifyCredential({
    credential: question.credential,
    suite: question.suites.map(
      name => new DataIntegrityProof({cryptosuite: SUITES[name].verifying()})),
    documentLoader: loaderOf(question),
    now: question.now,
    // What is asked here is whether the proofs hold. A status list is another document, which would
    // have to be fetched, and the peer refuses a credentialStatus without somebody to ask about it.
    checkStatus: async () => ({verified: true})
  });
  return {verified, error: error ? sentence(error) : null};
}

async function issue(question) {
  const key = await Ed25519Multikey.generate({
    id: question.method,
    controller: question.method.split('#')[0],
    seed: Buffer.from(question.seed, 'hex')
  });
  let {credential} = question;
  for(const name of question.suites) {
    const suite = new DataIntegrityProof({
      signer: key.signer(), date: question.created, cryptosuite: SUITES[name].signing()
    });
    credential = await vc.issue({credential, suite, documentLoader: loaderOf(question)});
  }
  return {credential, error: null};
}

function sentence(error) {
  const causes = [...(error.errors || []), error.cause, error.details?.cause].filter(Boolean);
  return [error.message, ...causes.map(sentence)].join(': ');
}

for await (const line of readline.createInterface({input: process.stdin})) {
  const question = JSON.parse(line);
  let answer;
  try {
    answer = await ('seed' in question ? issue(question) : verify(question));
  } catch(error) {
    answer = {verified: false, error: sentence(error)};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}

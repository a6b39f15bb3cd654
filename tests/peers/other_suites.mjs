// Signs and verifies with the suites that other issuers use, by @digitalbazaar/vc: a JSON question
// on each line of stdin, a JSON answer on each line of stdout. Keys are did:key.
//
//   {"make": "P-256" | "P-384" | "2020", "form": "rdfc" | "jcs", "credential", "contexts"}
//   {"check": credential, "form", "contexts"}
//   {"present": [credential], "domain", "challenge", "contexts"}    (by a new Ed25519 key)
//   {"open": presentation, "domain", "challenge", "contexts"}
import net from 'node:net';
import readline from 'node:readline';

import * as EcdsaMultikey from '@digitalbazaar/ecdsa-multikey';
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import * as jcs from '@digitalbazaar/ecdsa-jcs-2019-cryptosuite';
import * as vc from '@digitalbazaar/vc';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {Ed25519Signature2020} from '@digitalbazaar/ed25519-signature-2020';
import {Ed25519VerificationKey2020} from '@digitalbazaar/ed25519-verification-key-2020';
import {cryptosuite as eddsa} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {cryptosuite as rdfc} from '@digitalbazaar/ecdsa-rdfc-2019-cryptosuite';

net.Socket.prototype.connect = () => {
  throw new Error('the network is out of bounds here');
};
const SUITES = {
  rdfc: {signing: () => rdfc, verifying: () => rdfc},
  jcs: {signing: jcs.createSignCryptosuite, verifying: jcs.createVerifyCryptosuite}
};

function loaderOf(contexts) {
  return async url => {
    const did = url.split('#')[0];
    let document = contexts[url];
    if(did.startsWith('did:key:')) {
      const publicKeyMultibase = did.slice(8);
      const id = `${did}#${publicKeyMultibase}`;
      const method = {
        '@context': 'https://w3id.org/security/multikey/v1',
        id, type: 'Multikey', controller: did, publicKeyMultibase
      };
      document = url === id ? method : {
        '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1'],
        id: did, verificationMethod: [method], assertionMethod: [id], authentication: [id]
      };
    }
    if(!document) {
      throw new Error(`there is no document ${url}`);
    }
    return {contextUrl: null, documentUrl: url, document, tag: 'static'};
  };
}

async function make({make, form, credential, contexts}) {
  let suite;
  let key;
  if(make === '2020') {
    key = await Ed25519VerificationKey2020.generate();
    key.controller = `did:key:${key.publicKeyMultibase}`;
    key.id = `${key.controller}#${key.publicKeyMultibase}`;
    suite = new Ed25519Signature2020({key});
  } else {
    key = await EcdsaMultikey.generate({curve: make});
    key.controller = `did:key:${key.publicKeyMultibase}`;
    key.id = `${key.controller}#${key.publicKeyMultibase}`;
    const cryptosuite = form === 'jcs' ? SUITES.jcs.signing() : SUITES.rdfc.signing();
    suite = new DataIntegrityProof({signer: key.signer(), cryptosuite});
  }
  const issued = await vc.issue({
    credential: {...credential, issuer: key.controller}, suite, documentLoader: loaderOf(contexts)
  });
  return {credential: issued};
}

async function check({check, form, contexts}) {
  const suite = new DataIntegrityProof({cryptosuite: SUITES[form].verifying()});
  const {verified, error} = await vc.verifyCredential(
    {credential: check, suite, documentLoader: loaderOf(contexts)});
  return {verified, error: error ? String(error.errors?.[0] ?? error) : null};
}

async function present({present, domain, challenge, contexts}) {
  const key = await Ed25519Multikey.generate();
  key.controller = `did:key:${key.publicKeyMultibase}`;
  key.id = `${key.controller}#${key.publicKeyMultibase}`;
  const suite = new DataIntegrityProof({signer: key.signer(), cryptosuite: eddsa});
  const documentLoader = loaderOf(contexts);
  const presentation = vc.createPresentation(
    {verifiableCredential: present, holder: key.controller, version: 2.0});
  return {presentation: await vc.signPresentation(
    {presentation, suite, domain, challenge, documentLoader})};
}

async function open({open, domain, challenge, contexts}) {
  const suite = [rdfc, eddsa].map(cryptosuite => new DataIntegrityProof({cryptosuite}));
  const {verified, error} = await vc.verify(
    {presentation: open, domain, challenge, suite, documentLoader: loaderOf(contexts)});
  return {verified, error: error ? String(error.errors?.[0] ?? error) : null};
}

const ACTS = {make, check, present, open};

for await (const line of readline.createInterface({input: process.stdin})) {
  const question = JSON.parse(line);
  let answer;
  try {
    const act = Object.keys(ACTS).find(name => name in question);
    answer = await ACTS[act](question);
  } catch(error) {
    answer = {verified: false, error: `${error.message} ${error.cause ?? ''}`};
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
}

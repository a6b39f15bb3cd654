// A wallet by @openid4vc/openid4vci: takes a credential offer, a transaction code and a seed from the
// JSON on stdin, and prints the credentials it was issued. Started by the OpenID4VCI test.
import crypto from 'node:crypto';

import {clientAuthenticationAnonymous, setGlobalConfig} from '@openid4vc/oauth2';
import {Openid4vciClient} from '@openid4vc/openid4vci';

let input = '';
for await (const chunk of process.stdin) {
  input += chunk;
}
const {offer, txCode, algorithm, by} = JSON.parse(input);
// The server under test is on loopback, without TLS.
setGlobalConfig({allowInsecureUrls: true});

const {publicKey, privateKey} = algorithm === 'EdDSA' ?
  crypto.generateKeyPairSync('ed25519') :
  crypto.generateKeyPairSync('ec', {namedCurve: 'P-256'});
const publicJwk = publicKey.export({format: 'jwk'});

const encode = value => Buffer.from(JSON.stringify(value)).toString('base64url');
const client = new Openid4vciClient({
  callbacks: {
    fetch,
    hash: (data, alg) => crypto.createHash(alg.replace('-', '')).update(data).digest(),
    generateRandom: length => crypto.randomBytes(length),
    clientAuthentication: clientAuthenticationAnonymous(),
    signJwt: async (signer, {header, payload}) => {
      const message = `${encode(header)}.${encode(payload)}`;
      const key = algorithm === 'EdDSA' ? privateKey : {key: privateKey, dsaEncoding: 'ieee-p1363'};
      const hash = algorithm === 'EdDSA' ? null : 'sha256';
      const signature = crypto.sign(hash, Buffer.from(message), key);
      return {jwt: `${message}.${signature.toString('base64url')}`, signerJwk: publicJwk};
    },
    verifyJwt: async () => ({verified: false}),
    decryptJwe: async () => ({decrypted: false}),
    encryptJwe: async () => { throw new Error('nothing is encrypted'); }
  }
});

try {
  const credentialOffer = await client.resolveCredentialOffer(offer);
  const issuerMetadata = await client.resolveIssuerMetadata(credentialOffer.credential_issuer);
  const {accessTokenResponse} = await client.retrievePreAuthorizedCodeAccessTokenFromOffer(
    {credentialOffer, issuerMetadata, txCode});
  const {c_nonce: nonce} = await client.requestNonce({issuerMetadata});
  const [credentialConfigurationId] = credentialOffer.credential_configuration_ids;
  const signer = by === 'jwk' ? {method: 'jwk', alg: algorithm, publicJwk} : {
    method: 'did', alg: algorithm, didUrl: didKey()
  };
  const {jwt} = await client.createCredentialRequestJwtProof(
    {issuerMetadata, credentialConfigurationId, nonce, signer});
  const {credentialResponse} = await client.retrieveCredentials({
    issuerMetadata,
    accessToken: accessTokenResponse.access_token,
    credentialConfigurationId,
    proofs: {jwt: [jwt]}
  });
  console.log(JSON.stringify({credentials: credentialResponse.credentials, did: didKey()}));
} catch(error) {
  const reason = error.errorResponse?.error ?? error.credentialErrorResponseResult?.data?.error;
  console.log(JSON.stringify({error: reason ?? error.message, whole: String(error.stack)}));
}

function didKey() {
  const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  const x = Buffer.from(publicJwk.x, 'base64url');
  const odd = publicJwk.y && Buffer.from(publicJwk.y, 'base64url')[31] & 1;
  const raw = algorithm === 'EdDSA' ? [Buffer.from([0xed, 1]), x] :
    [Buffer.from([0x80, 0x24, odd ? 3 : 2]), x];
  let number = BigInt('0x' + Buffer.concat(raw).toString('hex'));
  let text = '';
  while(number) {
    text = alphabet[Number(number % 58n)] + text;
    number /= 58n;
  }
  return `did:key:z${text}#z${text}`;
}
